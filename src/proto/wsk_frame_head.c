/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every check goes by the bytes in their order and by nothing behind them, so
 * that a header in pieces is refused as one in one piece is.
 */
#include "proto/wsk_frame.h"
#include "proto/wsk_frame_priv.h"

#include <string.h>

static unsigned check_first(const wsk_frame_in_t *in,
                            const wsk_frame_limits_t *limits, uint8_t byte)
{
    const uint8_t op = byte & WSK_FRAME_OP;

    if ((byte & WSK_FRAME_RSV) != 0) {
        return WSK_CLOSE_PROTOCOL;
    }
    switch (op) {
    case WSK_OP_CLOSE:
    case WSK_OP_PING:
    case WSK_OP_PONG:
        return (byte & WSK_FRAME_FIN) != 0 ? 0 : WSK_CLOSE_PROTOCOL;
    case WSK_OP_CONT:
    case WSK_OP_TEXT:
    case WSK_OP_BINARY:
        break;
    default:
        return WSK_CLOSE_PROTOCOL;
    }
    if ((op == WSK_OP_CONT) != (in->op != 0)) {
        return WSK_CLOSE_PROTOCOL;
    }
    return in->fragments < limits->max_fragments ? 0 : WSK_CLOSE_TOO_BIG;
}

/* Bytes of length after the first two. */
static size_t extra_bytes(uint64_t short_len)
{
    if (short_len < WSK_FRAME_LEN16) {
        return 0;
    }
    return short_len == WSK_FRAME_LEN16 ? 2 : 8;
}

/* The length in its long form, which must be the shortest that fits; the top
 * bit of 64 must be clear. */
static unsigned long_length(wsk_frame_head_t *head, const uint8_t *bytes,
                            size_t count)
{
    const uint64_t least = count == 2 ? WSK_FRAME_LEN16 : UINT16_MAX + 1;
    size_t i;

    head->len = 0;
    for (i = 0; i < count; i++) {
        head->len = head->len << 8 | bytes[i];
    }
    return head->len >= least && head->len >> 63 == 0 ? 0 : WSK_CLOSE_PROTOCOL;
}

static bool too_big(const wsk_frame_limits_t *limits, uint64_t so_far,
                    uint64_t len)
{
    const uint64_t most = WSK_MIN(limits->max_message, WSK_FRAME_MESSAGE_MAX);

    return so_far > most || len > most - so_far;
}

unsigned wsk_frame_head_read(wsk_frame_head_t *head, const wsk_frame_in_t *in,
                             const wsk_frame_limits_t *limits, uint64_t so_far,
                             const uint8_t *bytes, size_t len)
{
    unsigned code = check_first(in, limits, bytes[0]);
    size_t extra;

    head->size = 2;
    if (code != 0 || len < 2) {
        return code;
    }
    head->op = bytes[0] & WSK_FRAME_OP;
    head->fin = (bytes[0] & WSK_FRAME_FIN) != 0;
    head->len = bytes[1] & WSK_FRAME_LEN;
    if ((bytes[1] & WSK_FRAME_MASKED) == 0
        || (wsk_frame_is_control(head->op)
            && head->len > WSK_FRAME_CONTROL_MAX)) {
        return WSK_CLOSE_PROTOCOL;
    }
    extra = extra_bytes(head->len);
    head->size = 2 + extra + sizeof(head->mask);
    if (len < 2 + extra) {
        return 0;
    }
    if (extra > 0) {
        code = long_length(head, bytes + 2, extra);
    }
    if (code == 0 && !wsk_frame_is_control(head->op)
        && too_big(limits, so_far, head->len)) {
        code = WSK_CLOSE_TOO_BIG;
    }
    if (code == 0 && len >= head->size) {
        memcpy(head->mask, bytes + 2 + extra, sizeof(head->mask));
    }
    return code;
}
