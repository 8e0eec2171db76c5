/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_ledger -- the file that remembers which sites of host mode were connected
 * and which revoked; no secret. A line for each change, in any order,
 *
 *     site1 TAG HOME GENERATION on|off .
 *
 * of a site the highest generation counts, and "off" before "on". A line that a
 * crash cut off (no dot at its end) counts for nothing. A rewrite notes of a tag
 * that no host has any more when it was first missed:
 *
 *     gone1 TAG MINUTE .
 *
 * Threads   Opened, settled by the parent; a turn and an append by any worker.
 * Locks     Beside it, in a file of its own: a byte that the parent holds as
 *           long as it lives, and one for a turn. The system gives both back
 *           when their process ends.
 */
#ifndef WSK_LEDGER_H
#define WSK_LEDGER_H

#include "hooks/wsk_hooks.h"

#include "apr_hash.h"

#define WSK_HOME_MAX 255

/** Whether a text is a home URL as it is taken. */
bool wsk_home_ok(const char *home);

/** A site as the ledger knows it. */
typedef struct wsk_ledger_entry_t {
    char tag[WSK_HOST_TAG + 1];
    const char *home;
    uint64_t generation; /* of a revoked one, the newest that was */
    bool on;             /* false: revoked */
} wsk_ledger_entry_t;

/** What is known of all sites; what counts, once each. */
typedef struct wsk_book_t {
    apr_pool_t *pool;
    apr_hash_t *sites; /* "TAG HOME" to wsk_ledger_entry_t */
    apr_hash_t *gone;  /* TAG to uint64_t, a minute */
    unsigned lines;    /* read for it */
} wsk_book_t;

wsk_book_t *wsk_book_make(apr_pool_t *pool);
/** @param entry  lent. @return whether it was news */
bool wsk_book_add(wsk_book_t *book, const wsk_ledger_entry_t *entry);
/** Leave out what is good for nothing: revoked generations that the clock
 *  refuses by itself, and sites of tags that no host has had for 90 days.
 *  @param hosts  those there are, by tag
 *  @param minute  now, since 1970 */
void wsk_book_prune(wsk_book_t *book, apr_hash_t *hosts, uint64_t minute);

/** Open the ledger and lock out every other httpd; once in the life of the
 *  parent. Children write through the descriptors they inherit, so that the file
 *  is root's alone.
 *  @return NULL, or what is wrong */
const char *wsk_ledger_open(const char *host_key, process_rec *process,
                            apr_pool_t *ptemp, wsk_ledger_t **pledger);

/** Read it into a book, whatever its size.
 *  @param ledger  NULL: open the file for the moment, if there is one
 *  @return NULL, or what is wrong */
const char *wsk_ledger_read(const wsk_ledger_t *ledger, const char *host_key,
                            wsk_book_t *book);

/** The turn to change the ledger and, with it, the segment: of all threads of
 *  all processes one at a time.
 *  @return false: it did not come within two seconds */
bool wsk_ledger_turn(const wsk_ledger_t *ledger);
void wsk_ledger_done(const wsk_ledger_t *ledger);

/** Whether the file of that name is not the one that is open. */
bool wsk_ledger_is_replaced(const wsk_ledger_t *ledger);

/** One line more, on the disk; in turn.
 *  @return NULL, or what is wrong: then it counts for nothing */
const char *wsk_ledger_append(const wsk_ledger_t *ledger,
                              const wsk_ledger_entry_t *entry);

/** What the book says, in a file that takes the old one's place; in turn, by the
 *  parent. Processes with the old one can append no more. */
const char *wsk_ledger_rewrite(wsk_ledger_t *ledger, const wsk_book_t *book);

/** fsync of the folder a file is in: then a rename is on the disk, too. */
bool wsk_sync_folder_of(const char *file, apr_pool_t *ptemp);

#endif
