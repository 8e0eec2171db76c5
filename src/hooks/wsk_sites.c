/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_sites -- the sites of all hosts into the segment, those of host mode too;
 * WordSocketSiteFile is read here. In the parent, as root, before children exist.
 */
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

static bool copy_text(json_t *value, char *out, size_t cap)
{
    size_t len = json_string_length(value);

    if (!json_is_string(value) || len == 0 || len >= cap) {
        return false;
    }
    memcpy(out, json_string_value(value), len + 1);
    return strlen(out) == len;
}

static bool copy_secrets(json_t *value, wsk_secret_pair_t *out)
{
    if (json_is_array(value)) {
        return json_array_size(value) >= 1 && json_array_size(value) <= 2
               && copy_text(json_array_get(value, 0), out->at[0],
                            sizeof out->at[0])
               && (json_array_size(value) == 1
                   || copy_text(json_array_get(value, 1), out->at[1],
                                sizeof out->at[1]));
    }
    return copy_text(value, out->at[0], sizeof out->at[0]);
}

enum { OF_SITE, OF_HOST };

static const struct {
    const char *name;
    size_t offset, size;
    int whose;
} limits_known[] = {
/* clang-format off */
#define X(type, name, whose) \
    { #name, offsetof(wsk_limits_t, name), sizeof(type), OF_##whose },
    /* clang-format on */
    WSK_LIMITS(X)
#undef X
};

/* @return false: a site file has no limit of this name */
static bool set_limit(wsk_limits_t *out, const char *name, uint32_t value)
{
    size_t i;

    for (i = 0; i < WSK_COUNT_OF(limits_known); i++) {
        void *at = (char *)out + limits_known[i].offset;

        if (limits_known[i].whose == OF_HOST
            || strcmp(name, limits_known[i].name) != 0) {
            continue;
        }
        if (limits_known[i].size == sizeof(uint64_t)) {
            *(uint64_t *)at = value;
        }
        else {
            *(uint32_t *)at = value;
        }
        return true;
    }
    return false;
}

static const char *read_limits(load_t *ld, json_t *limits, wsk_limits_t *out)
{
    const char *name;
    json_t *value;

    json_object_foreach(limits, name, value)
    {
        json_int_t n = json_integer_value(value);

        if (!json_is_integer(value) || n < 0 || n > UINT32_MAX) {
            return wrong(ld, apr_psprintf(ld->ptemp,
                                          "limit \"%s\" is not a "
                                          "whole number",
                                          name));
        }
        if (!set_limit(out, name, (uint32_t)n)) {
            return wrong(ld, apr_psprintf(ld->ptemp,
                                          "no limit is named "
                                          "\"%s\"",
                                          name));
        }
    }
    return NULL;
}

static const char *read_site(load_t *ld, json_t *site, wsk_site_spec_t *spec)
{
    json_t *signature = json_object_get(site, "signature");

    *spec = (wsk_site_spec_t){ .signature = 1 };
    wsk_settings_limits(ld->set, &spec->limits);
    if (!copy_text(json_object_get(site, "site_key"), spec->key,
                   sizeof spec->key)
        || strspn(spec->key, "0123456789abcdefghijklmnopqrstuvwxyz"
                             "ABCDEFGHIJKLMNOPQRSTUVWXYZ-_.")
               != strlen(spec->key)) {
        return wrong(ld, "\"site_key\" must be 1 to 64 letters, digits, "
                         "'-', '_' or '.'");
    }
    if (!copy_secrets(json_object_get(site, "publish_secret"), &spec->publish)
        || !copy_secrets(json_object_get(site, "jwt_secret"), &spec->jwt)) {
        return wrong(ld, "\"publish_secret\" and \"jwt_secret\" must be a "
                         "text of 1 to 128 bytes, or a list of two");
    }
    if (json_object_get(site, "site_url")
        && !copy_text(json_object_get(site, "site_url"), spec->url,
                      sizeof spec->url)) {
        return wrong(ld, "\"site_url\" must be a text of at most 255 bytes");
    }
    apr_cpystrn(spec->user, ld->owner, sizeof spec->user);
    if (json_object_get(site, "user")
        && !copy_text(json_object_get(site, "user"), spec->user,
                      sizeof spec->user)) {
        return wrong(ld, "\"user\" must be a text of 1 to 63 bytes");
    }
    if (signature && json_integer_value(signature) != 1
        && json_integer_value(signature) != 2) {
        return wrong(ld, "\"signature\" must be 1 or 2");
    }
    if (signature) {
        spec->signature = (uint32_t)json_integer_value(signature);
    }
    if (!wsk_site_id(spec->site_id,
                     (wsk_slice_t){ spec->key, strlen(spec->key) })) {
        return wrong(ld, "no memory for its site_id");
    }
    return read_limits(ld, json_object_get(site, "limits"), &spec->limits);
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

/* One object, or a list of them; goes on after an error and returns the first. */
static const char *each_site(load_t *ld, json_t *root,
                             const char *(*act)(load_t *, json_t *))
{
    const char *error = NULL, *one;
    size_t i;

    if (!json_is_array(root)) {
        return act(ld, root);
    }
    for (i = 0; i < json_array_size(root); i++) {
        one = act(ld, json_array_get(root, i));
        error = error ? error : one;
    }
    return error;
}

/* What the parser says, without the text it says it of: that may be a secret. */
static const char *not_json(load_t *ld, const json_error_t *at)
{
    const char *near = strstr(at->text, " near ");
    int len = (int)(near ? near - at->text : (long)strlen(at->text));

    if (at->line < 0) {
        const char *why = strrchr(at->text, ':');

        return wrong(ld, apr_pstrcat(ld->ptemp, "cannot be opened",
                                     why ? why : "", NULL));
    }
    return wrong(
        ld, apr_psprintf(ld->ptemp, "line %d: %.*s", at->line, len, at->text));
}

/* @return a file in which every site can be read, or NULL */
static json_t *read_file(load_t *ld, const char **perror)
{
    json_error_t at;
    json_t *root = json_load_file(ld->file, JSON_REJECT_DUPLICATES, &at);

    *perror = root ? each_site(ld, root, check_site) : not_json(ld, &at);
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
