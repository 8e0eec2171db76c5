/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_lifecycle -- start and reload: the segment before the first fork, and what
 * each configuration says into it.
 */
#include "hooks/wsk_service.h"

#include <errno.h>
#include <openssl/rand.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ap_mpm.h"
#include "apr_shm.h"
#include "http_log.h"
#include "mpm_common.h"
#include "unixd.h"

#include "hooks/wsk_compat.h"

/* Copied by apr_pool_userdata_set. A reload may bring another version or build of
 * the module, to which this one's memory means nothing: it makes its own. So what
 * it keeps bears its version, the number of keep_t and the shapes of the segment;
 * and under a name that stays, what name that was. */
#define KEEP_KEY "wordsocket:keep:" WSK_VERSION ":2:%08x"
#define KEEP_NAME "wordsocket:kept"
#define SITE_PAGES 4
#define ALIGNMENT 64
#define SITES_SPARE 256
#define OWN_FILES 256 /* of the parent: logs, listeners, and room */

/* What outlives a graceful reload, in the pool of the process. */
typedef struct keep_t {
    apr_shm_t *shm;
    wsk_segment_t *seg;
    int *fds;
    int door[2]; /* connections on their way from child to child */
    int64_t bytes, since_us;
    uint32_t slots;
} keep_t;

wsk_process_t wsk_process;

static uint32_t power_of_two(uint64_t n)
{
    uint32_t p = 1024;

    while (p < n && p < (1u << 24)) {
        p *= 2;
    }
    return p;
}

static uint32_t slots_needed(const wsk_settings_t *set)
{
    int limit = 0;

    ap_mpm_query(AP_MPMQ_HARD_LIMIT_DAEMONS, &limit);
    /* Leaving children of a generation keep theirs while new ones come; so does a
     * keeper for which another has to make place. */
    return WSK_MIN((uint32_t)WSK_MAX(limit, 1) * 2 + (uint32_t)set->keepers * 2
                       + 16,
                   WSK_SLOTS_MAX);
}

static apr_status_t open_bells(keep_t *keep, apr_pool_t *pprocess)
{
    uint32_t i;

    wsk_open_files(keep->slots + OWN_FILES);
    keep->fds = apr_palloc(pprocess, sizeof *keep->fds * keep->slots);
    for (i = 0; i < keep->slots; i++) {
        keep->fds[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (keep->fds[i] < 0) {
            return errno;
        }
    }
    return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
                      keep->door)
                   == 0
               ? APR_SUCCESS
               : errno;
}

/* An anonymous apr_shm begins behind a word of APR's own. */
static void *aligned(void *base)
{
    return (void *)(((uintptr_t)base + ALIGNMENT - 1)
                    & ~(uintptr_t)(ALIGNMENT - 1));
}

/* Sites of files are counted; those of a registry come while we run, as many as
 * the pages promised to each allow. */
static uint32_t places(server_rec *s, uint32_t sites, const wsk_settings_t *set)
{
    uint64_t places = (uint64_t)sites + SITES_SPARE;

    for (; s; s = s->next) {
        if (wsk_conf_of(s)->set.registry) {
            places = WSK_MAX(places, sites
                                         + (uint64_t)set->shared_memory
                                               / (SITE_PAGES * WSK_PAGE_BYTES));
        }
    }
    return (uint32_t)WSK_MIN(places, (uint64_t)WSK_SITES_MAX);
}

static bool make_segment(server_rec *s, keep_t *keep, uint32_t sites,
                         const wsk_settings_t *set)
{
    apr_pool_t *pprocess = s->process->pool;
    wsk_segment_spec_t spec = { .bytes = (uint64_t)set->shared_memory,
                                .slots = slots_needed(set),
                                .sites = places(s, sites, set),
                                .addresses = power_of_two(
                                    (uint64_t)set->max_connections * 2),
                                .site_pages = SITE_PAGES };
    uint8_t random[32];
    apr_status_t rv;

    if (wsk_segment_least(&spec) > spec.bytes) {
        ap_log_error(
            APLOG_MARK, APLOG_CRIT, 0, s,
            "WSK0302 WordSocketSharedMemory must be at least %" APR_UINT64_T_FMT
            "K for this configuration",
            (apr_uint64_t)(wsk_segment_least(&spec) / 1024 + 1));
        return false;
    }
    keep->bytes = set->shared_memory;
    keep->since_us = apr_time_now();
    keep->slots = spec.slots;
    rv = apr_shm_create(&keep->shm, (apr_size_t)spec.bytes + ALIGNMENT, NULL,
                        pprocess);
    if (rv == APR_SUCCESS) {
        rv = open_bells(keep, pprocess);
    }
    if (rv != APR_SUCCESS || RAND_bytes(random, sizeof random) != 1) {
        ap_log_error(APLOG_MARK, APLOG_CRIT, rv, s,
                     "WSK0303 no shared memory or descriptors");
        return false;
    }
    keep->seg = wsk_segment_format(aligned(apr_shm_baseaddr_get(keep->shm)),
                                   &spec, random);
    OPENSSL_cleanse(random, sizeof random);
    if (!keep->seg) {
        ap_log_error(APLOG_MARK, APLOG_CRIT, 0, s,
                     "WSK0307 the segment cannot be laid out");
    }
    return keep->seg != NULL;
}

/* The view is of the build that made it, and so is made again. */
static bool look_again(keep_t *keep)
{
    wsk_segment_t *seg = wsk_segment_open(
        aligned(apr_shm_baseaddr_get(keep->shm)), (uint64_t)keep->bytes);

    if (seg) {
        if (!wsk_process.loop) { /* of httpd -X */
            wsk_segment_close(keep->seg);
        }
        keep->seg = seg;
    }
    return seg != NULL;
}

static void *recall(apr_pool_t *pprocess, const char *key)
{
    void *data = NULL;

    apr_pool_userdata_get(&data, key, pprocess);
    return data;
}

/* The segment of the process. One that another version came after is out of date,
 * in what is disconnected, for one thing: who comes back begins anew, too. */
static keep_t *kept(server_rec *s, uint32_t sites, const wsk_settings_t *set)
{
    apr_pool_t *pprocess = s->process->pool;
    const char *key = apr_psprintf(pprocess, KEEP_KEY, wsk_segment_shapes());
    const char *last = recall(pprocess, KEEP_NAME);
    keep_t *keep = last && strcmp(last, key) == 0 ? recall(pprocess, key)
                                                  : NULL;

    if (keep && look_again(keep)) {
        if (keep->bytes != set->shared_memory) {
            ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, s,
                         "WSK0304 the size of the segment changes with the "
                         "next full restart");
        }
        return keep;
    }
    if (last) {
        ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, s,
                     "WSK0313 another version of the module was loaded: it "
                     "makes a segment of its own, without the history of the "
                     "one before");
    }
    keep = apr_pcalloc(pprocess, sizeof *keep);
    if (!make_segment(s, keep, sites, set)) {
        return NULL;
    }
    apr_pool_userdata_set(keep, key, NULL, pprocess);
    apr_pool_userdata_set(key, KEEP_NAME, NULL, pprocess);
    return keep;
}

/* Each child that drains keeps its place in the scoreboard: without room for
 * as many new ones, nothing would be served meanwhile. */
static uint32_t drain_allowed(server_rec *s, const wsk_settings_t *set)
{
    int limit = 0, active = 0;

    ap_mpm_query(AP_MPMQ_HARD_LIMIT_DAEMONS, &limit);
    ap_mpm_query(AP_MPMQ_MAX_DAEMONS, &active);
    if (limit < 2 * active && set->drain > WSK_NO_HEADROOM_MS) {
        ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, s,
                     "WSK0305 ServerLimit %d leaves no room beside %d active "
                     "children: the drain is cut to %d ms; set ServerLimit to "
                     "%d",
                     limit, active, WSK_NO_HEADROOM_MS, 2 * active);
        return WSK_NO_HEADROOM_MS;
    }
    return (uint32_t)set->drain;
}

uint64_t wsk_generation(void)
{
    int now = 0;

    ap_mpm_query(AP_MPMQ_GENERATION, &now);
    return (uint64_t)WSK_MAX(now, 0);
}

static apr_status_t on_config_gone(void *data)
{
    (void)data;
    if (wsk_process.seg && ap_unixd_mpm_get_retained_data()->was_graceful) {
        wsk_segment_mark(wsk_process.seg, WSK_MARK_RELOAD,
                         wsk_segment_marked(wsk_process.seg, WSK_MARK_READ)
                             + 1);
    }
    else if (wsk_process.seg) {
        wsk_segment_mark(wsk_process.seg, WSK_MARK_LEAVE,
                         wsk_segment_marked(wsk_process.seg, WSK_MARK_LEAVE)
                             + 1);
    }
    if (wsk_process.loop && wsk_loop_done(wsk_process.loop)) {
        wsk_loop_free(wsk_process.loop); /* httpd -X: nobody can ask any more */
        wsk_process.loop = NULL;
    }
    return APR_SUCCESS;
}

static void settle_all(server_rec *s)
{
    for (; s; s = s->next) {
        wsk_conf_settle(wsk_conf_of(s));
    }
}

static int refuse_config(server_rec *s, const char *error)
{
    ap_log_error(APLOG_MARK, APLOG_CRIT, 0, s, "WSK0306 %s", error);
    return HTTP_INTERNAL_SERVER_ERROR;
}

bool wsk_is_reload(void)
{
    return wsk_generation() > 0;
}

static const char *check(server_rec *s, apr_pool_t *pconf, apr_pool_t *ptemp,
                         uint32_t *psites)
{
    const char *files = wsk_sites_check(s, ptemp, psites);
    const char *services = wsk_service_prepare(s, pconf, true);

    return files ? files : services;
}

/* At a reload the sites of a registry that cannot be used stay as they are. */
static const char *prepare_services(server_rec *s, apr_pool_t *pconf)
{
    const char *error = wsk_service_prepare(s, pconf, false);

    if (error && wsk_is_reload()) {
        ap_log_error(APLOG_MARK, APLOG_CRIT, 0, s, "WSK0311 %s", error);
        return NULL;
    }
    return error;
}

/* Whether this is `httpd -k`, to tell the one that runs something. */
static bool another_runs(apr_pool_t *pconf)
{
    pid_t pid = 0;

    return ap_pid_fname && ap_read_pid(pconf, ap_pid_fname, &pid) == APR_SUCCESS
           && pid != getpid() && kill(pid, 0) == 0;
}

/* For `httpd -t`, with which a reload should begin. What is wrong keeps httpd from
 * starting; it must not keep anybody from stopping the one that runs, nor from a
 * reload, which does without what is wrong. */
static int on_check_config(apr_pool_t *pconf, apr_pool_t *plog,
                           apr_pool_t *ptemp, server_rec *s)
{
    uint32_t sites = 0;
    const char *error;

    (void)plog;
    settle_all(s);
    error = check(s, pconf, ptemp, &sites);
    if (!error || wsk_is_reload()) {
        return OK;
    }
    if (ap_state_query(AP_SQ_RUN_MODE) != AP_SQ_RM_CONFIG_TEST
        && another_runs(pconf)) {
        ap_log_error(APLOG_MARK, APLOG_CRIT, 0, s,
                     "WSK0306 %s; correct it, a reload does without it", error);
        return OK;
    }
    return refuse_config(s, error);
}

static int take_over(keep_t *keep, server_rec *s, apr_pool_t *pconf,
                     apr_pool_t *ptemp)
{
    const wsk_settings_t *set = &wsk_conf_of(s)->set;
    const char *error;

    wsk_process.seg = keep->seg;
    wsk_process.since_us = keep->since_us;
    wsk_process.bell.fds = keep->fds;
    wsk_process.adopt = set->adopt;
    wsk_process.drain_ms = drain_allowed(s, set);
    wsk_segment_mark(keep->seg, WSK_MARK_HOST_CONNECTIONS,
                     (uint64_t)set->max_connections);
    wsk_segment_mark(keep->seg, WSK_MARK_KEEPERS, (uint64_t)set->keepers);
    wsk_segment_mark(keep->seg, WSK_MARK_KEEPER_AGE_MS,
                     (uint64_t)set->keeper_age_ms);
    wsk_process.door = keep->door;
    error = prepare_services(s, pconf);
    error = error ? error : wsk_sites_load(s, pconf, ptemp);
    apr_pool_cleanup_register(pconf, NULL, on_config_gone,
                              apr_pool_cleanup_null);
    wsk_segment_mark(keep->seg, WSK_MARK_READ, wsk_generation());
    return error ? refuse_config(s, error) : OK;
}

/* What is wrong ends httpd at its first start. At a reload it would end the
 * sites of everybody, those without a fault too: we do without what is wrong. */
static int on_post_config(apr_pool_t *pconf, apr_pool_t *plog,
                          apr_pool_t *ptemp, server_rec *s)
{
    bool first = ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG;
    uint32_t sites = 0;
    const char *error;
    server_rec *v;
    keep_t *keep;
    bool any = false;

    (void)plog;
    settle_all(s);
    for (v = s; v; v = v->next) {
        any |= wsk_conf_of(v)->set.enabled == 1;
    }
    error = check(s, pconf, ptemp, &sites);
    if (error && !wsk_is_reload()) {
        return refuse_config(s, error);
    }
    wsk_process.idle = !any; /* said to a module that stays loaded, too */
    if (!any || first) {
        return OK;
    }
    keep = kept(s, sites, &wsk_conf_of(s)->set);
    if (!keep) {
        return wsk_is_reload() ? OK : HTTP_INTERNAL_SERVER_ERROR;
    }
    return take_over(keep, s, pconf, ptemp);
}

void wsk_lifecycle_register(apr_pool_t *pconf)
{
    ap_hook_check_config(on_check_config, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_post_config(on_post_config, NULL, NULL, APR_HOOK_MIDDLE);
    wsk_child_register(pconf);
    wsk_nudge_register(pconf);
}
