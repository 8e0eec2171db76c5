/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_room -- how many sites of host mode a host and its owner may have, and how
 * often they may be connected and disconnected.
 *
 * Places for sites are the server's, and one that was given stays so until a
 * full restart. So the first site of a host gets any place that is left, but a
 * further one leaves a place for every host that has none yet.
 */
#include "hooks/wsk_host.h"

#include <stdatomic.h>

#include "apr_shm.h"

#define CHANGE_US (6 * APR_USEC_PER_SEC) /* one more every six seconds */
#define CHANGES 100                      /* at once */
#define SAY_US (60 * APR_USEC_PER_SEC)

/* In turn with the ledger, in memory that all children share. */
struct wsk_budget_t {
    apr_time_t paid_until;
    _Atomic apr_time_t said; /* by anybody */
};

static const char *payer_of(const wsk_host_t *host, apr_pool_t *ptemp)
{
    char *owner = apr_palloc(ptemp, WSK_USER_NAME_MAX + 1);

    wsk_owner_name(host->keys.uid, owner);
    return *owner ? owner : host->keys.tag;
}

const char *wsk_budgets_make(server_rec *s, apr_pool_t *pconf,
                             apr_pool_t *ptemp)
{
    apr_hash_t *payers = apr_hash_make(ptemp);
    apr_shm_t *shm = NULL;
    wsk_budget_t *budgets;
    server_rec *v;
    unsigned n = 0;

    for (v = s; v; v = v->next) {
        n++;
    }
    if (apr_shm_create(&shm, n * sizeof *budgets, NULL, pconf) != APR_SUCCESS) {
        return "WordSocketHostKey: no shared memory";
    }
    budgets = apr_shm_baseaddr_get(shm);
    memset(budgets, 0, n * sizeof *budgets);
    for (v = s, n = 0; v; v = v->next) {
        wsk_host_t *host = wsk_conf_of(v);
        wsk_budget_t *known;
        const char *payer;

        if (!*host->keys.tag) {
            continue;
        }
        payer = payer_of(host, ptemp);
        known = apr_hash_get(payers, payer, APR_HASH_KEY_STRING);
        host->keys.budget = known ? known : &budgets[n++];
        apr_hash_set(payers, payer, APR_HASH_KEY_STRING, host->keys.budget);
    }
    return NULL;
}

bool wsk_budget_pay(const wsk_host_t *host, apr_time_t now)
{
    wsk_budget_t *budget = host->keys.budget;
    apr_time_t ahead = WSK_MAX(budget->paid_until - now, 0);

    ahead = WSK_MIN(ahead, CHANGES * CHANGE_US); /* a clock was set back */
    if (ahead + CHANGE_US > CHANGES * CHANGE_US) {
        return false;
    }
    budget->paid_until = now + ahead + CHANGE_US;
    return true;
}

bool wsk_budget_may_say(const wsk_host_t *host, apr_time_t now)
{
    _Atomic apr_time_t *said = &host->keys.budget->said;
    apr_time_t last = atomic_load(said);

    return (last == 0 || last > now || now - last >= SAY_US)
           && atomic_compare_exchange_strong(said, &last, now);
}

typedef struct census_t {
    unsigned all;   /* places that are taken */
    unsigned tags;  /* hosts that have a site */
    unsigned mine;  /* sites of this host, on or not */
    unsigned extra; /* of its owner's hosts, beyond the first of each */
} census_t;

static void count_site(census_t *n, apr_hash_t *tags, apr_pool_t *pool,
                       const wsk_host_t *host, const char *owner, uint32_t site)
{
    const char *key = wsk_site_key(wsk_process.seg, site);
    wsk_site_spec_t spec;
    const char *tag;

    if (wsk_site_read(wsk_process.seg, site, &spec, NULL) != WSK_OK
        || spec.generation == 0 || strlen(key) <= WSK_HOST_TAG) {
        OPENSSL_cleanse(&spec, sizeof spec);
        return;
    }
    tag = apr_pstrmemdup(pool, key + 1, WSK_HOST_TAG);
    n->mine += strcmp(tag, host->keys.tag) == 0;
    if (!apr_hash_get(tags, tag, APR_HASH_KEY_STRING)) {
        n->tags += apr_hash_get(wsk_process.hosts, tag, APR_HASH_KEY_STRING)
                   != NULL;
        apr_hash_set(tags, tag, APR_HASH_KEY_STRING, tag);
    }
    else {
        n->extra += *owner && strcmp(spec.user, owner) == 0;
    }
    OPENSSL_cleanse(&spec, sizeof spec);
}

static census_t take_census(const wsk_host_t *host, apr_pool_t *pool)
{
    census_t n = { .all = wsk_site_count(wsk_process.seg) };
    apr_hash_t *tags = apr_hash_make(pool);
    char owner[WSK_USER_NAME_MAX + 1];
    uint32_t i;

    wsk_owner_name(host->keys.uid, owner);
    for (i = 0; i < n.all; i++) {
        count_site(&n, tags, pool, host, owner, i);
    }
    return n;
}

wsk_room_e wsk_room_for(const wsk_host_t *host, const char *site_key,
                        apr_pool_t *pool)
{
    const wsk_slice_t key = { site_key, strlen(site_key) };
    const uint32_t places = wsk_segment_spec(wsk_process.seg)->sites;
    const unsigned most = (unsigned)host->set.host_sites;
    census_t n;
    uint32_t site, left;

    if (wsk_site_by_key(wsk_process.seg, key, &site) == WSK_OK) {
        return WSK_ROOM_YES;
    }
    n = take_census(host, pool);
    left = places - WSK_MIN(n.all, places);
    if (n.mine == 0) {
        return left > 0 ? WSK_ROOM_YES : WSK_ROOM_SERVER;
    }
    if (n.mine >= most) {
        return WSK_ROOM_HOST;
    }
    if (n.extra >= most) {
        return WSK_ROOM_OWNER;
    }
    return left > apr_hash_count(wsk_process.hosts) - n.tags ? WSK_ROOM_YES
                                                             : WSK_ROOM_SERVER;
}
