/* SPDX-License-Identifier: Apache-2.0 */
#include "store/wsk_site.h"

#include "store_fixture.h"

static uint32_t limited(wsk_segment_t *seg, unsigned n, uint32_t connections,
                        uint32_t of_address)
{
    wsk_site_spec_t spec;
    uint32_t site;

    store_spec(&spec, n);
    spec.limits.connections = connections;
    spec.limits.address_connections = of_address;
    wsk_site_put(seg, &spec, 1, 1, &site);
    return site;
}

static void caps(void)
{
    wsk_segment_t *seg = store_new(4, 4, 2, 10);
    const uint32_t a = limited(seg, 1, 5, 2);
    const uint32_t b = limited(seg, 2, 100, 100);
    const uint32_t none = limited(seg, 3, 0, 5);

    is_int(wsk_site_admit(seg, 0, a, 1, NULL), WSK_ADMIT_OK,
           "a first one comes in");
    is_int(wsk_site_admit(seg, 1, a, 1, NULL), WSK_ADMIT_OK, "a second");
    is_int(wsk_site_admit(seg, 2, a, 1, NULL), WSK_ADMIT_ADDRESS,
           "an address has its cap over all slots");
    is_int(wsk_site_admit(seg, 2, b, 1, NULL), WSK_ADMIT_OK, "at each site");
    wsk_site_admit(seg, 0, a, 2, NULL);
    wsk_site_admit(seg, 0, a, 3, NULL);
    wsk_site_admit(seg, 0, a, 4, NULL);
    is_int(wsk_site_admit(seg, 0, a, 5, NULL), WSK_ADMIT_SITE,
           "a site has its cap");
    is_int(wsk_site_admit(seg, 0, none, 5, NULL), WSK_ADMIT_SITE,
           "and zero means none");
    wsk_segment_mark(seg, WSK_MARK_HOST_CONNECTIONS, 7);
    is_int(wsk_site_admit(seg, 0, b, 6, NULL), WSK_ADMIT_OK,
           "the host has room");
    is_int(wsk_site_admit(seg, 0, b, 6, NULL), WSK_ADMIT_HOST, "until its cap");
    wsk_site_leave(seg, 0, wsk_slot_term(seg, 0), b, 6);
    is_int(wsk_site_admit(seg, 0, b, 6, NULL), WSK_ADMIT_OK,
           "who leaves makes room");
    wsk_site_leave(seg, 3, wsk_slot_term(seg, 3), b, 6);
    is_int((intmax_t)wsk_segment_connections(seg), 7,
           "who was not in does not leave");
    is_int(wsk_site_admit(seg, 0, 77, 6, NULL), WSK_ADMIT_OFF,
           "no site, no entry");
    is_int(wsk_site_admit(seg, 77, b, 6, NULL), WSK_ADMIT_HOST,
           "nor without slot");
    store_whole(seg, "admission leaves all whole");
    store_end(seg);
}

static void full_table(void)
{
    wsk_segment_t *seg = store_new(4, 4, 2, 10);
    const uint32_t a = limited(seg, 1, 1000, 2);
    uint64_t i;

    for (i = 0; i < 64; i++) {
        wsk_site_admit(seg, 0, a, i, NULL);
    }
    is_int(wsk_site_admit(seg, 0, a, 64, NULL), WSK_ADMIT_HOST,
           "more addresses than the table holds are the host's cap");
    is_int(wsk_site_admit(seg, 0, a, 63, NULL), WSK_ADMIT_OK,
           "an address that is in it may come again");
    store_end(seg);
}

static uint32_t rated(wsk_segment_t *seg, uint32_t rate, uint32_t burst)
{
    wsk_site_spec_t spec;
    uint32_t site;

    store_spec(&spec, 1);
    spec.limits.publish_rate = rate;
    spec.limits.publish_burst = burst;
    spec.limits.browser_rate = 0;
    wsk_site_put(seg, &spec, 1, 1, &site);
    return site;
}

static uint32_t take(wsk_segment_t *seg, uint32_t n, int64_t now_us)
{
    return wsk_site_rate(seg, 0, WSK_RATE_PUBLISH, n, now_us, NULL);
}

static void rates(void)
{
    wsk_segment_t *seg = store_new(4, 4, 2, 10);
    unsigned i, wrong = 0;

    rated(seg, 10, 20);
    for (i = 0; i < 20; i++) {
        wrong += take(seg, 1, NOON) != 0;
    }
    is_int((intmax_t)wrong, 0, "a burst goes through at once");
    is_int(take(seg, 1, NOON), 100, "then one must wait for the next token");
    is_int(take(seg, 3, NOON), 300, "and longer for three of them");
    is_int(take(seg, 1, NOON + 99999), 1, "nearly there");
    is_int(take(seg, 1, NOON + 100000), 0, "a refusal costs nothing");
    is_int(take(seg, 1, NOON + 100000), 100, "one token was there");
    is_int(take(seg, 20, NOON + 3600 * SECOND), 0, "it fills up again");
    is_int(take(seg, 1, NOON + 3600 * SECOND), 100, "and not beyond");
    is_int(wsk_site_rate(seg, 0, WSK_RATE_BROWSER, 1, NOON, NULL), UINT32_MAX,
           "a rate of zero means never");
    is_int(wsk_site_rate(seg, 3, WSK_RATE_PUBLISH, 1, NOON, NULL), UINT32_MAX,
           "so does no site");
    store_end(seg);
}

static void more_than_the_burst(void)
{
    wsk_segment_t *seg = store_new(4, 4, 2, 10);

    rated(seg, 10, 20);
    is_int(take(seg, 100, NOON), 0, "a full bucket lets a large batch through");
    is_int(take(seg, 1, NOON + 8 * SECOND), 100,
           "which is paid back at the rate");
    is_int(take(seg, 1, NOON + 8 * SECOND + 100000), 0, "then it goes on");
    is_int(take(seg, 100, NOON + 9 * SECOND), 1100,
           "a bucket that is not full does not");
    store_end(seg);
}

static void jumps(void)
{
    wsk_segment_t *seg = store_new(4, 4, 2, 10);

    rated(seg, 10, 20);
    take(seg, 20, NOON);
    is_int(take(seg, 1, NOON - 86400 * SECOND), 100,
           "a clock set back makes nobody wait longer");
    is_int(take(seg, 1, NOON - 86400 * SECOND + 100000), 0, "it goes on there");
    is_int(take(seg, 1, INT64_MAX), 0, "nor does one gone wild");
    is_int(take(seg, 19, INT64_MAX), 0, "do harm");
    is_int(take(seg, 1, INT64_MIN), 100, "either way");
    rated(seg, UINT32_MAX, UINT32_MAX);
    is_int(take(seg, UINT32_MAX, NOON), 0,
           "the largest rate overflows nothing");
    rated(seg, 1, UINT32_MAX);
    is_int(take(seg, UINT32_MAX, NOON + SECOND * 9), 0,
           "nor the slowest with the largest burst");
    ok(take(seg, UINT32_MAX, NOON) > 1000, "it makes wait");
    store_end(seg);
}

static void another_rate(void)
{
    wsk_segment_t *seg = store_new(4, 4, 2, 10);

    rated(seg, 1, 1000);
    take(seg, 1000, NOON);
    rated(seg, 1000, 1000);
    is_int(take(seg, 1000, NOON + SECOND), 999,
           "a faster rate fills up what was taken before");
    store_end(seg);
}

/* Processes share one bucket. */
static void together(void)
{
    wsk_segment_t *seg = store_new(4, 4, 2, 10);
    wsk_half_t *taken = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                             MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t pids[3];
    unsigned p, i;

    rated(seg, 10, 500);
    for (p = 0; p < 3; p++) {
        pids[p] = fork();
        if (pids[p] == 0) {
            for (i = 0; i < 1000; i++) {
                atomic_fetch_add(taken, take(seg, 1, NOON) == 0);
            }
            _exit(0);
        }
    }
    for (p = 0; p < 3; p++) {
        waitpid(pids[p], NULL, 0);
    }
    is_int(atomic_load(taken), 500, "three processes get one burst");
    store_end(seg);
}

static void moves(void)
{
    wsk_segment_t *seg = store_new(4, 4, 2, 10);
    const uint32_t a = limited(seg, 1, 1, 1);
    const unsigned from = (unsigned)wsk_slot_claim(seg, WSK_SLOT_CHILD, 1, 1,
                                                   NOON);
    const unsigned to = (unsigned)wsk_slot_claim(seg, WSK_SLOT_CHILD, 2, 2,
                                                 NOON);
    uint32_t was, term = 0;

    wsk_site_admit(seg, from, a, 1, &was);
    is_int(wsk_site_move(seg, from, was, to, a, 1, &term), WSK_OK,
           "who is in may move, at whatever cap");
    is_int(term, wsk_slot_term(seg, to), "and has the term of its new slot");
    is_int(wsk_site_connections(seg, a), 1, "it is counted once");
    wsk_site_leave(seg, from, was, a, 1);
    is_int(wsk_site_connections(seg, a), 1, "the old slot has none to give");
    wsk_slot_release(seg, to);
    is_int(wsk_site_connections(seg, a), 0, "it goes with the new one");
    is_int(wsk_site_move(seg, to, term, from, a, 1, &was), WSK_OK,
           "one whose slot is gone is counted in");
    is_int(wsk_site_connections(seg, a), 1, "once");
    is_int(wsk_site_move(seg, 9, 0, from, a, 1, &was), WSK_EFULL,
           "but from no slot that is none");
    ok(wsk_segment_check(seg, NULL) == WSK_OK, "the segment is whole");
    store_end(seg);
}

int main(void)
{
    alarm(120);
    caps();
    moves();
    full_table();
    rates();
    more_than_the_burst();
    jumps();
    another_rate();
    together();
    return done_testing();
}
