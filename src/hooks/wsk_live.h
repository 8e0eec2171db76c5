/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_live -- how a relay's sites are now: GET /dashboard/live as numbers, GET
 * /dashboard/feed as an event stream of one site's connections.
 *
 * Promise   Only the site's own user is told. A stream of the dashboard is not
 *           one of the site's connections: it takes nothing of its limit, but
 *           of that of the host, and a user has a few.
 * Threads   Any worker.
 */
#ifndef WSK_LIVE_H
#define WSK_LIVE_H

#include "hooks/wsk_service.h"
#include "store/wsk_pulse.h"

typedef struct wsk_live_t {
    uint32_t connections;
    uint32_t minute; /* messages that came in, this period and five before */
    uint64_t delivered;
    uint32_t pulse[WSK_PULSES];
    const char *fault; /* code of what was refused last; NULL: nothing */
    const char *fault_text;
    int64_t fault_s;
    wsk_limits_t limits;
} wsk_live_t;
void wsk_live_read(const wsk_host_t *host, const char *key, int64_t now_us,
                   wsk_live_t *out);

/** The connected sites of the request's user, by URL and without secrets. */
wsk_status_e wsk_live_sites(request_rec *r, wsk_registry_t *reg,
                            apr_array_header_t **psites);

/** Note a refusal with the site it concerns. */
void wsk_live_refused(uint32_t site, wsk_refusal_e why);

#endif
