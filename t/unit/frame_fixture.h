/* SPDX-License-Identifier: Apache-2.0 */
/*
 * frame_fixture -- client frames to feed a decoder with, in every way there is,
 * and what it said, as one line of text; for the unit tests and the fuzzers.
 *
 * A line reads: T"text" B"binary" P"ping" Q"pong" C1000"reason" =1002, where
 * long payloads are [length] and the last word is the fault, if there was one.
 * The promises of wsk_frame.h about memory are checked after every call; the
 * first that is broken is in `broken`.
 */
#ifndef WSK_FRAME_FIXTURE_H
#define WSK_FRAME_FIXTURE_H

#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "proto/wsk_frame.h"

/* ---- memory that ends where a page ends that cannot be read ---- */

typedef struct edge_t {
    uint8_t *start;
    uint8_t *end;
} edge_t;

static inline edge_t edge_make(size_t least)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const size_t size = (least / page + 1) * page;
    edge_t edge;
    void *at = mmap(NULL, size + page, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (at == MAP_FAILED || mprotect((char *)at + size, page, PROT_NONE) != 0) {
        perror("mmap");
        exit(1);
    }
    edge.start = at;
    edge.end = edge.start + size;
    return edge;
}

static inline void edge_free(edge_t *edge)
{
    munmap(edge->start,
           (size_t)(edge->end - edge->start) + (size_t)sysconf(_SC_PAGESIZE));
}

/* A copy of the bytes which ends at the edge. */
static inline uint8_t *edge_put(const edge_t *edge, const void *bytes,
                                size_t len)
{
    if (len > 0) {
        memcpy(edge->end - len, bytes, len);
    }
    return edge->end - len;
}

/* ---- frames ---- */

/* Append a masked frame in the shortest form; each gets a mask of its own. */
static inline size_t put_frame(uint8_t *out, unsigned first,
                               const void *payload, size_t len)
{
    static uint32_t masks = 0x12345678;
    uint8_t mask[4];
    size_t head = wsk_frame_head(out, WSK_OP_TEXT, len);
    size_t i;

    masks = masks * 1664525u + 1013904223u;
    memcpy(mask, &masks, 4);
    out[0] = (uint8_t)first;
    out[1] |= 0x80;
    memcpy(out + head, mask, 4);
    head += 4;
    for (i = 0; i < len; i++) {
        out[head + i] = ((const uint8_t *)payload)[i] ^ mask[i & 3];
    }
    return head + len;
}

/* ---- a decoder and what it says ---- */

typedef struct play_t {
    wsk_frame_in_t in;
    wsk_frame_limits_t limits;
    const edge_t *edge;
    unsigned stop_at; /* the event whose handler says stop; 0: none does */
    unsigned code;    /* the fault */
    size_t fault_at;  /* how many bytes had been fed when it was found */
    size_t fed;
    unsigned events;
    unsigned in_place; /* of these, messages and pings that lay in the input */
    uint64_t hash;     /* of all that was said */
    char text[2048];   /* the beginning of it */
    size_t text_len;
    const char *broken;
    const uint8_t *chunk;
    size_t chunk_len;
} play_t;

static inline void broken(play_t *p, const char *promise)
{
    if (p->broken == NULL) {
        p->broken = promise;
    }
}

__attribute__((format(printf, 2, 3))) static inline void
say(play_t *p, const char *fmt, ...)
{
    const size_t room = sizeof(p->text) - p->text_len;
    va_list args;
    int len;

    va_start(args, fmt);
    len = vsnprintf(p->text + p->text_len, room, fmt, args);
    va_end(args);
    p->text_len += (size_t)len < room ? (size_t)len : room - 1;
}

static inline void hash_in(play_t *p, const void *bytes, size_t len)
{
    size_t i;

    for (i = 0; i < len; i++) {
        p->hash = (p->hash ^ ((const uint8_t *)bytes)[i]) * 0x100000001b3u;
    }
}

/* Read and write all of it, so that a sanitizer sees what is lent. */
static inline void say_payload(play_t *p, uint8_t *bytes, size_t len)
{
    size_t i;

    hash_in(p, &len, sizeof(len));
    hash_in(p, bytes, len);
    if (len > 40) {
        say(p, "[%lu] ", (unsigned long)len);
    }
    else {
        say(p, "\"");
        for (i = 0; i < len; i++) {
            const int plain = bytes[i] >= 0x20 && bytes[i] < 0x7F;

            say(p, plain ? "%c" : "\\x%02x", bytes[i]);
        }
        say(p, "\" ");
    }
    if (len > 0) {
        memset(bytes, 0xEE, len);
    }
}

static inline bool goes_on(play_t *p)
{
    return ++p->events != p->stop_at;
}

static inline void see_place(play_t *p, const uint8_t *payload, size_t len)
{
    if (p->chunk != NULL && payload >= p->chunk
        && payload + len <= p->chunk + p->chunk_len) {
        p->in_place++;
    }
}

static inline bool on_message(void *baton, wsk_opcode_e op, uint8_t *payload,
                              size_t len)
{
    play_t *p = baton;

    if (payload == NULL) {
        broken(p, "a payload is never NULL");
    }
    see_place(p, payload, len);
    hash_in(p, &op, 1);
    say(p, op == WSK_OP_TEXT ? "T" : op == WSK_OP_BINARY ? "B" : "?");
    say_payload(p, payload, len);
    return goes_on(p);
}

static inline bool on_control(void *baton, wsk_opcode_e op, uint8_t *payload,
                              size_t len)
{
    play_t *p = baton;

    see_place(p, payload, len);
    hash_in(p, &op, 1);
    say(p, op == WSK_OP_PING ? "P" : op == WSK_OP_PONG ? "Q" : "?");
    say_payload(p, payload, len);
    return goes_on(p);
}

static inline bool on_close(void *baton, unsigned code, const char *reason,
                            size_t len)
{
    play_t *p = baton;
    char copy[WSK_FRAME_CONTROL_MAX];

    if (len > 0) {
        memcpy(copy, reason, len);
    }
    hash_in(p, &code, sizeof(code));
    say(p, "C%u", code);
    say_payload(p, (uint8_t *)copy, len);
    return goes_on(p);
}

static const wsk_frame_handler_t play_handler = { on_message, on_control,
                                                  on_close };

static inline void play_init(play_t *p, const wsk_frame_limits_t *limits,
                             const edge_t *edge)
{
    memset(p, 0, sizeof(*p));
    p->limits = *limits;
    p->edge = edge;
    p->hash = 0xcbf29ce484222325u;
}

static inline void play_check(play_t *p)
{
    static const wsk_frame_in_t zero;
    const wsk_frame_in_t *in = &p->in;
    const size_t bound = 2 * (size_t)in->held_len + 4096;

    if ((in->held != NULL || in->control != NULL) && wsk_frame_in_idle(in)) {
        broken(p, "an idle decoder holds nothing");
    }
    if (wsk_frame_in_idle(in) && memcmp(in, &zero, sizeof(zero)) != 0) {
        broken(p, "an idle decoder is all zero");
    }
    if (in->held_len > p->limits.max_message) {
        broken(p, "at most max_message bytes are held");
    }
    /* The allocator rounds up, to a page at most. */
    if (in->held_cap > bound
        || malloc_usable_size(in->held) > in->held_cap + 4096
        || malloc_usable_size(in->control) > WSK_FRAME_CONTROL_MAX + 4096) {
        broken(p, "what is allocated is twice what arrived and 4 KiB");
    }
    if (in->held_len > in->held_cap) {
        broken(p, "what is held fits");
    }
}

static inline void play_feed(play_t *p, const void *bytes, size_t len)
{
    unsigned code;

    p->chunk = edge_put(p->edge, bytes, len);
    p->chunk_len = len;
    p->fed += len;
    code = wsk_frame_feed(&p->in, &p->limits, &play_handler, p,
                          p->edge->end - len, len);
    if (code != 0 && p->code != 0) {
        broken(p, "one fault and no more");
    }
    if (code != 0) {
        p->code = code;
        p->fault_at = p->fed;
        hash_in(p, &code, sizeof(code));
        say(p, "=%u", code);
    }
    play_check(p);
}

/* What travels to another process. */
static inline void play_save(play_t *p)
{
    const size_t need = wsk_frame_in_save(&p->in, NULL, 0);
    uint8_t *first = malloc(need);
    uint8_t *second = malloc(need);
    wsk_frame_in_t out;

    if (first == NULL || second == NULL) {
        perror("malloc");
        exit(1);
    }
    wsk_frame_in_save(&p->in, first, need);
    if (wsk_frame_in_load(&out, first, need) != WSK_OK) {
        broken(p, "what was saved can be loaded");
    }
    else if (wsk_frame_in_save(&out, second, need) != need
             || memcmp(first, second, need) != 0) {
        broken(p, "what was loaded saves to the same bytes");
    }
    wsk_frame_in_clear(&p->in);
    p->in = out;
    free(first);
    free(second);
    play_check(p);
}

static inline void play_end(play_t *p)
{
    if (p->text_len > 0 && p->text[p->text_len - 1] == ' ') {
        p->text[--p->text_len] = '\0';
    }
    wsk_frame_in_clear(&p->in);
}

/* Whole, or cut into pieces of `piece` bytes, with a journey after each of the
 * first `saves` pieces. */
static inline void play_pieces(play_t *p, const uint8_t *bytes, size_t len,
                               size_t piece, size_t saves)
{
    size_t at, n;

    for (at = 0; at < len; at += n) {
        n = len - at < piece ? len - at : piece;
        play_feed(p, bytes + at, n);
        if (saves > 0) {
            saves--;
            play_save(p);
        }
    }
    play_end(p);
}

static inline void play_split(play_t *p, const uint8_t *bytes, size_t len,
                              size_t at, int save)
{
    play_feed(p, bytes, at);
    if (save) {
        play_save(p);
    }
    play_feed(p, bytes + at, len - at);
    play_end(p);
}

static inline int same_play(const play_t *a, const play_t *b)
{
    return a->hash == b->hash && a->events == b->events && a->code == b->code
           && strcmp(a->text, b->text) == 0 && b->broken == NULL;
}

#endif
