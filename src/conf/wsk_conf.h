/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_conf -- create, set, merge and settle the settings of a host.
 *
 * Threads   While the configuration is read; wsk_conf_of from anywhere after.
 */
#ifndef WSK_CONF_H
#define WSK_CONF_H

#include "httpd.h"
#include "http_config.h"

#include "conf/wsk_settings.h"

#define WSK_HOST_TAG 24

typedef struct wsk_budget_t wsk_budget_t;

/** Host mode, as it is for one host. */
typedef struct wsk_host_keys_t {
    char tag[WSK_HOST_TAG + 1]; /* in its sites' keys; empty: no host mode */
    int64_t uid;                /* of the owner; -1: none is known */
    unsigned n;                 /* how many keys are live */
    uint8_t at[2][32];          /* newest first */
    wsk_budget_t *budget;       /* with a tag only */
} wsk_host_keys_t;

/** A host as hooks know it: its settings, and the sites it serves. */
typedef struct wsk_host_t {
    wsk_settings_t set;
    const uint32_t *sites; /* numbers in the segment; pconf */
    unsigned nsites;
    const server_rec *named; /* that has a ServerName; this one, or another */
    wsk_host_keys_t keys;
    struct wsk_service_t *service; /* of WordSocketRegistry; NULL: none */
} wsk_host_t;

extern const command_rec wsk_conf_cmds[];

void *wsk_conf_create(apr_pool_t *pconf, server_rec *s);
void *wsk_conf_merge(apr_pool_t *pconf, void *base, void *add);

/** Put defaults where nobody said anything; once per host, in post_config. */
void wsk_conf_settle(wsk_host_t *host);

wsk_host_t *wsk_conf_of(server_rec *s);

/** A directive and its value as one would write it, by number from 0 on.
 *  @param server  receives whether it holds for the whole server
 *  @return NULL past the last one */
const char *wsk_conf_value(apr_pool_t *pool, const wsk_host_t *host, unsigned i,
                           const char **name, bool *server);

/** Whether the host's site file names this site. */
bool wsk_conf_serves(const wsk_host_t *host, uint32_t site);

#endif
