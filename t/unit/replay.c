/* SPDX-License-Identifier: Apache-2.0 */
#include "store/wsk_replay.h"

#include "store/wsk_pages.h"
#include "store_fixture.h"

static wsk_status_e publish(wsk_segment_t *seg, uint32_t site, uint64_t number,
                            int64_t now_us, wsk_cursor_t *first)
{
    const wsk_record_t record = { { "abc", 3 }, { "body", 4 }, 0, 0, 0 };
    wsk_once_t once;

    store_once(&once, number, now_us + 60 * SECOND);
    return wsk_log_append(seg, site, WSK_LOG_TEXT, &record, 1, &once, now_us,
                          first);
}

static void tidy(wsk_segment_t *seg, int64_t now_us)
{
    unsigned i;

    for (i = 0; i < 5; i++) {
        wsk_log_tidy(seg, now_us);
    }
}

static void once_each(void)
{
    wsk_segment_t *seg = store_new(1, 4, 4, 40);
    const uint32_t a = store_site(seg, 1, 1 << 20, 1000);
    const uint32_t b = store_site(seg, 2, 1 << 20, 1000);
    wsk_cursor_t first = { 0, 0 }, again = { 0, 0 };
    uint64_t i;
    unsigned wrong = 0;

    for (i = 1; i <= 1500; i++) {
        wrong += publish(seg, a, i, NOON, &first) != WSK_OK || first.seq != i;
    }
    is_int((intmax_t)wrong, 0, "1500 requests have their effect");
    for (i = 1; i <= 1500; i++) {
        wrong += publish(seg, a, i, NOON + SECOND, &again) != WSK_EDUP
                 || again.seq != i || again.epoch != first.epoch;
    }
    is_int((intmax_t)wrong, 0, "again, they are answered with their first id");
    is_int((intmax_t)store_head(seg, a, WSK_LOG_TEXT).seq, 1500,
           "and have no other effect");
    is_int(publish(seg, b, 1, NOON, &first), WSK_OK,
           "another site knows nothing of them");
    store_whole(seg, "all they are remembered in is whole");
    store_end(seg);
}

static void in_its_time(void)
{
    wsk_segment_t *seg = store_new(1, 4, 4, 40);
    const uint32_t a = store_site(seg, 1, 1 << 20, 1000);
    wsk_cursor_t first;
    wsk_pages_t pages;

    publish(seg, a, 1, NOON, &first);
    tidy(seg, NOON + 60 * SECOND);
    is_int(publish(seg, a, 1, NOON + 60 * SECOND, &first), WSK_EDUP,
           "a request is remembered until its time");
    tidy(seg, NOON + 60 * SECOND + 1);
    is_int(publish(seg, a, 1, NOON + 61 * SECOND, &first), WSK_OK,
           "and not beyond it");
    tidy(seg, NOON + 3600 * SECOND);
    wsk_segment_pages(seg, &pages);
    is_int(pages.free, pages.total, "then its page is given back");
    store_end(seg);
}

/* A name belongs to the first who used it, for as long as that is known. */
static void names(void)
{
    wsk_segment_t *seg = store_new(1, 4, 4, 40);
    const uint32_t a = store_site(seg, 1, 1 << 20, 1000);
    const wsk_record_t record = { { "abc", 3 }, { "body", 4 }, 0, 0, 0 };
    const int64_t last = NOON + 60 * SECOND;
    wsk_cursor_t first, again = { 0, 0 };
    wsk_once_t once, other;

    store_once(&once, 1, last);
    other = once;
    other.proof[7] ^= 1;
    wsk_log_append(seg, a, WSK_LOG_TEXT, &record, 1, &once, NOON, &first);
    is_int(
        wsk_log_append(seg, a, WSK_LOG_TEXT, &record, 1, &other, NOON, &again),
        WSK_ECLASH, "a known name with another proof is told");
    is_int((intmax_t)store_head(seg, a, WSK_LOG_TEXT).seq, 1,
           "and has no effect");
    is_int(
        wsk_log_append(seg, a, WSK_LOG_TEXT, &record, 1, &once, NOON, &again),
        WSK_EDUP, "nor has it taken the place of the first");
    tidy(seg, last + 1);
    is_int(wsk_log_append(seg, a, WSK_LOG_TEXT, &record, 1, &other, last + 1,
                          &again),
           WSK_OK, "later the name is free");
    store_end(seg);
}

static void without_a_record(void)
{
    wsk_segment_t *seg = store_new(1, 4, 2, 8);
    const uint32_t a = store_site(seg, 1, 1 << 20, 1000);
    wsk_status_e rv = WSK_OK;
    wsk_cursor_t first;
    wsk_once_t once;
    uint64_t i;

    store_once(&once, 1, NOON + SECOND);
    is_int(wsk_log_remember(seg, a, &once, NOON), WSK_OK, "remembered");
    is_int((intmax_t)store_head(seg, a, WSK_LOG_TEXT).seq, 0,
           "without a record");
    is_int(wsk_log_remember(seg, a, &once, NOON), WSK_EDUP, "once");
    is_int(publish(seg, a, 1, NOON, &first), WSK_EDUP, "for every use");
    once.proof[0] ^= 1;
    is_int(wsk_log_remember(seg, a, &once, NOON), WSK_ECLASH, "by its name");
    store_whole(seg, "all is whole");
    for (i = 2; i <= 5000 && rv == WSK_OK; i++) {
        store_once(&once, i, NOON + SECOND);
        rv = wsk_log_remember(seg, a, &once, NOON);
    }
    is_int(rv, WSK_EAGAIN, "a full table takes no more of them");
    wsk_site_switch(seg, a, false);
    is_int(wsk_log_remember(seg, a, &once, NOON), WSK_ENOTFOUND,
           "a site that is off remembers nothing");
    store_end(seg);
}

static void refusals(void)
{
    wsk_segment_t *seg = store_new(1, 4, 2, 4);
    const uint32_t a = store_site(seg, 1, 1 << 20, 1000);
    static char body[80000];
    wsk_record_t record = { { "abc", 3 }, { body, sizeof(body) }, 0, 0, 0 };
    wsk_cursor_t first;
    wsk_once_t once;

    store_once(&once, 5, NOON + SECOND);
    is_int(
        wsk_log_append(seg, a, WSK_LOG_TEXT, &record, 1, &once, NOON, &first),
        WSK_EFULL, "what does not fit is refused");
    record.body.len = 100;
    is_int(
        wsk_log_append(seg, a, WSK_LOG_TEXT, &record, 1, &once, NOON, &first),
        WSK_OK, "and not remembered: a second try goes through");
    store_end(seg);
}

/* A site remembers what its rate allows, and as pages go. */
static void bounds(void)
{
    wsk_segment_t *seg = store_new(1, 4, 2, 8);
    const uint32_t a = store_site(seg, 1, 1 << 20, 1000);
    const uint32_t b = store_site(seg, 2, 1 << 20, 1000);
    const wsk_limits_t none = { .publish_rate = 0 };
    const wsk_limits_t most = { .publish_rate = UINT32_MAX,
                                .publish_burst = UINT32_MAX };
    wsk_cursor_t first;
    wsk_status_e rv = WSK_OK;
    uint64_t i, done = 0;

    is_int(wsk_replay_bound(&none), 2, "a site without a rate has two pages");
    is_int(wsk_replay_bound(&most), WSK_REPLAY_PAGES, "nobody has more than");
    for (i = 1; i <= 5000 && rv == WSK_OK; i++) {
        rv = publish(seg, a, i, NOON, &first);
        done += rv == WSK_OK;
    }
    is_int(rv, WSK_EAGAIN, "when no page can be had, that is told");
    ok(done > 5 * 300 && done < 6 * 340, "%d fit five pages", (int)done);
    is_int((intmax_t)store_head(seg, a, WSK_LOG_TEXT).seq, (intmax_t)done,
           "what was refused was not appended");
    is_int(publish(seg, a, 1, NOON, &first), WSK_EDUP, "nor is one forgotten");
    is_int(publish(seg, b, 1, NOON, &first), WSK_OK,
           "another site still has its own pages");
    is_int(publish(seg, a, 9000, NOON + 61 * SECOND, &first), WSK_OK,
           "time makes room again");
    store_whole(seg, "a full table leaves all whole");
    store_end(seg);
}

static uint64_t kept_bytes(wsk_segment_t *seg, uint32_t site)
{
    wsk_site_stats_t stats;

    wsk_site_stats(seg, site, &stats);
    return stats.bytes;
}

/* On two pages, one of them is for records: whatever came first. */
static void on_two_pages(void)
{
    wsk_segment_t *seg = store_new(1, 2, 2, 4);
    const uint32_t a = store_site(seg, 1, 1 << 20, 1000);
    const uint32_t b = store_site(seg, 2, 1 << 20, 1000);
    wsk_cursor_t first;
    uint64_t i;
    unsigned wrong = 0;

    for (i = 1; i <= 12; i++) {
        store_append(seg, a, WSK_LOG_TEXT, "abc", 5000, i, NOON);
        store_append(seg, b, WSK_LOG_TEXT, "abc", 5000, i, NOON);
    }
    is_int(publish(seg, a, 1, NOON, &first), WSK_OK,
           "records make way for the memory of a request");
    for (i = 2; i <= 330; i++) {
        wrong += publish(seg, a, i, NOON, &first) != WSK_OK;
    }
    is_int((intmax_t)wrong, 0, "a page of them fits");
    is_int(store_append(seg, a, WSK_LOG_TEXT, "abc", 15000, i, NOON), WSK_OK,
           "and records still have a page");
    ok(kept_bytes(seg, b) > 20000, "none of it at the cost of the other site");
    store_whole(seg, "two pages are enough");
    store_end(seg);
}

static void damage(void)
{
    wsk_segment_t *seg = store_new(1, 4, 4, 40);
    const uint32_t a = store_site(seg, 1, 1 << 20, 1000);
    wsk_once_state_t *state = &wsk_state_of(&seg->sites[a])->once;
    wsk_cursor_t first;
    const char *why;
    uint64_t i;
    uint16_t *chains;

    for (i = 1; i <= 500; i++) {
        publish(seg, a, i, NOON, &first);
    }
    state = &wsk_state_of(&seg->sites[a])->once;
    chains = (uint16_t *)(void *)wsk_page_bytes(seg, state->first);
    chains[3] = chains[4];
    is_int(wsk_segment_check(seg, &why), WSK_EBROKEN,
           "a request in the wrong chain is seen");
    wsk_pages_unmark(seg, a);
    is_str(wsk_replay_check(seg, a, state, true), NULL, "and mended");
    store_whole(seg, "so that all is whole");
    is_int(publish(seg, a, 77, NOON, &first), WSK_EDUP, "and nothing lost");
    state->used = 60000;
    is_int(wsk_segment_check(seg, &why), WSK_EBROKEN,
           "a page with more than fits is seen");
    store_end(seg);
}

int main(void)
{
    once_each();
    in_its_time();
    names();
    without_a_record();
    refusals();
    bounds();
    on_two_pages();
    damage();
    return done_testing();
}
