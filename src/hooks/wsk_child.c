/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_child -- a child of httpd: its loop, and how it ends.
 */
#include "hooks/wsk_service.h"

#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "ap_mpm.h"
#include "apr_signal.h"
#include "http_log.h"
#include "mpm_common.h"
#include "scoreboard.h"

#include "hooks/wsk_compat.h"

#define SUCCESSOR_MS 3000 /* an MPM looks for missing children every second */

static void on_session_end(void *baton, const wsk_session_end_t *end)
{
    ap_log_error(
        APLOG_MARK, APLOG_INFO, 0, (server_rec *)baton,
        "WSK0401 %s of site %s ended: code %u, %" APR_INT64_T_FMT
        " ms, %" APR_UINT64_T_FMT " bytes in, %" APR_UINT64_T_FMT " out",
        end->kind, end->site_key, end->code, (apr_int64_t)end->lived_ms,
        (apr_uint64_t)end->bytes_in, (apr_uint64_t)end->bytes_out);
}

uint32_t wsk_open_files(uint32_t least)
{
    struct rlimit lim;

    if (getrlimit(RLIMIT_NOFILE, &lim) != 0) {
        return 1024;
    }
    if (lim.rlim_cur < least && lim.rlim_cur < lim.rlim_max) {
        lim.rlim_cur = lim.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &lim) != 0) {
            getrlimit(RLIMIT_NOFILE, &lim);
        }
    }
    return (uint32_t)WSK_MIN(lim.rlim_cur, (rlim_t)1 << 24);
}

/* So many connections: a quarter stays for httpd, logs and files, and what all
 * children have of each other is taken already. WordSocketMaxConnections bounds
 * a generous limit; this a small one. */
static uint32_t descriptors(void)
{
    const uint32_t limit = wsk_open_files(UINT32_MAX);
    const uint32_t spare = WSK_MIN(WSK_MAX(256u, limit / 4), 1024u)
                           + wsk_segment_spec(wsk_process.seg)->slots;

    return limit > spare ? limit - spare : 1;
}

/* prefork stops its children one way only. */
static bool is_threaded(void)
{
    int threaded = 0;

    ap_mpm_query(AP_MPMQ_IS_THREADED, &threaded);
    return threaded != AP_MPMQ_NOT_SUPPORTED;
}

static volatile sig_atomic_t terminated;

static void on_sigterm(int ignored)
{
    (void)ignored;
    terminated = 1;
}

/* On the child's main thread, after the workers have gone: wait for the drain,
 * but hear a SIGTERM. */
static apr_status_t on_child_end(void *data)
{
    (void)data;
    if (!wsk_process.loop) {
        return APR_SUCCESS;
    }
    wsk_loop_stop(wsk_process.loop, false);
    wsk_loop_alone(wsk_process.loop);
    apr_signal(SIGTERM, on_sigterm);
    while (!wsk_loop_done(wsk_process.loop)) {
        poll(NULL, 0, 10);
        if (terminated) {
            wsk_loop_stop(wsk_process.loop, true);
        }
    }
    /* It stays, and has no room: threads of other modules may outlive it. */
    wsk_loop_join(wsk_process.loop);
    return APR_SUCCESS;
}

/* Children of a later generation, be they in this segment or in another. */
static wsk_heirs_e heirs(uint32_t of)
{
    wsk_heirs_e answer = WSK_HEIRS_NO_PLACE;
    int limit = 0, i;

    ap_mpm_query(AP_MPMQ_HARD_LIMIT_DAEMONS, &limit);
    for (i = 0; ap_exists_scoreboard_image() && i < limit; i++) {
        const process_score *at = ap_get_scoreboard_process(i);

        if (at && at->pid && (uint32_t)at->generation > of) {
            return WSK_HEIRS_RUN;
        }
        if (at && !at->pid) {
            answer = WSK_HEIRS_MAY_COME;
        }
    }
    return answer;
}

static void on_child_init(apr_pool_t *pchild, server_rec *s)
{
    wsk_loop_spec_t spec = { .seg = wsk_process.seg,
                             .bell = wsk_process.bell,
                             .door = wsk_process.door,
                             .generation = (uint32_t)wsk_generation(),
                             .pid = (int32_t)getpid(),
                             .parent = (int32_t)getppid(),
                             .drain_ms = wsk_process.drain_ms,
                             .wait_ms = SUCCESSOR_MS,
                             .hold_ms = WSK_NO_HEADROOM_MS,
                             .unsure = !is_threaded(),
                             .heirs = heirs,
                             .ended = on_session_end,
                             .baton = s };

    if (!wsk_process.seg || wsk_process.idle) {
        return;
    }
    wsk_lifeline_take(&spec.lifeline, spec.parent, WSK_LIFELINE_FD);
    spec.max_connections = descriptors();
    json_object_seed(0); /* before threads: jansson would do it at first use */
    wsk_process.loop = wsk_loop_start(&spec);
    if (!wsk_process.loop) {
        wsk_lifeline_drop(&spec.lifeline);
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, s,
                     "WSK0402 no loop in this child: it will answer 503; is "
                     "ServerLimit above what the segment was made for, or are "
                     "descriptors short?");
        return;
    }
    apr_pool_pre_cleanup_register(pchild, NULL, on_child_end);
    wsk_service_child(pchild, s);
}

static void on_child_stopping(apr_pool_t *pchild, int graceful)
{
    (void)pchild;
    if (wsk_process.loop) {
        wsk_loop_stop(wsk_process.loop, !graceful && is_threaded());
    }
}

void wsk_child_register(apr_pool_t *pconf)
{
    (void)pconf;
    ap_hook_child_init(on_child_init, NULL, NULL, APR_HOOK_REALLY_FIRST);
    wsk_hook_child_stopping(on_child_stopping);
}
