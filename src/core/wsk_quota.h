/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_quota -- every bound on how much somebody may do, one entry each: whose it
 * is, which counter its refusals have, and what who is refused is told to do.
 *
 * Promise   Texts of closes, errors and refusals come from this table;
 *           t/guard/quotas.t holds the table in PROTOCOL.md against it. Texts
 *           have no quotes or backslashes, and fit a Close frame.
 * Not here  Bounds on how large one thing may be; the limits themselves
 *           (store/wsk_site.h).
 */
#ifndef WSK_QUOTA_H
#define WSK_QUOTA_H

#include "core/wsk_counters.h"

/* clang-format off */
/* name, its limit, counter of refusals, what who is refused is told */
#define WSK_QUOTAS(X) \
X( host_connections,    "WordSocketMaxConnections",     limited_host, \
   "this server has no room for more connections; use an event stream or polls, and try again later") \
X( user_connections,    "user_connections",             limited_user, \
   "the sites of this account have too many connections together; close some, or try again later") \
X( site_connections,    "connections",                  limited_site, \
   "this site has no room for more connections; close some, or try again later") \
X( address_connections, "address_connections",          limited_address, \
   "too many connections from this address; close some, or try again later") \
X( user_publish,        "user_publish_rate",            limited_user_publish, \
   "the sites of this account publish too much together; send the same again when it is time") \
X( site_publish,        "publish_rate",                 limited_publish, \
   "this site publishes too much; send the same again when it is time, or make one list of many") \
X( site_requests,       "fixed",                        limited_requests, \
   "too many requests of this site are remembered; send the same again when it is time") \
X( user_browser,        "user_browser_rate",            limited_user_browser, \
   "browsers send too much to the sites of this account together; send it again when it is time") \
X( site_browser,        "browser_rate",                 limited_browser, \
   "the browsers of this site send too much together; send it again when it is time") \
X( connection_browser,  "connection_rate",              limited_connection, \
   "this connection sends too much; send it again when it is time, and less often")
/* clang-format on */

typedef enum wsk_quota_e {
    WSK_Q_none,
#define X(name, limit, counter, text) WSK_Q_##name,
    WSK_QUOTAS(X)
#undef X
        WSK_Q_COUNT
} wsk_quota_e;

/** Its name and text; "" for none. */
const char *wsk_quota_name(wsk_quota_e quota);
const char *wsk_quota_text(wsk_quota_e quota);
/** WSK_C_COUNT for none. */
wsk_counter_e wsk_quota_counter(wsk_quota_e quota);

/** A wait as it is told: whole seconds, at least 1 and at most an hour. */
unsigned wsk_quota_retry_s(uint32_t wait_ms);

#endif
