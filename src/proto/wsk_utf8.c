/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/wsk_utf8.h"

#include <string.h>

#define NOT_ASCII UINT64_C(0x8080808080808080)

/* Skip what needs no state: 32 bytes a turn, then 8, then one by one. */
static const uint8_t *skip_ascii(const uint8_t *at, const uint8_t *end)
{
    uint64_t word[4];

    while (end - at >= 32) {
        memcpy(word, at, 32);
        if (((word[0] | word[1] | word[2] | word[3]) & NOT_ASCII) != 0) {
            break;
        }
        at += 32;
    }
    while (end - at >= 8) {
        memcpy(word, at, 8);
        if ((word[0] & NOT_ASCII) != 0) {
            break;
        }
        at += 8;
    }
    while (at < end && *at < 0x80) {
        at++;
    }
    return at;
}

static bool follows(uint8_t byte)
{
    return (byte & 0xC0) == 0x80;
}

/* Skip the characters of most scripts, which are whole in the input and have no
 * narrower bounds: U+0080 to U+07FF in two bytes, U+1000 to U+CFFF in three. */
static const uint8_t *skip_common(const uint8_t *at, const uint8_t *end)
{
    while (end - at >= 3) {
        if (at[0] >= 0xC2 && at[0] <= 0xDF && follows(at[1])) {
            at += 2;
        }
        else if (at[0] >= 0xE1 && at[0] <= 0xEC && follows(at[1])
                 && follows(at[2])) {
            at += 3;
        }
        else {
            break;
        }
    }
    return at;
}

/* The first byte of a longer character, RFC 3629 section 4: it bounds the
 * second so that overlong forms, surrogates and what is above U+10FFFF end
 * there. */
static bool begin(wsk_utf8_t *state, uint8_t byte)
{
    state->low = 0x80;
    state->high = 0xBF;
    if (byte >= 0xC2 && byte <= 0xDF) {
        state->need = 1;
        return true;
    }
    if (byte >= 0xE0 && byte <= 0xEF) {
        state->need = 2;
        state->low = byte == 0xE0 ? 0xA0 : 0x80;
        state->high = byte == 0xED ? 0x9F : 0xBF;
        return true;
    }
    if (byte >= 0xF0 && byte <= 0xF4) {
        state->need = 3;
        state->low = byte == 0xF0 ? 0x90 : 0x80;
        state->high = byte == 0xF4 ? 0x8F : 0xBF;
        return true;
    }
    return false;
}

bool wsk_utf8_feed(wsk_utf8_t *state, const uint8_t *bytes, size_t len)
{
    const uint8_t *at = bytes;
    const uint8_t *end = len > 0 ? bytes + len : bytes;
    wsk_utf8_t now = *state;

    while (at < end) {
        if (now.need == 0) {
            at = skip_common(skip_ascii(at, end), end);
            if (at < end && *at >= 0x80 && !begin(&now, *at++)) {
                return false;
            }
            continue;
        }
        if (*at < now.low || *at > now.high) {
            return false;
        }
        at++;
        now.need--;
        now.low = 0x80;
        now.high = 0xBF;
    }
    if (now.need == 0) {
        now.low = now.high = 0;
    }
    *state = now;
    return true;
}

bool wsk_utf8_whole(const wsk_utf8_t *state)
{
    return state->need == 0;
}

bool wsk_utf8_valid(const void *bytes, size_t len)
{
    wsk_utf8_t state = { 0, 0, 0 };

    return wsk_utf8_feed(&state, bytes, len) && wsk_utf8_whole(&state);
}
