/* SPDX-License-Identifier: Apache-2.0 */
#include "store/wsk_evict.h"

#include "store/wsk_chain.h"
#include "store_fixture.h"

static uint64_t kept(wsk_segment_t *seg, uint32_t site, wsk_log_e log)
{
    const wsk_log_state_t *state = &wsk_state_of(&seg->sites[site])->log[log];

    return state->head + 1 - state->oldest;
}

static void append_n(wsk_segment_t *seg, uint32_t site, wsk_log_e log,
                     unsigned n, size_t len, int64_t now_us)
{
    while (n-- > 0) {
        store_append(seg, site, log, "abc", len,
                     store_head(seg, site, log).seq + 1, now_us);
    }
}

static void tidy(wsk_segment_t *seg, int64_t now_us)
{
    unsigned i;

    for (i = 0; i < 5; i++) {
        wsk_log_tidy(seg, now_us);
    }
}

static void by_count_and_bytes(void)
{
    wsk_segment_t *seg = store_new(2, 4, 4, 100);
    uint32_t site = store_site(seg, 1, 1 << 20, 10);

    append_n(seg, site, WSK_LOG_TEXT, 50, 100, NOON);
    is_int((intmax_t)kept(seg, site, WSK_LOG_TEXT), 10,
           "as many are kept as the limit says");
    site = store_site(seg, 2, wsk_record_bytes(3, 100) * 7 + 5, 1000);
    append_n(seg, site, WSK_LOG_TEXT, 50, 100, NOON);
    is_int((intmax_t)kept(seg, site, WSK_LOG_TEXT), 7,
           "as many bytes are kept as the limit says");
    append_n(seg, site, WSK_LOG_TEXT, 1, 5000, NOON);
    is_int((intmax_t)kept(seg, site, WSK_LOG_TEXT), 1,
           "a record larger than the limit stays alone");
    tidy(seg, NOON);
    is_int((intmax_t)kept(seg, site, WSK_LOG_TEXT), 0, "until somebody tidies");
    store_whole(seg, "limits leave all whole");
    store_end(seg);
}

static void by_age(void)
{
    wsk_segment_t *seg = store_new(2, 4, 4, 100);
    const uint32_t site = store_site(seg, 1, 1 << 20, 1000);
    wsk_pages_t pages;

    append_n(seg, site, WSK_LOG_TEXT, 5, 100, NOON);
    append_n(seg, site, WSK_LOG_TEXT, 5, 100, NOON + 100 * SECOND);
    tidy(seg, NOON + 599 * SECOND);
    is_int((intmax_t)kept(seg, site, WSK_LOG_TEXT), 10,
           "ten minutes of history are kept");
    tidy(seg, NOON + 600 * SECOND);
    is_int((intmax_t)kept(seg, site, WSK_LOG_TEXT), 5, "and no more");
    tidy(seg, NOON - 3600 * SECOND);
    tidy(seg, INT64_MIN);
    is_int((intmax_t)kept(seg, site, WSK_LOG_TEXT), 5,
           "a clock that is set back evicts nothing");
    tidy(seg, INT64_MAX);
    is_int((intmax_t)kept(seg, site, WSK_LOG_TEXT), 0, "in the end all go");
    wsk_segment_pages(seg, &pages);
    is_int(pages.free, pages.total, "and an idle site's pages with them");
    store_end(seg);
}

static void what_was_not_read(void)
{
    wsk_segment_t *seg = store_new(3, 4, 4, 400);
    const uint32_t site = store_site(seg, 1, 1 << 20, 10);
    wsk_cursor_t heads[WSK_LOG_COUNT];
    uint64_t most;

    wsk_log_listen(seg, site, 0, heads);
    wsk_log_listen(seg, site, 2, heads);
    append_n(seg, site, WSK_LOG_TEXT, 100, 1000, NOON);
    is_int((intmax_t)kept(seg, site, WSK_LOG_TEXT), 100,
           "what a listener has not read stays over the limit");
    wsk_log_at(seg, site, 0, WSK_LOG_TEXT, 100);
    wsk_log_at(seg, site, 2, WSK_LOG_TEXT, 40);
    tidy(seg, NOON);
    is_int((intmax_t)kept(seg, site, WSK_LOG_TEXT), 60,
           "up to where the slowest of them is");
    wsk_log_unlisten(seg, site, 2);
    tidy(seg, NOON);
    is_int((intmax_t)kept(seg, site, WSK_LOG_TEXT), 10,
           "who listens no more holds up nothing");
    append_n(seg, site, WSK_LOG_TEXT, 3000, 1000, NOON);
    most = ((1 << 20) + (uint64_t)WSK_LOG_BACKLOG) / wsk_record_bytes(3, 1000);
    is_int((intmax_t)kept(seg, site, WSK_LOG_TEXT), (intmax_t)most,
           "a listener that does not read holds up a bounded backlog");
    append_n(seg, site, WSK_LOG_TEXT, 1, 3 << 20, NOON);
    append_n(seg, site, WSK_LOG_TEXT, 1, 1000, NOON);
    is_int((intmax_t)kept(seg, site, WSK_LOG_TEXT), (intmax_t)most + 2,
           "but no record is too large to be read by it");
    store_whole(seg, "a backlog leaves all whole");
    store_end(seg);
}

static void binary(void)
{
    wsk_segment_t *seg = store_new(2, 4, 4, 1500);
    const uint32_t site = store_site(seg, 1, 1 << 20, 10);
    wsk_cursor_t heads[WSK_LOG_COUNT];
    const uint64_t large = 2 << 20;

    append_n(seg, site, WSK_LOG_BINARY, 5, 1000, NOON);
    is_int((intmax_t)kept(seg, site, WSK_LOG_BINARY), 1,
           "binary frames nobody waits for do not stay");
    tidy(seg, NOON);
    is_int((intmax_t)kept(seg, site, WSK_LOG_BINARY), 0, "not even the last");
    wsk_log_listen(seg, site, 1, heads);
    append_n(seg, site, WSK_LOG_BINARY, 1, large, NOON);
    append_n(seg, site, WSK_LOG_BINARY, 1, large / 2, NOON);
    is_int((intmax_t)kept(seg, site, WSK_LOG_BINARY), 2,
           "what a listener waits for stays");
    append_n(seg, site, WSK_LOG_BINARY, 1, large, NOON);
    is_int((intmax_t)kept(seg, site, WSK_LOG_BINARY), 2,
           "up to four mebibytes, or twice the largest");
    wsk_log_at(seg, site, 1, WSK_LOG_BINARY, 8);
    tidy(seg, NOON);
    is_int((intmax_t)kept(seg, site, WSK_LOG_BINARY), 0,
           "read by all, they are gone");
    append_n(seg, site, WSK_LOG_BINARY, 2, 3 << 20, NOON);
    is_int((intmax_t)kept(seg, site, WSK_LOG_BINARY), 2,
           "two of three mebibytes stay");
    wsk_log_at(seg, site, 1, WSK_LOG_BINARY, 10);
    tidy(seg, NOON);
    append_n(seg, site, WSK_LOG_BINARY, 5, 1 << 20, NOON);
    is_int((intmax_t)kept(seg, site, WSK_LOG_BINARY), 3,
           "once they are read the bound is the usual one");
    store_whole(seg, "binary frames leave all whole");
    store_end(seg);
}

/* Who polls for binary frames has no position that is kept: it is given time. */
static void for_polls(void)
{
    wsk_segment_t *seg = store_new(2, 4, 4, 400);
    const uint32_t site = store_site(seg, 1, 1 << 20, 1000);
    const uint32_t other = store_site(seg, 2, 1 << 20, 1000);

    append_n(seg, site, WSK_LOG_BINARY, 5, 1000, NOON);
    is_int((intmax_t)kept(seg, site, WSK_LOG_BINARY), 1,
           "without a poll nothing is kept that was read");
    wsk_log_polled(seg, site, NOON);
    append_n(seg, site, WSK_LOG_BINARY, 5, 1000, NOON + SECOND);
    append_n(seg, other, WSK_LOG_BINARY, 5, 1000, NOON + SECOND);
    tidy(seg, NOON + 20 * SECOND);
    is_int((intmax_t)kept(seg, site, WSK_LOG_BINARY), 6,
           "after a poll it is, for a while");
    is_int((intmax_t)kept(seg, other, WSK_LOG_BINARY), 0, "at this site only");
    wsk_log_polled(seg, site, NOON + 20 * SECOND);
    tidy(seg, NOON + 30 * SECOND);
    is_int((intmax_t)kept(seg, site, WSK_LOG_BINARY), 5,
           "what is older is not, though there are polls");
    append_n(seg, site, WSK_LOG_BINARY, 2, 1000, NOON + 40 * SECOND);
    tidy(seg, NOON + 49 * SECOND);
    is_int((intmax_t)kept(seg, site, WSK_LOG_BINARY), 2,
           "as long as polls come");
    tidy(seg, NOON + 50 * SECOND);
    is_int((intmax_t)kept(seg, site, WSK_LOG_BINARY), 0, "and no longer");
    wsk_log_polled(seg, site, NOON + 60 * SECOND);
    append_n(seg, site, WSK_LOG_BINARY, 40, 100000, NOON + 60 * SECOND);
    is_int((intmax_t)kept(seg, site, WSK_LOG_BINARY), 10,
           "within a bound of bytes");
    tidy(seg, NOON - 3600 * SECOND);
    is_int((intmax_t)kept(seg, site, WSK_LOG_BINARY), 0,
           "a clock set back keeps nothing");
    store_whole(seg, "polls leave all whole");
    store_end(seg);
}

static void pages_of_a_turn(void)
{
    wsk_segment_t *seg = store_new(2, 4, 4, 20);
    const uint32_t site = store_site(seg, 1, 1 << 20, 1000);
    wsk_work_t work;
    wsk_pages_t pages;

    append_n(seg, site, WSK_LOG_TEXT, 20, 5000, NOON);
    wsk_work_begin(&work, seg, site);
    ok(wsk_evict_page(&work, WSK_LOG_TEXT), "a page can be made free");
    is_int((intmax_t)work.loose[WSK_LOG_TEXT].n, 1, "one at a time");
    wsk_work_end(&work);
    is_int((intmax_t)kept(seg, site, WSK_LOG_TEXT), 20,
           "what is not committed never was");
    wsk_work_begin(&work, seg, site);
    wsk_evict_all(&work, WSK_LOG_TEXT);
    ok(!wsk_evict_page(&work, WSK_LOG_TEXT), "an empty log has none");
    ok(!wsk_evict_last_page(&work, WSK_LOG_TEXT), "not one");
    wsk_work_commit(&work);
    wsk_work_end(&work);
    wsk_segment_pages(seg, &pages);
    is_int(pages.free, 20, "all of a log can go");
    store_whole(seg, "a turn leaves all whole");
    store_end(seg);
}

int main(void)
{
    by_count_and_bytes();
    by_age();
    what_was_not_read();
    binary();
    for_polls();
    pages_of_a_turn();
    return done_testing();
}
