/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_stream -- the id under which a client without a socket sends: 32 hex digits
 * that only the server can have made, for one user of one site.
 *
 * Promise   An id is good for whoever it was made for, until its time; nothing is
 *           kept of it. Of 16 bytes, 4 are the time, 4 random, 8 a MAC.
 * Threads   Any.
 */
#ifndef WSK_STREAM_H
#define WSK_STREAM_H

#include "auth/wsk_mac.h"

#define WSK_STREAM_LEN 32
#define WSK_STREAM_RANDOM 4

/** Whose id; everything is lent. */
typedef struct wsk_stream_owner_t {
    wsk_slice_t secret; /* the server's own */
    wsk_slice_t site_id;
    wsk_slice_t user_id;
} wsk_stream_owner_t;

/** @param until_s  Unix time, or 0: as long as the token it comes with
 *  @return false if the library failed; out is then an id of nobody's */
bool wsk_stream_make(const wsk_stream_owner_t *owner, uint32_t until_s,
                     const uint8_t random[WSK_STREAM_RANDOM],
                     char out[WSK_STREAM_LEN + 1]);

/** @param sender  receives the number by which binary frames of this id know
 *                 where they come from */
bool wsk_stream_check(const wsk_stream_owner_t *owner, wsk_slice_t id,
                      int64_t now_s, uint64_t *sender);

#endif
