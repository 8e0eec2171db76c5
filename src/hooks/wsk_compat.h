/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_compat -- what httpd got after the oldest release we build for, 2.4.37,
 * and what is done without it. Numbers are those of ap_mmn.h.
 *
 * .84   merge_slashes      2.4.39  before: slashes are always merged
 * .104  ap_ssl_conn_is_ssl 2.4.48  before: mod_ssl is asked, and only it
 * .109  ap_normalize_path  2.4.49  before: as httpd itself did then, escapes
 *                                  decoded, then dots and slashes
 * .110  child_stopping     2.4.49  before: a drain begins when the workers have
 *                                  gone, not when the child is told to go
 *
 * Promise   The only place where a release of httpd is asked for; WSK_HTTPD_MINOR
 *           builds as if for an older one. t/guard/compat.t holds it to both.
 */
#ifndef WSK_COMPAT_H
#define WSK_COMPAT_H

#include "httpd.h"
#include "http_core.h"

#include <stdbool.h>

#include "ap_mmn.h"
#include "apr_strings.h"

#ifndef WSK_HTTPD_MINOR
#define WSK_HTTPD_MINOR 9999
#endif
#define WSK_SINCE(minor) \
    (AP_MODULE_MAGIC_AT_LEAST(20120211, minor) && (minor) <= WSK_HTTPD_MINOR)

#if !AP_MODULE_MAGIC_AT_LEAST(20120211, 83)
#error "httpd 2.4.37 or later is needed"
#endif

#if WSK_SINCE(104)
#include "http_ssl.h"
#else
#include "mod_ssl.h"
#endif

static inline bool wsk_is_tls(conn_rec *c)
{
#if WSK_SINCE(104)
    return ap_ssl_conn_is_ssl(c);
#else
    APR_OPTIONAL_FN_TYPE(ssl_is_https) *is_https = APR_RETRIEVE_OPTIONAL_FN(
        ssl_is_https);

    return is_https && is_https(c);
#endif
}

static inline bool wsk_merges_slashes(const request_rec *r)
{
#if WSK_SINCE(84)
    const core_server_config *core = ap_get_core_module_config(
        r->server->module_config);

    return core->merge_slashes != AP_CORE_CONFIG_OFF;
#else
    (void)r;
    return true;
#endif
}

/** The path as httpd will take it. @return NULL if it will refuse it */
static inline char *wsk_path_of(request_rec *r)
{
    char *path = apr_pstrdup(r->pool, r->parsed_uri.path);

    if (!path) {
        return NULL;
    }
#if WSK_SINCE(109)
    return ap_normalize_path(
               path,
               AP_NORMALIZE_DECODE_UNRESERVED
                   | (wsk_merges_slashes(r) ? AP_NORMALIZE_MERGE_SLASHES : 0))
               ? path
               : NULL;
#else
    if (ap_unescape_url(path) != OK) {
        return NULL;
    }
    ap_getparents(path);
    if (wsk_merges_slashes(r)) {
        ap_no2slash(path);
    }
    return path;
#endif
}

#if WSK_SINCE(110)
#include "mpm_common.h"

static inline void wsk_hook_child_stopping(void (*stopping)(apr_pool_t *, int))
{
    ap_hook_child_stopping(stopping, NULL, NULL, APR_HOOK_MIDDLE);
}
#else
static inline void wsk_hook_child_stopping(void (*stopping)(apr_pool_t *, int))
{
    (void)stopping; /* the cleanup of the child's pool stops what runs */
}
#endif

#endif
