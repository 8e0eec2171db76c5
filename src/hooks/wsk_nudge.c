/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_nudge -- no second without anybody who accepts, at a graceful reload.
 *
 * The children of before accept no more. An MPM starts the next ones as they end,
 * or else when it has slept for a second (ap_wait_or_timeout, server/mpm_unix.c);
 * and ours do not end, but wait for whom they can hand their connections to. So a
 * timer's signal ends that sleep: again and again, as it may come before it, until
 * a child has started. No longer, or the MPM would do every few milliseconds what
 * it does each second. Where places of the scoreboard are short, children have to
 * end first, and nothing is done.
 *
 * SIGURG is ignored by whoever does not ask for it, so one more or less does no
 * harm; where somebody has asked, it is left alone.
 */
#include "hooks/wsk_hooks.h"

#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "ap_mpm.h"
#include "mpm_common.h"
#include "scoreboard.h"
#include "unixd.h"

/* The first is late enough for children without connections, whom the MPM replaces
 * by itself, and all together are shorter than the sleep. */
#define EVERY_MS 30
#define TICKS 10

static timer_t timer;
static pid_t whose; /* the timer is: 0: there is none */
static volatile sig_atomic_t ticks;

static void on_tick(int ignored)
{
    const struct itimerspec never = { { 0, 0 }, { 0, 0 } };

    (void)ignored;
    if (++ticks >= TICKS) {
        timer_settime(timer, 0, &never, NULL);
    }
}

/* A process that another module forked has the handler, but not the timer. */
static void disarm(void)
{
    if (whose == getpid()) {
        timer_delete(timer);
        signal(SIGURG, SIG_IGN); /* also one that is on its way */
        signal(SIGURG, SIG_DFL);
    }
    whose = 0;
}

static apr_status_t on_config_gone(void *ignored)
{
    (void)ignored;
    disarm();
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

static bool is_free(int signo)
{
    struct sigaction now;

    return sigaction(signo, NULL, &now) == 0 && !(now.sa_flags & SA_SIGINFO)
           && (now.sa_handler == SIG_DFL || now.sa_handler == SIG_IGN);
}

/* The last that is called before the MPM runs; a hook of `mpm` would be one
 * itself. */
static void on_ready(void)
{
    const struct timespec every = { .tv_nsec = EVERY_MS * 1000000L };
    const struct itimerspec when = { every, every };
    struct sigaction act = { .sa_handler = on_tick, .sa_flags = SA_RESTART };
    struct sigevent event = { .sigev_notify = SIGEV_SIGNAL,
                              .sigev_signo = SIGURG };

    if (!wsk_process.seg || wsk_process.idle
        || !ap_unixd_mpm_get_retained_data()->was_graceful || !is_place()
        || !is_free(SIGURG)
        || timer_create(CLOCK_MONOTONIC, &event, &timer) != 0) {
        return;
    }
    whose = getpid();
    ticks = 0;
    sigemptyset(&act.sa_mask);
    sigaction(SIGURG, &act, NULL);
    timer_settime(timer, 0, &when, NULL);
}

/* In the parent. One that takes the place of another at once is not waited for. */
static void on_child_status(server_rec *s, pid_t pid, ap_generation_t of,
                            int slot, mpm_child_status status)
{
    (void)s;
    (void)pid;
    (void)of;
    (void)slot;
    if (status == MPM_CHILD_STARTED && ticks > 0) {
        disarm();
    }
}

static void on_child_init(apr_pool_t *pchild, server_rec *s)
{
    (void)pchild;
    (void)s;
    if (whose) {
        signal(SIGURG, SIG_DFL);
        whose = 0;
    }
}

void wsk_nudge_register(apr_pool_t *pconf)
{
    ap_hook_optional_fn_retrieve(on_ready, NULL, NULL, APR_HOOK_REALLY_LAST);
    ap_hook_child_status(on_child_status, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_child_init(on_child_init, NULL, NULL, APR_HOOK_MIDDLE);
    apr_pool_cleanup_register(pconf, NULL, on_config_gone,
                              apr_pool_cleanup_null);
}
