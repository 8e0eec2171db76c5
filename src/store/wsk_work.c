/* SPDX-License-Identifier: Apache-2.0 */
#include "store/wsk_work.h"

#include <string.h>

#include "store/wsk_pages.h"
#include "store/wsk_repair.h"
#include "store/wsk_replay.h"

bool wsk_site_take(wsk_segment_t *seg, uint32_t site)
{
    if (!wsk_site_known(seg, site)) {
        return false;
    }
    switch (wsk_lock_take(&seg->sites[site].lock)) {
    case WSK_LOCK_HELD:
        return true;
    case WSK_LOCK_DEAD:
        wsk_repair_site(seg, site);
        wsk_lock_mended(&seg->sites[site].lock);
        return true;
    case WSK_LOCK_BUSY:
    case WSK_LOCK_LOST:
        return false;
    }
    return false;
}

void wsk_site_give(wsk_segment_t *seg, uint32_t site)
{
    wsk_lock_give(&seg->sites[site].lock);
}

/* Whether the ends of a chain are pages at all. */
static bool ends_sane(const wsk_segment_t *seg, uint32_t first, uint32_t last,
                      uint32_t pages)
{
    return pages == 0
           || (pages <= seg->npages && wsk_page_known(seg, first)
               && wsk_page_known(seg, last));
}

static bool state_sane(const wsk_segment_t *seg, const wsk_state_t *state)
{
    const wsk_once_state_t *once = &state->once;
    unsigned i;

    for (i = 0; i < WSK_LOG_COUNT; i++) {
        const wsk_log_state_t *log = &state->log[i];

        if (!ends_sane(seg, log->first, log->last, log->pages)
            || log->first_at > WSK_PAGE_BYTES || log->last_at > WSK_PAGE_BYTES
            || log->head > UINT64_MAX / 2 || log->oldest - 1 > log->head) {
            return false;
        }
    }
    return ends_sane(seg, once->first, once->last, once->pages)
           && wsk_replay_sane(once);
}

bool wsk_work_begin(wsk_work_t *work, wsk_segment_t *seg, uint32_t site)
{
    if (!wsk_site_take(seg, site)) {
        return false;
    }
    work->seg = seg;
    work->site = &seg->sites[site];
    work->number = site;
    work->changed = false;
    work->broken = false;
    if (!state_sane(seg, wsk_state_of(work->site))) {
        wsk_repair_site(seg, site);
    }
    work->state = *wsk_state_of(work->site);
    memset(work->loose, 0, sizeof(work->loose));
    return true;
}

void wsk_work_commit(wsk_work_t *work)
{
    unsigned chain;

    wsk_state_put(work->site, &work->state);
    for (chain = 0; chain < WSK_WORK_CHAINS; chain++) {
        wsk_loose_t *loose = &work->loose[chain];

        wsk_pages_give(work->seg, work->number, loose->first, loose->n);
        loose->n = 0;
    }
    work->changed = false;
}

void wsk_work_end(wsk_work_t *work)
{
    if (work->broken) {
        wsk_repair_site(work->seg, work->number);
    }
    wsk_site_give(work->seg, work->number);
}

void wsk_work_loosen(wsk_work_t *work, unsigned chain, uint32_t first,
                     uint32_t n)
{
    wsk_loose_t *loose = &work->loose[chain];

    if (loose->n == 0) {
        loose->first = first;
    }
    loose->n += n;
    work->changed = true;
}
