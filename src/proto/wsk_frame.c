/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A message is handed out from where it lies: from the input if all of it is
 * there, its fragments moved together; from `held` if an earlier call began it.
 * So bytes are copied only where the input ends inside a message.
 */
#include "proto/wsk_frame.h"
#include "proto/wsk_frame_priv.h"

#include <stdlib.h>
#include <string.h>

/* Room to grow is as much again as what has arrived, but at least this, so that
 * small pieces do not each allocate. The header promises the sum. */
#define GROW_MIN 512

/* One call of wsk_frame_feed. */
typedef struct feed_t {
    wsk_frame_in_t *in;
    const wsk_frame_limits_t *limits;
    const wsk_frame_handler_t *to;
    void *baton;
    uint8_t *at; /* input not yet read */
    uint8_t *end;
    uint8_t *run; /* the message's bytes in the input, where none are held */
    size_t run_len;
} feed_t;

/* The mask as it stands before byte `at` of the payload, eight bytes long. */
static uint64_t mask_word(const uint8_t mask[4], unsigned at)
{
    uint8_t turned[8];
    uint64_t word;
    unsigned i;

    for (i = 0; i < 8; i++) {
        turned[i] = mask[(at + i) & 3];
    }
    memcpy(&word, turned, 8);
    return word;
}

/* Section 5.3. The bytes may lie anywhere, so words go through memcpy. */
static void unmask(uint8_t *bytes, size_t len, const uint8_t mask[4],
                   unsigned mask_at)
{
    const uint64_t key = mask_word(mask, mask_at);
    uint64_t word[4];
    uint8_t rest[8];
    size_t i;

    for (; len >= 32; bytes += 32, len -= 32) {
        memcpy(word, bytes, 32);
        word[0] ^= key;
        word[1] ^= key;
        word[2] ^= key;
        word[3] ^= key;
        memcpy(bytes, word, 32);
    }
    for (; len >= 8; bytes += 8, len -= 8) {
        memcpy(word, bytes, 8);
        word[0] ^= key;
        memcpy(bytes, word, 8);
    }
    memcpy(rest, &key, 8);
    for (i = 0; i < len; i++) {
        bytes[i] ^= rest[i];
    }
}

/* ---- what is held ---- */

/* Nothing is held and nothing more is taken. */
static void finish(wsk_frame_in_t *in)
{
    wsk_frame_in_clear(in);
    in->state = WSK_FRAME_DONE;
}

/* Append message bytes to what is held. Called before `left` counts them off,
 * or at the end of the input, so the last frame's total is known. */
static unsigned hold(wsk_frame_in_t *in, uint64_t most, const uint8_t *bytes,
                     size_t len)
{
    const uint64_t need = (uint64_t)in->held_len + len;
    uint64_t cap;
    uint8_t *grown;

    if (need > in->held_cap) {
        cap = WSK_MIN(need + WSK_MAX(need, GROW_MIN), WSK_MAX(need, most));
        grown = cap <= SIZE_MAX ? realloc(in->held, (size_t)cap) : NULL;
        if (grown == NULL) {
            return WSK_CLOSE_TRY_LATER;
        }
        in->held = grown;
        in->held_cap = (uint32_t)cap;
    }
    memcpy(in->held + in->held_len, bytes, len);
    in->held_len = (uint32_t)need;
    return 0;
}

/* The most the message can come to: exactly, if this is its last frame.
 * @param missing  bytes of the frame that are not held yet */
static uint64_t message_most(const feed_t *f, uint64_t held, uint64_t missing)
{
    return f->in->fin ? held + missing
                      : WSK_MIN(f->limits->max_message, WSK_FRAME_MESSAGE_MAX);
}

/* ---- handing out ---- */

static unsigned close_frame(feed_t *f, const uint8_t *payload, size_t len)
{
    unsigned code = WSK_CLOSE_NO_STATUS;
    size_t skip = 0;

    if (len == 1) {
        return WSK_CLOSE_PROTOCOL;
    }
    if (len >= 2) {
        skip = 2;
        code = (unsigned)payload[0] << 8 | payload[1];
        if (!wsk_close_code_valid(code)) {
            return WSK_CLOSE_PROTOCOL;
        }
        if (!wsk_utf8_valid(payload + skip, len - skip)) {
            return WSK_CLOSE_BAD_DATA;
        }
    }
    f->to->close(f->baton, code, (const char *)payload + skip, len - skip);
    finish(f->in);
    return 0;
}

static unsigned control_frame(feed_t *f, uint8_t op, uint8_t *payload,
                              size_t len)
{
    if (op == WSK_OP_CLOSE) {
        return close_frame(f, payload, len);
    }
    if (!f->to->control(f->baton, (wsk_opcode_e)op, payload, len)) {
        finish(f->in);
    }
    return 0;
}

static void message(feed_t *f, uint8_t op, uint8_t *payload, size_t len)
{
    if (!f->to->message(f->baton, (wsk_opcode_e)op, payload, len)) {
        finish(f->in);
    }
}

/* ---- frames ---- */

static void leave_frame(wsk_frame_in_t *in)
{
    in->state = WSK_FRAME_HEAD;
    in->frame_op = 0;
    in->fin = false;
    in->mask_at = 0;
    memset(in->mask, 0, sizeof(in->mask));
}

static unsigned end_control(feed_t *f)
{
    wsk_frame_in_t *in = f->in;
    const uint8_t op = in->frame_op;
    const size_t len = in->control_len;
    uint8_t *payload = in->control;
    unsigned code;

    in->control = NULL;
    in->control_len = 0;
    leave_frame(in);
    code = control_frame(f, op, payload, len);
    free(payload);
    return code;
}

static unsigned end_data(feed_t *f)
{
    wsk_frame_in_t *in = f->in;
    uint8_t *held = in->held;
    const size_t len = held != NULL ? in->held_len : f->run_len;
    uint8_t *payload = held != NULL ? held : f->run;
    const uint8_t op = in->op;

    if (!in->fin) {
        leave_frame(in);
        return 0;
    }
    if (op == WSK_OP_TEXT && !wsk_utf8_whole(&in->utf8)) {
        return WSK_CLOSE_BAD_DATA;
    }
    memset(in, 0, sizeof(*in));
    f->run = NULL;
    f->run_len = 0;
    message(f, op, payload, len);
    free(held);
    return 0;
}

/* Control payloads have at most 125 bytes, which are allocated when some of
 * them are here and some are not. */
static unsigned keep_control(wsk_frame_in_t *in, const uint8_t *bytes,
                             size_t len)
{
    if (in->control == NULL && len > 0) {
        in->control = malloc((size_t)in->left);
        if (in->control == NULL) {
            return WSK_CLOSE_TRY_LATER;
        }
    }
    if (len > 0) {
        memcpy(in->control + in->control_len, bytes, len);
        in->control_len = (uint8_t)(in->control_len + len);
    }
    return 0;
}

static unsigned keep_data(feed_t *f, uint8_t *bytes, size_t len)
{
    wsk_frame_in_t *in = f->in;

    if (in->op == WSK_OP_TEXT && !wsk_utf8_feed(&in->utf8, bytes, len)) {
        return WSK_CLOSE_BAD_DATA;
    }
    if (in->held != NULL) {
        return hold(in, message_most(f, in->held_len, in->left), bytes, len);
    }
    if (f->run == NULL) {
        f->run = bytes;
    }
    else {
        memmove(f->run + f->run_len, bytes, len);
    }
    f->run_len += len;
    return 0;
}

static unsigned read_payload(feed_t *f)
{
    wsk_frame_in_t *in = f->in;
    const size_t here = (size_t)(f->end - f->at);
    const size_t len = in->left < here ? (size_t)in->left : here;
    const bool control = wsk_frame_is_control(in->frame_op);
    uint8_t *bytes = f->at;
    unsigned code;

    unmask(bytes, len, in->mask, in->mask_at);
    code = control ? keep_control(in, bytes, len) : keep_data(f, bytes, len);
    if (code != 0) {
        return code;
    }
    f->at += len;
    in->left -= len;
    in->mask_at = (uint8_t)((in->mask_at + len) & 3);
    if (in->left > 0) {
        return 0;
    }
    return control ? end_control(f) : end_data(f);
}

/* A frame that is here whole and is a message, or none of its business, leaves
 * no trace in the decoder. */
static unsigned whole_frame(feed_t *f, const wsk_frame_head_t *head)
{
    uint8_t *bytes = f->at;
    const size_t len = (size_t)head->len;

    f->at += len;
    unmask(bytes, len, head->mask, 0);
    if (wsk_frame_is_control(head->op)) {
        return control_frame(f, head->op, bytes, len);
    }
    if (head->op == WSK_OP_TEXT && !wsk_utf8_valid(bytes, len)) {
        return WSK_CLOSE_BAD_DATA;
    }
    message(f, head->op, bytes, len);
    return 0;
}

static unsigned begin_frame(feed_t *f, const wsk_frame_head_t *head)
{
    wsk_frame_in_t *in = f->in;
    const bool control = wsk_frame_is_control(head->op);

    if (head->len <= (uint64_t)(f->end - f->at)
        && (control || (head->fin && head->op != WSK_OP_CONT))) {
        return whole_frame(f, head);
    }
    if (!control) {
        in->fragments++;
        in->op = head->op != WSK_OP_CONT ? head->op : in->op;
    }
    in->state = WSK_FRAME_PAYLOAD;
    in->frame_op = head->op;
    in->fin = head->fin && !control;
    in->left = head->len;
    memcpy(in->mask, head->mask, sizeof(in->mask));
    return read_payload(f);
}

/* A header that an earlier call ended in: byte by byte, so that what is wrong
 * is found as early as in one piece. */
static unsigned resume_head(feed_t *f)
{
    wsk_frame_in_t *in = f->in;
    wsk_frame_head_t head;
    unsigned code;

    in->head[in->head_len++] = *f->at++;
    code = wsk_frame_head_read(&head, in, f->limits, in->held_len + f->run_len,
                               in->head, in->head_len);
    if (code != 0 || in->head_len < head.size) {
        return code;
    }
    memset(in->head, 0, sizeof(in->head));
    in->head_len = 0;
    return begin_frame(f, &head);
}

static unsigned read_head(feed_t *f)
{
    wsk_frame_in_t *in = f->in;
    const size_t here = (size_t)(f->end - f->at);
    wsk_frame_head_t head;
    unsigned code;

    if (in->head_len > 0) {
        return resume_head(f);
    }
    code = wsk_frame_head_read(&head, in, f->limits, in->held_len + f->run_len,
                               f->at, here);
    if (code != 0) {
        return code;
    }
    if (here < head.size) {
        memcpy(in->head, f->at, here);
        in->head_len = (uint8_t)here;
        f->at = f->end;
        return 0;
    }
    f->at += head.size;
    return begin_frame(f, &head);
}

unsigned wsk_frame_feed(wsk_frame_in_t *in, const wsk_frame_limits_t *limits,
                        const wsk_frame_handler_t *to, void *baton,
                        uint8_t *bytes, size_t len)
{
    feed_t f = { in, limits, to, baton, bytes, NULL, NULL, 0 };
    unsigned code = 0;

    if (len == 0) {
        return WSK_OK;
    }
    f.end = bytes + len;
    while (code == 0 && f.at < f.end && in->state != WSK_FRAME_DONE) {
        code = in->state == WSK_FRAME_HEAD ? read_head(&f) : read_payload(&f);
    }
    if (code == 0 && f.run_len > 0 && in->state != WSK_FRAME_DONE) {
        code = hold(in, message_most(&f, f.run_len, in->left), f.run,
                    f.run_len);
    }
    if (code != 0) {
        finish(in);
    }
    return code;
}

bool wsk_frame_in_idle(const wsk_frame_in_t *in)
{
    return in->state == WSK_FRAME_HEAD && in->op == 0 && in->head_len == 0;
}

void wsk_frame_in_clear(wsk_frame_in_t *in)
{
    free(in->held);
    free(in->control);
    memset(in, 0, sizeof(*in));
}
