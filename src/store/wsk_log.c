/* SPDX-License-Identifier: Apache-2.0 */
#include "store/wsk_log.h"

#include "store/wsk_append.h"
#include "store/wsk_chain.h"
#include "store/wsk_evict.h"
#include "store/wsk_pages.h"
#include "store/wsk_replay.h"

#define RECORDS_MAX 100

/* What an append is about. */
typedef struct load_t {
    const wsk_record_t *records;
    unsigned n;
    uint64_t bytes;
    uint8_t trace[RECORDS_MAX];
} load_t;

/* The site's lock, if the site is on. */
static bool begin_on(wsk_work_t *work, wsk_segment_t *seg, uint32_t site)
{
    if (!wsk_work_begin(work, seg, site)) {
        return false;
    }
    if (wsk_said_of(work->site)->state != WSK_SITE_ON) {
        wsk_work_end(work);
        return false;
    }
    return true;
}

static uint64_t whole_pages(uint64_t bytes)
{
    return (bytes + WSK_PAGE_BYTES - 1) / WSK_PAGE_BYTES;
}

/* Pages that must be added before so many bytes fit. */
static uint32_t pages_for(const wsk_log_state_t *log, uint64_t bytes)
{
    const uint64_t room = log->pages > 0 ? WSK_PAGE_BYTES - log->last_at : 0;

    if (bytes <= room) {
        return 0;
    }
    return (uint32_t)whole_pages(bytes - room);
}

/* Whether the site can ever have n pages at once, its logs emptied. */
static bool within_reach(const wsk_work_t *work, uint64_t n)
{
    const wsk_state_t *state = &work->state;

    uint64_t reach = wsk_pages_left(work->seg, work->number);
    unsigned i;

    for (i = 0; i < WSK_LOG_COUNT; i++) {
        reach += state->log[i].pages;
    }
    return n <= reach;
}

bool wsk_append_spare(wsk_work_t *work, wsk_log_e keep)
{
    bool evicted = wsk_evict_page(work, keep);
    unsigned i;

    for (i = 0; i < WSK_LOG_COUNT && !evicted; i++) {
        evicted = (wsk_log_e)i != keep
                  && (wsk_evict_page(work, (wsk_log_e)i)
                      || wsk_evict_last_page(work, (wsk_log_e)i));
    }
    if (evicted) {
        wsk_work_commit(work);
    }
    return evicted;
}

static void link_pages(const wsk_work_t *work, wsk_log_state_t *log,
                       uint32_t first, uint32_t n)
{
    if (log->pages == 0) {
        log->first = first;
        log->last = first;
        log->first_at = 0;
        log->last_at = 0;
    }
    else {
        wsk_page_of(work->seg, log->last)->next = first;
    }
    log->pages += n;
}

/* Make the log long enough, at the cost of what is oldest at the site. */
static wsk_status_e room_for(wsk_work_t *work, wsk_log_e which, uint64_t bytes)
{
    wsk_log_state_t *log = &work->state.log[which];
    uint32_t need = pages_for(log, bytes);
    uint32_t first, last;

    while (need > 0) {
        if (wsk_pages_take(work->seg, work->number, (wsk_page_kind_e)which,
                           need, &first, &last)
            == WSK_OK) {
            link_pages(work, log, first, need);
            return WSK_OK;
        }
        if (!wsk_append_spare(work, which)) {
            return WSK_EFULL;
        }
        need = pages_for(log, bytes);
    }
    return WSK_OK;
}

/* Make the table of requests long enough; it never takes what the records of
 * the same append need. */
static wsk_status_e room_for_once(wsk_work_t *work, wsk_log_e which,
                                  uint64_t bytes, int64_t now_us)
{
    const wsk_limits_t *limits = &wsk_said_of(work->site)->spec.limits;
    const uint64_t pages = whole_pages(bytes);
    uint32_t first, last;

    if (!wsk_replay_needs(work)) {
        return WSK_OK;
    }
    wsk_replay_expire(work, now_us);
    if (work->changed) {
        wsk_work_commit(work);
    }
    if (work->state.once.pages >= wsk_replay_bound(limits)
        || !within_reach(work, pages + 1)) {
        return WSK_EAGAIN;
    }
    while (
        wsk_pages_take(work->seg, work->number, WSK_PAGE_ONCE, 1, &first, &last)
        != WSK_OK) {
        if (!wsk_append_spare(work, which)
            && !wsk_evict_last_page(work, which)) {
            return WSK_EAGAIN;
        }
        wsk_work_commit(work);
    }
    wsk_replay_grow(work, first);
    wsk_work_commit(work);
    return WSK_OK;
}

wsk_status_e wsk_append_one(wsk_work_t *work, wsk_log_e which,
                            const wsk_record_t *record, int64_t now_us)
{
    const uint64_t bytes = wsk_record_bytes(record->channel.len,
                                            record->body.len);
    wsk_status_e rv;

    wsk_evict_limits(work, which, bytes, 1, now_us);
    rv = room_for(work, which, bytes);
    if (rv == WSK_OK) {
        wsk_chain_write(work->seg, work->site, which, &work->state.log[which],
                        record, wsk_record_trace(work->seg, record->channel),
                        now_us);
    }
    return rv;
}

static void write_all(wsk_work_t *work, wsk_log_e which, const load_t *load,
                      int64_t now_us)
{
    unsigned i;

    for (i = 0; i < load->n; i++) {
        wsk_chain_write(work->seg, work->site, which, &work->state.log[which],
                        &load->records[i], load->trace[i], now_us);
    }
}

static wsk_status_e append(wsk_work_t *work, wsk_log_e which,
                           const load_t *load, const wsk_once_t *once,
                           int64_t now_us, wsk_cursor_t *first)
{
    const wsk_log_state_t *log = &work->state.log[which];
    wsk_status_e rv = once != NULL ? wsk_replay_find(work, once, first)
                                   : WSK_ENOTFOUND;

    if (rv != WSK_ENOTFOUND) {
        return rv;
    }
    if (work->broken) {
        return WSK_EBROKEN;
    }
    rv = WSK_OK;
    if (pages_for(log, load->bytes) > 0
        && !within_reach(work, whole_pages(load->bytes))) {
        return WSK_EFULL;
    }
    if (once != NULL) {
        rv = room_for_once(work, which, load->bytes, now_us);
    }
    if (rv != WSK_OK) {
        return rv;
    }
    wsk_evict_limits(work, which, load->bytes, load->n, now_us);
    if (work->changed) {
        wsk_work_commit(work);
    }
    rv = room_for(work, which, load->bytes);
    if (rv != WSK_OK || work->broken) {
        return work->broken ? WSK_EBROKEN : rv;
    }
    first->epoch = log->epoch;
    first->seq = log->head + 1;
    write_all(work, which, load, now_us);
    if (once != NULL) {
        wsk_replay_put(work, once, first);
    }
    wsk_work_commit(work);
    return WSK_OK;
}

/* What needs no lock: sums, hashes, and whether it is allowed at all. */
static bool weigh(const wsk_segment_t *seg, load_t *load)
{
    unsigned i;

    load->bytes = 0;
    for (i = 0; i < load->n; i++) {
        const wsk_record_t *record = &load->records[i];

        if (record->channel.len > WSK_CHANNEL_MAX
            || record->body.len > (size_t)WSK_LOG_BODY_MAX) {
            return false;
        }
        load->bytes += wsk_record_bytes(record->channel.len, record->body.len);
        load->trace[i] = wsk_record_trace(seg, record->channel);
    }
    return true;
}

wsk_status_e wsk_log_append(wsk_segment_t *seg, uint32_t site, wsk_log_e log,
                            const wsk_record_t *records, unsigned n,
                            const wsk_once_t *once, int64_t now_us,
                            wsk_cursor_t *first)
{
    load_t load;
    wsk_work_t work;
    wsk_status_e rv;
    unsigned tries = 0;

    if (n < 1 || n > RECORDS_MAX || (unsigned)log >= WSK_LOG_COUNT) {
        return WSK_EINVAL;
    }
    load.records = records;
    load.n = n;
    if (!weigh(seg, &load)) {
        return WSK_EINVAL;
    }
    do {
        if (!begin_on(&work, seg, site)) {
            return WSK_ENOTFOUND;
        }
        rv = append(&work, log, &load, once, now_us, first);
        wsk_work_end(&work);
    } while (work.broken && tries++ == 0);
    return work.broken ? WSK_EFULL : rv;
}

wsk_status_e wsk_log_remember(wsk_segment_t *seg, uint32_t site,
                              const wsk_once_t *once, int64_t now_us)
{
    wsk_cursor_t none = { 0, 0 };
    wsk_work_t work;
    wsk_status_e rv;

    if (!begin_on(&work, seg, site)) {
        return WSK_ENOTFOUND;
    }
    rv = wsk_replay_find(&work, once, &none);
    if (rv == WSK_ENOTFOUND) {
        rv = room_for_once(&work, WSK_LOG_TEXT, 0, now_us);
        if (rv == WSK_OK) {
            wsk_replay_put(&work, once, &none);
            wsk_work_commit(&work);
        }
    }
    wsk_work_end(&work);
    return work.broken ? WSK_EFULL : rv;
}

wsk_status_e wsk_log_head(wsk_segment_t *seg, uint32_t site, wsk_log_e log,
                          wsk_cursor_t *out)
{
    wsk_work_t work;

    if (!begin_on(&work, seg, site)) {
        return WSK_ENOTFOUND;
    }
    out->epoch = work.state.log[log].epoch;
    out->seq = work.state.log[log].head;
    wsk_work_end(&work);
    return WSK_OK;
}

/* Where a reader's copies go. */
typedef struct sink_t {
    char *at;
    size_t left;
    wsk_record_t *records;
    unsigned max, n;
} sink_t;

/* Copy the record `seq` at the spot. @return false: it does not fit; *pneed
 * then; or, spot->page being 0, it is not there */
static bool copy_one(const wsk_segment_t *seg, wsk_spot_t *spot, uint64_t seq,
                     sink_t *sink, size_t *pneed)
{
    wsk_record_head_t head;
    wsk_record_t *record = &sink->records[sink->n];

    if (!wsk_chain_head(seg, spot, seq, &head)) {
        spot->page = 0;
        return false;
    }
    *pneed = (size_t)head.channel + head.body;
    if (*pneed > sink->left) {
        return false;
    }
    record->channel.at = sink->at;
    record->channel.len = head.channel;
    record->body.at = sink->at + head.channel;
    record->body.len = head.body;
    record->sender = head.sender;
    record->seq = head.seq;
    record->time_us = head.time_us;
    wsk_chain_copy(seg, spot, sink->at, *pneed);
    wsk_chain_copy(seg, spot, NULL,
                   wsk_record_bytes(head.channel, head.body) - sizeof(head)
                       - *pneed);
    if (spot->page == 0) {
        return false;
    }
    sink->at += *pneed;
    sink->left -= *pneed;
    sink->n++;
    return true;
}

static wsk_status_e read_on(wsk_work_t *work, wsk_log_e which,
                            wsk_cursor_t *cursor, sink_t *sink, unsigned *pn)
{
    const wsk_log_state_t *log = &work->state.log[which];
    wsk_spot_t spot;
    size_t need = 0;

    *pn = 0;
    if (cursor->epoch != log->epoch || cursor->seq > log->head
        || cursor->seq + 1 < log->oldest) {
        cursor->epoch = log->epoch;
        cursor->seq = log->oldest - 1;
        return WSK_EGAP;
    }
    if (cursor->seq == log->head || sink->max == 0) {
        return WSK_OK;
    }
    spot = wsk_chain_find(work->seg, work->site, which, log, cursor->seq + 1);
    while (cursor->seq < log->head && sink->n < sink->max
           && copy_one(work->seg, &spot, cursor->seq + 1, sink, &need)) {
        cursor->seq++;
    }
    if (spot.page == 0) {
        work->broken = true;
        return WSK_EBROKEN;
    }
    *pn = sink->n > 0 ? sink->n : (unsigned)need;
    return sink->n > 0 ? WSK_OK : WSK_EFULL;
}

wsk_status_e wsk_log_read(wsk_segment_t *seg, uint32_t site, wsk_log_e log,
                          wsk_cursor_t *cursor, void *buf, size_t cap,
                          wsk_record_t *records, unsigned max, unsigned *pn)
{
    const wsk_cursor_t from = *cursor;
    wsk_work_t work;
    wsk_status_e rv;
    unsigned tries = 0;

    do {
        sink_t sink = { buf, cap, records, max, 0 };

        *pn = 0;
        *cursor = from;
        if (!begin_on(&work, seg, site)) {
            return WSK_ENOTFOUND;
        }
        rv = read_on(&work, log, cursor, &sink, pn);
        wsk_work_end(&work);
    } while (work.broken && tries++ == 0);
    return work.broken ? WSK_ENOTFOUND : rv;
}

/* A set of traces. */
typedef struct traces_t {
    uint64_t bits[WSK_LOG_TRACES / 64];
} traces_t;

static bool asked(const traces_t *traces, unsigned trace)
{
    return traces->bits[trace / 64] >> (trace % 64) & 1;
}

/* Whether one of the traces asked for stands at a number after `seq`. */
static bool any_after(const uint64_t *numbers, const traces_t *traces,
                      uint64_t seq)
{
    unsigned i;

    for (i = 0; i < WSK_LOG_TRACES; i++) {
        if (asked(traces, i) && numbers[i] > seq) {
            return true;
        }
    }
    return false;
}

static wsk_status_e since_of(const wsk_work_t *work, const wsk_cursor_t *since,
                             const traces_t *traces, wsk_cursor_t *oldest)
{
    const wsk_log_state_t *log = &work->state.log[WSK_LOG_TEXT];
    const bool history = wsk_evict_history(
        &wsk_said_of(work->site)->spec.limits);
    const uint64_t seq = since->seq;
    const bool missed = any_after(work->site->newest, traces, seq);

    oldest->epoch = log->epoch;
    oldest->seq = history ? log->oldest - 1 : log->head;
    if (since->epoch != log->epoch || seq > log->head
        || any_after(work->site->trace, traces, seq) || (!history && missed)) {
        return WSK_EGAP;
    }
    oldest->seq = missed ? WSK_MAX(oldest->seq, seq) : log->head;
    return WSK_OK;
}

wsk_status_e wsk_log_since(wsk_segment_t *seg, uint32_t site,
                           const wsk_cursor_t *since,
                           const wsk_slice_t *channels, unsigned n,
                           int64_t now_us, wsk_cursor_t *oldest)
{
    traces_t traces = { { 0 } };
    wsk_work_t work;
    wsk_status_e rv;
    unsigned i;

    for (i = 0; i < n; i++) {
        const unsigned trace = wsk_record_trace(seg, channels[i]);

        traces.bits[trace / 64] |= UINT64_C(1) << (trace % 64);
    }
    if (!begin_on(&work, seg, site)) {
        return WSK_ENOTFOUND;
    }
    wsk_evict_limits(&work, WSK_LOG_TEXT, 0, 0, now_us);
    if (work.changed) {
        wsk_work_commit(&work);
    }
    rv = since_of(&work, since, &traces, oldest);
    wsk_work_end(&work);
    return rv;
}
