/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/wsk_frame.h"
#include "proto/wsk_frame_priv.h"

#include <string.h>

#define CODE_LEN 2 /* of a close code on the wire */
#define REASON_MAX (WSK_FRAME_CONTROL_MAX - CODE_LEN)

bool wsk_close_code_valid(unsigned code)
{
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014)
           || (code >= 3000 && code <= 4999);
}

size_t wsk_frame_head(uint8_t *out, wsk_opcode_e op, uint64_t len)
{
    out[0] = (uint8_t)(WSK_FRAME_FIN | (unsigned)op);
    if (len < WSK_FRAME_LEN16) {
        out[1] = (uint8_t)len;
        return 2;
    }
    if (len <= UINT16_MAX) {
        out[1] = WSK_FRAME_LEN16;
        wsk_frame_put_number(out + 2, len, 2);
        return 4;
    }
    out[1] = WSK_FRAME_LEN64;
    wsk_frame_put_number(out + 2, len, 8);
    return 10;
}

/* Length of the longest beginning that fits and cuts no character. */
static size_t fitting(const char *reason)
{
    size_t len = 0;

    while (len <= REASON_MAX && reason[len] != '\0') {
        len++;
    }
    if (len <= REASON_MAX) {
        return len;
    }
    len = REASON_MAX;
    while (len > 0 && ((uint8_t)reason[len] & 0xC0) == 0x80) {
        len--;
    }
    return len;
}

size_t wsk_frame_close(uint8_t *out, unsigned code, const char *reason)
{
    size_t len, head;

    if (code == 0) {
        return wsk_frame_head(out, WSK_OP_CLOSE, 0);
    }
    len = reason != NULL ? fitting(reason) : 0;
    head = wsk_frame_head(out, WSK_OP_CLOSE, CODE_LEN + len);
    wsk_frame_put_number(out + head, code, CODE_LEN);
    if (len > 0) {
        memcpy(out + head + CODE_LEN, reason, len);
    }
    return head + CODE_LEN + len;
}
