/* SPDX-License-Identifier: Apache-2.0 */
#include "store/wsk_pages.h"

#include "store_fixture.h"

static wsk_pages_t pages_now(wsk_segment_t *seg)
{
    wsk_pages_t pages;

    wsk_segment_pages(seg, &pages);
    return pages;
}

static wsk_status_e take(wsk_segment_t *seg, uint32_t site, uint32_t n,
                         uint32_t *pfirst)
{
    uint32_t last;

    return wsk_pages_take(seg, site, WSK_PAGE_TEXT, n, pfirst, &last);
}

/* Ten pages, two sites that have three each for certain. */
static void reservations(void)
{
    wsk_segment_t *seg = store_new(2, 4, 3, 10);
    const uint32_t a = store_site(seg, 1, 1000, 10);
    const uint32_t b = store_site(seg, 2, 1000, 10);
    uint32_t first, more;

    is_int(pages_now(seg).reserved, 6, "what two sites are promised is kept");
    is_int(wsk_pages_left(seg, a), 7, "a site may have all but the other's");
    is_int(take(seg, a, 8, &first), WSK_EFULL, "and not one more");
    is_int(pages_now(seg).free, 10, "a refusal takes nothing");
    is_int(take(seg, a, 7, &first), WSK_OK, "all of them at once");
    is_int(take(seg, a, 1, &more), WSK_EFULL, "then the site is full");
    is_int(pages_now(seg).reserved, 3, "its promise is kept");
    is_int(take(seg, b, 3, &more), WSK_OK,
           "the other has its own all the time");
    is_int(take(seg, b, 1, &more), WSK_EFULL, "and no more of them");
    is_int(pages_now(seg).free, 0, "all are in use");
    wsk_pages_give(seg, a, first, 7);
    is_int(pages_now(seg).free, 7, "given back, they are free");
    is_int(pages_now(seg).reserved, 3, "and promised again");
    store_end(seg);
}

static void chains(void)
{
    wsk_segment_t *seg = store_new(2, 4, 3, 10);
    const uint32_t a = store_site(seg, 1, 1000, 10);
    uint32_t first, last, page, n = 1, mine = 0;

    wsk_pages_take(seg, a, WSK_PAGE_BINARY, 5, &first, &last);
    for (page = first; page != last; page = wsk_page_of(seg, page)->next) {
        mine += wsk_page_of(seg, page)->owner == a + 1
                && wsk_page_of(seg, page)->kind == WSK_PAGE_BINARY;
        n++;
    }
    is_int(n, 5, "pages come chained");
    is_int(mine, 4, "and are the site's, of the kind asked for");
    page = wsk_page_of(seg, first)->next;
    wsk_pages_give(seg, a, first, 2);
    is_int(wsk_page_of(seg, page)->owner, 0, "the first two can be given back");
    is_int(pages_now(seg).free, 7, "and they alone");
    is_int(wsk_pages_unmark(seg, a), 3, "three are left");
    wsk_page_of(seg, last)->mark = 1;
    wsk_pages_sweep(seg, a);
    is_int(pages_now(seg).free, 9, "a sweep takes what has no mark");
    wsk_pages_sweep(seg, a + 1);
    is_int(wsk_page_of(seg, last)->owner, a + 1, "of that site only");
    store_end(seg);
}

static void promises_that_do_not_fit(void)
{
    wsk_segment_t *seg = store_new(2, 4, 4, 10);
    const uint32_t a = store_site(seg, 1, 1000, 10);
    uint32_t b, c, first, last;

    b = store_site(seg, 2, 1000, 10);
    c = store_site(seg, 3, 1000, 10);
    is_int(pages_now(seg).reserved, 8, "a third promise of four does not fit");
    is_int(take(seg, c, 3, &first), WSK_EFULL, "nor has that site more");
    is_int(wsk_pages_take(seg, c, WSK_PAGE_TEXT, 2, &first, &last), WSK_OK,
           "than what nobody was promised");
    wsk_pages_reserve(seg, b, false);
    is_int(pages_now(seg).reserved, 4, "a promise can be taken back");
    ok(wsk_pages_reserve(seg, c, true), "and given to another");
    is_int(pages_now(seg).reserved, 6, "who has a part of it already");
    ok(wsk_pages_reserve(seg, a, true), "asking twice");
    is_int(pages_now(seg).reserved, 6, "promises nothing twice");
    store_end(seg);
}

/* Whatever lists and sums are, they follow from the owners. */
static void mending(void)
{
    wsk_segment_t *seg = store_new(2, 4, 3, 10);
    const uint32_t a = store_site(seg, 1, 1000, 10);
    wsk_pages_t before;
    uint32_t first, last;

    wsk_pages_take(seg, a, WSK_PAGE_TEXT, 4, &first, &last);
    before = pages_now(seg);
    seg->header->free_first = 77;
    seg->header->free_count = 3;
    seg->header->promised = 9;
    atomic_store(&seg->sites[a].pages, 8);
    wsk_pages_mend(seg);
    is_int(pages_now(seg).free, before.free, "the free list is made anew");
    is_int(pages_now(seg).reserved, before.reserved, "so are the promises");
    is_int(atomic_load(&seg->sites[a].pages), 4, "and a site's count");
    store_end(seg);
}

int main(void)
{
    reservations();
    chains();
    promises_that_do_not_fit();
    mending();
    return done_testing();
}
