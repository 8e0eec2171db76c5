/* SPDX-License-Identifier: Apache-2.0 */
/*
 * frame_ways -- what a decoder says to some bytes, fed in every way: whole,
 * byte by byte, in two at every place, and the same with a journey through
 * wsk_frame_in_save in between; always up to the end of a page.
 */
#ifndef WSK_FRAME_WAYS_H
#define WSK_FRAME_WAYS_H

#include "frame_fixture.h"
#include "tap.h"

#define INPUT_MAX (256u * 1024)

/* Beyond this many bytes not every place is tried: the cost is the square. */
#define EVERY_PLACE_UP_TO 1200

static const wsk_frame_limits_t roomy = { 1u << 20, 1000 };

static uint8_t input[INPUT_MAX];
static size_t input_len;
static edge_t edge;

static inline void start(void)
{
    if (edge.start == NULL) {
        edge = edge_make(INPUT_MAX);
    }
    input_len = 0;
}

static inline void add_frame(unsigned first, const char *payload, size_t len)
{
    input_len += put_frame(input + input_len, first, payload, len);
}

static inline void add_bytes(const void *bytes, size_t len)
{
    memcpy(input + input_len, bytes, len);
    input_len += len;
}

/* A masked header with the length in the form asked for: 0, 2 or 8 bytes. */
static inline void add_head(unsigned first, size_t form, uint64_t len)
{
    uint8_t head[14] = { (uint8_t)first, 0 };
    size_t i;

    head[1] = (uint8_t)(0x80 | (form == 0 ? len : form == 2 ? 126 : 127));
    for (i = 0; i < form; i++) {
        head[2 + i] = (uint8_t)(len >> 8 * (form - 1 - i));
    }
    add_bytes(head, 2 + form + 4);
}

/* A text literal as a frame. */
#define FRAME(first, text) add_frame(first, text, sizeof(text) - 1)

static const char *differs(const play_t *a, const play_t *b, const char *way,
                           size_t at)
{
    static char text[8192];

    if (same_play(a, b)) {
        return NULL;
    }
    snprintf(text, sizeof(text), "%s %lu: %s [broken: %s]", way,
             (unsigned long)at, b->text, b->broken != NULL ? b->broken : "-");
    return text;
}

static inline const char *split_ways(const play_t *whole,
                                     const wsk_frame_limits_t *limits)
{
    const size_t step = input_len / EVERY_PLACE_UP_TO + 1;
    const char *wrong = NULL;
    play_t p;
    size_t at;
    int save;

    for (at = 0; at <= input_len && wrong == NULL;
         at += at < 300 || input_len - at < 300 ? 1 : step) {
        for (save = 0; save < 2 && wrong == NULL; save++) {
            play_init(&p, limits, &edge);
            play_split(&p, input, input_len, at, save);
            wrong = differs(whole, &p, save ? "saved at" : "split at", at);
        }
    }
    return wrong;
}

/* What a decoder says to the input, or which way it says something else. */
static inline const char *said_within(const wsk_frame_limits_t *limits)
{
    static play_t whole;
    const char *wrong;
    play_t p;

    play_init(&whole, limits, &edge);
    play_pieces(&whole, input, input_len, input_len + 1, 0);
    wrong = differs(&whole, &whole, "whole", 0);
    if (wrong == NULL) {
        play_init(&p, limits, &edge);
        play_pieces(&p, input, input_len, 1, 0);
        wrong = differs(&whole, &p, "byte by byte", 0);
    }
    if (wrong == NULL) {
        play_init(&p, limits, &edge);
        play_pieces(&p, input, input_len, 1, EVERY_PLACE_UP_TO);
        wrong = differs(&whole, &p, "byte by byte, saved", 0);
    }
    if (wrong == NULL) {
        wrong = split_ways(&whole, limits);
    }
    return wrong != NULL ? wrong : whole.text;
}

static inline const char *said(void)
{
    return said_within(&roomy);
}

/* After how many bytes, fed one by one, the input is refused; 0: not at all.
 * Whatever the ways, `code` is what it must be refused with. */
static inline size_t refused_at(const wsk_frame_limits_t *limits, unsigned code)
{
    play_t p;

    play_init(&p, limits, &edge);
    play_pieces(&p, input, input_len, 1, 0);
    return p.code == code && p.broken == NULL ? p.fault_at : 0;
}

#endif
