/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_nudge -- no second without anybody who accepts, at a graceful reload.
 *
 * The children of before accept no more. An MPM starts the next ones as they end,
 * or else when it has slept for a second (ap_wait_or_timeout, server/mpm_unix.c);
 * and ours do not end, but wait for whom they can hand their connections to. A
 * signal ends that sleep: a few come, at short intervals, and begin when the MPM
 * does. SIGURG is ignored by whoever does not ask for it, so one more or less does
 * no harm. Where places of the scoreboard are short, children have to end first, and
 * nothing is done.
 */
#include "hooks/wsk_hooks.h"

#include <signal.h>
#include <time.h>

#include "ap_mpm.h"
#include "mpm_common.h"
#include "scoreboard.h"

#define TIMES 10
#define EVERY_NS 30000000L

static timer_t timer;
static bool has_timer;
static volatile sig_atomic_t left;

static void on_tick(int ignored)
{
    const struct itimerspec never = { { 0, 0 }, { 0, 0 } };

    (void)ignored;
    if (--left <= 0) {
        timer_settime(timer, 0, &never, NULL);
    }
}

static apr_status_t on_config_gone(void *ignored)
{
    (void)ignored;
    if (has_timer) {
        timer_delete(timer);
        has_timer = false;
        signal(SIGURG, SIG_IGN); /* also one that is on its way */
        signal(SIGURG, SIG_DFL);
    }
    return APR_SUCCESS;
}

/* Whether as many as there are can come beside them. */
static bool is_place(void)
{
    int limit = 0, used = 0, i;

    ap_mpm_query(AP_MPMQ_HARD_LIMIT_DAEMONS, &limit);
    for (i = 0; ap_exists_scoreboard_image() && i < limit; i++) {
        const process_score *at = ap_get_scoreboard_process(i);

        used += at && at->pid;
    }
    return used > 0 && used <= limit - used;
}

/* The last that is called before the MPM runs; a hook of `mpm` would be one itself. */
static void on_ready(void)
{
    const struct itimerspec when = { { 0, EVERY_NS }, { 0, EVERY_NS } };
    struct sigaction act = { .sa_handler = on_tick, .sa_flags = SA_RESTART };
    struct sigevent event = { .sigev_notify = SIGEV_SIGNAL,
                              .sigev_signo = SIGURG };

    if (!wsk_process.seg || !wsk_is_reload() || !is_place()
        || timer_create(CLOCK_MONOTONIC, &event, &timer) != 0) {
        return;
    }
    has_timer = true;
    left = TIMES;
    sigemptyset(&act.sa_mask);
    sigaction(SIGURG, &act, NULL);
    timer_settime(timer, 0, &when, NULL);
}

static void on_child_init(apr_pool_t *pchild, server_rec *s)
{
    (void)pchild;
    (void)s;
    if (has_timer) { /* a timer is not inherited; what it calls is */
        signal(SIGURG, SIG_DFL);
        has_timer = false;
    }
}

void wsk_nudge_register(apr_pool_t *pconf)
{
    ap_hook_optional_fn_retrieve(on_ready, NULL, NULL, APR_HOOK_REALLY_LAST);
    ap_hook_child_init(on_child_init, NULL, NULL, APR_HOOK_MIDDLE);
    apr_pool_cleanup_register(pconf, NULL, on_config_gone,
                              apr_pool_cleanup_null);
}
