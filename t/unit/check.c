/* SPDX-License-Identifier: Apache-2.0 */
#include "store/wsk_segment.h"

#include "store_fixture.h"

static uint32_t site;

static void free_count(wsk_segment_t *seg)
{
    seg->header->free_count--;
}

static void free_list(wsk_segment_t *seg)
{
    seg->header->free_first = seg->npages + 5;
}

static void owner_unknown(wsk_segment_t *seg)
{
    seg->table[seg->npages - 1].owner = 3;
}

static void owner_lost(wsk_segment_t *seg)
{
    seg->table[seg->header->free_first - 1].owner = site + 1;
}

static void site_pages(wsk_segment_t *seg)
{
    atomic_fetch_add(&seg->sites[site].pages, 1);
}

static void promised(wsk_segment_t *seg)
{
    seg->header->promised++;
}

static void reserved(wsk_segment_t *seg)
{
    seg->sites[site].said[0].state = WSK_SITE_OFF;
    seg->sites[site].said[1].state = WSK_SITE_OFF;
}

static void trace(wsk_segment_t *seg)
{
    seg->sites[site].trace[5] = wsk_state_of(&seg->sites[site])->log[0].head;
}

static void newest(wsk_segment_t *seg)
{
    memset(seg->sites[site].newest, 0, sizeof(seg->sites[site].newest));
}

static void newer(wsk_segment_t *seg)
{
    seg->sites[site].newest[5] = wsk_state_of(&seg->sites[site])->log[0].head
                                 + 1;
}

static void orphan(wsk_segment_t *seg)
{
    wsk_state_of(&seg->sites[site])->once.pages = 0;
    wsk_state_of(&seg->sites[site])->once.used = 0;
}

static void connections(wsk_segment_t *seg)
{
    atomic_fetch_add(&wsk_cell_of(seg, 0, site)->connections, 1);
}

static void hidden(wsk_segment_t *seg)
{
    memset(seg->index[1], 0, seg->index_size * sizeof(wsk_half_t));
}

static void renamed(wsk_segment_t *seg)
{
    seg->sites[site].key[0] = 'q';
}

static void record(wsk_segment_t *seg)
{
    wsk_page_bytes(seg, wsk_state_of(&seg->sites[site])->log[0].first)[31] = 1;
}

static const struct {
    const char *what;
    void (*spoil)(wsk_segment_t *seg);
} each[] = {
    { "a free page too few", free_count },
    { "a free list that leads away", free_list },
    { "a page of nobody known", owner_unknown },
    { "a free page that has an owner", owner_lost },
    { "a site's count of pages", site_pages },
    { "a promise too many", promised },
    { "the reservation of a site that is off", reserved },
    { "a trace of what is kept", trace },
    { "a record its trace does not know", newest },
    { "a trace of what is not there yet", newer },
    { "a page in no chain", orphan },
    { "a connection nobody has", connections },
    { "a site that cannot be found", hidden },
    { "a site found under another name", renamed },
    { "a record that is none", record },
};

int main(void)
{
    wsk_segment_t *seg = store_new(2, 4, 4, 20);
    uint8_t *image = malloc(seg->spec.bytes);
    wsk_once_t once;
    const wsk_record_t rec = { { "abc", 3 }, { "body", 4 }, 0, 0, 0 };
    wsk_cursor_t first;
    const char *why;
    bool broken;
    size_t i;

    store_whole(seg, "a new segment is whole");
    site = store_site(seg, 1, 1 << 20, 1000);
    store_site(seg, 2, 1 << 20, 1000);
    store_once(&once, 1, NOON + SECOND);
    wsk_log_append(seg, site, WSK_LOG_TEXT, &rec, 1, &once, NOON, &first);
    store_append(seg, site, WSK_LOG_TEXT, "abc", 40000, 2, NOON);
    store_append(seg, site, WSK_LOG_BINARY, "abc", 20000, 1, NOON);
    wsk_site_admit(seg, 1, site, 12345, NULL);
    store_whole(seg, "one in use is whole");
    memcpy(image, seg->base, seg->spec.bytes);
    for (i = 0; i < WSK_COUNT_OF(each); i++) {
        each[i].spoil(seg);
        why = "";
        broken = wsk_segment_check(seg, &why) == WSK_EBROKEN;
        ok(broken && why[0] != '\0', "%s is seen: %s", each[i].what, why);
        memcpy(seg->base, image, seg->spec.bytes);
    }
    store_whole(seg, "and nothing of it is imagined");
    free(image);
    store_end(seg);
    return done_testing();
}
