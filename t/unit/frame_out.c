/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/wsk_frame.h"

#include <string.h>

#include "tap.h"

static void heads(void)
{
    static const struct {
        uint64_t len;
        size_t size;
        const char *bytes;
    } cases[] = {
        { 0, 2, "\x82\x00" },
        { 1, 2, "\x82\x01" },
        { 125, 2, "\x82\x7D" },
        { 126, 4, "\x82\x7E\x00\x7E" },
        { 127, 4, "\x82\x7E\x00\x7F" },
        { 0x1234, 4, "\x82\x7E\x12\x34" },
        { 65535, 4, "\x82\x7E\xFF\xFF" },
        { 65536, 10, "\x82\x7F\0\0\0\0\0\1\0\0" },
        { UINT64_C(0x0123456789ABCDEF), 10,
          "\x82\x7F\x01\x23\x45\x67\x89\xAB\xCD\xEF" },
    };
    uint8_t out[WSK_FRAME_HEAD_MAX + 1];
    size_t i, size;

    for (i = 0; i < WSK_COUNT_OF(cases); i++) {
        memset(out, 0xAA, sizeof(out));
        size = wsk_frame_head(out, WSK_OP_BINARY, cases[i].len);
        is_mem(out, size, cases[i].bytes, cases[i].size,
               "the head of a frame of %lu bytes", (unsigned long)cases[i].len);
        is_int(out[size], 0xAA, "and nothing behind it");
    }
    wsk_frame_head(out, WSK_OP_TEXT, 0);
    is_int(out[0], 0x81, "text");
    wsk_frame_head(out, WSK_OP_PING, 0);
    is_int(out[0], 0x89, "ping");
    wsk_frame_head(out, WSK_OP_PONG, 0);
    is_int(out[0], 0x8A, "pong");
}

static void closes(void)
{
    uint8_t out[2 + WSK_FRAME_CONTROL_MAX];
    size_t size;

    size = wsk_frame_close(out, 0, NULL);
    is_mem(out, size, "\x88\x00", 2, "a close without a body");
    size = wsk_frame_close(out, 0, "reason");
    is_mem(out, size, "\x88\x00", 2, "has no reason either");
    size = wsk_frame_close(out, WSK_CLOSE_NORMAL, NULL);
    is_mem(out, size, "\x88\x02\x03\xE8", 4, "a close with a code");
    size = wsk_frame_close(out, WSK_CLOSE_NORMAL, "");
    is_mem(out, size, "\x88\x02\x03\xE8", 4, "an empty reason is none");
    size = wsk_frame_close(out, WSK_CLOSE_LIMIT, "full");
    is_mem(out, size,
           "\x88\x06\x0F\xBD"
           "full",
           8, "a close with a reason");
}

/* Characters of 1 to 4 bytes behind `lead` ASCII ones, so that the cut falls on
 * each of their bytes. */
static void cut_reasons(void)
{
    static const char *const chars[] = { "a", "\xC3\xA4", "\xE2\x82\xAC",
                                         "\xF0\x9F\x98\x80" };
    char reason[256];
    uint8_t out[2 + WSK_FRAME_CONTROL_MAX + 1];
    size_t c, lead, at, width, want, size;
    int wrong = 0;

    for (c = 0; c < WSK_COUNT_OF(chars); c++) {
        width = strlen(chars[c]);
        for (lead = 0; lead < 126; lead++) {
            memset(reason, 'x', lead);
            for (at = lead; at < 200; at += width) {
                memcpy(reason + at, chars[c], width);
            }
            reason[at] = '\0';
            want = lead >= 123 ? 123 : 123 - (123 - lead) % width;
            memset(out, 0xAA, sizeof(out));
            size = wsk_frame_close(out, 1000, reason);
            wrong += size != 4 + want || out[1] != 2 + want
                     || memcmp(out + 4, reason, want) != 0 || out[size] != 0xAA;
        }
    }
    is_int(wrong, 0, "a long reason is cut between characters");
    for (at = 0; at < 200; at++) {
        memset(reason, 'x', at);
        reason[at] = '\0';
        size = wsk_frame_close(out, 1000, reason);
        wrong += size != 4 + WSK_MIN(at, 123);
    }
    is_int(wrong, 0, "and no sooner than it must");
    memset(reason, 0x80, 200);
    reason[200] = '\0';
    is_int((intmax_t)wsk_frame_close(out, 1000, reason), 4,
           "what is no text is left out");
}

/* From the sections 7.4.1, 7.4.2, 11.7 and the registry, number by number. */
static bool code_rule(unsigned code)
{
    switch (code) {
    case 1000:
    case 1001:
    case 1002:
    case 1003:
    case 1007:
    case 1008:
    case 1009:
    case 1010:
    case 1011:
    case 1012:
    case 1013:
    case 1014:
        return 1;
    default:
        return code / 1000 == 3 || code / 1000 == 4;
    }
}

static void codes(void)
{
    unsigned code;
    int wrong = 0;

    for (code = 0; code <= 70000; code++) {
        wrong += wsk_close_code_valid(code) != code_rule(code);
    }
    wrong += wsk_close_code_valid(65536 + 1000);
    is_int(wrong, 0, "the whole table of close codes");
}

int main(void)
{
    heads();
    closes();
    cut_reasons();
    codes();
    return done_testing();
}
