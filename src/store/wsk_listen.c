/* SPDX-License-Identifier: Apache-2.0 */
#include "store/wsk_log.h"

#include "store/wsk_evict.h"
#include "store/wsk_members.h"
#include "store/wsk_pulse.h"
#include "store/wsk_replay.h"

/* A call of wsk_log_tidy looks at one in this many sites. */
#define TIDY_SHARE 4

void wsk_log_polled(wsk_segment_t *seg, uint32_t site, int64_t now_us)
{
    if (wsk_site_known(seg, site)) {
        atomic_store(&seg->sites[site].polled_us, now_us);
    }
}

wsk_status_e wsk_log_listen(wsk_segment_t *seg, uint32_t site, unsigned slot,
                            wsk_cursor_t heads[WSK_LOG_COUNT])
{
    wsk_work_t work;
    wsk_cell_t *cell;
    unsigned i;

    if (slot >= seg->spec.slots || !wsk_work_begin(&work, seg, site)) {
        return WSK_ENOTFOUND;
    }
    if (wsk_said_of(work.site)->state != WSK_SITE_ON) {
        wsk_work_end(&work);
        return WSK_ENOTFOUND;
    }
    cell = wsk_cell_of(seg, slot, site);
    for (i = 0; i < WSK_LOG_COUNT; i++) {
        heads[i].epoch = work.state.log[i].epoch;
        heads[i].seq = work.state.log[i].head;
        atomic_store_explicit(&cell->read[i], heads[i].seq,
                              memory_order_relaxed);
    }
    atomic_fetch_or(&work.site->listeners[slot / 64], UINT64_C(1)
                                                          << (slot % 64));
    wsk_work_end(&work);
    return WSK_OK;
}

void wsk_log_unlisten(wsk_segment_t *seg, uint32_t site, unsigned slot)
{
    if (slot < seg->spec.slots && wsk_site_known(seg, site)) {
        atomic_fetch_and(&seg->sites[site].listeners[slot / 64],
                         ~(UINT64_C(1) << (slot % 64)));
    }
}

void wsk_log_at(wsk_segment_t *seg, uint32_t site, unsigned slot, wsk_log_e log,
                uint64_t seq)
{
    if (slot < seg->spec.slots && wsk_site_known(seg, site)) {
        atomic_store_explicit(&wsk_cell_of(seg, slot, site)->read[log], seq,
                              memory_order_release);
    }
}

static void tidy_site(wsk_segment_t *seg, uint32_t site, int64_t now_us)
{
    wsk_work_t work;
    unsigned log;

    if (!wsk_work_begin(&work, seg, site)) {
        return;
    }
    for (log = 0; log < WSK_LOG_COUNT; log++) {
        wsk_evict_limits(&work, (wsk_log_e)log, 0, 0, now_us);
        wsk_evict_last_page(&work, (wsk_log_e)log);
    }
    wsk_replay_expire(&work, now_us);
    wsk_members_tidy(&work);
    if (work.changed) {
        wsk_work_commit(&work);
    }
    wsk_work_end(&work);
}

void wsk_log_tidy(wsk_segment_t *seg, int64_t now_us)
{
    const uint32_t known = wsk_sites_known(seg);
    const uint32_t share = (known + TIDY_SHARE - 1) / TIDY_SHARE;
    uint32_t at = atomic_fetch_add(&seg->header->tidy_next, share);
    uint32_t n;

    for (n = 0; n < share; n++) {
        const uint32_t site = at % known;

        wsk_pulse_note(seg, site, now_us);
        if (atomic_load_explicit(&seg->sites[site].pages, memory_order_relaxed)
            > 0) {
            tidy_site(seg, site, now_us);
        }
        at++;
    }
}
