/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/wsk_utf8.h"

#include <string.h>

#include "frame_fixture.h"
#include "tap.h"

static edge_t edge;

/* RFC 3629 section 3 from the other side: what a sender would write. */
static size_t encode(uint8_t *out, uint32_t c)
{
    if (c < 0x80) {
        out[0] = (uint8_t)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (uint8_t)(0xC0 | c >> 6);
        out[1] = (uint8_t)(0x80 | (c & 0x3F));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (uint8_t)(0xE0 | c >> 12);
        out[1] = (uint8_t)(0x80 | (c >> 6 & 0x3F));
        out[2] = (uint8_t)(0x80 | (c & 0x3F));
        return 3;
    }
    out[0] = (uint8_t)(0xF0 | c >> 18);
    out[1] = (uint8_t)(0x80 | (c >> 12 & 0x3F));
    out[2] = (uint8_t)(0x80 | (c >> 6 & 0x3F));
    out[3] = (uint8_t)(0x80 | (c & 0x3F));
    return 4;
}

/* All proper beginnings of characters, learnt from the characters: by length,
 * then by the bytes. */
static uint8_t begins1[1 << 8];
static uint8_t begins2[1 << 16];
static uint8_t begins3[1 << 24];

static void learn_beginnings(void)
{
    uint8_t b[4];
    uint32_t c;
    size_t len;

    for (c = 0x80; c <= 0x10FFFF; c++) {
        if (c >= 0xD800 && c <= 0xDFFF) {
            continue;
        }
        len = encode(b, c);
        begins1[b[0]] = 1;
        if (len > 2) {
            begins2[b[0] << 8 | b[1]] = 1;
        }
        if (len > 3) {
            begins3[b[0] << 16 | b[1] << 8 | b[2]] = 1;
        }
    }
}

/* How many of the bytes are taken before one is refused, fed one by one. */
static size_t taken(const uint8_t *bytes, size_t len)
{
    wsk_utf8_t state = { 0, 0, 0 };
    size_t i;

    for (i = 0; i < len; i++) {
        if (!wsk_utf8_feed(&state, bytes + i, 1)) {
            return i;
        }
    }
    return len;
}

static int at_once(const uint8_t *bytes, size_t len)
{
    wsk_utf8_t state = { 0, 0, 0 };

    return wsk_utf8_feed(&state, bytes, len);
}

static int valid(const void *bytes, size_t len)
{
    return wsk_utf8_valid(edge_put(&edge, bytes, len), len);
}

static void every_character(void)
{
    uint8_t bytes[4];
    uint32_t c;
    size_t len, part;
    int wrong = 0, cut = 0;

    for (c = 0; c <= 0x10FFFF; c++) {
        len = encode(bytes, c);
        wrong += valid(bytes, len) != (c < 0xD800 || c > 0xDFFF);
        for (part = 1; part < len; part++) {
            cut += valid(bytes, part);
        }
    }
    is_int(wrong, 0, "every character is valid but the surrogates");
    is_int(cut, 0, "none is valid when it is cut");
}

/* What must become of a lead byte and what follows: bytes taken while they are
 * the beginning of some character. A whole character ends the question. */
static size_t possible(const uint8_t *b, size_t len)
{
    if (!begins1[b[0]]) {
        return 0;
    }
    if ((b[1] & 0xC0) != 0x80) {
        return 1;
    }
    if (b[0] < 0xE0 || len == 2) {
        return b[0] < 0xE0 || begins2[b[0] << 8 | b[1]] ? 2 : 1;
    }
    if (!begins2[b[0] << 8 | b[1]]) {
        return 1;
    }
    if ((b[2] & 0xC0) != 0x80) {
        return 2;
    }
    if (b[0] < 0xF0 || len == 3) {
        return b[0] < 0xF0 || begins3[b[0] << 16 | b[1] << 8 | b[2]] ? 3 : 2;
    }
    return (b[3] & 0xC0) == 0x80 ? 4 : 3;
}

static void every_impossible_byte(void)
{
    static const uint8_t last[] = { 0x00, 0x7F, 0x80, 0xBF, 0xC0, 0xFF };
    uint8_t b[4] = { 0, 0, 0, 0x80 };
    uint32_t n;
    size_t i, len, want;
    int wrong = 0, differ = 0;

    learn_beginnings();
    for (n = 0x800000; n < 0x1000000; n++) {
        b[0] = (uint8_t)(n >> 16);
        b[1] = (uint8_t)(n >> 8);
        b[2] = (uint8_t)n;
        len = b[0] < 0xE0 ? 2 : 3;
        wrong += taken(b, len) != possible(b, len);
        b[3] = 'x';
        differ += at_once(b, 4) != (taken(b, 4) == 4);
        if (begins3[n]) {
            for (i = 0; i < sizeof(last); i++) {
                b[3] = last[i];
                want = possible(b, 4);
                wrong += taken(b, 4) != want;
            }
        }
    }
    is_int(wrong, 0, "a byte is refused once no character begins like that");
    is_int(differ, 0, "in one piece as byte by byte");
}

/* Words are read in the middle of ASCII: nothing hides in one. */
static void every_place_in_a_word(void)
{
    static const char *const bad[] = { "\x80", "\xFF", "\xC3" };
    uint8_t text[120];
    size_t len, at, i, cut;
    int wrong = 0, missed = 0;

    for (len = 0; len < sizeof(text); len++) {
        memset(text, 'x', sizeof(text));
        missed += !valid(text, len);
        for (at = 0; at < len; at++) {
            for (i = 0; i < WSK_COUNT_OF(bad); i++) {
                text[at] = (uint8_t)bad[i][0];
                wrong += valid(text, len);
            }
            text[at] = 0;
            missed += !valid(text, len);
            text[at] = 0x7F;
        }
    }
    is_int(missed, 0, "ASCII of every length, NUL and DEL in it");
    is_int(wrong, 0, "one bad byte at every place");
    for (at = 0; at + 4 <= 100; at++) {
        memset(text, 'x', 100);
        memcpy(text + at, "\xF0\x9F\x98\x80", 4);
        for (cut = 0; cut <= 100; cut++) {
            wsk_utf8_t state = { 0, 0, 0 };

            missed += !wsk_utf8_feed(&state, edge_put(&edge, text, cut), cut);
            missed += wsk_utf8_whole(&state) != (cut <= at || cut >= at + 4);
            missed += !wsk_utf8_feed(
                &state, edge_put(&edge, text + cut, 100 - cut), 100 - cut);
            missed += state.need != 0 || state.low != 0 || state.high != 0;
        }
    }
    is_int(missed, 0, "a long character at every place, cut at every place");
}

int main(void)
{
    wsk_utf8_t state = { 0, 0, 0 };

    edge = edge_make(1000);
    ok(wsk_utf8_valid(NULL, 0), "no text is valid");
    ok(wsk_utf8_feed(&state, NULL, 0) && wsk_utf8_whole(&state),
       "and changes nothing");
    every_character();
    every_impossible_byte();
    every_place_in_a_word();
    edge_free(&edge);
    return done_testing();
}
