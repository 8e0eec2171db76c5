/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_parcel -- a connection as bytes, to be taken up in another process.
 *
 * Promise   Everything a client could notice travels: identity, rights, channels
 *           and its place in the logs, input that is not whole yet, output that
 *           is not sent yet, deadlines. What is opened is what was packed, or
 *           nothing: the bytes may be cut off, of another version, or anybody's.
 * Bounds    WSK_PARCEL_MAX bytes; opening holds no more than a small multiple.
 * Threads   The loop thread that owns the connection.
 * Not here  The descriptor, and the counts it is in (transport/wsk_hand).
 */
#ifndef WSK_PARCEL_H
#define WSK_PARCEL_H

#include "transport/wsk_conn.h"

#define WSK_PARCEL_VERSION 1
#define WSK_PARCEL_MAX ((size_t)WSK_MB(24))

/** What is in one. */
typedef struct wsk_parcel_t {
    wsk_conn_t *conn; /* owned until somebody takes it; without a descriptor */
    wsk_place_in_t place;
    wsk_sub_in_t *subs; /* their names lie in the bytes that were opened */
    unsigned nsubs;
} wsk_parcel_t;

/** Whether it is of a kind that can travel at all: plain, open, of a site. */
bool wsk_parcel_may(const wsk_conn_t *c);

/** The same, be it plain or not. */
bool wsk_parcel_whole(const wsk_conn_t *c);

/** More than the bytes it will take, but not by much. */
size_t wsk_parcel_bound(const wsk_conn_t *c);

/** Pack one that is a member of a hub, or a publisher; it stays as it is.
 *  @param pbytes  receives memory of the caller's
 *  @return WSK_OK, WSK_EFULL (over WSK_PARCEL_MAX), WSK_ENOMEM */
wsk_status_e wsk_parcel_pack(const wsk_conn_t *c, uint8_t **pbytes,
                             size_t *plen);

/** @return WSK_OK, WSK_EINVAL (no parcel of this version), WSK_ENOMEM; `out` is
 *          all zero after a failure */
wsk_status_e wsk_parcel_open(const uint8_t *bytes, size_t len,
                             wsk_parcel_t *out);

/** Free what is still in it. */
void wsk_parcel_close(wsk_parcel_t *parcel);

#endif
