/* SPDX-License-Identifier: Apache-2.0 */
#include "hooks/wsk_service.h"

#include <fcntl.h>
#include <openssl/rand.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ap_mpm.h"
#include "unixd.h"

#include "auth/wsk_mac.h"
#include "core/wsk_hash.h"
#include "proto/wsk_utf8.h"

#define WAIT_MS 2000
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
    if (service->reg) {
        wsk_registry_close(service->reg);
        pthread_mutex_destroy(&service->lock);
    }
    *service = (wsk_service_t){ .file = set->registry,
                                .set = set,
                                .number = nservices++ };
    pthread_mutex_init(&service->lock, NULL);
    return service;
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
        wrong = make_file(pconf, file);
        wrong = wrong ? wrong
                      : make_file(pconf,
                                  apr_pstrcat(pconf, file, "-journal", NULL));
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

static wsk_registry_t *open_it(wsk_service_t *service, server_rec *s)
{
    char why[WSK_REGISTRY_WHY];
    wsk_registry_t *reg;
    wsk_filled_t filled = { 0 };
    wsk_status_e rv;

    pthread_mutex_lock(&service->lock);
    if (!service->reg) {
        rv = wsk_registry_open(service->file, WAIT_MS, &service->reg, why);
        if (rv == WSK_OK && wsk_fill(service, NULL, &filled) != WSK_OK) {
            /* The next request tries again. */
            wsk_registry_close(service->reg);
            service->reg = NULL;
        }
        if (rv != WSK_OK && rv != WSK_EAGAIN) {
            ap_log_error(APLOG_MARK, APLOG_ERR, 0, s,
                         "WSK0403 the registry %s does not open: %s",
                         service->file, why);
        }
        if (service->reg) {
            ap_log_error(APLOG_MARK, APLOG_INFO, 0, s,
                         "WSK0406 the registry %s is open: %u changes to be "
                         "told",
                         service->file, filled.changes);
        }
        if (filled.lost) {
            ap_log_error(APLOG_MARK, APLOG_WARNING, 0, s,
                         "WSK0404 no place for %u sites of %s: give "
                         "WordSocketSharedMemory more and restart",
                         filled.lost, service->file);
        }
    }
    reg = service->reg;
    pthread_mutex_unlock(&service->lock);
    return reg;
}

void wsk_service_child(server_rec *s)
{
    unsigned i;

    for (i = 0; i < nservices; i++) {
        open_it(&services[i], s);
    }
}

wsk_registry_t *wsk_service_open(request_rec *r, const wsk_host_t *host)
{
    return open_it(host->service, r->server);
}

void wsk_service_failed(request_rec *r, wsk_status_e rv)
{
    if (rv != WSK_EAGAIN) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r,
                      "WSK0405 the registry cannot be written (%d): is the "
                      "disk full, or the file damaged or not httpd's?",
                      (int)rv);
    }
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
