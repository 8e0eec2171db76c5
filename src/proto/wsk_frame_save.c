/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A saved decoder, numbers in network order:
 *
 *    0  version   1  state     2  op           3  frame_op
 *    4  fin       5  mask_at   6  head_len     7  control_len
 *    8  mask, 4 bytes         12  fragments    16  held_len
 *   20  left, 8 bytes
 *   28  head, control, held: as many bytes as their lengths say, and no more
 *
 * The state of the UTF-8 check is not there: it follows from what is held.
 */
#include "proto/wsk_frame.h"
#include "proto/wsk_frame_priv.h"

#include <stdlib.h>
#include <string.h>

#define VERSION 1

enum {
    AT_VERSION,
    AT_STATE,
    AT_OP,
    AT_FRAME_OP,
    AT_FIN,
    AT_MASK_AT,
    AT_HEAD_LEN,
    AT_CONTROL_LEN,
    AT_MASK = 8,
    AT_FRAGMENTS = 12,
    AT_HELD_LEN = 16,
    AT_LEFT = 20,
    AT_BYTES = 28
};
_Static_assert(AT_BYTES == WSK_FRAME_SAVE_MIN, "the header tells the size");

static uint64_t get_number(const uint8_t *at, size_t bytes)
{
    uint64_t value = 0;

    for (; bytes > 0; bytes--) {
        value = value << 8 | *at++;
    }
    return value;
}

static uint8_t *put_bytes(uint8_t *out, const uint8_t *bytes, size_t len)
{
    if (len > 0) {
        memcpy(out, bytes, len);
    }
    return out + len;
}

size_t wsk_frame_in_save(const wsk_frame_in_t *in, uint8_t *out, size_t cap)
{
    const size_t need = (size_t)AT_BYTES + in->head_len + in->control_len
                        + in->held_len;
    uint8_t *at;

    if (need > cap) {
        return need;
    }
    out[AT_VERSION] = VERSION;
    out[AT_STATE] = in->state;
    out[AT_OP] = in->op;
    out[AT_FRAME_OP] = in->frame_op;
    out[AT_FIN] = in->fin;
    out[AT_MASK_AT] = in->mask_at;
    out[AT_HEAD_LEN] = in->head_len;
    out[AT_CONTROL_LEN] = in->control_len;
    memcpy(out + AT_MASK, in->mask, sizeof(in->mask));
    wsk_frame_put_number(out + AT_FRAGMENTS, in->fragments, 4);
    wsk_frame_put_number(out + AT_HELD_LEN, in->held_len, 4);
    wsk_frame_put_number(out + AT_LEFT, in->left, 8);
    at = put_bytes(out + AT_BYTES, in->head, in->head_len);
    at = put_bytes(at, in->control, in->control_len);
    put_bytes(at, in->held, in->held_len);
    return need;
}

static bool all_zero(const uint8_t *bytes, size_t len)
{
    while (len > 0 && *bytes == 0) {
        bytes++;
        len--;
    }
    return len == 0;
}

/* A header cut in the middle is one that could still be read on. */
static bool head_sane(const wsk_frame_in_t *in)
{
    const wsk_frame_limits_t any = { UINT64_MAX, UINT32_MAX };
    wsk_frame_head_t head;

    if (!all_zero(in->mask, sizeof(in->mask)) || in->frame_op != 0 || in->fin
        || in->mask_at != 0 || in->left != 0 || in->control_len != 0) {
        return false;
    }
    return in->head_len == 0
           || (wsk_frame_head_read(&head, in, &any, in->held_len, in->head,
                                   in->head_len)
                   == 0
               && head.size > in->head_len);
}

static bool control_sane(const wsk_frame_in_t *in)
{
    return in->frame_op <= WSK_OP_PONG && !in->fin
           && in->control_len <= WSK_FRAME_CONTROL_MAX
           && in->left <= (uint64_t)WSK_FRAME_CONTROL_MAX - in->control_len
           && in->mask_at == (in->control_len & 3);
}

static bool data_sane(const wsk_frame_in_t *in)
{
    if (in->op == 0 || in->control_len != 0
        || in->left > WSK_FRAME_MESSAGE_MAX - in->held_len) {
        return false;
    }
    if (in->frame_op == WSK_OP_CONT) {
        return in->fragments > 1 && in->mask_at <= 3;
    }
    return in->frame_op == in->op && in->fragments == 1
           && in->mask_at == (in->held_len & 3);
}

/* Whether numbers and header are one of the shapes in wsk_frame_priv.h. */
static bool shape_sane(const wsk_frame_in_t *in)
{
    const bool in_message = in->op == WSK_OP_TEXT || in->op == WSK_OP_BINARY;

    if ((!in_message && in->op != 0) || in_message != (in->fragments > 0)
        || (!in_message && in->held_len > 0)) {
        return false;
    }
    if (in->state == WSK_FRAME_HEAD) {
        return head_sane(in);
    }
    return in->state == WSK_FRAME_PAYLOAD && in->head_len == 0 && in->left > 0
           && (wsk_frame_is_control(in->frame_op) ? control_sane(in)
                                                  : data_sane(in));
}

/* @return false if the lengths do not add up to `len` */
static bool read_numbers(wsk_frame_in_t *in, const uint8_t *bytes, size_t len)
{
    if (len < AT_BYTES || bytes[AT_VERSION] != VERSION || bytes[AT_FIN] > 1) {
        return false;
    }
    in->state = bytes[AT_STATE];
    in->op = bytes[AT_OP];
    in->frame_op = bytes[AT_FRAME_OP];
    in->fin = bytes[AT_FIN] != 0;
    in->mask_at = bytes[AT_MASK_AT];
    in->head_len = bytes[AT_HEAD_LEN];
    in->control_len = bytes[AT_CONTROL_LEN];
    memcpy(in->mask, bytes + AT_MASK, sizeof(in->mask));
    in->fragments = (uint32_t)get_number(bytes + AT_FRAGMENTS, 4);
    in->held_len = (uint32_t)get_number(bytes + AT_HELD_LEN, 4);
    in->left = get_number(bytes + AT_LEFT, 8);
    if (in->head_len >= sizeof(in->head)
        || len - AT_BYTES
               != (uint64_t)in->head_len + in->control_len + in->held_len) {
        return false;
    }
    memcpy(in->head, bytes + AT_BYTES, in->head_len);
    return true;
}

/* @param bytes  the control frame's, then the message's */
static wsk_status_e read_payload(wsk_frame_in_t *in, const uint8_t *bytes)
{
    const uint8_t *held = bytes + in->control_len;

    if (in->op == WSK_OP_TEXT
        && !wsk_utf8_feed(&in->utf8, held, in->held_len)) {
        return WSK_EINVAL;
    }
    if (in->control_len > 0) {
        in->control = malloc(in->control_len + (size_t)in->left);
        if (in->control == NULL) {
            return WSK_ENOMEM;
        }
        memcpy(in->control, bytes, in->control_len);
    }
    if (in->held_len > 0) {
        in->held = malloc(in->held_len);
        if (in->held == NULL) {
            return WSK_ENOMEM;
        }
        in->held_cap = in->held_len;
        memcpy(in->held, held, in->held_len);
    }
    return WSK_OK;
}

wsk_status_e wsk_frame_in_load(wsk_frame_in_t *in, const uint8_t *bytes,
                               size_t len)
{
    wsk_status_e status = WSK_EINVAL;

    memset(in, 0, sizeof(*in));
    if (read_numbers(in, bytes, len)) {
        if (in->state == WSK_FRAME_DONE) {
            status = all_zero(bytes + AT_OP, len - AT_OP) ? WSK_OK : WSK_EINVAL;
        }
        else if (shape_sane(in)) {
            status = read_payload(in, bytes + AT_BYTES + in->head_len);
        }
    }
    if (status != WSK_OK) {
        wsk_frame_in_clear(in);
    }
    return status;
}
