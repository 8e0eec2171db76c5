/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_sites -- the sites of all hosts into the segment, those of host mode too;
 * WordSocketSiteFile is read here. In the parent, as root, before children exist.
 */
#include "conf/wsk_site_file.h"
#include "hooks/wsk_host.h"
#include "hooks/wsk_service.h"

#include <openssl/rand.h>

typedef struct load_t {
    apr_pool_t *ptemp;
    const char *file;
    const wsk_settings_t *set;
    wsk_site_seen_fn *seen; /* of wsk_sites_see */
    void *baton;
    char owner[WSK_USER_NAME_MAX + 1]; /* of the host */
    uint64_t stamp;
    apr_array_header_t *numbers;
    uint32_t count;
    bool unreserved;
    bool keep; /* host mode is not in order */
} load_t;

static const char *wrong(load_t *ld, const char *what)
{
    return apr_psprintf(ld->ptemp, "WordSocketSiteFile %s: %s", ld->file, what);
}

static const char *read_site(load_t *ld, json_t *site, wsk_site_spec_t *spec)
{
    char what[WSK_SITE_WRONG_MAX];

    memset(spec, 0, sizeof *spec);
    wsk_settings_limits(ld->set, &spec->limits);
    apr_cpystrn(spec->user, ld->owner, sizeof spec->user);
    if (!wsk_site_file_spec(site, spec, what)) {
        return wrong(ld, what);
    }
    if (!wsk_site_id(spec->site_id,
                     (wsk_slice_t){ spec->key, strlen(spec->key) })) {
        return wrong(ld, "no memory for its site_id");
    }
    return NULL;
}

static const char *check_site(load_t *ld, json_t *site)
{
    wsk_site_spec_t spec;
    const char *error = read_site(ld, site, &spec);

    OPENSSL_cleanse(&spec, sizeof spec);
    ld->count++;
    return error;
}

static const char *see_site(load_t *ld, json_t *site)
{
    wsk_site_spec_t spec;

    if (!read_site(ld, site, &spec)) {
        ld->seen(ld->baton, &spec);
    }
    OPENSSL_cleanse(&spec, sizeof spec);
    return NULL;
}

wsk_status_e wsk_sites_put(const wsk_site_spec_t *spec, uint64_t stamp,
                           uint32_t *pnumber)
{
    uint64_t epoch = 0;

    *pnumber = WSK_NO_SITE;
    if (RAND_bytes((unsigned char *)&epoch, sizeof epoch) != 1) {
        return WSK_ENOMEM;
    }
    epoch = (epoch & UINT64_C(0xffffffffffff)) | 1;
    return wsk_site_put(wsk_process.seg, spec, stamp, epoch, pnumber);
}

static const char *put_spec(load_t *ld, const wsk_site_spec_t *spec)
{
    uint32_t number;
    wsk_status_e rv = wsk_sites_put(spec, ld->stamp, &number);

    if (rv == WSK_ENOMEM) {
        return wrong(ld, "the system gives no random numbers");
    }
    ld->unreserved |= rv != WSK_OK;
    if (number == WSK_NO_SITE) {
        return wrong(ld, "no place for one more site; give "
                         "WordSocketSharedMemory more and restart");
    }
    APR_ARRAY_PUSH(ld->numbers, uint32_t) = number;
    return NULL;
}

static const char *put_site(load_t *ld, json_t *site)
{
    wsk_site_spec_t spec;
    const char *error = read_site(ld, site, &spec);

    if (!error) {
        error = put_spec(ld, &spec);
    }
    OPENSSL_cleanse(&spec, sizeof spec);
    return error;
}

/* Goes on after an error and returns the first. */
static const char *each_site(load_t *ld, json_t *root,
                             const char *(*act)(load_t *, json_t *))
{
    const char *error = NULL, *one;
    size_t i;

    for (i = 0; i < wsk_site_file_count(root); i++) {
        one = act(ld, wsk_site_file_at(root, i));
        error = error ? error : one;
    }
    return error;
}

/* @return a file in which every site can be read, or NULL */
static json_t *read_file(load_t *ld, const char **perror)
{
    char what[WSK_SITE_WRONG_MAX];
    json_t *root = wsk_site_file_read(ld->file, what);

    *perror = root ? each_site(ld, root, check_site) : wrong(ld, what);
    if (*perror) {
        json_decref(root);
        return NULL;
    }
    return root;
}

/* The sites it gave when it was in order, said again as they are. */
static void keep_sites(load_t *ld, const wsk_file_t *file)
{
    unsigned i;

    for (i = 0; i < file->n; i++) {
        wsk_site_spec_t spec;

        if (wsk_site_read(wsk_process.seg, file->numbers[i], &spec, NULL)
            == WSK_OK) {
            put_spec(ld, &spec);
        }
        OPENSSL_cleanse(&spec, sizeof spec);
    }
}

static void refuse_file(const wsk_file_t *file, server_rec *s,
                        const char *error, bool whole)
{
    if (file->refused) {
        return; /* by another host of this load */
    }
    if (whole) {
        ap_log_error(APLOG_MARK, APLOG_CRIT, 0, s,
                     "WSK0308 %s; its sites stay as they were: correct it, try "
                     "'httpd -t', and reload",
                     error);
    }
    else {
        ap_log_error(APLOG_MARK, APLOG_CRIT, 0, s, "WSK0309 %s", error);
    }
}

static const char *load_file(load_t *ld, server_rec *s)
{
    wsk_file_t *file = wsk_file_of(s->process->pool, ld->file);
    const char *error;
    json_t *root = read_file(ld, &error);

    file->refused = file->refused && file->stamp == ld->stamp;
    file->stamp = ld->stamp;
    if (root) {
        error = each_site(ld, root, put_site);
    }
    else if (wsk_is_reload()) {
        keep_sites(ld, file);
    }
    if (error && wsk_is_reload()) {
        refuse_file(file, s, error, !root);
        file->refused = true;
        error = NULL;
    }
    json_decref(root);
    wsk_file_holds(s->process->pool, file,
                   (const uint32_t *)(void *)ld->numbers->elts,
                   (unsigned)ld->numbers->nelts);
    return error;
}

static bool has_file(const wsk_host_t *host)
{
    return host->set.enabled && host->set.site_file;
}

const char *wsk_sites_check(server_rec *s, apr_pool_t *ptemp, uint32_t *pcount)
{
    load_t ld = { .ptemp = ptemp };
    const char *error = NULL, *one;
    server_rec *main_server = s;

    for (; s; s = s->next) {
        wsk_host_t *host = wsk_conf_of(s);

        if (has_file(host)) {
            ld.file = host->set.site_file;
            ld.set = &host->set;
            json_decref(read_file(&ld, &one));
            error = error ? error : one;
        }
    }
    *pcount = ld.count;
    one = wsk_host_check(main_server, ptemp, pcount);
    return error ? error : one;
}

static void say_kept(server_rec *s, const char *error)
{
    ap_log_error(APLOG_MARK, APLOG_CRIT, 0, s,
                 "WSK0310 %s; what was connected stays as it was, and nothing "
                 "can be connected: correct it, and reload",
                 error);
}

/* What is wrong with host mode ends httpd at its first start only. */
static const char *host_keys(load_t *ld, server_rec *s, apr_pool_t *pconf)
{
    const char *error = wsk_host_keys(s, pconf, ld->ptemp);

    ld->keep = error && wsk_is_reload();
    if (ld->keep) {
        say_kept(s, error);
    }
    return ld->keep ? NULL : error;
}

/* Nor what is wrong with its file of sites. */
static const char *load_host_mode(load_t *ld, server_rec *s, bool settle)
{
    wsk_host_load_t how = { .stamp = ld->stamp,
                            .keep = ld->keep,
                            .settle = settle };
    const char *error = wsk_host_sites(s, ld->ptemp, &how, &ld->unreserved);

    if (!error || !wsk_is_reload()) {
        return error;
    }
    say_kept(s, error);
    wsk_host_stop(s);
    ld->keep = how.keep = true;
    return wsk_host_sites(s, ld->ptemp, &how, &ld->unreserved);
}

void wsk_sites_see(server_rec *s, apr_pool_t *ptemp, wsk_site_seen_fn *seen,
                   void *baton)
{
    const wsk_host_t *host = wsk_conf_of(s);
    load_t ld = { .ptemp = ptemp,
                  .seen = seen,
                  .baton = baton,
                  .file = host->set.site_file,
                  .set = &host->set };
    const char *error;
    json_t *root = has_file(host) ? read_file(&ld, &error) : NULL;

    if (root) {
        wsk_owner_name(wsk_owner_of_host(s, ptemp), ld.owner);
        each_site(&ld, root, see_site);
    }
    json_decref(root);
}

/* What was not loaded now is gone, but for the sites of registries. */
static void retire(uint64_t stamp)
{
    uint64_t stamps[1 + WSK_SERVICES_MAX] = { stamp };
    unsigned n = 1 + wsk_service_stamps(stamps + 1, WSK_SERVICES_MAX);

    wsk_site_retire(wsk_process.seg, stamps, n);
}

const char *wsk_sites_load(server_rec *s, apr_pool_t *pconf, apr_pool_t *ptemp)
{
    load_t ld = { .ptemp = ptemp, .stamp = (uint64_t)apr_time_now() };
    const char *error = NULL;
    server_rec *v;

    error = host_keys(&ld, s, pconf);
    for (v = s; v && !error; v = v->next) {
        wsk_host_t *host = wsk_conf_of(v);

        if (!has_file(host)) {
            continue;
        }
        ld.file = host->set.site_file;
        ld.set = &host->set;
        wsk_owner_name(wsk_owner_of_host(v, ptemp), ld.owner);
        ld.numbers = apr_array_make(pconf, 1, sizeof(uint32_t));
        error = load_file(&ld, s);
        host->sites = (const uint32_t *)(void *)ld.numbers->elts;
        host->nsites = (unsigned)ld.numbers->nelts;
    }
    if (!error) {
        error = load_host_mode(&ld, s, true);
    }
    if (error) {
        return error;
    }
    retire(ld.stamp);
    error = load_host_mode(&ld, s, false); /* changed meanwhile */
    if (error) {
        return error;
    }
    wsk_segment_mark(wsk_process.seg, WSK_MARK_REFUSED_FILES,
                     wsk_files_settle(s->process->pool, ld.stamp));
    if (ld.unreserved) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, s,
                     "WSK0301 the pages promised to every site do not fit "
                     "WordSocketSharedMemory; give it more");
    }
    return NULL;
}
