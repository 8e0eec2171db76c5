/* SPDX-License-Identifier: Apache-2.0 */
#include "store/wsk_user.h"

#include "store/wsk_addr.h"
#include "store/wsk_pages.h"

#include "store_fixture.h"

static wsk_segment_t *seg;

/* Site n, of this user. */
static uint32_t owned(unsigned n, const char *user, uint32_t most)
{
    wsk_site_spec_t spec;
    uint32_t site;

    store_spec(&spec, n);
    snprintf(spec.user, sizeof(spec.user), "%s", user);
    spec.limits.connections = 10;
    spec.limits.user_connections = most;
    spec.limits.publish_rate = spec.limits.user_publish_rate = 10;
    spec.limits.publish_burst = 5;
    spec.limits.user_publish_burst = 8;
    spec.limits.user_browser_rate = 1;
    spec.limits.user_browser_burst = 1;
    wsk_site_put(seg, &spec, 1, 1, &site);
    return site;
}

static wsk_user_info_t info(const char *name)
{
    wsk_user_info_t one, none = { "", 0, 0 };
    uint32_t i;

    for (i = 0; i < wsk_segment_spec(seg)->sites; i++) {
        if (wsk_user_info(seg, i, &one) && strcmp(one.name, name) == 0) {
            return one;
        }
    }
    return none;
}

static wsk_admit_e admit(unsigned slot, uint32_t site)
{
    return wsk_site_admit(seg, slot, site, 5, NULL);
}

static void connections(void)
{
    uint32_t a, b, c, d;

    seg = store_new(4, 4, 2, 20);
    a = owned(1, "bob", 3);
    b = owned(2, "bob", 3);
    c = owned(3, "eve", 3);
    d = owned(4, "", 0);
    admit(0, a);
    admit(1, a);
    is_int(admit(1, b), WSK_ADMIT_OK, "sites of a user have room together");
    is_int(admit(0, b), WSK_ADMIT_USER, "up to a bound");
    is_int(admit(0, a), WSK_ADMIT_USER, "which is each of them's");
    is_int(admit(0, c), WSK_ADMIT_OK, "another user has its own");
    is_int(admit(0, d), WSK_ADMIT_OK, "and nobody's site has none");
    is_int(info("bob").sites, 2, "a user has sites");
    is_int(info("bob").connections, 3, "and their connections");
    wsk_site_leave(seg, 1, wsk_slot_term(seg, 1), b, 5);
    is_int(info("bob").connections, 2, "who leaves makes room");
    store_whole(seg, "it hangs together");
    a = owned(1, "eve", 3);
    is_int(info("bob").connections, 0, "a site that changes hands");
    is_int(info("eve").connections, 3, "takes its connections along");
    is_int(admit(0, c), WSK_ADMIT_USER, "to the bound of the new one");
    owned(2, "", 3);
    is_int(info("bob").sites, 0, "who has no site is forgotten");
    store_whole(seg, "and it hangs together");
    wsk_site_retire(seg, &(uint64_t){ 2 }, 1);
    is_int(info("eve").sites, 0, "sites that are gone are nobody's");
    store_whole(seg, "still");
    store_end(seg);
}

static void deaths(void)
{
    int slot;
    uint32_t a, b;

    seg = store_new(4, 4, 2, 20);
    a = owned(1, "bob", 100);
    b = owned(2, "bob", 100);
    slot = wsk_slot_claim(seg, WSK_SLOT_CHILD, 1, 1, NOON);
    admit((unsigned)slot, a);
    admit((unsigned)slot, b);
    admit(3, b);
    is_int(info("bob").connections, 3, "three, of which a slot has two");
    wsk_slot_release(seg, (unsigned)slot);
    is_int(info("bob").connections, 1, "a slot that goes takes its own along");
    seg->users[0].sites = 77;
    atomic_store(&seg->users[0].connections, 77);
    wsk_host_take(seg);
    ok(wsk_addr_check(seg) != NULL, "what is wrong is seen");
    wsk_addr_mend(seg);
    wsk_host_give(seg);
    is_int(info("bob").sites, 2, "and mended from what the sites say");
    is_int(info("bob").connections, 1, "connections too");
    atomic_store(&seg->sites[a].user, 1000000);
    wsk_host_take(seg);
    wsk_addr_mend(seg);
    wsk_host_give(seg);
    is_int(info("bob").sites, 1, "a user that cannot be is none");
    store_whole(seg, "then it hangs together");
    store_end(seg);
}

static void rates(void)
{
    wsk_quota_e by;
    uint32_t a, b, c;
    unsigned i, n = 0;

    seg = store_new(4, 4, 2, 20);
    a = owned(1, "bob", 3);
    b = owned(2, "bob", 3);
    c = owned(3, "eve", 3);
    for (i = 0; i < 100; i++) {
        n += wsk_site_rate(seg, a, WSK_RATE_PUBLISH, 1, NOON, &by) == 0;
    }
    is_int(n, 5, "a site has its own burst");
    is_int(by, WSK_Q_site_publish, "and is told that it was its own");
    for (n = 0, i = 0; i < 100; i++) {
        n += wsk_site_rate(seg, b, WSK_RATE_PUBLISH, 1, NOON, &by) == 0;
    }
    is_int(n, 3, "its refusals cost its user nothing, its messages do");
    is_int(by, WSK_Q_user_publish, "which is told as the user's");
    is_int(wsk_site_rate(seg, b, WSK_RATE_PUBLISH, 2, NOON + 100000, &by), 100,
           "it has to wait for the user's");
    is_int(wsk_site_rate(seg, b, WSK_RATE_PUBLISH, 3, NOON + 300000, &by), 0,
           "and was not charged for what the user refused");
    is_int(by, WSK_Q_none, "then it is nobody's bound");
    for (n = 0, i = 0; i < 100; i++) {
        n += wsk_site_rate(seg, c, WSK_RATE_PUBLISH, 1, NOON, &by) == 0;
    }
    is_int(n, 5, "another user's site has its own");
    is_int(wsk_site_rate(seg, a, WSK_RATE_BROWSER, 1, NOON, &by), 0,
           "browsers have purses of their own");
    is_int(wsk_site_rate(seg, b, WSK_RATE_BROWSER, 1, NOON, &by), 1000,
           "with a bound of the user's");
    is_int(by, WSK_Q_user_browser, "which is told");
    store_end(seg);
}

/* Site n of bob, with limits of its own. */
static uint32_t paced(unsigned n, uint32_t rate, uint32_t burst)
{
    wsk_site_spec_t spec;
    uint32_t site;

    store_spec(&spec, n);
    snprintf(spec.user, sizeof(spec.user), "bob");
    spec.limits.publish_rate = spec.limits.publish_burst = 1000000;
    spec.limits.user_publish_rate = rate;
    spec.limits.user_publish_burst = burst;
    wsk_site_put(seg, &spec, 1, 1, &site);
    return site;
}

static unsigned take(uint32_t site, unsigned n, int64_t now_us)
{
    unsigned taken = 0;

    while (n-- > 0) {
        taken += wsk_site_rate(seg, site, WSK_RATE_PUBLISH, 1, now_us, NULL)
                 == 0;
    }
    return taken;
}

static void a_rate_for_all(void)
{
    const int64_t later = NOON + 3600 * SECOND;
    uint32_t slow, fast;

    seg = store_new(4, 4, 2, 20);
    slow = paced(1, 1, 100);
    fast = paced(2, 1000, 1000);
    is_int(take(slow, 50, NOON), 50, "what a site takes that is given less");
    is_int(take(fast, 2000, NOON), 950, "is to its neighbour what it is");
    is_int(take(slow, 1, NOON), 0, "which is not to be had twice");
    take(fast, 1000, later);
    is_int(take(slow, 1, later), 0, "nor is what the neighbour took");
    is_int(take(fast, 1, later), 0, "and asking makes it no less");
    is_int(take(slow, 1, later + SECOND / 2), 0, "a site may allow less");
    is_int(take(slow, 200, later + SECOND), 100, "at once");
    store_whole(seg, "it hangs together");
    fast = paced(2, 1, 100);
    is_int(atomic_load(&seg->users[0].paces[0].rate), 1,
           "when the site that gave most gives less, so has the user");
    fast = paced(2, 10, 100);
    is_int(atomic_load(&seg->users[0].paces[0].rate), 10, "or more");
    wsk_site_drop(seg, fast);
    is_int(atomic_load(&seg->users[0].paces[0].rate), 1,
           "when it goes, that of the others");
    store_whole(seg, "still");
    store_end(seg);
}

static void debts_stay(void)
{
    uint32_t a;
    unsigned i;

    seg = store_new(4, 8, 2, 40);
    a = paced(1, 1, 100);
    is_int(take(a, 200, NOON), 100, "a user who has taken all");
    wsk_site_drop(seg, a);
    for (i = 2; i < 8; i++) {
        owned(i, "eve", 3);
    }
    a = paced(1, 1, 100);
    is_int(take(a, 1, NOON), 0, "has it taken when its site comes back");
    is_int(take(a, 20, NOON + 10 * SECOND), 10, "and gets more by the time");
    store_whole(seg, "it hangs together");
    store_end(seg);
}

int main(void)
{
    connections();
    deaths();
    rates();
    a_rate_for_all();
    debts_stay();
    return done_testing();
}
