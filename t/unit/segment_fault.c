/* SPDX-License-Identifier: Apache-2.0 */
/* The store, with each call failing that can: a segment is made, or not; and
 * who is told with every lock that its owner has died repairs what is sound. */
#include "fault_walk.h"

#include "store_ops.h"

#include "store/wsk_presence.h"
#include "store/wsk_slot.h"

#define PROGRAM 900 /* bytes, so about so many steps of the model */

static const char *wrong;
static char told[20000], expected[20000]; /* what each call returned */
static size_t len;

static void need(bool good, const char *what)
{
    wrong = good || wrong ? wrong : what;
}

static void tell(const char *what, uint64_t value)
{
    if (len < sizeof(told) - 100) {
        len += (size_t)snprintf(told + len, sizeof(told) - len, "%s %llu\n",
                                what, (unsigned long long)value);
    }
}

static const char *is_made(bool soft)
{
    static const uint8_t random[32] = { 1 };
    wsk_segment_spec_t spec = { 0, 4, 4, 64, 8 };
    wsk_segment_t *seg, *view;
    void *mem;

    (void)soft;
    wrong = NULL;
    spec.bytes = wsk_segment_least(&spec);
    mem = mmap(NULL, spec.bytes, PROT_READ | PROT_WRITE,
               MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    fault_resume();
    seg = wsk_segment_format(mem, &spec, random);
    need(seg || !wsk_segment_open(mem, spec.bytes),
         "a segment that was not made can be opened");
    if (!seg) {
        fault_end();
        seg = wsk_segment_format(mem, &spec, random);
    }
    view = wsk_segment_open(mem, spec.bytes);
    fault_end();
    need(seg != NULL, "it cannot be made afterwards");
    if (view) {
        wsk_segment_close(view);
    }
    if (seg) {
        need(store_unlocked(seg), "a lock is held");
        wsk_segment_close(seg);
    }
    munmap(mem, spec.bytes);
    return wrong;
}

/* The model of t/fuzz/store.c says what is to come of it. */
static const char *the_model(bool soft)
{
    uint8_t program[PROGRAM];

    (void)soft;
    store_fill((char *)program, sizeof(program), 11);
    fault_resume();
    return ops_run(program, sizeof(program));
}

static void appends(wsk_segment_t *seg, uint32_t site)
{
    static char body[40000];
    static const size_t lens[] = { 10, 30000, 100, 40000, 5000 };
    wsk_record_t record = { store_slice("a"), { body, 0 }, 0, 0, 0 };
    wsk_cursor_t first = { 0, 0 };
    wsk_once_t once;
    unsigned i;

    for (i = 0; i < 30; i++) {
        record.body.len = lens[i % WSK_COUNT_OF(lens)];
        store_fill(body, record.body.len, i + 1);
        store_once(&once, i % 20, NOON + 60 * SECOND);
        tell("append", wsk_log_append(seg, site, WSK_LOG_TEXT, &record, 1,
                                      &once, NOON + i, &first));
        tell("as", first.seq);
    }
    tell("tidied", 0);
    wsk_log_tidy(seg, NOON + 100 * SECOND);
}

/* All that is there, from the oldest on. */
static void reads(wsk_segment_t *seg, uint32_t site)
{
    static char buf[100000];
    wsk_record_t records[64];
    wsk_cursor_t at = { 0, 0 };
    wsk_site_stats_t stats;
    unsigned n = 0, i;

    wsk_site_stats(seg, site, &stats);
    tell("oldest", stats.oldest);
    wsk_log_head(seg, site, WSK_LOG_TEXT, &at);
    tell("head", at.seq);
    at.seq = stats.oldest - 1;
    while (wsk_log_read(seg, site, WSK_LOG_TEXT, &at, buf, sizeof(buf), records,
                        64, &n)
               == WSK_OK
           && n > 0) {
        for (i = 0; i < n; i++) {
            tell("record", records[i].seq);
            tell("of", records[i].body.len);
        }
    }
}

static void people(wsk_segment_t *seg, uint32_t site, unsigned slot)
{
    static char list[10000];
    wsk_cursor_t at;
    size_t n = 0;
    unsigned i;

    for (i = 1; i < 6; i++) {
        const wsk_present_t who = { .member = i, .slot = slot, .channels = 4 };

        tell("enters", wsk_presence_enter(seg, site, &who, store_slice("a"),
                                          store_slice("{}"), NOON));
    }
    tell("leaves", wsk_presence_leave(seg, site, 3, store_slice("a"), NOON));
    wsk_presence_move(seg, site, 4, slot, slot);
    tell("list", wsk_presence_list(seg, site, store_slice("a"), list,
                                   sizeof(list), &n, &at));
    tell("bytes", n);
}

static void connections(wsk_segment_t *seg, uint32_t site, unsigned a,
                        unsigned b)
{
    wsk_quota_e by = 0;
    uint32_t terms[12];
    unsigned i;

    for (i = 0; i < WSK_COUNT_OF(terms); i++) {
        tell("admit", wsk_site_admit(seg, a, site, i % 3, &terms[i]));
    }
    tell("leaves", 0);
    wsk_site_leave(seg, a, terms[0], site, 0);
    tell("moves", wsk_site_move(seg, a, terms[1], b, site, 1, &terms[1]));
    tell("there are", wsk_site_connections(seg, site));
    for (i = 0; i < 5; i++) {
        tell("rate", wsk_site_rate(seg, site, WSK_RATE_BROWSER, 15, NOON, &by));
        tell("caller", wsk_site_rate_caller(seg, site, i, NOON));
    }
}

static void switches(wsk_segment_t *seg, uint32_t site)
{
    wsk_site_spec_t spec;
    uint32_t other = 99;

    store_spec(&spec, 1);
    spec.limits.history_messages = 5; /* evicts */
    tell("put", wsk_site_put(seg, &spec, 1, 0xe001, &other));
    tell("number", other);
    store_spec(&spec, 2);
    tell("another", wsk_site_put(seg, &spec, 1, 0xe002, &other));
    tell("number", other);
    tell("by key", wsk_site_by_key(seg, store_slice("key-2"), &other));
    tell("revoke", wsk_site_revoke(seg, other, 7));
    tell("off", wsk_site_switch(seg, site, false));
    tell("on", wsk_site_switch(seg, site, true));
    tell("drop", wsk_site_drop(seg, other));
}

static const char *lives(bool soft)
{
    wsk_segment_t *seg = store_new(4, 4, 8, 60);
    const char *why = NULL;
    wsk_cursor_t at[WSK_LOG_COUNT];
    uint32_t site;
    int a, b;

    wrong = NULL;
    len = 0;
    site = store_site(seg, 1, (uint64_t)WSK_KB(256), 100);
    fault_resume();
    a = wsk_slot_claim(seg, WSK_SLOT_CHILD, 1, 1, NOON);
    b = wsk_slot_claim(seg, WSK_SLOT_CHILD, 2, 2, NOON);
    need(a != b || a < 0, "two have one slot");
    need(!soft || (a >= 0 && b >= 0), "there are slots, but not for it");
    if (a >= 0 && b >= 0) {
        tell("listen", wsk_log_listen(seg, site, (unsigned)a, at));
        appends(seg, site);
        reads(seg, site);
        people(seg, site, (unsigned)a);
        connections(seg, site, (unsigned)a, (unsigned)b);
        switches(seg, site);
        reads(seg, site);
        wsk_slot_sweep(seg);
    }
    if (a >= 0) {
        wsk_slot_release(seg, (unsigned)a);
    }
    if (b >= 0) {
        wsk_slot_release(seg, (unsigned)b);
    }
    fault_end();
    need(wsk_segment_connections(seg) == 0, "a connection is counted");
    need(!wsk_presence_any(seg, site), "somebody is present");
    need(wsk_segment_check(seg, &why) == WSK_OK, "the segment is damaged");
    need(store_unlocked(seg), "a lock is held");
    store_end(seg);
    if (expected[0] == '\0') {
        memcpy(expected, told, len + 1);
    }
    need(!soft || strcmp(expected, told) == 0,
         "something else came of it than without a failure");
    return wrong;
}

int main(void)
{
    static const fault_walk_t made = { "a segment is made", is_made, 0, false },
                              model = { "the model", the_model, 120, false },
                              life = { "a site's life", lives, 0, false };
    static const char *const calls[] = {
        "calloc",
        "pthread_mutexattr_init",
        "pthread_mutexattr_setpshared",
        "pthread_mutexattr_setrobust",
        "pthread_mutex_init",
        "pthread_mutex_lock",
        "pthread_mutex_trylock",
    };
    unsigned i;

    fault_walks(&made);
    fault_walk_all(&model, "each owner has died", FAULT_SOFT, 1);
    fault_walk_all(&model, "each, and those that follow", FAULT_SOFT,
                   FAULT_SOME);
    fault_walks(&life);
    for (i = 0; i < WSK_COUNT_OF(calls); i++) {
        ok(fault_times(calls[i]) > 0, "%s has failed %u times", calls[i],
           fault_times(calls[i]));
    }
    return done_testing();
}
