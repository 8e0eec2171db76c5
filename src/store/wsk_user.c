/* SPDX-License-Identifier: Apache-2.0 */
#include "store/wsk_user.h"

#include <string.h>

#include "store/wsk_pages.h"

wsk_user_t *wsk_user_of(const wsk_segment_t *seg, uint32_t site)
{
    const uint32_t number = atomic_load_explicit(&seg->sites[site].user,
                                                 memory_order_acquire);

    return number - 1 < seg->spec.sites ? &seg->users[number - 1] : NULL;
}

static void sum(wsk_user_t *user, uint32_t n)
{
    atomic_store_explicit(
        &user->connections,
        atomic_load_explicit(&user->connections, memory_order_relaxed) + n,
        memory_order_relaxed);
}

/* A user has at least what this site gives it. */
static void lift(wsk_user_t *user, const wsk_site_t *site)
{
    unsigned i;

    for (i = 0; i < WSK_COUNT_OF(user->paces); i++) {
        wsk_shared_pace_t *pace = &user->paces[i];
        const wsk_shared_pace_t *its = &site->user_paces[i];

        atomic_store(&pace->rate, WSK_MAX(pace->rate, its->rate));
        atomic_store(&pace->burst, WSK_MAX(pace->burst, its->burst));
    }
}

/* The one who gave it most gives less, or is gone. Readers see no rate that is
 * less than that of any site. */
static void pace_anew(wsk_segment_t *seg, wsk_user_t *user)
{
    const uint32_t known = wsk_sites_known(seg);
    wsk_user_t fresh;
    uint32_t i;

    memset(&fresh, 0, sizeof(fresh));
    for (i = 0; i < known; i++) {
        if (wsk_user_of(seg, i) == user) {
            lift(&fresh, &seg->sites[i]);
        }
    }
    for (i = 0; i < WSK_COUNT_OF(user->paces); i++) {
        atomic_store(&user->paces[i].rate, fresh.paces[i].rate);
        atomic_store(&user->paces[i].burst, fresh.paces[i].burst);
    }
}

static bool gives_most(const wsk_user_t *user, const wsk_site_t *site)
{
    bool most = false;
    unsigned i;

    for (i = 0; i < WSK_COUNT_OF(user->paces); i++) {
        most |= site->user_paces[i].rate >= user->paces[i].rate
                || site->user_paces[i].burst >= user->paces[i].burst;
    }
    return most;
}

static void leave(wsk_segment_t *seg, uint32_t site)
{
    wsk_user_t *user = wsk_user_of(seg, site);

    atomic_store(&seg->sites[site].user, 0);
    wsk_settle();
    if (user != NULL) {
        sum(user, 0 - atomic_load(&seg->sites[site].connections));
        user->sites -= user->sites > 0;
        if (user->sites > 0 && gives_most(user, &seg->sites[site])) {
            pace_anew(seg, user);
        }
    }
}

static uint64_t debt_until(const wsk_user_t *user)
{
    const uint64_t a = atomic_load(&user->purses[0]);

    return WSK_MAX(a, atomic_load(&user->purses[1]));
}

/* The user of this name; or the free place whose user of before has paid first.
 */
static uint32_t find(const wsk_segment_t *seg, const char *name)
{
    uint32_t unused = seg->spec.sites, i;

    for (i = 0; i < seg->spec.sites; i++) {
        const wsk_user_t *user = &seg->users[i];

        if (strcmp(user->name, name) == 0) {
            return i;
        }
        if (user->sites == 0
            && (unused == seg->spec.sites
                || debt_until(user) < debt_until(&seg->users[unused]))) {
            unused = i;
        }
    }
    return unused;
}

/* One that comes back owes what it did. */
static void take_place(wsk_user_t *user, const char *name)
{
    if (strcmp(user->name, name) != 0) {
        memset(user, 0, sizeof(*user));
        memcpy(user->name, name, strnlen(name, WSK_USER_NAME_MAX));
    }
    memset(user->paces, 0, sizeof(user->paces));
    atomic_store(&user->connections, 0);
    wsk_settle();
}

static void join(wsk_segment_t *seg, uint32_t site, const char *name)
{
    const uint32_t number = find(seg, name);
    wsk_user_t *user = &seg->users[number];

    if (number == seg->spec.sites) {
        return; /* there are as many places as sites */
    }
    if (user->sites == 0) {
        take_place(user, name);
    }
    lift(user, &seg->sites[site]);
    atomic_store_explicit(&seg->sites[site].user, number + 1,
                          memory_order_release);
    wsk_settle();
    user->sites++;
    sum(user, atomic_load(&seg->sites[site].connections));
}

/* @return whether it gives another pace than before */
static bool say_paces(wsk_site_t *site, const wsk_limits_t *limits)
{
    const wsk_shared_pace_t paces[] = {
        { limits->user_publish_rate, limits->user_publish_burst },
        { limits->user_browser_rate, limits->user_browser_burst }
    };
    bool other = false;
    unsigned i;

    for (i = 0; i < WSK_COUNT_OF(paces); i++) {
        wsk_shared_pace_t *its = &site->user_paces[i];

        other |= its->rate != paces[i].rate || its->burst != paces[i].burst;
        atomic_store(&its->rate, paces[i].rate);
        atomic_store(&its->burst, paces[i].burst);
    }
    return other;
}

void wsk_user_name(wsk_segment_t *seg, uint32_t site, const char *name,
                   const wsk_limits_t *limits)
{
    wsk_user_t *user = wsk_user_of(seg, site);

    if (user != NULL && strcmp(user->name, name) == 0) {
        if (say_paces(&seg->sites[site], limits)) {
            pace_anew(seg, user);
        }
        return;
    }
    leave(seg, site);
    say_paces(&seg->sites[site], limits);
    if (name[0] != '\0') {
        join(seg, site, name);
    }
}

void wsk_user_mend(wsk_segment_t *seg)
{
    const uint32_t known = wsk_sites_known(seg);
    uint32_t i;

    for (i = 0; i < seg->spec.sites; i++) {
        seg->users[i].sites = 0;
        memset(seg->users[i].paces, 0, sizeof(seg->users[i].paces));
        seg->users[i].name[WSK_USER_NAME_MAX] = '\0';
        atomic_store(&seg->users[i].connections, 0);
    }
    for (i = 0; i < known; i++) {
        wsk_user_t *user = wsk_user_of(seg, i);

        if (user != NULL) {
            user->sites++;
            lift(user, &seg->sites[i]);
        }
        else {
            atomic_store(&seg->sites[i].user, 0);
        }
    }
}

const char *wsk_user_check(const wsk_segment_t *seg)
{
    const uint32_t known = wsk_sites_known(seg);
    uint32_t number, site;

    for (number = 0; number < seg->spec.sites; number++) {
        const wsk_user_t *user = &seg->users[number];
        uint32_t sites = 0, connections = 0;
        wsk_user_t fresh;

        memset(&fresh, 0, sizeof(fresh));
        for (site = 0; user->sites > 0 && site < known; site++) {
            if (wsk_user_of(seg, site) == user) {
                lift(&fresh, &seg->sites[site]);
                sites++;
                connections += atomic_load(&seg->sites[site].connections);
            }
        }
        if (sites != user->sites) {
            return "a user has not the sites that name it";
        }
        if (sites > 0 && connections != atomic_load(&user->connections)) {
            return "a user's connections are not those of its sites";
        }
        if (sites > 0
            && memcmp(fresh.paces, user->paces, sizeof(fresh.paces)) != 0) {
            return "a user's rates are not the largest of its sites'";
        }
    }
    for (site = 0; site < known; site++) {
        const wsk_user_t *user = wsk_user_of(seg, site);

        if (user != NULL && user->sites == 0) {
            return "a site's user is not there";
        }
    }
    return NULL;
}

bool wsk_user_info(wsk_segment_t *seg, uint32_t number, wsk_user_info_t *out)
{
    const wsk_user_t *user = &seg->users[number];

    memset(out, 0, sizeof(*out));
    if (number < seg->spec.sites && user->sites > 0 && wsk_host_take(seg)) {
        out->sites = user->sites;
        out->connections = atomic_load(&user->connections);
        memcpy(out->name, user->name, WSK_USER_NAME_MAX);
        wsk_host_give(seg);
    }
    return out->sites > 0;
}
