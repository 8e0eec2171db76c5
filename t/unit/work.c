/* SPDX-License-Identifier: Apache-2.0 */
#include "store/wsk_work.h"

#include "store/wsk_pages.h"
#include "store_fixture.h"

int main(void)
{
    wsk_segment_t *seg = store_new(1, 4, 4, 10);
    const uint32_t site = store_site(seg, 1, 1 << 20, 1000);
    wsk_work_t work;
    wsk_pages_t pages;
    uint32_t first, last;

    ok(!wsk_work_begin(&work, seg, 3), "there is no work on no site");
    ok(!wsk_work_begin(&work, seg, UINT32_MAX), "wherever it may be");
    ok(wsk_work_begin(&work, seg, site), "work on a site begins");
    work.state.log[WSK_LOG_TEXT].head = 77;
    wsk_work_end(&work);
    is_int((intmax_t)store_head(seg, site, WSK_LOG_TEXT).seq, 0,
           "what is not committed never was");

    wsk_work_begin(&work, seg, site);
    wsk_pages_take(seg, site, WSK_PAGE_ONCE, 3, &first, &last);
    wsk_work_loosen(&work, WSK_PAGE_ONCE, first, 1);
    wsk_work_loosen(&work, WSK_PAGE_ONCE, 0, 2);
    ok(work.changed, "a page that falls out is a change");
    wsk_segment_pages(seg, &pages);
    is_int(pages.free, 7, "it is not free before the change is in force");
    wsk_work_commit(&work);
    wsk_segment_pages(seg, &pages);
    is_int(pages.free, 10, "but then");
    ok(!work.changed, "and nothing is left to do");
    wsk_work_commit(&work);
    wsk_segment_pages(seg, &pages);
    is_int(pages.free, 10, "not even twice");
    wsk_work_end(&work);
    store_whole(seg, "the site is whole");
    store_end(seg);
    return done_testing();
}
