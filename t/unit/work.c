/* SPDX-License-Identifier: Apache-2.0 */
#include "store/wsk_work.h"

#include "store/wsk_pages.h"
#include "store_fixture.h"

/* Threads that do everything at once: for the thread sanitizer, and to see that
 * nobody waits for ever. */
#define THREADS 4
#define TURNS 3000

typedef struct worker_t {
    wsk_segment_t *seg;
    unsigned number;
    pthread_t thread;
} worker_t;

static void no_wake(void *baton, unsigned slot)
{
    (void)baton;
    (void)slot;
}

static void publish(wsk_segment_t *seg, uint32_t site, unsigned seed)
{
    char body[600];
    const wsk_record_t record = {
        { "abc", 3 }, { body, seed % sizeof(body) }, 0, 0, 0
    };
    wsk_cursor_t first;
    wsk_once_t once;

    memset(body, 'x', sizeof(body));
    store_once(&once, seed % 1000, NOON + SECOND);
    wsk_log_append(seg, site, seed % 8 == 0 ? WSK_LOG_BINARY : WSK_LOG_TEXT,
                   &record, 1, seed % 3 == 0 ? &once : NULL, NOON, &first);
    wsk_slot_ring(seg, site, no_wake, NULL);
}

static void follow(wsk_segment_t *seg, uint32_t site, unsigned slot,
                   wsk_cursor_t *at)
{
    wsk_record_t out[8];
    uint32_t sites[4];
    char buf[5000];
    unsigned n;

    wsk_slot_take(seg, slot, sites, 4);
    wsk_log_read(seg, site, WSK_LOG_TEXT, at, buf, sizeof(buf), out, 8, &n);
    wsk_log_at(seg, site, slot, WSK_LOG_TEXT, at->seq);
}

static void change(wsk_segment_t *seg, unsigned turn)
{
    wsk_site_spec_t spec;
    wsk_site_stats_t stats;
    uint32_t site;

    store_spec(&spec, turn % 3);
    spec.limits.max_message = turn;
    wsk_site_put(seg, &spec, 1, 1, &site);
    wsk_site_version(seg, site);
    wsk_site_read(seg, site, &spec, NULL);
    wsk_site_stats(seg, site, &stats);
    wsk_site_rate(seg, site, WSK_RATE_PUBLISH, 1, NOON + turn, NULL);
    wsk_log_tidy(seg, NOON);
    wsk_slot_sweep(seg);
}

static void *run_worker(void *baton)
{
    worker_t *worker = baton;
    wsk_segment_t *seg = worker->seg;
    const int slot = wsk_slot_claim(seg, WSK_SLOT_CHILD, 1, 1, NOON);
    const uint32_t site = worker->number % 2;
    wsk_cursor_t heads[WSK_LOG_COUNT] = { { 0, 0 }, { 0, 0 } };
    unsigned turn, seed = worker->number;

    wsk_log_listen(seg, site, (unsigned)slot, heads);
    for (turn = 0; turn < TURNS; turn++) {
        const unsigned random = (unsigned)rand_r(&seed);

        publish(seg, turn % 2, random);
        follow(seg, site, (unsigned)slot, &heads[WSK_LOG_TEXT]);
        wsk_site_admit(seg, (unsigned)slot, site, random % 8, NULL);
        if (turn % 16 == 0) {
            change(seg, turn);
        }
        if (turn % 2 == 0) {
            wsk_site_leave(seg, (unsigned)slot,
                           wsk_slot_term(seg, (unsigned)slot), site,
                           random % 8);
        }
        wsk_count(seg, (unsigned)slot, site, WSK_C_published, 1);
    }
    wsk_slot_release(seg, (unsigned)slot);
    return NULL;
}

static void threads(void)
{
    wsk_segment_t *seg = store_new(THREADS, 4, 4, 60);
    worker_t workers[THREADS];
    unsigned i;

    alarm(240);
    store_site(seg, 0, 1 << 18, 500);
    store_site(seg, 1, 1 << 18, 500);
    for (i = 0; i < THREADS; i++) {
        workers[i].seg = seg;
        workers[i].number = i;
        pthread_create(&workers[i].thread, NULL, run_worker, &workers[i]);
    }
    for (i = 0; i < 50; i++) {
        if (wsk_segment_check(seg, NULL) != WSK_OK) {
            break;
        }
        usleep(500);
    }
    is_int((intmax_t)i, 50, "while threads work the check finds all whole");
    for (i = 0; i < THREADS; i++) {
        pthread_join(workers[i].thread, NULL);
    }
    is_int((intmax_t)wsk_segment_connections(seg), 0, "all have left");
    is_int((intmax_t)wsk_segment_counter(seg, WSK_C_published), THREADS * TURNS,
           "nothing was miscounted");
    store_whole(seg, "and all is whole");
    store_end(seg);
}

static void turns(void)
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
}

int main(void)
{
    turns();
    threads();
    return done_testing();
}
