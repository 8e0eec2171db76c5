/* SPDX-License-Identifier: Apache-2.0 */
#include "store/wsk_chain.h"

#include <string.h>

uint64_t wsk_record_bytes(uint64_t channel, uint64_t body)
{
    return (sizeof(wsk_record_head_t) + channel + body + 7) & ~UINT64_C(7);
}

uint8_t wsk_record_trace(const wsk_segment_t *seg, wsk_slice_t channel)
{
    return (uint8_t)(wsk_hash(seg->header->secret, channel.at, channel.len)
                     % WSK_LOG_TRACES);
}

uint32_t wsk_chain_next(const wsk_segment_t *seg, uint32_t page)
{
    uint32_t next = 0;

    if (wsk_page_known(seg, page)) {
        next = wsk_page_of(seg, page)->next;
    }
    return wsk_page_known(seg, next)
                   && wsk_page_of(seg, next)->owner
                          == wsk_page_of(seg, page)->owner
               ? next
               : 0;
}

/* Bytes that can be had at the spot without a turn of the page; 0: it leads
 * nowhere. */
static uint64_t reach(const wsk_segment_t *seg, wsk_spot_t *spot, uint64_t n)
{
    if (spot->at >= WSK_PAGE_BYTES) {
        spot->page = wsk_chain_next(seg, spot->page);
        spot->at = 0;
    }
    if (!wsk_page_known(seg, spot->page)) {
        spot->page = 0;
        return 0;
    }
    return WSK_MIN(n, (uint64_t)(WSK_PAGE_BYTES - spot->at));
}

static void put(const wsk_segment_t *seg, wsk_spot_t *spot, const void *from,
                uint64_t n)
{
    const uint8_t *next = from;

    while (n > 0) {
        const uint64_t here = reach(seg, spot, n);

        if (here == 0) {
            return;
        }
        memcpy(wsk_page_bytes(seg, spot->page) + spot->at, next, here);
        next += here;
        spot->at += (uint32_t)here;
        n -= here;
    }
}

void wsk_chain_copy(const wsk_segment_t *seg, wsk_spot_t *spot, void *to,
                    uint64_t n)
{
    uint8_t *next = to;

    while (n > 0) {
        const uint64_t here = reach(seg, spot, n);

        if (here == 0) {
            break;
        }
        if (next != NULL) {
            memcpy(next, wsk_page_bytes(seg, spot->page) + spot->at, here);
            next += here;
        }
        spot->at += (uint32_t)here;
        n -= here;
    }
    if (next != NULL) {
        memset(next, 0, n);
    }
}

bool wsk_chain_head(const wsk_segment_t *seg, wsk_spot_t *spot, uint64_t seq,
                    wsk_record_head_t *head)
{
    wsk_chain_copy(seg, spot, head, sizeof(*head));
    return spot->page != 0 && head->mark == WSK_RECORD_MARK && head->seq == seq
           && head->channel <= WSK_CHANNEL_MAX
           && head->body <= (uint32_t)WSK_LOG_BODY_MAX
           && head->trace < WSK_LOG_TRACES;
}

void wsk_chain_skip(const wsk_segment_t *seg, wsk_spot_t *spot,
                    const wsk_record_head_t *head)
{
    wsk_chain_copy(seg, spot, NULL,
                   wsk_record_bytes(head->channel, head->body) - sizeof(*head));
}

/* Where the record of this number lies, for those who look for it soon, and on
 * its page if it is the first there. It may never come into force: then the
 * number is noted again when it is used again, and the page mended. */
static void note_place(const wsk_segment_t *seg, wsk_site_t *site,
                       wsk_log_e which, uint64_t seq, wsk_spot_t spot)
{
    wsk_place_t *place = &site->recent[which][seq % WSK_RECENT];
    wsk_page_t *page = wsk_page_of(seg, spot.page);

    place->seq = 0;
    wsk_settle();
    place->page = spot.page;
    place->at = spot.at;
    wsk_settle();
    place->seq = seq;
    if (page->first_seq == 0) {
        page->first_at = spot.at;
        page->first_seq = seq;
    }
}

void wsk_chain_write(wsk_segment_t *seg, wsk_site_t *site, wsk_log_e which,
                     wsk_log_state_t *log, const wsk_record_t *record,
                     uint8_t trace, int64_t now_us)
{
    static const uint8_t zeros[8];
    const uint64_t bytes = wsk_record_bytes(record->channel.len,
                                            record->body.len);
    const wsk_record_head_t head = {
        .seq = log->head + 1,
        .time_us = now_us,
        .sender = record->sender,
        .body = (uint32_t)record->body.len,
        .channel = (uint16_t)record->channel.len,
        .trace = trace,
        .mark = WSK_RECORD_MARK,
    };
    wsk_spot_t spot = { log->last, log->last_at };

    if (reach(seg, &spot, 1) > 0) {
        note_place(seg, site, which, head.seq, spot);
    }
    if (which == WSK_LOG_TEXT) {
        site->newest[trace] = head.seq;
    }
    if (log->oldest > log->head) {
        log->oldest = head.seq;
        log->first = spot.page;
        log->first_at = spot.at;
    }
    put(seg, &spot, &head, sizeof(head));
    put(seg, &spot, record->channel.at, record->channel.len);
    put(seg, &spot, record->body.at, record->body.len);
    put(seg, &spot, zeros,
        bytes - sizeof(head) - record->channel.len - record->body.len);
    log->last = spot.page;
    log->last_at = spot.at;
    log->head = head.seq;
    log->bytes += bytes;
    log->largest = WSK_MAX(log->largest, bytes);
}

/* The last record at or before the number that begins a page. */
static wsk_spot_t page_before(const wsk_segment_t *seg,
                              const wsk_log_state_t *log, uint64_t seq,
                              uint64_t *pseq)
{
    wsk_spot_t best = { log->first, log->first_at };
    uint32_t page = log->first;
    uint32_t n;

    *pseq = log->oldest;
    for (n = 1; n < log->pages; n++) {
        const wsk_page_t *entry;

        page = wsk_chain_next(seg, page);
        if (page == 0) {
            break;
        }
        entry = wsk_page_of(seg, page);
        if (entry->first_seq > seq) {
            break;
        }
        if (entry->first_seq != 0) {
            best.page = page;
            best.at = entry->first_at;
            *pseq = entry->first_seq;
        }
    }
    return best;
}

wsk_spot_t wsk_chain_find(const wsk_segment_t *seg, const wsk_site_t *site,
                          wsk_log_e which, const wsk_log_state_t *log,
                          uint64_t seq)
{
    const wsk_place_t *place = &site->recent[which][seq % WSK_RECENT];
    wsk_spot_t spot = { place->page, place->at };
    wsk_record_head_t head;
    uint64_t at;

    if (place->seq == seq) {
        return spot;
    }
    spot = page_before(seg, log, seq, &at);
    while (at < seq) {
        if (!wsk_chain_head(seg, &spot, at, &head)) {
            spot.page = 0;
            break;
        }
        wsk_chain_skip(seg, &spot, &head);
        at++;
    }
    return spot;
}

/* Walk the pages: they must be the site's, of this kind, each once. */
static const char *check_pages(wsk_segment_t *seg, uint32_t site,
                               wsk_log_e which, const wsk_log_state_t *log,
                               bool mend)
{
    uint32_t page = log->first;
    uint32_t n;

    for (n = 0; n < log->pages; n++) {
        wsk_page_t *entry;

        if (page == 0 || page > seg->npages) {
            return "a log's chain leads nowhere";
        }
        entry = wsk_page_of(seg, page);
        if (entry->owner != site + 1 || entry->kind != (uint32_t)which) {
            return "a log's chain leads to a page that is not its own";
        }
        if (n + 1 == log->pages && page != log->last) {
            return "a log's chain does not end at its last page";
        }
        if (entry->mark != 0) {
            return "a page is in two chains";
        }
        entry->mark = 1;
        if (mend && page != log->first) {
            entry->first_seq = 0;
        }
        page = entry->next;
    }
    if (log->pages == 0 && (log->first != 0 || log->last != 0)) {
        return "a log without pages has ends";
    }
    return log->first_at > WSK_PAGE_BYTES || log->last_at > WSK_PAGE_BYTES
               ? "a log ends beyond a page"
               : NULL;
}

/* How far a walk has come. */
typedef struct walk_t {
    const wsk_segment_t *seg;
    uint64_t *newest; /* of the site's traces, NULL: the log has none */
    const wsk_log_state_t *log;
    uint64_t left;   /* bytes up to the end of the log */
    uint32_t listed; /* the page whose first record was seen last */
    bool mend;
} walk_t;

static const char *check_first(walk_t *walk, wsk_spot_t spot, uint64_t seq)
{
    wsk_page_t *page = wsk_page_of(walk->seg, spot.page);

    if (spot.page == walk->listed) {
        return NULL;
    }
    walk->listed = spot.page;
    if (walk->mend && spot.page != walk->log->first) {
        page->first_at = spot.at;
        page->first_seq = seq;
    }
    if (spot.page != walk->log->first
        && (page->first_seq != seq || page->first_at != spot.at)) {
        return "a page does not know its first record";
    }
    return NULL;
}

static const char *check_newest(const walk_t *walk, unsigned trace,
                                uint64_t seq)
{
    if (walk->newest == NULL) {
        return NULL;
    }
    if (walk->mend) {
        walk->newest[trace] = WSK_MAX(walk->newest[trace], seq);
    }
    return walk->newest[trace] < seq ? "a trace does not know its newest record"
                                     : NULL;
}

static const char *check_record(walk_t *walk, wsk_spot_t *spot, uint64_t seq)
{
    wsk_record_head_t head;
    uint64_t bytes;
    const char *why;

    if (walk->left < sizeof(head)) {
        return "a log ends within a record";
    }
    if (reach(walk->seg, spot, 1) == 0) {
        return "a record lies beyond the chain";
    }
    why = check_first(walk, *spot, seq);
    if (why != NULL) {
        return why;
    }
    if (!wsk_chain_head(walk->seg, spot, seq, &head)) {
        return "a record is not one";
    }
    bytes = wsk_record_bytes(head.channel, head.body);
    if (bytes > walk->left) {
        return "a record runs over the end of its log";
    }
    wsk_chain_skip(walk->seg, spot, &head);
    walk->left -= bytes;
    return check_newest(walk, head.trace, seq);
}

/* Bytes between the ends of a chain, or UINT64_MAX. */
static uint64_t span_of(const wsk_log_state_t *log)
{
    const uint64_t whole = (uint64_t)log->pages * WSK_PAGE_BYTES;
    const uint64_t cut = (uint64_t)log->first_at
                         + (log->pages > 0 ? WSK_PAGE_BYTES - log->last_at : 0);

    return cut <= whole ? whole - cut : UINT64_MAX;
}

const char *wsk_chain_check(wsk_segment_t *seg, uint32_t site, wsk_log_e which,
                            const wsk_log_state_t *log, bool mend)
{
    const char *why = check_pages(seg, site, which, log, mend);
    wsk_spot_t spot = { log->first, log->first_at };
    uint64_t *newest = which == WSK_LOG_TEXT ? seg->sites[site].newest : NULL;
    walk_t walk = { seg, newest, log, span_of(log), 0, mend };
    uint64_t seq;

    if (why != NULL) {
        return why;
    }
    if (walk.left != log->bytes || log->oldest == 0
        || log->oldest > log->head + 1 || log->head > UINT64_MAX / 2) {
        return "a log's sums do not agree with its ends";
    }
    for (seq = log->oldest; seq <= log->head && why == NULL; seq++) {
        why = check_record(&walk, &spot, seq);
    }
    if (why == NULL && walk.left != 0) {
        why = "there is something behind the last record of a log";
    }
    return why;
}
