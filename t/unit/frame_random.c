/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is encoded comes out: random messages in random fragments, with control
 * frames between them and random masks, fed in random pieces and sent on a
 * journey now and then. Then the same with a byte changed: whatever the decoder
 * says, it says the same however the bytes are cut. WSK_SEED repeats a run.
 */
#include "proto/wsk_frame.h"

#include <stdlib.h>
#include <time.h>

#include "frame_ways.h"

#define ROUNDS 1500
#define MESSAGES_MAX 8
#define PAYLOAD_MAX 20000

static uint64_t seed;
static uint8_t payload[PAYLOAD_MAX];

/* xorshift64: the same everywhere, unlike rand(). */
static uint64_t roll(uint64_t sides)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed % sides;
}

/* Mostly short, sometimes around the borders of the length forms. */
static size_t random_length(void)
{
    switch (roll(8)) {
    case 0:
        return 120 + roll(12);
    case 1:
        return roll(3000);
    case 2:
        return roll(20) == 0 ? roll(PAYLOAD_MAX) : 0;
    default:
        return roll(60);
    }
}

static size_t put_character(uint8_t *out, size_t room)
{
    static const char *const chars[] = {
        "\xC2\x80",     "\xDF\xBF",     "\xE0\xA0\x80",     "\xED\x9F\xBF",
        "\xEE\x80\x80", "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"
    };
    const char *c = chars[roll(WSK_COUNT_OF(chars))];

    if (roll(3) > 0 || strlen(c) > room) {
        *out = (uint8_t)roll(0x80);
        return 1;
    }
    memcpy(out, c, strlen(c));
    return strlen(c);
}

static void random_payload(size_t len, int text)
{
    size_t at;

    for (at = 0; at < len;) {
        if (text) {
            at += put_character(payload + at, len - at);
        }
        else {
            payload[at++] = (uint8_t)roll(256);
        }
    }
}

/* A ping or pong into the input, and into what is expected. */
static void add_control(play_t *want)
{
    const unsigned op = roll(2) ? WSK_OP_PING : WSK_OP_PONG;
    const size_t len = roll(126);
    uint8_t body[WSK_FRAME_CONTROL_MAX];
    size_t i;

    for (i = 0; i < len; i++) {
        body[i] = (uint8_t)roll(256);
    }
    add_frame(0x80 | op, (const char *)body, len);
    on_control(want, (wsk_opcode_e)op, body, len);
}

static void add_message(play_t *want)
{
    const unsigned op = roll(2) ? WSK_OP_TEXT : WSK_OP_BINARY;
    const size_t len = random_length();
    size_t at = 0, part;
    unsigned first = op;

    random_payload(len, op == WSK_OP_TEXT);
    while (roll(3) == 0) {
        part = roll(len - at + 1);
        add_frame(first, (const char *)payload + at, part);
        at += part;
        first = WSK_OP_CONT;
        if (roll(3) == 0) {
            add_control(want);
        }
    }
    add_frame(0x80 | first, (const char *)payload + at, len - at);
    on_message(want, (wsk_opcode_e)op, payload, len);
}

/* Pieces of one to `most` bytes, with a journey after one in `journey`. */
static void random_pieces(play_t *p, size_t most, uint64_t journey)
{
    size_t at, n;

    for (at = 0; at < input_len; at += n) {
        n = 1 + roll(WSK_MIN(most, input_len - at));
        play_feed(p, input + at, n);
        if (roll(journey) == 0) {
            play_save(p);
        }
    }
    play_end(p);
}

static int round_trips(void)
{
    play_t want, got;
    uint64_t messages = 1 + roll(MESSAGES_MAX);

    start();
    play_init(&want, &roomy, &edge);
    while (messages-- > 0) {
        add_message(&want);
    }
    play_end(&want);
    play_init(&got, &roomy, &edge);
    random_pieces(&got, 1 + roll(5000), 1 + roll(30));
    if (same_play(&want, &got)) {
        return 1;
    }
    note("want %s", want.text);
    note("got  %s, broken: %s", got.text, got.broken ? got.broken : "-");
    return 0;
}

/* With the input of the last round trip. */
static int damage_is_the_same(void)
{
    play_t whole, got;

    input[roll(input_len)] ^= (uint8_t)(1 + roll(255));
    play_init(&whole, &roomy, &edge);
    play_pieces(&whole, input, input_len, input_len, 0);
    play_init(&got, &roomy, &edge);
    random_pieces(&got, 1 + roll(2000), 1 + roll(30));
    if (same_play(&whole, &got) && whole.broken == NULL) {
        return 1;
    }
    note("whole  %s", whole.text);
    note("pieces %s, broken: %s", got.text, got.broken ? got.broken : "-");
    return 0;
}

int main(void)
{
    const char *given = getenv("WSK_SEED");
    int i, wrong = 0, differ = 0;

    seed = given != NULL ? strtoull(given, NULL, 10)
                         : (uint64_t)time(NULL) * 1000003u + (uint64_t)getpid();
    seed = seed != 0 ? seed : 1;
    note("WSK_SEED=%llu", (unsigned long long)seed);
    for (i = 0; i < ROUNDS; i++) {
        wrong += !round_trips();
        differ += !damage_is_the_same();
    }
    is_int(wrong, 0, "%d random conversations come out as they went in",
           ROUNDS);
    is_int(differ, 0, "and damaged ones are read alike in any pieces");
    return done_testing();
}
