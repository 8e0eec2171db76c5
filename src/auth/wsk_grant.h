/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_grant -- what a token allows: prefixes to read, prefixes to write, rooms.
 *
 * Promise   Immutable once made. One block of memory; equal grants made through
 *           the same table are one object, so that a thousand visitors with the
 *           same rights cost one. Two grants are equal when they hold the same
 *           lists in the same order.
 * Owner     wsk_grant_ref/unref; a table keeps no reference of its own and must
 *           outlive its grants. A grant may be made without a table and
 *           enter one later (wsk_grant_intern).
 * Threads   A table and the grants in it belong to one thread. A grant not in a
 *           table may be handed to another thread.
 * Not here  The grammar of names (auth/wsk_channel), tokens (auth/wsk_token).
 */
#ifndef WSK_GRANT_H
#define WSK_GRANT_H

#include "core/wsk.h"

/* The longest name a right can be about: a channel's qualified spelling. */
#define WSK_GRANT_NAME_MAX (sizeof("site::") - 1 + WSK_HEX256 + WSK_CHANNEL_MAX)

typedef struct wsk_grant_t wsk_grant_t;
typedef struct wsk_grant_table_t wsk_grant_table_t;

/** What a grant is made of; lent. Lists are capped by the token's size. */
typedef struct wsk_grant_spec_t {
    int version;             /* 1, 2 or 3 */
    const wsk_slice_t *read; /* prefixes */
    size_t nread;
    const wsk_slice_t *write; /* prefixes; version 1: ignored, `read` counts */
    size_t nwrite;
    const wsk_slice_t *rooms; /* exact names; version 3, else ignored */
    const bool *room_write;   /* beside each room */
    size_t nrooms;
} wsk_grant_spec_t;

/** Names that could match nothing or everything by mistake, the empty ones
 *  and those over WSK_GRANT_NAME_MAX bytes, are left out.
 *  @return a grant with one reference, or NULL without memory */
wsk_grant_t *wsk_grant_make(const wsk_grant_spec_t *spec);

/** @return `grant` */
wsk_grant_t *wsk_grant_ref(wsk_grant_t *grant);

/** Give a reference back; the last one frees. NULL is nothing. */
void wsk_grant_unref(wsk_grant_t *grant);

/** @return an empty table, or NULL without memory */
wsk_grant_table_t *wsk_grant_table_make(void);

/** Grants that are still there stay with their owners. NULL is nothing. */
void wsk_grant_table_free(wsk_grant_table_t *table);

/** Takes `grant` and gives back one reference on the equal one in the table,
 *  which may be it. Never fails: without memory it gives back `grant`.
 *  @param grant  in no other table */
wsk_grant_t *wsk_grant_intern(wsk_grant_table_t *table, wsk_grant_t *grant);

/**
 * A right is a string prefix, tested against the qualified spelling, and
 * against the spelling given (PROTOCOL.md, "Tokens"). In version 3 a prefix
 * never reaches names that begin with "yjs:", only `rooms` does, by exact bare
 * or qualified name.
 * @param bare   from wsk_channel_bare
 * @param given  as the client wrote it; the bare name where that is not known,
 *               which never allows less
 */
bool wsk_grant_may_read(const wsk_grant_t *grant, const char *site_id,
                        wsk_slice_t bare, wsk_slice_t given);

/** The same for messages, binary frames and presence; never a reserved name
 *  (wsk_channel_reserved), whatever the token says. */
bool wsk_grant_may_write(const wsk_grant_t *grant, const char *site_id,
                         wsk_slice_t bare, wsk_slice_t given);

/** Write the grant so that a connection can travel to another process.
 *  @param out  filled if `cap` is enough, untouched otherwise
 *  @return the bytes it takes, never more than the token's claims took */
size_t wsk_grant_save(const wsk_grant_t *grant, uint8_t *out, size_t cap);

/** The inverse.
 *  @return a grant with one reference, or NULL if the bytes are not what
 *          wsk_grant_save writes, to the last one, or without memory */
wsk_grant_t *wsk_grant_load(const uint8_t *bytes, size_t len);

#endif
