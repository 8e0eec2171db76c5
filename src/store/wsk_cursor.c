/* SPDX-License-Identifier: Apache-2.0 */
#include "store/wsk_log.h"

#define EPOCH_DIGITS 12

size_t wsk_cursor_text(char out[WSK_ID_MAX], const wsk_cursor_t *cursor)
{
    static const char hex[] = "0123456789abcdef";
    char digits[20];
    uint64_t seq = cursor->seq;
    size_t n = 0, i;

    for (i = 0; i < EPOCH_DIGITS; i++) {
        out[i] = hex[cursor->epoch >> (4 * (EPOCH_DIGITS - 1 - i)) & 0xf];
    }
    out[EPOCH_DIGITS] = '-';
    do {
        digits[n++] = (char)('0' + seq % 10);
        seq /= 10;
    } while (seq != 0);
    for (i = 0; i < n; i++) {
        out[EPOCH_DIGITS + 1 + i] = digits[n - 1 - i];
    }
    out[EPOCH_DIGITS + 1 + n] = '\0';
    return EPOCH_DIGITS + 1 + n;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* A decimal number without sign, leading zero or overflow. */
static bool parse_seq(const char *at, size_t len, uint64_t *pseq)
{
    uint64_t seq = 0;
    size_t i;

    if (len == 0 || len > 20 || (at[0] == '0' && len > 1)) {
        return false;
    }
    for (i = 0; i < len; i++) {
        const uint64_t digit = (uint64_t)(unsigned char)at[i] - '0';

        if (at[i] < '0' || at[i] > '9' || seq > (UINT64_MAX - digit) / 10) {
            return false;
        }
        seq = seq * 10 + digit;
    }
    *pseq = seq;
    return true;
}

bool wsk_cursor_parse(wsk_slice_t text, wsk_cursor_t *out)
{
    wsk_cursor_t cursor = { 0, 0 };
    size_t i;

    if (text.len < EPOCH_DIGITS + 2 || text.at[EPOCH_DIGITS] != '-') {
        return false;
    }
    for (i = 0; i < EPOCH_DIGITS; i++) {
        const int value = hex_value(text.at[i]);

        if (value < 0) {
            return false;
        }
        cursor.epoch = cursor.epoch << 4 | (uint64_t)value;
    }
    if (!parse_seq(text.at + EPOCH_DIGITS + 1, text.len - EPOCH_DIGITS - 1,
                   &cursor.seq)) {
        return false;
    }
    *out = cursor;
    return true;
}
