/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/wsk_frame.h"

#include <stdlib.h>

#include "frame_ways.h"

typedef struct piece_t {
    unsigned first;
    const char *payload;
    size_t len;
} piece_t;

#define P(first, text) \
    { \
        first, text, sizeof(text) - 1 \
    }

typedef struct case_t {
    const char *why;
    const char *want;
    piece_t frames[6];
} case_t;

/* clang-format off */
static const case_t lives[] = {
    { "a text", "T\"Hello\"", { P(0x81, "Hello") } },
    { "an empty text", "T\"\"", { P(0x81, "") } },
    { "a binary message may be anything", "B\"\\xff\\x00\\xfe\"",
      { P(0x82, "\xFF\0\xFE") } },
    { "messages one after the other", "T\"a\" B\"bc\" T\"def\" T\"\"",
      { P(0x81, "a"), P(0x82, "bc"), P(0x81, "def"), P(0x81, "") } },
    { "a text in three fragments", "T\"Hello\"",
      { P(0x01, "Hel"), P(0x00, "l"), P(0x80, "o") } },
    { "a binary message in fragments", "B\"\\xf0\\xff\"",
      { P(0x02, "\xF0"), P(0x80, "\xFF") } },
    { "empty fragments, first and last", "T\"x\"",
      { P(0x01, ""), P(0x00, "x"), P(0x80, "") } },
    { "nothing but empty fragments", "T\"\"",
      { P(0x01, ""), P(0x00, ""), P(0x80, "") } },
    { "two fragmented messages in a row", "T\"abcd\" B\"efgh\"",
      { P(0x01, "ab"), P(0x80, "cd"), P(0x02, "ef"), P(0x80, "gh") } },
    { "a ping between fragments goes ahead", "P\"p\" T\"abcd\"",
      { P(0x01, "ab"), P(0x89, "p"), P(0x80, "cd") } },
    { "pings and pongs between all fragments", "P\"1\" Q\"2\" P\"\" T\"abc\"",
      { P(0x01, "a"), P(0x89, "1"), P(0x8A, "2"), P(0x00, "b"),
        P(0x89, ""), P(0x80, "c") } },
    { "a control frame may hold any bytes", "P\"\\xff\\x80\"",
      { P(0x89, "\xFF\x80") } },
    { "a pong nobody asked for", "Q\"x\"", { P(0x8A, "x") } },
    { "a close without a body", "C1005\"\"", { P(0x88, "") } },
    { "a close with a code", "C1000\"\"", { P(0x88, "\x03\xE8") } },
    { "a close with a reason", "C1001\"bye\"", { P(0x88, "\x03\xE9" "bye") } },
    { "a close ends a message that was not finished", "C1000\"\"",
      { P(0x01, "ab"), P(0x88, "\x03\xE8"), P(0x80, "cd") } },
    { "after a close nothing is read", "T\"a\" C1000\"\"",
      { P(0x81, "a"), P(0x88, "\x03\xE8"), P(0x81, "b"), P(0xFF, "?") } },
    { "a character across fragments", "T\"\\xe2\\x82\\xac\"",
      { P(0x01, "\xE2"), P(0x00, "\x82"), P(0x80, "\xAC") } },
    { "a character across fragments and a ping", "P\"\\xe2\" T\"\\xe2\\x82\\xac\"",
      { P(0x01, "\xE2\x82"), P(0x89, "\xE2"), P(0x80, "\xAC") } },
    /* faults */
    { "a continuation of nothing", "=1002", { P(0x80, "x") } },
    { "a fragment of nothing", "=1002", { P(0x00, "x") } },
    { "a continuation after a whole message", "T\"a\" =1002",
      { P(0x81, "a"), P(0x80, "b") } },
    { "a continuation after the last fragment", "T\"ab\" =1002",
      { P(0x01, "a"), P(0x80, "b"), P(0x80, "c") } },
    { "a text within a text", "=1002", { P(0x01, "a"), P(0x81, "b") } },
    { "a beginning within a message", "=1002", { P(0x01, "a"), P(0x01, "b") } },
    { "a binary message within a text", "=1002", { P(0x01, "a"), P(0x82, "b") } },
    { "what came before a fault is handed out", "T\"a\" P\"b\" =1002",
      { P(0x81, "a"), P(0x89, "b"), P(0x83, "c"), P(0x81, "d") } },
    { "a ping in fragments", "=1002", { P(0x09, "a"), P(0x80, "b") } },
    { "a close in fragments", "=1002", { P(0x08, "\x03\xE8") } },
    { "a close body of one byte", "=1002", { P(0x88, "\x03") } },
    { "a close reason that is not UTF-8", "=1007", { P(0x88, "\x03\xE8\xFF") } },
    { "a close reason that ends in a character", "=1007",
      { P(0x88, "\x03\xE8" "ok\xE2\x82") } },
    { "a text that is not UTF-8", "=1007", { P(0x81, "a\xFF") } },
    { "a text that ends in a character", "=1007", { P(0x81, "a\xE2\x82") } },
    { "the same in fragments", "=1007", { P(0x01, "a\xE2"), P(0x80, "\x82") } },
    { "the same with an empty last fragment", "=1007",
      { P(0x01, "a\xE2\x82"), P(0x80, "") } },
    { "a surrogate across fragments", "=1007",
      { P(0x01, "\xED"), P(0x00, "\xA0"), P(0x80, "\x80") } },
    { "a character does not go on in the next message", "=1007",
      { P(0x81, "\xE2"), P(0x81, "\x82\xAC") } },
};
/* clang-format on */

static void lives_and_faults(void)
{
    size_t i, n;

    for (i = 0; i < WSK_COUNT_OF(lives); i++) {
        start();
        for (n = 0; n < 6 && lives[i].frames[n].payload != NULL; n++) {
            add_frame(lives[i].frames[n].first, lives[i].frames[n].payload,
                      lives[i].frames[n].len);
        }
        is_str(said(), lives[i].want, "%s", lives[i].why);
    }
}

static void every_length(void)
{
    static const size_t lengths[] = { 0,   1,   2,     3,     31,    32,
                                      33,  124, 125,   126,   127,   128,
                                      255, 256, 65534, 65535, 65536, 65537 };
    static char payload[65537];
    char want[32];
    size_t i, n;

    for (i = 0; i < sizeof(payload); i++) {
        payload[i] = (char)(i * 7 + i / 251);
    }
    for (i = 0; i < WSK_COUNT_OF(lengths); i++) {
        n = lengths[i];
        start();
        add_frame(0x82, payload, n);
        FRAME(0x89, "");
        if (n <= 40) {
            FRAME(0x8A, "!");
            ok(strstr(said(), "P\"\" Q\"!\"") != NULL, "%lu bytes",
               (unsigned long)n);
            continue;
        }
        snprintf(want, sizeof(want), "B[%lu] P\"\"", (unsigned long)n);
        is_str(said(), want, "%lu bytes", (unsigned long)n);
    }
}

static bool keep_message(void *baton, wsk_opcode_e op, uint8_t *payload,
                         size_t len)
{
    (void)op;
    memcpy(baton, payload, len);
    return true;
}

/* Section 5.3, the bytes one by one, at every offset in memory. */
static void masks(void)
{
    static const wsk_frame_handler_t keep = { keep_message, on_control,
                                              on_close };
    static const uint8_t mask[4] = { 0x37, 0xFA, 0x21, 0x3D };
    uint8_t frame[128 + 32], got[128];
    wsk_frame_in_t in;
    size_t len, offset, i;
    int wrong = 0;

    memset(&in, 0, sizeof(in));
    for (len = 0; len <= 100; len++) {
        for (offset = 0; offset < 9; offset++) {
            uint8_t *at = frame + offset;

            at[0] = 0x82;
            at[1] = (uint8_t)(0x80 | len);
            memcpy(at + 2, mask, 4);
            for (i = 0; i < len; i++) {
                at[6 + i] = (uint8_t)(i * 5 + 1) ^ mask[i % 4];
            }
            wrong += wsk_frame_feed(&in, &roomy, &keep, got, at, 6 + len) != 0;
            for (i = 0; i < len; i++) {
                wrong += got[i] != (uint8_t)(i * 5 + 1);
            }
        }
    }
    is_int(wrong, 0, "masks come off at every length and offset");
}

static void controls(void)
{
    static char payload[126];
    size_t len;
    int wrong = 0;

    memset(payload, 'p', sizeof(payload));
    for (len = 0; len <= 125; len++) {
        char want[64];

        start();
        FRAME(0x01, "a");
        add_frame(0x89, payload, len);
        FRAME(0x80, "b");
        if (len <= 40) {
            snprintf(want, sizeof(want), "P\"%.*s\" T\"ab\"", (int)len,
                     payload);
        }
        else {
            snprintf(want, sizeof(want), "P[%d] T\"ab\"", (int)len);
        }
        wrong += strcmp(said(), want) != 0;
    }
    is_int(wrong, 0, "a ping of 0 to 125 bytes within a message");
    start();
    add_frame(0x89, payload, 126);
    is_str(said(), "=1002", "a ping of 126 bytes");
}

/* The table itself is held against the RFC by frame_out. */
static void close_codes(void)
{
    unsigned code;
    int wrong = 0;

    for (code = 0; code <= 65535; code += code == 5001 ? 60534 : 1) {
        const char body[4] = { (char)(code >> 8), (char)code, 'o', 'k' };
        char want[32];

        start();
        add_frame(0x88, body, sizeof(body));
        snprintf(want, sizeof(want),
                 wsk_close_code_valid(code) ? "C%u\"ok\"" : "=1002", code);
        if (strcmp(said(), want) != 0) {
            wrong++;
            note("%u: said %s", code, said());
        }
    }
    is_int(wrong, 0, "close codes 0 to 5001 and 65535");
}

/* Texts and the byte that makes them impossible. */
static const struct {
    const char *why;
    const char *bytes;
    size_t bad;
} bad_texts[] = {
    { "a continuation alone", "\x80zz", 0 },
    { "a byte no text has", "\xFFzz", 0 },
    { "an overlong form in two bytes", "\xC0\x80z", 0 },
    { "another", "\xC1\xBFz", 0 },
    { "a character cut by ASCII", "\xC3zz", 1 },
    { "a character cut by another", "\xE2\x82\xE2\x82\xAC", 2 },
    { "an overlong form in three", "\xE0\x9F\xBFz", 1 },
    { "the first surrogate", "\xED\xA0\x80z", 1 },
    { "the last surrogate", "\xED\xBF\xBFz", 1 },
    { "an overlong form in four", "\xF0\x8F\xBF\xBFz", 1 },
    { "the first above U+10FFFF", "\xF4\x90\x80\x80z", 1 },
    { "a lead byte far above", "\xF5\x80\x80\x80z", 0 },
    { "four bytes cut at the last", "\xF0\x9F\x98zz", 3 },
};

static void bad_texts_at_once(void)
{
    char text[64];
    size_t i, lead, len, cut;
    int wrong;

    for (i = 0; i < WSK_COUNT_OF(bad_texts); i++) {
        wrong = 0;
        for (lead = 0; lead < 40; lead += lead < 18 ? 1 : 7) {
            memset(text, 'x', lead);
            strcpy(text + lead, bad_texts[i].bytes);
            len = strlen(text);
            start();
            add_frame(0x81, text, len);
            wrong += strcmp(said(), "=1007") != 0;
            wrong += refused_at(&roomy, 1007)
                     != 6 + lead + bad_texts[i].bad + 1;
            for (cut = 0; cut <= len; cut++) {
                start();
                add_frame(0x01, text, cut);
                FRAME(0x8A, "");
                add_frame(0x80, text + cut, len - cut);
                wrong += refused_at(&roomy, 1007)
                         != 6 + lead + bad_texts[i].bad + 1
                                + (cut > lead + bad_texts[i].bad ? 0 : 12);
            }
        }
        is_int(wrong, 0, "%s: 1007 at that byte, however it is cut",
               bad_texts[i].why);
    }
}

static void good_texts_in_fragments(void)
{
    static const char text[] = "caf\xC3\xA9 \xE2\x82\xAC 1 "
                               "\xED\x9F\xBF\xEE\x80\x80 \xF0\x9F\x98\x80"
                               "\xF4\x8F\xBF\xBF";
    const size_t len = sizeof(text) - 1;
    static char want[512];
    size_t one, two;
    int wrong = 0;

    start();
    add_frame(0x81, text, len);
    snprintf(want, sizeof(want), "%s", said());
    for (one = 0; one <= len; one++) {
        for (two = one; two <= len; two++) {
            start();
            add_frame(0x01, text, one);
            add_frame(0x00, text + one, two - one);
            add_frame(0x80, text + two, len - two);
            wrong += strcmp(said(), want) != 0;
        }
    }
    is_int(wrong, 0, "a text of long characters in any three fragments");
}

static void stops(void)
{
    static const char *const want[] = { "T\"a\"", "T\"a\" P\"b\"",
                                        "T\"a\" P\"b\" T\"cd\"",
                                        "T\"a\" P\"b\" T\"cd\" C1000\"\"" };
    size_t at, i;
    play_t p;
    int wrong;

    start();
    FRAME(0x81, "a");
    FRAME(0x01, "c");
    FRAME(0x89, "b");
    FRAME(0x80, "d");
    FRAME(0x88, "\x03\xE8");
    FRAME(0x83, "");
    for (i = 0; i < WSK_COUNT_OF(want); i++) {
        wrong = 0;
        for (at = 0; at <= input_len; at++) {
            play_init(&p, &roomy, &edge);
            p.stop_at = (unsigned)i + 1;
            play_split(&p, input, input_len, at, 1);
            wrong += strcmp(p.text, want[i]) != 0 || p.broken != NULL;
        }
        is_int(wrong, 0, "nothing after handler %lu said stop",
               (unsigned long)i + 1);
    }
}

static void faults_last(void)
{
    play_t p;

    start();
    FRAME(0x01, "held");
    FRAME(0x83, "");
    FRAME(0x81, "more");
    play_init(&p, &roomy, &edge);
    play_feed(&p, input, 10);
    ok(p.in.held != NULL, "something is held");
    play_feed(&p, input + 10, input_len - 10);
    is_int(p.code, 1002, "then a fault");
    ok(p.in.held == NULL && !wsk_frame_in_idle(&p.in),
       "nothing is held after a fault, and the decoder is not idle");
    play_feed(&p, input, input_len);
    is_str(p.text, "=1002", "all further input is ignored");
    wsk_frame_in_clear(&p.in);
    ok(wsk_frame_in_idle(&p.in), "until it starts over");
    play_feed(&p, input, 0);
    ok(wsk_frame_in_idle(&p.in), "no input changes nothing");
    is_int(wsk_frame_feed(&p.in, &roomy, &play_handler, &p, NULL, 0), 0,
           "not even without a pointer");
}

int main(void)
{
    lives_and_faults();
    every_length();
    masks();
    controls();
    close_codes();
    bad_texts_at_once();
    good_texts_in_fragments();
    stops();
    faults_last();
    return done_testing();
}
