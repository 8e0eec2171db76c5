/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_queue -- what one connection has yet to be sent: frames, in order.
 *
 * Promise   The bytes of a frame are shared by all who get it. A queue of one
 *           frame, the rule, allocates nothing.
 * Owner     The queue holds a reference on each slab in it. All zero is empty.
 * Threads   The loop thread; an empty one may be cleared by any.
 * Not here  Bounds (a queue is its owner's to fill), sockets.
 */
#ifndef WSK_QUEUE_H
#define WSK_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

/** Bytes that many connections send; counted references, one thread. */
typedef struct wsk_slab_t {
    uint32_t refs, len;
    uint8_t bytes[];
} wsk_slab_t;

/** @return with one reference, or NULL */
wsk_slab_t *wsk_slab_make(size_t len);
void wsk_slab_ref(wsk_slab_t *slab);
void wsk_slab_unref(wsk_slab_t *slab);

/** One of several frames; internal. */
typedef struct wsk_out_t {
    struct wsk_out_t *next; /* of the last: the first */
    wsk_slab_t *slab;
    uint32_t at; /* sent so far */
} wsk_out_t;

typedef struct wsk_queue_t {
    union {
        wsk_slab_t *only; /* of one frame; its last `bytes` are left */
        wsk_out_t *last;  /* of several; the first is behind it */
    };
    uint32_t bytes, frames;
} wsk_queue_t;

/** A frame of a queue, or what is left of it. */
typedef struct wsk_piece_t {
    const uint8_t *bytes;
    size_t len;
    bool begun; /* some of it was sent */
    /* internal: */
    const wsk_slab_t *slab;
    const wsk_out_t *node;
} wsk_piece_t;

/** Go through a queue. @param p  all zero before the first
 *  @return false: that was the last */
bool wsk_queue_next(const wsk_queue_t *q, wsk_piece_t *p);

/** The first of them, for sendmsg(2). @return how many */
unsigned wsk_queue_vectors(const wsk_queue_t *q, struct iovec *iov,
                           unsigned max);

/** Append; takes a reference of its own.
 *  @param slab  not empty
 *  @return false without memory; nothing has changed then */
bool wsk_queue_put(wsk_queue_t *q, wsk_slab_t *slab);

/** Append a copy of a frame that another process had queued.
 *  @param len    not 0
 *  @param begun  its beginning was sent already; then it is the first
 *  @return false without memory */
bool wsk_queue_copy(wsk_queue_t *q, const uint8_t *bytes, size_t len,
                    bool begun);

/** So many bytes have left, at most all. */
void wsk_queue_sent(wsk_queue_t *q, size_t n);

/** Drop all but frames that have begun to leave, and those that the first
 *  `sealed` bytes are of. */
void wsk_queue_cut(wsk_queue_t *q, uint32_t sealed);

void wsk_queue_clear(wsk_queue_t *q);

#endif
