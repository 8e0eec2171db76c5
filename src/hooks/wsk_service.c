/* SPDX-License-Identifier: Apache-2.0 */
#include "hooks/wsk_service.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <openssl/rand.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ap_mpm.h"
#include "unixd.h"

#include "auth/wsk_mac.h"
#include "core/wsk_hash.h"
#include "proto/wsk_utf8.h"

#define SAY_EVERY apr_time_from_sec(60)
#define STAMP_BIT (UINT64_C(1) << 63) /* which no stamp of a time has */

/* Not in a pool: a child's registries stay open to its very end, and a server of
 * one process reads its configuration again. */
static wsk_service_t services[WSK_SERVICES_MAX];
static unsigned nservices;

/* The parent. */

/* An empty file of httpd's user, made once; the journal beside it, too, so that
 * the folder may belong to root. */
static const char *make_file(apr_pool_t *pconf, const char *file)
{
    uid_t uid = geteuid() == 0 ? ap_unixd_config.user_id : geteuid();
    int fd = open(file, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                  0600);
    struct stat st;
    bool ok;

    if (fd >= 0) {
        ok = geteuid() != 0 || fchown(fd, uid, ap_unixd_config.group_id) == 0;
        close(fd);
        return ok ? NULL
                  : apr_psprintf(pconf,
                                 "WordSocketRegistry %s: cannot be given "
                                 "to the User of httpd",
                                 file);
    }
    if (lstat(file, &st) != 0) {
        return apr_psprintf(pconf,
                            "WordSocketRegistry %s: cannot be made; is "
                            "its folder there?",
                            file);
    }
    if (!S_ISREG(st.st_mode) || st.st_uid != uid || (st.st_mode & 077) != 0) {
        return apr_psprintf(pconf,
                            "WordSocketRegistry %s: must be a file that the "
                            "User of httpd owns and nobody else may read "
                            "(chown, chmod 600)",
                            file);
    }
    return NULL;
}

/* In a process of its own, which becomes httpd's User: modes, lists and mounts
 * say who may open a file, and only trying tells. */
static int become_and_open(const char *const *files)
{
    const struct passwd *user = getpwuid(ap_unixd_config.user_id);

    if (!user || initgroups(user->pw_name, ap_unixd_config.group_id) != 0
        || setgid(ap_unixd_config.group_id) != 0
        || setuid(ap_unixd_config.user_id) != 0) {
        return 0; /* httpd will say so of its children */
    }
    for (; *files; files++) {
        if (open(*files, O_RDWR | O_NOFOLLOW | O_CLOEXEC) < 0) {
            return errno;
        }
    }
    return 0;
}

static const char *check_reach(apr_pool_t *pconf, const char *file,
                               const char *journal)
{
    const char *const files[] = { file, journal, NULL };
    int status = 0;
    pid_t pid;

    if (geteuid() != 0 || ap_unixd_config.chroot_dir) {
        return NULL;
    }
    pid = fork();
    if (pid == 0) {
        _exit(become_and_open(files));
    }
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return pid > 0 && WIFEXITED(status) && WEXITSTATUS(status)
               ? apr_psprintf(pconf,
                              "WordSocketRegistry %s: the User of httpd cannot "
                              "open it: %s",
                              file, strerror(WEXITSTATUS(status)))
               : NULL;
}

static const char *make_files(apr_pool_t *pconf, const char *file)
{
    const char *journal = apr_pstrcat(pconf, file, "-journal", NULL);
    const char *wrong = make_file(pconf, file);

    wrong = wrong ? wrong : make_file(pconf, journal);
    return wrong ? wrong : check_reach(pconf, file, journal);
}

static wsk_service_t *service_of(const wsk_settings_t *set)
{
    wsk_service_t *service;
    unsigned i;

    for (i = 0; i < nservices; i++) {
        if (strcmp(services[i].file, set->registry) == 0) {
            return &services[i];
        }
    }
    if (nservices == WSK_SERVICES_MAX) {
        return NULL;
    }
    service = &services[nservices];
    if (atomic_load(&service->reg)) {
        wsk_registry_close(atomic_load(&service->reg));
    }
    *service = (wsk_service_t){ .file = set->registry,
                                .set = set,
                                .number = nservices++ };
    return service;
}

/* A mark is that of a file, whatever number it has. */
static void own_mark(const wsk_service_t *service)
{
    const wsk_mark_e mark = (wsk_mark_e)(WSK_MARK_SERVICES + service->number);
    const wsk_mark_e whose = (wsk_mark_e)(WSK_MARK_SERVICES_OF
                                          + service->number);

    if (wsk_segment_marked(wsk_process.seg, whose) != service->stamp) {
        wsk_segment_mark(wsk_process.seg, mark, 0);
        wsk_segment_mark(wsk_process.seg, whose, service->stamp);
    }
}

static void warn_of_company(server_rec *s)
{
    static const char *const php[] = { "mod_php.c", "mod_php7.c",
                                       "mod_php5.c" };
    bool cgi = ap_find_linked_module("mod_cgi.c")
               || ap_find_linked_module("mod_cgid.c");
    bool found = cgi && !ap_unixd_config.suexec_enabled;
    unsigned i;

    for (i = 0; i < WSK_COUNT_OF(php); i++) {
        found |= ap_find_linked_module(php[i]) != NULL;
    }
    if (found) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, s,
                     "WSK0312 CGI or PHP runs here with httpd's own user: what "
                     "it runs can read the registry and every site's secrets");
    }
}

const char *wsk_service_prepare(server_rec *s, apr_pool_t *pconf,
                                bool check_only)
{
    const char *error = NULL;
    int generation = 0;
    server_rec *v;

    ap_mpm_query(AP_MPMQ_GENERATION, &generation);
    nservices = 0;
    for (v = s; v; v = v->next) {
        const char *wrong;
        wsk_host_t *host = wsk_conf_of(v);
        const char *file = host->set.registry;

        if (!file || !host->set.enabled) {
            continue;
        }
        host->service = service_of(&host->set);
        if (!host->service) {
            error = "WordSocketRegistry: too many files";
            continue;
        }
        if (check_only) {
            continue;
        }
        host->service->stamp = wsk_hash(wsk_segment_secret(wsk_process.seg),
                                        file, strlen(file))
                               | STAMP_BIT;
        host->service->load = (uint64_t)generation + 1;
        own_mark(host->service);
        wrong = make_files(pconf, file);
        error = error ? error : wrong;
    }
    if (!error && !check_only && nservices) {
        warn_of_company(s);
    }
    return error;
}

unsigned wsk_service_stamps(uint64_t *stamps, unsigned most)
{
    unsigned i;

    for (i = 0; i < nservices && i < most; i++) {
        stamps[i] = services[i].stamp;
    }
    return i;
}

bool wsk_service_serves(const wsk_host_t *host, uint32_t site)
{
    return host->service
           && wsk_site_stamp(wsk_process.seg, site) == host->service->stamp;
}

/* A child. */

bool wsk_service_each(bool (*act)(wsk_service_t *service))
{
    bool all = true;
    unsigned i;

    for (i = 0; i < nservices; i++) {
        all &= act(&services[i]);
    }
    return all;
}

bool wsk_service_unsure(const wsk_host_t *host)
{
    return host->service && !wsk_fill_told(host->service);
}

void wsk_service_child(apr_pool_t *pchild, server_rec *s)
{
    if (nservices) {
        wsk_opener_start(pchild, s);
    }
}

wsk_registry_t *wsk_service_open(const wsk_host_t *host)
{
    if (!atomic_load(&host->service->reg)) {
        wsk_opener_await();
    }
    return atomic_load(&host->service->reg);
}

bool wsk_service_may_say(_Atomic int64_t *last_us)
{
    const int64_t now_us = apr_time_now();
    int64_t last = atomic_load(last_us);

    return (last == 0 || now_us - last >= SAY_EVERY || now_us < last)
           && atomic_compare_exchange_strong(last_us, &last, now_us);
}

void wsk_service_failed(request_rec *r, wsk_status_e rv)
{
    static _Atomic int64_t said_us;

    if (rv != WSK_EAGAIN && rv != WSK_ERATE && wsk_service_may_say(&said_us)) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r,
                      "WSK0405 the registry cannot be written (%d): is the "
                      "disk full, or the file damaged or not httpd's?",
                      (int)rv);
    }
}

int wsk_service_refuse(request_rec *r, wsk_status_e rv)
{
    if (rv == WSK_ERATE) {
        apr_table_setn(r->headers_out, "Retry-After", "1");
        return wsk_refuse_as(r, WSK_R_rate_limited, WSK_SERVICE_RATE);
    }
    wsk_service_failed(r, rv);
    return wsk_refuse(r, WSK_R_unavailable, 1);
}

static bool random_hex(char *out, size_t digits)
{
    uint8_t bytes[WSK_REGISTRY_SECRET / 2];
    bool ok = RAND_bytes(bytes, (int)(digits / 2)) == 1;

    if (ok) {
        wsk_hex(out, bytes, digits / 2);
    }
    OPENSSL_cleanse(bytes, sizeof bytes);
    return ok;
}

bool wsk_service_random(char out[WSK_REGISTRY_SECRET + 1])
{
    return random_hex(out, WSK_REGISTRY_SECRET);
}

bool wsk_service_secrets(wsk_secrets_new_t *out, uint32_t signature)
{
    out->fresh = (wsk_fresh_t){ out->key, out->publish, out->jwt, signature };
    return random_hex(out->key, WSK_REGISTRY_KEY)
           && random_hex(out->publish, WSK_REGISTRY_SECRET)
           && random_hex(out->jwt, WSK_REGISTRY_SECRET);
}

const char *wsk_service_name(apr_pool_t *preq, const char *given)
{
    size_t len = given && wsk_utf8_valid(given, strlen(given)) ? strlen(given)
                                                               : 0;

    if (len > WSK_REGISTRY_NAME) {
        len = WSK_REGISTRY_NAME;
        while ((given[len] & 0xc0) == 0x80) {
            len--;
        }
    }
    return apr_pstrmemdup(preq, given ? given : "", len);
}

bool wsk_service_hash(const char *text, char out[WSK_REGISTRY_SECRET + 1])
{
    uint8_t hash[WSK_MAC_LEN];
    wsk_slice_t part = { text, strlen(text) };

    if (part.len != WSK_REGISTRY_SECRET
        || strspn(text, "0123456789abcdef") != part.len
        || !wsk_sha256(hash, &part, 1)) {
        return false;
    }
    wsk_hex(out, hash, sizeof hash);
    return true;
}
