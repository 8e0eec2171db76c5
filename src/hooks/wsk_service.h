/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_service -- service mode: the registries of this server, and their sites
 * in the segment.
 *
 * Promise   A change is committed, then in the segment, then answered; so it is
 *           in force in all children at once, and a child that dies in between
 *           leaves it to the next one that starts. What is put into the segment
 *           follows the order of commits.
 *           Until the sites of a registry are in the segment nobody says of
 *           one that it is not known.
 * Threads   wsk_service_prepare in the parent; everything else in children, any
 *           worker. Never the loop: it waits for the disk.
 */
#ifndef WSK_SERVICE_H
#define WSK_SERVICE_H

#include <pthread.h>
#include <stdatomic.h>

#include "hooks/wsk_hooks.h"
#include "proto/wsk_url.h"
#include "registry/wsk_registry.h"

/** Sites an account may have connected, unless its row in the registry says. */
#define WSK_ACCOUNT_SITES 100

/** A registry; of this process. */
typedef struct wsk_service_t {
    const char *file;
    const wsk_settings_t *set;
    unsigned number;
    uint64_t stamp; /* of its sites in the segment */
    uint64_t load;  /* of the configuration: a later one has a higher number */
    _Atomic(wsk_registry_t *) reg; /* of a child; NULL: not open */
    atomic_bool behind;            /* what was committed is not told yet */
    _Atomic int64_t complained_us;
} wsk_service_t;

/** Make the files of all registries, as root if need be, and note whose they
 *  are with the hosts. @return NULL, or what is wrong, for the administrator */
const char *wsk_service_prepare(server_rec *s, apr_pool_t *pconf,
                                bool check_only);

/** How many registries there are; their stamps, for wsk_site_retire. */
unsigned wsk_service_stamps(uint64_t *stamps, unsigned most);

/** Whether the registry of this host has the site. */
bool wsk_service_serves(const wsk_host_t *host, uint32_t site);

/** Whether it is not known yet which sites the host's registry has. */
bool wsk_service_unsure(const wsk_host_t *host);

/** In a new child: open the registries, their sites into the segment. */
void wsk_service_child(apr_pool_t *pchild, server_rec *s);

/** Do this with all. @return false: one said so */
bool wsk_service_each(bool (*act)(wsk_service_t *service));

/** The registry of the host. @return NULL: it is not open; waits for nothing but,
 *  in a child that has just begun, for half a second that it is */
wsk_registry_t *wsk_service_open(const wsk_host_t *host);

/** What is retried by the second is logged once a minute.
 *  @param last_us  0 at first */
bool wsk_service_may_say(_Atomic int64_t *last_us);

/* wsk_opener.c */

void wsk_opener_start(apr_pool_t *pchild, server_rec *s);
/** Wait for it to have tried once, but not for long. */
void wsk_opener_await(void);
/** Have it look for what is behind. */
void wsk_opener_ring(void);

/* wsk_fill.c */

/** What was committed and is not in the segment yet into it, and the sockets of
 *  sites that are gone closed. What fails is tried again by the child's opener.
 *  @param key   a site that matters, or NULL
 *  @param done  receives how much was read and what of it found no place, or NULL
 *  @return WSK_EFULL: the segment has no place for that one */
typedef struct wsk_filled_t {
    unsigned changes, lost, unreserved;
} wsk_filled_t;
wsk_status_e wsk_fill(wsk_service_t *service, const char *key,
                      wsk_filled_t *done);
/** The same of one that matters, again where it fails: for some seconds. */
wsk_status_e wsk_fill_surely(wsk_service_t *service, const char *key);
/** The same from a registry that is not yet the service's. */
wsk_status_e wsk_fill_from(wsk_service_t *service, wsk_registry_t *reg,
                           const char *key, wsk_filled_t *done);

/** Whether the segment has all sites of the registry, as they were once. */
bool wsk_fill_told(wsk_service_t *service);

/** Log a failure of the registry, unless it is only busy, once a minute. */
void wsk_service_failed(request_rec *r, wsk_status_e rv);

/** The same by JSON: 429 for an account that changes too much, else 503. */
int wsk_service_refuse(request_rec *r, wsk_status_e rv);
#define WSK_SERVICE_RATE "too many changes of this account; try again later"

/** Random secrets in memory of their own. */
typedef struct wsk_secrets_new_t {
    char key[WSK_REGISTRY_KEY + 1];
    char publish[WSK_REGISTRY_SECRET + 1];
    char jwt[WSK_REGISTRY_SECRET + 1];
    wsk_fresh_t fresh;
} wsk_secrets_new_t;
/** @param signature  that the site is connected for */
bool wsk_service_secrets(wsk_secrets_new_t *out, uint32_t signature);

/** 64 random hex digits. */
bool wsk_service_random(char out[WSK_REGISTRY_SECRET + 1]);

/** How an API key or a code is kept. @return false: it cannot be one */
bool wsk_service_hash(const char *text, char out[WSK_REGISTRY_SECRET + 1]);

/** A site's name as it is kept: whole characters, cut where it is long. */
const char *wsk_service_name(apr_pool_t *preq, const char *given);

#endif
