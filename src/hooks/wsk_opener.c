/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_opener -- the thread of a child that opens its registries, and brings the
 * segment up to what they say.
 *
 * Opening waits for locks and for the disk, and either may be gone for good: no
 * worker does it, and no child's start waits for it for long. What does not open
 * is tried again, later each time. What does, opens once; then the thread waits
 * until somebody says that the segment is behind.
 */
#include "hooks/wsk_service.h"

#include <errno.h>
#include <poll.h>
#include <semaphore.h>
#include <signal.h>
#include <time.h>

#define WAIT_MS 2000
#define AGAIN_MS 250 /* then twice as long, up to */
#define AGAIN_MOST_MS 4000
#define START_MS 500 /* that somebody waits in the beginning */
#define END_S 3
#define STACK_BYTES (512 * 1024)

static struct {
    pthread_t thread;
    sem_t bell;
    server_rec *s;
    atomic_bool stop;
    atomic_uint rounds;
    bool runs;
} opener;

static void complain(wsk_service_t *service, wsk_status_e rv, const char *why)
{
    if (wsk_service_may_say(&service->complained_us)) {
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, opener.s,
                     "WSK0403 the registry %s does not open: %s; sites that "
                     "are not in memory get 503",
                     service->file,
                     rv == WSK_EAGAIN    ? "another process locks it"
                     : *why              ? why
                     : rv == WSK_EBROKEN ? "damaged; put a backup in its place"
                                         : "no memory");
    }
}

static void report(const wsk_service_t *service, const wsk_filled_t *filled)
{
    ap_log_error(APLOG_MARK, APLOG_INFO, 0, opener.s,
                 "WSK0406 the registry %s is open: %u changes to be told",
                 service->file, filled->changes);
    if (filled->lost) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, opener.s,
                     "WSK0404 no place for %u sites of %s: give "
                     "WordSocketSharedMemory more and restart",
                     filled->lost, service->file);
    }
}

static bool open_it(wsk_service_t *service)
{
    char why[WSK_REGISTRY_WHY] = "";
    wsk_filled_t filled = { 0 };
    wsk_registry_t *reg = NULL;
    wsk_status_e rv = wsk_registry_open(service->file, WAIT_MS, &reg, why);

    if (rv == WSK_OK) {
        rv = wsk_fill_from(service, reg, NULL, &filled);
        if (rv != WSK_OK) {
            wsk_registry_close(reg);
        }
    }
    if (rv != WSK_OK) {
        complain(service, rv, why);
        return false;
    }
    report(service, &filled);
    atomic_store(&service->reg, reg);
    return true;
}

static bool serve(wsk_service_t *service)
{
    if (!atomic_load(&service->reg)) {
        return open_it(service);
    }
    return !atomic_load(&service->behind)
           || wsk_fill(service, NULL, NULL) == WSK_OK;
}

static void sleep_for(int ms)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += ms % 1000 * 1000000L;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000L;
    }
    while (sem_timedwait(&opener.bell, &until) != 0 && errno == EINTR) {
    }
}

static void *run(void *baton)
{
    int again_ms = AGAIN_MS;

    (void)baton;
    while (!atomic_load(&opener.stop)) {
        bool all = wsk_service_each(serve);

        atomic_fetch_add(&opener.rounds, 1);
        if (all) {
            again_ms = AGAIN_MS;
            while (sem_wait(&opener.bell) != 0) {
            }
        }
        else {
            sleep_for(again_ms);
            again_ms = WSK_MIN(2 * again_ms, AGAIN_MOST_MS);
        }
    }
    return NULL;
}

void wsk_opener_ring(void)
{
    if (opener.runs) {
        sem_post(&opener.bell);
    }
}

/* One that hangs in the disk is left behind. */
static apr_status_t end(void *data)
{
    struct timespec until;

    (void)data;
    if (opener.runs) {
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += END_S;
        opener.runs = false;
        atomic_store(&opener.stop, true);
        sem_post(&opener.bell);
        pthread_timedjoin_np(opener.thread, NULL, &until);
    }
    return APR_SUCCESS;
}

/* Signals are for httpd's threads. */
static bool start(void)
{
    pthread_attr_t attr;
    sigset_t all, before;
    bool ok;

    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, STACK_BYTES);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    ok = pthread_create(&opener.thread, &attr, run, NULL) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attr);
    return ok;
}

void wsk_opener_await(void)
{
    int waited_ms = 0;

    while (opener.runs && atomic_load(&opener.rounds) == 0
           && waited_ms < START_MS) {
        poll(NULL, 0, 5);
        waited_ms += 5;
    }
}

void wsk_opener_start(apr_pool_t *pchild, server_rec *s)
{
    opener.s = s;
    atomic_store(&opener.stop, false);
    atomic_store(&opener.rounds, 0);
    sem_init(&opener.bell, 0, 0);
    opener.runs = start();
    if (!opener.runs) {
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, s,
                     "WSK0407 no thread for the registries in this child");
        return;
    }
    apr_pool_pre_cleanup_register(pchild, NULL, end);
    if (!wsk_service_each(wsk_fill_told)) {
        wsk_opener_await(); /* it could only say that it does not know yet */
    }
}
