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

/** A host as hooks know it: its settings, and the sites it serves. */
typedef struct wsk_host_t {
    wsk_settings_t set;
    const uint32_t *sites; /* numbers in the segment; pconf */
    unsigned nsites;
    struct wsk_service_t *service; /* of WordSocketRegistry; NULL: none */
} wsk_host_t;

extern const command_rec wsk_conf_cmds[];

void *wsk_conf_create(apr_pool_t *pconf, server_rec *s);
void *wsk_conf_merge(apr_pool_t *pconf, void *base, void *add);

/** Put defaults where nobody said anything; once per host, in post_config. */
void wsk_conf_settle(wsk_host_t *host);

wsk_host_t *wsk_conf_of(server_rec *s);

/** Whether the host serves this site. */
bool wsk_conf_serves(const wsk_host_t *host, uint32_t site);

#endif
