/* SPDX-License-Identifier: Apache-2.0 */
#include "store/wsk_ends.h"

#include "store/wsk_pages.h"
#include "store/wsk_slot.h"
#include "store/wsk_store_int.h"

/* A process that died in the middle leaves one end twice, or half of one. */

void wsk_ends_put(wsk_segment_t *seg, unsigned slot, const wsk_end_t *end)
{
    wsk_header_t *h = seg->header;
    bool room = false;

    if (wsk_host_take(seg)) {
        const uint32_t count = atomic_load(&h->ends_count);

        room = count < WSK_ENDS;
        if (room) {
            h->ends[(h->ends_from + count) % WSK_ENDS] = *end;
            atomic_store(&h->ends_count, count + 1);
        }
        wsk_host_give(seg);
    }
    if (!room) {
        wsk_count(seg, slot, end->site, WSK_C_unlogged, 1);
    }
}

bool wsk_ends_take(wsk_segment_t *seg, wsk_end_t *out)
{
    wsk_header_t *h = seg->header;
    bool any = false;

    if (atomic_load(&h->ends_count) != 0 && wsk_host_take(seg)) {
        const uint32_t count = atomic_load(&h->ends_count);

        any = count > 0 && count <= WSK_ENDS;
        if (any) {
            *out = h->ends[h->ends_from % WSK_ENDS];
            h->ends_from = (h->ends_from + 1) % WSK_ENDS;
        }
        atomic_store(&h->ends_count, any ? count - 1 : 0);
        wsk_host_give(seg);
    }
    return any;
}
