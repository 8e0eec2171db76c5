/* SPDX-License-Identifier: Apache-2.0 */
#include "store/wsk_rate.h"

#include "store_fixture.h"

/* Buckets of a site are in admit.c; here are the purses without a lock. */
static wsk_purse_at_t purse;

static uint32_t take(uint32_t rate, uint32_t burst, uint32_t n, int64_t now_us)
{
    return wsk_rate_take_purse(&purse, (wsk_pace_t){ rate, burst, 0 }, n,
                               now_us);
}

static void one(void)
{
    unsigned i, wrong = 0;

    for (i = 0; i < 20; i++) {
        wrong += take(10, 20, 1, NOON) != 0;
    }
    is_int(wrong, 0, "a burst goes through at once");
    is_int(take(10, 20, 1, NOON), 100, "then one must wait for the next");
    is_int(take(10, 20, 3, NOON), 300, "and longer for three of them");
    is_int(take(10, 20, 1, NOON + 100000), 0, "a refusal costs nothing");
    is_int(take(10, 20, 1, NOON + 100000), 100, "one was there");
    is_int(take(10, 20, 20, NOON + 3600 * SECOND), 0, "it fills up again");
    is_int(take(10, 20, 1, NOON + 3600 * SECOND), 100, "and not beyond");
    is_int(take(10, 20, 100, NOON + 7200 * SECOND), 0,
           "a full one lets a large batch through");
    is_int(take(10, 20, 1, NOON + 7208 * SECOND), 100,
           "which is paid back at the rate");
    is_int(take(0, 20, 1, NOON), UINT32_MAX, "a rate of zero means never");
}

static void jumps(void)
{
    atomic_store(&purse, 0);
    take(10, 20, 20, NOON);
    ok(take(10, 20, 1, NOON - 86400 * SECOND) <= 14000,
       "a clock set back makes wait for a full one at most");
    is_int(take(10, 20, 1, NOON - 86385 * SECOND), 0, "then it goes on");
    atomic_store(&purse, UINT64_MAX);
    ok(take(10, 20, 1, NOON) <= 14000, "whatever is in it");
    is_int(take(10, 20, 1, NOON + 15 * SECOND), 0, "is paid back");
    is_int(take(UINT32_MAX, UINT32_MAX, UINT32_MAX, INT64_MAX), 0,
           "the largest numbers overflow nothing");
    atomic_store(&purse, 0);
    is_int(take(1, UINT32_MAX, UINT32_MAX, INT64_MAX), 0, "nor the slowest");
}

static void callers(void)
{
    static wsk_site_t site;
    wsk_purse_at_t *a = wsk_rate_caller(&site, 1, NOON), *b;
    const wsk_pace_t pace = { 1, 10, 0 };
    uint64_t who;
    unsigned kept = 0;

    wsk_rate_take_purse(a, pace, 10, NOON);
    ok(wsk_rate_caller(&site, 1, NOON) == a, "a caller finds its purse again");
    for (who = 2; who <= WSK_CALLERS; who++) {
        b = wsk_rate_caller(&site, who, NOON);
        kept += b != a;
        wsk_rate_take_purse(b, pace, (uint32_t)who % 5 + 1, NOON);
    }
    is_int(kept, WSK_CALLERS - 1, "others have others");
    ok(wsk_rate_caller(&site, 1, NOON) == a, "which does not lose it its own");
    b = wsk_rate_caller(&site, 1000, NOON);
    ok(b != a && atomic_load(b) > 0,
       "one too many shares the fullest, with what is missing in it");
    b = wsk_rate_caller(&site, 1001, NOON + 3600 * SECOND);
    is_int((intmax_t)atomic_load(b), 0, "one that is full again is anybody's");
}

int main(void)
{
    one();
    jumps();
    callers();
    return done_testing();
}
