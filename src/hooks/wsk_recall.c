/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_recall -- the ledger at a start and at a reload: what counts, once each,
 * and a file that is as short as that.
 */
#include "hooks/wsk_host.h"

/* Lines that may be left over before a reload rewrites the file: children of
 * before it can append no more then. */
#define LEFT_OVER 1000

/* What the segment says of sites of host mode; httpd knows it even if the file
 * was put back to an older state. */
static void add_known(wsk_book_t *book)
{
    const uint32_t known = wsk_site_count(wsk_process.seg);
    wsk_site_state_e state;
    wsk_site_spec_t spec;
    uint32_t i;

    for (i = 0; i < known; i++) {
        wsk_ledger_entry_t entry = { .home = spec.url };

        if (wsk_site_read(wsk_process.seg, i, &spec, &state) != WSK_OK
            || spec.generation == 0 || strlen(spec.key) <= WSK_HOST_TAG) {
            continue;
        }
        apr_cpystrn(entry.tag, spec.key + 1, sizeof entry.tag);
        entry.generation = wsk_site_revoked(wsk_process.seg, i);
        if (entry.generation != 0) {
            wsk_book_add(book, &entry);
        }
        if (state == WSK_SITE_ON) {
            entry.generation = spec.generation;
            entry.on = true;
            wsk_book_add(book, &entry);
        }
    }
    OPENSSL_cleanse(&spec, sizeof spec);
}

static unsigned add_all(wsk_book_t *book, const wsk_book_t *more)
{
    apr_hash_index_t *at = apr_hash_first(book->pool, more->sites);
    unsigned news = 0;

    for (; at; at = apr_hash_next(at)) {
        news += wsk_book_add(book, apr_hash_this_val(at));
    }
    return news;
}

typedef struct recall_t {
    server_rec *s;
    const char *file;
    apr_hash_t *hosts;
    uint64_t minute;
    bool replaced;
    unsigned missing;
} recall_t;

/* Of both files, the one that is open and the one that has its name. */
static const char *read_both(recall_t *re, wsk_book_t *book)
{
    const char *error = wsk_ledger_read(wsk_process.ledger, re->file, book);

    if (!error && re->replaced) {
        error = wsk_ledger_read(NULL, re->file, book);
    }
    return error;
}

static const char *read_settled(recall_t *re, wsk_book_t *book)
{
    wsk_book_t *known = wsk_book_make(book->pool);
    const char *error;

    re->replaced = wsk_ledger_is_replaced(wsk_process.ledger);
    error = read_both(re, book);
    if (error) {
        return error;
    }
    wsk_book_prune(book, re->hosts, re->minute);
    add_known(known);
    wsk_book_prune(known, re->hosts, re->minute);
    re->missing = add_all(book, known);
    if (wsk_is_reload() && !re->replaced && !re->missing
        && book->lines < 2 * apr_hash_count(book->sites) + LEFT_OVER) {
        return NULL;
    }
    return wsk_ledger_rewrite(wsk_process.ledger, book);
}

static void say(const recall_t *re)
{
    if (re->replaced) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, re->s,
                     "WSK0505 %s.sites was replaced while httpd ran: both are "
                     "one again",
                     re->file);
    }
    else if (re->missing) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, re->s,
                     "WSK0505 %s.sites was changed while httpd ran: %u changes "
                     "that httpd knows of were missing, and are there again",
                     re->file, re->missing);
    }
}

const char *wsk_recall(server_rec *s, apr_hash_t *hosts, bool settle,
                       wsk_book_t *book)
{
    recall_t re = { .s = s,
                    .file = wsk_conf_of(s)->set.host_key,
                    .hosts = hosts,
                    .minute = wsk_host_clock(apr_time_now()) };
    const char *error;

    if (!wsk_ledger_turn(wsk_process.ledger)) {
        return apr_psprintf(book->pool, "%s.sites is in use for long", re.file);
    }
    error = settle ? read_settled(&re, book) : read_both(&re, book);
    wsk_ledger_done(wsk_process.ledger);
    if (!settle) {
        wsk_book_prune(book, hosts, re.minute);
    }
    if (!error) {
        say(&re);
    }
    return error;
}
