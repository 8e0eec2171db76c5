/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_show -- where the administrator placed what shows figures, and nowhere
 * else.
 */
#include "hooks/wsk_hooks.h"

#include "apr_optional_hooks.h"
#include "mod_status.h"

#include "status/wsk_status.h"

#define PLACED "wordsocket-placed" /* a note: the handler */

/* Only <Location> has been applied yet, so a SetHandler that is seen here is
 * the administrator's; one that comes later may be a tenant's, and these are not
 * theirs to place. */
static int on_translate(request_rec *r)
{
    const core_dir_config *core = ap_get_core_module_config(r->per_dir_config);
    const char *error = NULL, *handler = NULL;

    if (core->expr_handler) {
        handler = ap_expr_str_exec(r, core->expr_handler, &error);
    }
    if (handler && !error
        && (strncmp(handler, "wordsocket-", 11) == 0
            || strcmp(handler, "server-status") == 0)) {
        apr_table_set(r->notes, PLACED, handler);
    }
    return DECLINED;
}

static bool is_placed(request_rec *r)
{
    const char *placed = apr_table_get(r->notes, PLACED);

    return placed && r->handler && strcmp(placed, r->handler) == 0;
}

static wsk_source_t source(void)
{
    return (wsk_source_t){ wsk_process.seg, wsk_process.since_us };
}

static int on_handle(request_rec *r)
{
    static const struct {
        const char *name;
        int (*handle)(request_rec *, const wsk_source_t *);
    } handlers[] = { { "wordsocket-status", wsk_status_handle },
                     { "wordsocket-metrics", wsk_metrics_handle } };
    const wsk_source_t from = source();
    size_t i;

    for (i = 0; r->handler && i < WSK_COUNT_OF(handlers); i++) {
        if (strcmp(r->handler, handlers[i].name) == 0) {
            return is_placed(r) ? handlers[i].handle(r, &from) : HTTP_FORBIDDEN;
        }
    }
    return DECLINED;
}

/* mod_status leaves its own place to anybody who may SetHandler; sites are
 * named only where the administrator put it. */
static int on_server_status(request_rec *r, int flags)
{
    const wsk_source_t from = source();

    return from.seg ? wsk_status_section(r, flags, &from, is_placed(r))
                    : DECLINED;
}

void wsk_show_register(apr_pool_t *pconf)
{
    (void)pconf;
    ap_hook_translate_name(on_translate, NULL, NULL, APR_HOOK_REALLY_FIRST);
    ap_hook_handler(on_handle, NULL, NULL, APR_HOOK_MIDDLE);
    APR_OPTIONAL_HOOK(ap, status_hook, on_server_status, NULL, NULL,
                      APR_HOOK_MIDDLE);
}
