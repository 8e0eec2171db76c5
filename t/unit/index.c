/* SPDX-License-Identifier: Apache-2.0 */
#include "store/wsk_index.h"

#include "store_fixture.h"

#define SITES 500

static void every_site_under_both_names(void)
{
    wsk_segment_t *seg = store_new(1, SITES, 2, 8);
    wsk_site_spec_t spec;
    uint32_t i, site, wrong = 0, found = 0;

    for (i = 0; i < SITES; i++) {
        store_site(seg, i, 1000, 10);
    }
    for (i = 0; i < SITES; i++) {
        store_spec(&spec, i);
        wrong += wsk_index_find(seg, WSK_INDEX_KEY, store_slice(spec.key),
                                &site)
                     != WSK_OK
                 || strcmp(seg->sites[site].key, spec.key) != 0;
        wrong += wsk_index_find(seg, WSK_INDEX_ID, store_slice(spec.site_id),
                                &site)
                     != WSK_OK
                 || strcmp(seg->sites[site].site_id, spec.site_id) != 0;
        found += wsk_index_find(seg, WSK_INDEX_KEY, store_slice(spec.site_id),
                                &site)
                 == WSK_OK;
        found += wsk_index_find(seg, WSK_INDEX_ID, store_slice(spec.key), &site)
                 == WSK_OK;
    }
    is_int(wrong, 0, "a full table finds every site by key and by id");
    is_int(found, 0, "and none by the other's name");
    store_end(seg);
}

static void names_that_are_none(void)
{
    wsk_segment_t *seg = store_new(1, 4, 2, 8);
    char longer[WSK_KEY_MAX + 2];
    wsk_slice_t part = { "key-12", 5 };
    uint32_t site = 99;

    store_site(seg, 12, 1000, 10);
    store_site(seg, 1, 1000, 10);
    memset(longer, 'k', sizeof(longer));
    is_int(wsk_index_find(seg, WSK_INDEX_KEY, store_slice(""), &site),
           WSK_ENOTFOUND, "no name is nobody's");
    part.len = sizeof(longer);
    part.at = longer;
    is_int(wsk_index_find(seg, WSK_INDEX_KEY, part, &site), WSK_ENOTFOUND,
           "nor one that is too long");
    is_int((intmax_t)site, 99, "and nothing is answered");
    part.at = "key-12";
    part.len = 5;
    is_int(wsk_index_find(seg, WSK_INDEX_KEY, part, &site), WSK_OK,
           "a name that begins another's is its own");
    is_str(seg->sites[site].key, "key-1", "and found as that");
    part.len = 4;
    is_int(wsk_index_find(seg, WSK_INDEX_KEY, part, &site), WSK_ENOTFOUND,
           "a part of a name is none");
    store_end(seg);
}

static void mending(void)
{
    wsk_segment_t *seg = store_new(1, 16, 2, 8);
    uint32_t i, site;
    size_t at;
    int entries = 0;

    for (i = 0; i < 16; i++) {
        store_site(seg, i, 1000, 10);
    }
    wsk_index_add(seg, 3);
    for (at = 0; at < seg->index_size; at++) {
        entries += atomic_load(&seg->index[0][at]) != 0;
    }
    is_int(entries, 16, "a site that is in already is not added again");
    memset(seg->index[1], 0, seg->index_size * sizeof(wsk_half_t));
    is_int(wsk_index_find(seg, WSK_INDEX_ID, store_slice("id-7"), &site),
           WSK_ENOTFOUND, "what was not entered is not found");
    wsk_index_mend(seg);
    is_int(wsk_index_find(seg, WSK_INDEX_ID, store_slice("id-7"), &site),
           WSK_OK, "until it is mended");
    is_int(site, 7, "by the number it always had");
    store_end(seg);
}

int main(void)
{
    every_site_under_both_names();
    names_that_are_none();
    mending();
    return done_testing();
}
