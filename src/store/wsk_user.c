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

static void leave(wsk_segment_t *seg, uint32_t site)
{
    wsk_user_t *user = wsk_user_of(seg, site);

    atomic_store(&seg->sites[site].user, 0);
    wsk_settle();
    if (user != NULL) {
        sum(user, 0 - atomic_load(&seg->sites[site].connections));
        user->sites -= user->sites > 0;
    }
}

/* The user of this name, or a free place. */
static uint32_t find(const wsk_segment_t *seg, const char *name)
{
    uint32_t unused = seg->spec.sites, i;

    for (i = 0; i < seg->spec.sites; i++) {
        const wsk_user_t *user = &seg->users[i];

        if (user->sites == 0) {
            unused = WSK_MIN(unused, i);
        }
        else if (strcmp(user->name, name) == 0) {
            return i;
        }
    }
    return unused;
}

static void join(wsk_segment_t *seg, uint32_t site, const char *name)
{
    const uint32_t number = find(seg, name);
    wsk_user_t *user = &seg->users[number];

    if (number == seg->spec.sites) {
        return; /* there are as many places as sites */
    }
    if (user->sites == 0) {
        memset(user, 0, sizeof(*user));
        memcpy(user->name, name, strnlen(name, WSK_USER_NAME_MAX));
        wsk_settle();
    }
    atomic_store_explicit(&seg->sites[site].user, number + 1,
                          memory_order_release);
    wsk_settle();
    user->sites++;
    sum(user, atomic_load(&seg->sites[site].connections));
}

void wsk_user_name(wsk_segment_t *seg, uint32_t site, const char *name)
{
    const wsk_user_t *user = wsk_user_of(seg, site);

    if (user != NULL && strcmp(user->name, name) == 0) {
        return;
    }
    leave(seg, site);
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
        seg->users[i].name[WSK_USER_NAME_MAX] = '\0';
        atomic_store(&seg->users[i].connections, 0);
    }
    for (i = 0; i < known; i++) {
        wsk_user_t *user = wsk_user_of(seg, i);

        if (user != NULL) {
            user->sites++;
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

        for (site = 0; user->sites > 0 && site < known; site++) {
            if (wsk_user_of(seg, site) == user) {
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
