/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/wsk_frame.h"

#include "frame_ways.h"

/* What the first byte must lead to, from section 5.2 and 5.4; the payload is
 * empty. */
static const char *first_byte_rule(unsigned first, int in_message)
{
    const int fin = (first & 0x80) != 0;

    if ((first & 0x70) != 0) {
        return "=1002";
    }
    switch (first & 0x0F) {
    case 0:
        return in_message ? fin ? "T\"a\"" : "" : "=1002";
    case 1:
        return in_message ? "=1002" : fin ? "T\"\"" : "";
    case 2:
        return in_message ? "=1002" : fin ? "B\"\"" : "";
    case 8:
        return fin ? "C1005\"\"" : "=1002";
    case 9:
        return fin ? "P\"\"" : "=1002";
    case 10:
        return fin ? "Q\"\"" : "=1002";
    default:
        return "=1002";
    }
}

static void every_first_byte(void)
{
    unsigned first;
    int in_message, wrong = 0, late = 0;

    for (in_message = 0; in_message < 2; in_message++) {
        for (first = 0; first < 256; first++) {
            const char *want = first_byte_rule(first, in_message);
            size_t before;

            start();
            if (in_message) {
                FRAME(0x01, "a");
            }
            before = input_len;
            FRAME(first, "");
            if (strcmp(said(), want) != 0) {
                wrong++;
                note("%02x: said %s, want %s", first, said(), want);
            }
            if (want[0] == '=') {
                late += refused_at(&roomy, 1002) != before + 1;
            }
        }
    }
    is_int(wrong, 0, "all 256 first bytes, outside and inside a message");
    is_int(late, 0, "what is wrong with the first byte is said at once");
}

static void every_second_byte(void)
{
    unsigned second;
    int wrong = 0;

    for (second = 0; second < 0x80; second++) {
        const uint8_t head[2] = { 0x81, (uint8_t)second };

        start();
        add_bytes(head, 2);
        wrong += refused_at(&roomy, 1002) != 2;
    }
    is_int(wrong, 0, "an unmasked frame is refused at its second byte");
    for (second = 0x80; second < 0x100; second++) {
        const uint8_t head[2] = { 0x89, (uint8_t)second };

        start();
        add_bytes(head, 2);
        wrong += refused_at(&roomy, 1002) != (second > 0x80 + 125 ? 2u : 0u);
    }
    is_int(wrong, 0, "and so is a control frame of more than 125 bytes");
}

/* Whether a length in a form is taken, and if not, at which byte. */
static size_t length_refused(uint64_t len, size_t form, uint64_t most,
                             unsigned code)
{
    const wsk_frame_limits_t limits = { most, 1 };

    start();
    add_head(0x82, form, len);
    return refused_at(&limits, code);
}

static void every_length_form(void)
{
    int wrong = 0, longer;
    uint64_t len;

    for (len = 0; len < 126; len++) {
        wrong += length_refused(len, 2, UINT64_MAX, 1002) != 4;
    }
    is_int(wrong, 0, "16 bits for what 7 can say: 1002 at the fourth byte");
    for (len = 0; len < 65536; len++) {
        wrong += length_refused(len, 8, UINT64_MAX, 1002) != 10;
    }
    is_int(wrong, 0, "64 bits for what 16 can say: 1002 at the tenth byte");
    for (longer = 0; longer < 63; longer++) {
        len = (UINT64_C(1) << 63) | (UINT64_C(1) << longer);
        wrong += length_refused(len, 8, UINT64_MAX, 1002) != 10;
    }
    is_int(wrong, 0, "the top bit of 64: 1002, not 1009");
    is_int((intmax_t)length_refused(126, 2, 1000, 1002), 0, "126 is 16 bits");
    is_int((intmax_t)length_refused(65536, 8, 70000, 1002), 0,
           "65536 is 64 bits");
}

/* The header alone decides, so nothing of the payload is sent. */
static void limits_of_length(void)
{
    static const wsk_frame_limits_t limits = { 1000, 3 };
    static const uint64_t any = UINT64_C(1) << 40;
    static char payload[1000];

    is_int((intmax_t)length_refused(101, 0, 100, 1009), 2,
           "one byte too many in 7 bits: 1009 at the second byte");
    is_int((intmax_t)length_refused(100, 0, 100, 1009), 0, "just enough");
    is_int((intmax_t)length_refused(1001, 2, 1000, 1009), 4,
           "one byte too many in 16 bits: 1009 at the fourth byte");
    is_int((intmax_t)length_refused(1000, 2, 1000, 1009), 0, "just enough");
    is_int((intmax_t)length_refused(70001, 8, 70000, 1009), 10,
           "one byte too many in 64 bits: 1009 at the tenth byte");
    is_int((intmax_t)length_refused(70000, 8, 70000, 1009), 0, "just enough");
    is_int((intmax_t)length_refused(any, 8, 1u << 20, 1009), 10,
           "a header that claims 2^40 bytes");
    is_int((intmax_t)length_refused(UINT32_MAX, 8, UINT64_MAX, 1009), 0,
           "with no limit at all 2^32 - 1 bytes are the most");
    is_int((intmax_t)length_refused(UINT64_C(1) << 32, 8, UINT64_MAX, 1009), 10,
           "and 2^32 are refused");

    start();
    add_frame(0x02, payload, 600);
    add_frame(0x80, payload, 400);
    is_str(said_within(&limits), "B[1000]", "fragments that add up to it");
    start();
    add_frame(0x02, payload, 600);
    add_frame(0x00, payload, 400);
    add_head(0x80, 0, 1);
    is_str(said_within(&limits), "=1009", "fragments with one byte more");
    is_int((intmax_t)refused_at(&limits, 1009), 608 + 408 + 2,
           "are refused at the length of the last");
    start();
    add_frame(0x02, payload, 600);
    FRAME(0x89, "ping");
    add_frame(0x80, payload, 400);
    is_str(said_within(&limits), "P\"ping\" B[1000]",
           "control frames do not count");
    start();
    add_frame(0x02, payload, 1000);
    FRAME(0x89, "ping");
    FRAME(0x80, "");
    is_str(said_within(&limits), "P\"ping\" B[1000]",
           "not even where a message has all it may");
}

static void limits_of_fragments(void)
{
    static const wsk_frame_limits_t three = { 1000, 3 };
    static const wsk_frame_limits_t one = { 1000, 1 };

    start();
    FRAME(0x01, "a");
    FRAME(0x89, "");
    FRAME(0x00, "");
    FRAME(0x80, "c");
    FRAME(0x81, "d");
    is_str(said_within(&three), "P\"\" T\"ac\" T\"d\"",
           "as many fragments as allowed, and a new count after them");
    start();
    FRAME(0x01, "");
    FRAME(0x00, "");
    FRAME(0x00, "");
    FRAME(0x80, "");
    is_str(said_within(&three), "=1009", "one more, though all are empty");
    is_int((intmax_t)refused_at(&three, 1009), 3 * 6 + 1,
           "is refused at its first byte");
    start();
    FRAME(0x81, "whole");
    FRAME(0x01, "not");
    FRAME(0x80, "whole");
    is_str(said_within(&one), "T\"whole\" =1009", "no fragments at all");
}

/* The owner may turn limits down while a message is on its way. */
static void limits_that_change(void)
{
    play_t p;

    start();
    FRAME(0x01, "0123456789");
    play_init(&p, &roomy, &edge);
    play_feed(&p, input, input_len);
    is_int(p.in.held_len, 10, "ten bytes are held");
    p.limits.max_message = 10;
    start();
    FRAME(0x00, "");
    play_feed(&p, input, input_len);
    is_int(p.code, 0, "which may be all");
    p.limits.max_message = 5;
    start();
    FRAME(0x80, "");
    play_feed(&p, input, 2);
    is_int(p.code, 1009, "or too much");
    wsk_frame_in_clear(&p.in);
}

int main(void)
{
    every_first_byte();
    every_second_byte();
    every_length_form();
    limits_of_length();
    limits_of_fragments();
    limits_that_change();
    return done_testing();
}
