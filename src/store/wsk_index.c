/* SPDX-License-Identifier: Apache-2.0 */
#include "store/wsk_index.h"

#include <string.h>

uint32_t wsk_index_size(uint32_t sites)
{
    uint32_t size = 2;

    while (size < 2 * sites) {
        size *= 2;
    }
    return size;
}

static const char *name_of(const wsk_segment_t *seg, wsk_index_e which,
                           uint32_t site)
{
    return which == WSK_INDEX_KEY ? seg->sites[site].key
                                  : seg->sites[site].site_id;
}

/* The entry that names the site, or the empty one where the search ends. */
static wsk_half_t *search(const wsk_segment_t *seg, wsk_index_e which,
                          wsk_slice_t name, uint32_t *psite)
{
    const uint32_t known = wsk_sites_known(seg);
    const uint32_t mask = seg->index_size - 1;
    uint32_t at = (uint32_t)wsk_hash(seg->header->secret, name.at, name.len);
    uint32_t tries;

    for (tries = 0; tries <= mask; tries++) {
        wsk_half_t *entry = &seg->index[which][(at + tries) & mask];
        const uint32_t found = atomic_load_explicit(entry,
                                                    memory_order_acquire);

        *psite = found - 1;
        if (found == 0) {
            return entry;
        }
        if (found <= known) {
            const char *is = name_of(seg, which, found - 1);

            if (strlen(is) == name.len && memcmp(is, name.at, name.len) == 0) {
                return entry;
            }
        }
    }
    *psite = UINT32_MAX;
    return NULL;
}

wsk_status_e wsk_index_find(const wsk_segment_t *seg, wsk_index_e which,
                            wsk_slice_t name, uint32_t *psite)
{
    uint32_t site;

    if (name.len == 0 || name.len > WSK_KEY_MAX) {
        return WSK_ENOTFOUND;
    }
    search(seg, which, name, &site);
    if (site == UINT32_MAX) {
        return WSK_ENOTFOUND;
    }
    *psite = site;
    return WSK_OK;
}

void wsk_index_add(wsk_segment_t *seg, uint32_t site)
{
    static const wsk_index_e each[] = { WSK_INDEX_KEY, WSK_INDEX_ID };
    size_t i;

    for (i = 0; i < WSK_COUNT_OF(each); i++) {
        const char *name = name_of(seg, each[i], site);
        const wsk_slice_t slice = { name, strlen(name) };
        uint32_t found;
        wsk_half_t *entry = search(seg, each[i], slice, &found);

        if (entry != NULL && found == UINT32_MAX) {
            atomic_store_explicit(entry, site + 1, memory_order_release);
        }
    }
}

void wsk_index_mend(wsk_segment_t *seg)
{
    const uint32_t known = wsk_sites_known(seg);
    uint32_t i;

    for (i = 0; i < known; i++) {
        wsk_index_add(seg, i);
    }
}
