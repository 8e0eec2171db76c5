/* SPDX-License-Identifier: Apache-2.0 */
#include "store/wsk_log.h"

#include "store_fixture.h"

static uint64_t oldest_of(wsk_segment_t *seg, uint32_t site)
{
    wsk_site_stats_t stats;

    wsk_site_stats(seg, site, &stats);
    return stats.oldest;
}

static void from_now_on(void)
{
    wsk_segment_t *seg = store_new(2, 4, 2, 20);
    const uint32_t site = store_site(seg, 1, 1 << 20, 1000);
    wsk_cursor_t heads[WSK_LOG_COUNT];
    uint64_t i;

    for (i = 1; i <= 3; i++) {
        store_append(seg, site, WSK_LOG_TEXT, "a", 10, i, NOON);
    }
    store_append(seg, site, WSK_LOG_BINARY, "a", 10, 1, NOON);
    is_int(wsk_log_listen(seg, site, 1, heads), WSK_OK, "a slot listens");
    ok(heads[WSK_LOG_TEXT].seq == 3 && heads[WSK_LOG_BINARY].seq == 1,
       "from where both logs are");
    ok(heads[WSK_LOG_TEXT].epoch == 0xe001, "under their epoch");
    store_append(seg, site, WSK_LOG_TEXT, "a", 10, 4, NOON);
    is_int(store_drain(seg, site, WSK_LOG_TEXT, &heads[WSK_LOG_TEXT]), 1,
           "and reads what comes");
    is_int(wsk_log_listen(seg, 3, 1, heads), WSK_ENOTFOUND,
           "there is nothing to hear at no site");
    is_int(wsk_log_listen(seg, site, 2, heads), WSK_ENOTFOUND,
           "nor for a slot that is none");
    wsk_log_unlisten(seg, 3, 1);
    wsk_log_at(seg, 3, 1, WSK_LOG_TEXT, 5);
    wsk_log_at(seg, site, 7, WSK_LOG_TEXT, 5);
    store_whole(seg, "numbers of nobody do no harm");
    store_end(seg);
}

/* History off: only what somebody waits for is kept. */
static void history_off(void)
{
    wsk_segment_t *seg = store_new(2, 4, 2, 40);
    const uint32_t site = store_site(seg, 1, 0, 0);
    const wsk_slice_t room = { "room", 4 }, other = { "other", 5 };
    wsk_cursor_t heads[WSK_LOG_COUNT];
    wsk_cursor_t start, at;
    uint64_t i;

    wsk_log_listen(seg, site, 0, heads);
    start = heads[WSK_LOG_TEXT];
    for (i = 1; i <= 20; i++) {
        store_append(seg, site, WSK_LOG_TEXT, "room", 100, i, NOON);
    }
    at = start;
    is_int(store_drain(seg, site, WSK_LOG_TEXT, &at), 20,
           "delivery needs no history");
    is_int(wsk_log_since(seg, site, &start, &room, 1, NOON, &at), WSK_EGAP,
           "but nothing is given again, not even what is still there");
    is_int((intmax_t)at.seq, 20, "one can go on from the head");
    is_int(wsk_log_since(seg, site, &start, &other, 1, NOON, &at), WSK_OK,
           "where nothing came nothing is missed");
    is_int((intmax_t)at.seq, 20, "and one goes on from there");
    wsk_log_at(seg, site, 0, WSK_LOG_TEXT, 20);
    wsk_log_tidy(seg, NOON);
    is_int((intmax_t)oldest_of(seg, site), 21, "what all have read is gone");
    is_int(wsk_log_since(seg, site, &start, &room, 1, NOON, &at), WSK_EGAP,
           "the gap stays told");
    start.seq = 20;
    is_int(wsk_log_since(seg, site, &start, &room, 1, NOON, &at), WSK_OK,
           "who has seen all misses nothing");
    store_end(seg);
}

/* Every site is looked at, whoever calls. */
static void tidying(void)
{
    wsk_segment_t *seg = store_new(2, 32, 2, 200);
    wsk_pages_t pages;
    uint32_t i;

    for (i = 0; i < 32; i++) {
        store_append(seg, store_site(seg, i, 1 << 20, 100), WSK_LOG_TEXT, "a",
                     10, 1, NOON);
    }
    wsk_segment_pages(seg, &pages);
    is_int(pages.free, 168, "32 sites have a page each");
    for (i = 0; i < 4; i++) {
        wsk_log_tidy(seg, NOON + 3600 * SECOND);
    }
    wsk_segment_pages(seg, &pages);
    is_int(pages.free, 200, "four calls take back what is too old everywhere");
    store_end(seg);
    seg = store_new(2, 32, 2, 200);
    wsk_log_tidy(seg, NOON);
    store_whole(seg, "without sites there is nothing to tidy");
    store_end(seg);
}

int main(void)
{
    from_now_on();
    history_off();
    tidying();
    return done_testing();
}
