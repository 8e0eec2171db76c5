/* SPDX-License-Identifier: Apache-2.0 */
#include "store/wsk_segment.h"

#include "store_fixture.h"

static wsk_segment_spec_t small(void)
{
    wsk_segment_spec_t spec = { 0, 4, 8, 64, 3 };

    spec.bytes = wsk_segment_least(&spec) + UINT64_C(5) * (WSK_PAGE_BYTES + 64);
    return spec;
}

static void refused(const char *what, wsk_segment_spec_t spec)
{
    static uint8_t random[32];
    static _Alignas(64) uint8_t mem[4096];

    ok(wsk_segment_format(mem, &spec, random) == NULL, "%s is refused", what);
}

static void bounds(void)
{
    wsk_segment_spec_t spec = small();

#define REFUSED(what, field, value) \
    do { \
        spec = small(); \
        spec.field = value; \
        refused(what, spec); \
    } while (0)

    REFUSED("a segment without slots", slots, 0);
    REFUSED("one with too many slots", slots, WSK_SLOTS_MAX + 1);
    REFUSED("one without sites", sites, 0);
    REFUSED("one with too many sites", sites, WSK_SITES_MAX + 1);
    REFUSED("a table of addresses that is no power of two", addresses, 65);
    REFUSED("no table of addresses", addresses, 0);
    REFUSED("a reservation of one page", site_pages, 1);
    REFUSED("one that no memory has", site_pages, UINT32_MAX);
    REFUSED("a mapping of nothing", bytes, 0);
    REFUSED("a mapping smaller than its tables", bytes, 5000);
    spec = small();
    spec.bytes = wsk_segment_least(&spec) - 1;
    refused("one byte less than the least", spec);
#undef REFUSED
}

static void least(void)
{
    wsk_segment_spec_t spec = small();
    wsk_segment_t *seg;
    wsk_pages_t pages;

    spec.bytes = wsk_segment_least(&spec);
    seg = store_map(&spec, NULL);
    ok(seg != NULL, "the least holds a segment");
    wsk_segment_pages(seg, &pages);
    is_int(pages.total, spec.site_pages, "with the pages of one site");
    is_int((intmax_t)(((uintptr_t)seg->pages - (uintptr_t)seg->base)
                      % WSK_PAGE_BYTES),
           0, "aligned to their size");
    store_end(seg);
}

static void opening(void)
{
    const wsk_segment_spec_t spec = small();
    void *mem, *elsewhere;
    wsk_segment_t *seg = store_map(&spec, &mem);
    wsk_segment_t *other;
    uint32_t site;

    other = wsk_segment_open(mem, spec.bytes);
    ok(other != NULL, "who has the memory can open it");
    is_int((intmax_t)wsk_segment_spec(other)->bytes, (intmax_t)spec.bytes,
           "and learn its spec");
    ok(memcmp(wsk_segment_secret(seg), wsk_segment_secret(other), 32) == 0,
       "and the boot secret");
    site = store_site(seg, 1, 1 << 20, 100);
    is_int(store_append(other, site, WSK_LOG_TEXT, "a", 10, 1, NOON), WSK_OK,
           "both see the same sites");
    elsewhere = mmap(NULL, spec.bytes, PROT_READ | PROT_WRITE,
                     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    memcpy(elsewhere, mem, spec.bytes);
    wsk_segment_close(other);
    other = wsk_segment_open(elsewhere, spec.bytes);
    is_int((intmax_t)store_head(other, site, WSK_LOG_TEXT).seq, 1,
           "it works wherever it lies");
    store_whole(other, "and is whole there");
    store_end(other);
    store_end(seg);
}

/* Every field that says where something is, changed by one. */
static void not_ours(void)
{
    const wsk_segment_spec_t spec = small();
    void *mem;
    wsk_segment_t *seg = store_map(&spec, &mem);
    wsk_segment_t *other;
    uint8_t *bytes = mem;
    size_t at;
    int opened = 0;

    ok(wsk_segment_open(mem, spec.bytes - 1) == NULL
           && wsk_segment_open(mem, spec.bytes + WSK_PAGE_BYTES) == NULL
           && wsk_segment_open(mem, 8) == NULL,
       "another size is not opened");
    ok(wsk_segment_open(bytes + 8, spec.bytes) == NULL,
       "nor what is not aligned");
    for (at = 0; at < offsetof(wsk_header_t, secret); at++) {
        bytes[at] ^= 1;
        other = wsk_segment_open(mem, spec.bytes);
        if (other != NULL
            && at < offsetof(wsk_header_t, spec)
                        + offsetof(wsk_segment_spec_t, site_pages)) {
            opened++;
        }
        if (other != NULL && at >= offsetof(wsk_header_t, slots_at)) {
            opened++;
        }
        wsk_segment_close(other);
        bytes[at] ^= 1;
    }
    is_int(opened, 0, "nor one with a bit wrong in its head");
    store_end(seg);
}

static void marks(void)
{
    wsk_segment_t *seg = store_new(4, 4, 2, 8);

    ok(wsk_segment_marked(seg, WSK_MARK_HOST_CONNECTIONS) == UINT64_MAX,
       "until told, the host has no cap");
    is_int((intmax_t)wsk_segment_marked(seg, WSK_MARK_LEAVE), 0,
           "and nobody must leave");
    wsk_segment_mark(seg, WSK_MARK_RELOAD, 7);
    is_int((intmax_t)wsk_segment_marked(seg, WSK_MARK_RELOAD), 7,
           "a mark is read as it was written");
    store_end(seg);
}

int main(void)
{
    bounds();
    least();
    opening();
    not_ours();
    marks();
    return done_testing();
}
