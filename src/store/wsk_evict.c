/* SPDX-License-Identifier: Apache-2.0 */
#include "store/wsk_evict.h"

#include "store/wsk_chain.h"

#define BINARY_BACKLOG WSK_MB(4)

bool wsk_evict_history(const wsk_limits_t *limits)
{
    return limits->history_bytes > 0 && limits->history_messages > 0
           && limits->history_age_ms > 0;
}

/* Pages before the spot fall out of the chain; a record never begins at the
 * very end of a page. @return false: the spot is not in the chain */
static bool begin_at(wsk_work_t *work, wsk_log_e which, wsk_spot_t spot)
{
    wsk_log_state_t *log = &work->state.log[which];
    const uint32_t from = log->first;
    uint32_t first = from, n = 0;

    if (spot.at == WSK_PAGE_BYTES && spot.page != log->last) {
        spot.page = wsk_chain_next(work->seg, spot.page);
        spot.at = 0;
    }
    while (first != spot.page && first != 0 && n < log->pages) {
        first = wsk_chain_next(work->seg, first);
        n++;
    }
    if (first == 0 || n == log->pages) {
        return false;
    }
    log->first = first;
    log->first_at = spot.at;
    log->pages -= n;
    if (n > 0) {
        wsk_work_loosen(work, which, from, n);
    }
    return true;
}

static bool read_oldest(const wsk_work_t *work, wsk_log_e which,
                        wsk_spot_t *spot, wsk_record_head_t *head)
{
    const wsk_log_state_t *log = &work->state.log[which];

    spot->page = log->first;
    spot->at = log->first_at;
    return wsk_chain_head(work->seg, spot, log->oldest, head);
}

/* @return false: the log is broken */
static bool drop_oldest(wsk_work_t *work, wsk_log_e which)
{
    wsk_log_state_t *log = &work->state.log[which];
    wsk_record_head_t head;
    wsk_spot_t spot;

    if (read_oldest(work, which, &spot, &head)) {
        wsk_chain_skip(work->seg, &spot, &head);
    }
    else {
        spot.page = 0;
    }
    if (!begin_at(work, which, spot)) {
        work->broken = true;
        return false;
    }
    if (which == WSK_LOG_TEXT) {
        work->site->trace[head.trace] = head.seq;
    }
    work->changed = true;
    log->oldest++;
    log->bytes -= wsk_record_bytes(head.channel, head.body);
    if (log->oldest > log->head) {
        log->first_at = 0;
        log->last_at = 0;
        log->largest = 0;
    }
    return true;
}

/* What every slot that listens has read. */
static uint64_t read_by_all(const wsk_work_t *work, wsk_log_e which)
{
    const wsk_segment_t *seg = work->seg;
    uint64_t least = UINT64_MAX;
    unsigned slot;

    for (slot = 0; slot < seg->spec.slots; slot += 64) {
        uint64_t mask = wsk_listeners_of(seg, work->site, slot / 64);

        while (mask != 0) {
            const unsigned bit = (unsigned)__builtin_ctzll(mask);
            const wsk_cell_t *cell = wsk_cell_of(seg, slot + bit, work->number);
            const uint64_t at = atomic_load_explicit(&cell->read[which],
                                                     memory_order_relaxed);

            least = WSK_MIN(least, at);
            mask &= mask - 1;
        }
    }
    return least;
}

static bool within(int64_t then_us, int64_t now_us)
{
    return then_us <= now_us
           && now_us - then_us < (int64_t)WSK_LOG_POLLED_S * 1000000;
}

/* Whether the oldest binary record is kept for who polls. */
static bool for_polls(const wsk_work_t *work, uint64_t bytes, int64_t now_us)
{
    const wsk_log_state_t *log = &work->state.log[WSK_LOG_BINARY];
    const uint64_t largest = WSK_MAX(log->largest, bytes);
    wsk_record_head_t head;
    wsk_spot_t spot;

    return within(atomic_load(&work->site->polled_us), now_us)
           && log->bytes + bytes
                  <= WSK_MAX((uint64_t)WSK_LOG_BACKLOG, 2 * largest)
           && read_oldest(work, WSK_LOG_BINARY, &spot, &head)
           && within(head.time_us, now_us);
}

/* Whether the limits would let the oldest record go. */
static bool over(const wsk_work_t *work, wsk_log_e which, uint64_t bytes,
                 unsigned n, int64_t now_us)
{
    const wsk_limits_t *limits = &wsk_said_of(work->site)->spec.limits;
    const wsk_log_state_t *log = &work->state.log[which];
    wsk_record_head_t head;
    wsk_spot_t spot;

    if (which == WSK_LOG_BINARY && for_polls(work, bytes, now_us)) {
        return false;
    }
    if (which != WSK_LOG_TEXT || !wsk_evict_history(limits)
        || log->bytes + bytes > limits->history_bytes
        || log->head + 1 - log->oldest + n > limits->history_messages) {
        return true;
    }
    read_oldest(work, which, &spot, &head);
    return now_us > head.time_us
           && (uint64_t)now_us - (uint64_t)head.time_us
                  >= (uint64_t)limits->history_age_ms * 1000;
}

/* Up to how many bytes what somebody has not read is kept. */
static uint64_t backlog(const wsk_work_t *work, wsk_log_e which, uint64_t bytes)
{
    const wsk_limits_t *limits = &wsk_said_of(work->site)->spec.limits;
    const uint64_t largest = WSK_MAX(work->state.log[which].largest, bytes);
    const uint64_t least = which == WSK_LOG_BINARY ? BINARY_BACKLOG
                                                   : WSK_LOG_BACKLOG;
    const uint64_t kept = which != WSK_LOG_TEXT || !wsk_evict_history(limits)
                              ? 0
                              : WSK_MIN(limits->history_bytes, UINT64_MAX / 4);

    return kept + WSK_MAX(least, 2 * largest);
}

void wsk_evict_limits(wsk_work_t *work, wsk_log_e which, uint64_t bytes,
                      unsigned n, int64_t now_us)
{
    const wsk_log_state_t *log = &work->state.log[which];
    uint64_t read;

    if (log->oldest > log->head || !over(work, which, bytes, n, now_us)) {
        return;
    }
    read = read_by_all(work, which);
    while (log->oldest <= log->head && over(work, which, bytes, n, now_us)) {
        if (log->oldest > read
            && log->bytes + bytes <= backlog(work, which, bytes)) {
            break;
        }
        if (!drop_oldest(work, which)) {
            break;
        }
    }
}

bool wsk_evict_page(wsk_work_t *work, wsk_log_e which)
{
    const wsk_log_state_t *log = &work->state.log[which];
    const uint32_t pages = log->pages;

    if (log->oldest > log->head) {
        return false;
    }
    while (log->oldest <= log->head && log->pages == pages) {
        if (!drop_oldest(work, which)) {
            return false;
        }
    }
    return true;
}

bool wsk_evict_last_page(wsk_work_t *work, wsk_log_e which)
{
    wsk_log_state_t *log = &work->state.log[which];

    if (log->oldest <= log->head || log->pages == 0) {
        return false;
    }
    wsk_work_loosen(work, which, log->first, log->pages);
    log->first = 0;
    log->last = 0;
    log->first_at = 0;
    log->last_at = 0;
    log->pages = 0;
    return true;
}

void wsk_evict_all(wsk_work_t *work, wsk_log_e which)
{
    while (wsk_evict_page(work, which)) {
    }
    wsk_evict_last_page(work, which);
}
