/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_log -- a site's newest messages, in pages of the segment.
 *
 * Every site has three: TEXT, numbered 1, 2, 3.. under an epoch and replayable;
 * BINARY and PRESENCE, numbered for readers only and never replayed.
 *
 * Promise   Appending never waits for a reader and never takes another site's
 *           pages: a site over its share loses its own oldest records. Records
 *           beyond the history limits stay while a listening slot has not read
 *           them (wsk_log_at), up to WSK_LOG_BACKLOG bytes more and as long as
 *           unreserved pages are free. What is read is what was appended, whole
 *           and in order. A record is in the log or not at all, whoever dies.
 *           Per channel hash (WSK_LOG_TRACES of them) the number of the newest
 *           record that was evicted is kept, so that a gap is only told when
 *           something on the asked channels may be lost.
 * Threads   Any; takes the site's lock; pages also the host lock.
 * Errors    wsk_status_e as listed.
 */
#ifndef WSK_LOG_H
#define WSK_LOG_H

#include "store/wsk_site.h"

#define WSK_LOG_TRACES 128
#define WSK_LOG_BACKLOG WSK_MB(1)
/* Longest body of a record. */
#define WSK_LOG_BODY_MAX WSK_MB(16)

typedef enum wsk_log_e {
    WSK_LOG_TEXT = 0,
    WSK_LOG_BINARY,
    WSK_LOG_PRESENCE, /* what changed of who is there (wsk_presence) */
    WSK_LOG_COUNT
} wsk_log_e;

/** What is appended; lent. */
typedef struct wsk_record_t {
    wsk_slice_t channel; /* bare name, at most WSK_CHANNEL_MAX */
    wsk_slice_t body;    /* opaque */
    uint64_t sender;     /* who must not get it back; 0: everybody gets it */
    /* Filled for readers: */
    uint64_t seq;
    int64_t time_us;
} wsk_record_t;

/** A request that must have its effect once: what it is known by, what tells
 *  it from another of that name, and until when it must be remembered. */
typedef struct wsk_once_t {
    uint8_t name[16];
    uint8_t proof[8];
    int64_t until_us;
} wsk_once_t;

/** A place in a log: everything up to seq has been seen. */
typedef struct wsk_cursor_t {
    uint64_t epoch;
    uint64_t seq;
} wsk_cursor_t;

/**
 * Append all records or none, and remember `once` with them.
 * @param records  n of them (1 to 100); for TEXT their numbers follow each other
 * @param once     or NULL
 * @param first    receives epoch and number of the first record
 * @return WSK_OK
 *         WSK_EDUP    `once` is remembered: nothing appended, *first as it was
 *                     answered then
 *         WSK_ECLASH  another request of its name is remembered
 *         WSK_EAGAIN  the table of remembered requests is full for this site
 *         WSK_EFULL   they do not fit even after evicting all that is the
 *                     site's own; nothing changed but that
 *         WSK_ENOTFOUND the site is off or empty
 */
wsk_status_e wsk_log_append(wsk_segment_t *seg, uint32_t site, wsk_log_e log,
                            const wsk_record_t *records, unsigned n,
                            const wsk_once_t *once, int64_t now_us,
                            wsk_cursor_t *first);

/** Remember `once` without a record. @return as wsk_log_append */
wsk_status_e wsk_log_remember(wsk_segment_t *seg, uint32_t site,
                              const wsk_once_t *once, int64_t now_us);

/** The newest place. */
wsk_status_e wsk_log_head(wsk_segment_t *seg, uint32_t site, wsk_log_e log,
                          wsk_cursor_t *out);

/**
 * Copy records after a cursor into memory of the caller, as many whole ones as
 * fit `cap` and `max`, at least one if there is one and it fits.
 * @param cursor   moved behind the last one copied
 * @param records  receives up to max records whose slices lie in buf
 * @param pn       how many
 * @return WSK_OK       perhaps with *pn == 0: nothing newer
 *         WSK_EGAP     the record after the cursor is gone, or the epoch is
 *                      another one: nothing copied; *cursor is moved to just
 *                      before the oldest record kept, in the present epoch
 *         WSK_EFULL    the next record alone needs more than cap; *pn is then
 *                      the bytes it needs
 *         WSK_ENOTFOUND
 */
wsk_status_e wsk_log_read(wsk_segment_t *seg, uint32_t site, wsk_log_e log,
                          wsk_cursor_t *cursor, void *buf, size_t cap,
                          wsk_record_t *records, unsigned max, unsigned *pn);

/**
 * Whether a client that has seen everything up to `since` can be given all it
 * missed on these channels, TEXT only.
 * @param oldest  receives the place before which nothing can be given: read
 *                from there after a gap. After WSK_OK it is `since`, or further
 *                on where only other channels' records lie between: the head,
 *                if these have none after `since`. The log is not walked
 * @return WSK_OK, or WSK_EGAP: another epoch, a number from the future, or one
 *         of these channels had a record evicted after `since` (or, with
 *         history off, any record at all after it)
 */
wsk_status_e wsk_log_since(wsk_segment_t *seg, uint32_t site,
                           const wsk_cursor_t *since,
                           const wsk_slice_t *channels, unsigned n,
                           int64_t now_us, wsk_cursor_t *oldest);

/** Somebody polls for binary frames: for WSK_LOG_POLLED_S more they are kept for
 *  as long, up to WSK_LOG_BACKLOG bytes or two of the largest. No lock. */
#define WSK_LOG_POLLED_S 30
void wsk_log_polled(wsk_segment_t *seg, uint32_t site, int64_t now_us);

/* Listeners. */

/** This slot's hub begins to listen to a site: both heads are noted as its
 *  positions and answered. Later appends ring it. */
wsk_status_e wsk_log_listen(wsk_segment_t *seg, uint32_t site, unsigned slot,
                            wsk_cursor_t heads[WSK_LOG_COUNT]);
void wsk_log_unlisten(wsk_segment_t *seg, uint32_t site, unsigned slot);

/** How far this slot has read; lets records go that nobody waits for. No lock.
 */
void wsk_log_at(wsk_segment_t *seg, uint32_t site, unsigned slot, wsk_log_e log,
                uint64_t seq);

/** Evict what is too old, forget requests that need not be remembered, give
 *  back pages; some sites at each call, all within a few seconds of calls every
 *  second by every loop. */
void wsk_log_tidy(wsk_segment_t *seg, int64_t now_us);

/* Message ids. */

#define WSK_ID_MAX 34 /* 12 hex, '-', 20 digits, NUL */

/** "<epoch>-<seq>", epoch as 12 lower-case hex digits. @return its length */
size_t wsk_cursor_text(char out[WSK_ID_MAX], const wsk_cursor_t *cursor);

/** @return false unless it is exactly of that form */
bool wsk_cursor_parse(wsk_slice_t text, wsk_cursor_t *out);

#endif
