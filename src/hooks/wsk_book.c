/* SPDX-License-Identifier: Apache-2.0 */
#include "hooks/wsk_ledger.h"

#define GONE_MINUTES (90 * 24 * 60)
/* Connect refuses a generation three minutes after it (hooks/wsk_whoami); a
 * clock may be wrong by a day. */
#define REVOKED_MINUTES (24 * 60)

wsk_book_t *wsk_book_make(apr_pool_t *pool)
{
    wsk_book_t *book = apr_pcalloc(pool, sizeof *book);

    book->pool = pool;
    book->sites = apr_hash_make(pool);
    book->gone = apr_hash_make(pool);
    return book;
}

bool wsk_book_add(wsk_book_t *book, const wsk_ledger_entry_t *entry)
{
    char site[WSK_HOST_TAG + WSK_HOME_MAX + 2];
    wsk_ledger_entry_t *known;

    apr_snprintf(site, sizeof site, "%s %s", entry->tag, entry->home);
    known = apr_hash_get(book->sites, site, APR_HASH_KEY_STRING);
    if (known) {
        if (entry->generation < known->generation
            || (entry->generation == known->generation
                && (entry->on || !known->on))) {
            return false;
        }
        known->generation = entry->generation;
        known->on = entry->on;
        return true;
    }
    known = apr_pmemdup(book->pool, entry, sizeof *entry);
    known->home = apr_pstrdup(book->pool, entry->home);
    apr_hash_set(book->sites, apr_pstrdup(book->pool, site),
                 APR_HASH_KEY_STRING, known);
    return true;
}

/* Since when no host has the tag. */
static uint64_t gone_since(wsk_book_t *book, const char *tag, uint64_t minute)
{
    uint64_t *since = apr_hash_get(book->gone, tag, APR_HASH_KEY_STRING);

    if (!since) {
        since = apr_pmemdup(book->pool, &minute, sizeof minute);
        apr_hash_set(book->gone, tag, APR_HASH_KEY_STRING, since);
    }
    return *since;
}

static bool is_worthless(wsk_book_t *book, const wsk_ledger_entry_t *entry,
                         apr_hash_t *hosts, uint64_t minute)
{
    if (!entry->on && entry->generation + REVOKED_MINUTES < minute) {
        return true;
    }
    return !apr_hash_get(hosts, entry->tag, APR_HASH_KEY_STRING)
           && gone_since(book, entry->tag, minute) + GONE_MINUTES < minute;
}

/* Times of tags that are back, or have nothing any more. */
static void forget_times(wsk_book_t *book, apr_hash_t *hosts, uint64_t minute)
{
    apr_hash_index_t *at = apr_hash_first(book->pool, book->gone);

    for (; at; at = apr_hash_next(at)) {
        const uint64_t *since = apr_hash_this_val(at);

        if (apr_hash_get(hosts, apr_hash_this_key(at), APR_HASH_KEY_STRING)
            || *since + GONE_MINUTES < minute) {
            apr_hash_set(book->gone, apr_hash_this_key(at), APR_HASH_KEY_STRING,
                         NULL);
        }
    }
}

void wsk_book_prune(wsk_book_t *book, apr_hash_t *hosts, uint64_t minute)
{
    apr_hash_index_t *at = apr_hash_first(book->pool, book->sites);

    for (; at; at = apr_hash_next(at)) {
        if (is_worthless(book, apr_hash_this_val(at), hosts, minute)) {
            apr_hash_set(book->sites, apr_hash_this_key(at),
                         APR_HASH_KEY_STRING, NULL);
        }
    }
    forget_times(book, hosts, minute);
}
