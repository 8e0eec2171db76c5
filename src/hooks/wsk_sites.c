/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_sites -- the sites of WordSocketSiteFile, into the segment; in the parent,
 * as root, before children exist.
 */
#include "hooks/wsk_hooks.h"

#include <openssl/rand.h>

#define FILE_MAX WSK_MB(4)

typedef struct load_t {
    apr_pool_t *pconf, *ptemp;
    const char *file;
    const wsk_settings_t *set;
    bool check_only;
    wsk_site_seen_fn *seen; /* told of each site; NULL */
    void *baton;
    uint64_t stamp;
    apr_array_header_t *numbers;
    uint32_t count;
    bool unreserved;
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

static const struct {
    const char *name;
    size_t offset;
} limit_names[] = {
#define LIMIT(name) \
    { \
#name, offsetof(wsk_limits_t, name) \
    }
    LIMIT(connections),      LIMIT(address_connections), LIMIT(publish_rate),
    LIMIT(publish_burst),    LIMIT(browser_rate),        LIMIT(browser_burst),
    LIMIT(connection_rate),  LIMIT(connection_burst),    LIMIT(max_message),
    LIMIT(max_publish),      LIMIT(max_channels),        LIMIT(send_queue),
    LIMIT(history_messages), LIMIT(history_age_ms)
#undef LIMIT
};

static const char *read_limits(load_t *ld, json_t *limits, wsk_limits_t *out)
{
    const char *name;
    json_t *value;
    size_t i;

    json_object_foreach(limits, name, value)
    {
        json_int_t n = json_integer_value(value);

        if (!json_is_integer(value) || n < 0 || n > UINT32_MAX) {
            return wrong(ld, apr_psprintf(ld->ptemp,
                                          "limit \"%s\" is not a "
                                          "whole number",
                                          name));
        }
        if (strcmp(name, "history_bytes") == 0) {
            out->history_bytes = (uint64_t)n;
            continue;
        }
        for (i = 0; i < WSK_COUNT_OF(limit_names); i++) {
            if (strcmp(name, limit_names[i].name) == 0) {
                *(uint32_t *)(void *)((char *)out
                                      + limit_names[i].offset) = (uint32_t)n;
                break;
            }
        }
        if (i == WSK_COUNT_OF(limit_names)) {
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
    const char *error;

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
    if (signature && json_integer_value(signature) != 1) {
        return wrong(ld, "\"signature\" must be 1");
    }
    error = read_limits(ld, json_object_get(site, "limits"), &spec->limits);
    wsk_site_id(spec->site_id, (wsk_slice_t){ spec->key, strlen(spec->key) });
    return error;
}

static const char *put_site(load_t *ld, json_t *site)
{
    wsk_site_spec_t spec;
    const char *error = read_site(ld, site, &spec);
    uint32_t number = WSK_NO_SITE;
    uint64_t epoch = 0;

    ld->count++;
    if (!error && ld->seen) {
        ld->seen(ld->baton, &spec);
    }
    if (!error && !ld->check_only) {
        RAND_bytes((unsigned char *)&epoch, sizeof epoch);
        epoch = (epoch & UINT64_C(0xffffffffffff)) | 1;
        if (wsk_site_put(wsk_process.seg, &spec, ld->stamp, epoch, &number)
            != WSK_OK) {
            ld->unreserved = true;
        }
        if (number == WSK_NO_SITE) {
            error = wrong(ld, "no place for one more site; give "
                              "WordSocketSharedMemory more and restart");
        }
        else {
            APR_ARRAY_PUSH(ld->numbers, uint32_t) = number;
        }
    }
    OPENSSL_cleanse(&spec, sizeof spec);
    return error;
}

static const char *load_file(load_t *ld)
{
    json_error_t at;
    json_t *root = json_load_file(ld->file, JSON_REJECT_DUPLICATES, &at);
    const char *error = NULL;
    size_t i;

    if (!root) {
        return wrong(ld,
                     apr_psprintf(ld->ptemp, "line %d: %s", at.line, at.text));
    }
    if (json_is_array(root)) {
        for (i = 0; i < json_array_size(root) && !error; i++) {
            error = put_site(ld, json_array_get(root, i));
        }
    }
    else {
        error = put_site(ld, root);
    }
    json_decref(root);
    return error;
}

void wsk_sites_see(server_rec *s, apr_pool_t *ptemp, wsk_site_seen_fn *seen,
                   void *baton)
{
    const wsk_host_t *host = wsk_conf_of(s);
    load_t ld = { .ptemp = ptemp,
                  .check_only = true,
                  .seen = seen,
                  .baton = baton,
                  .file = host->set.site_file,
                  .set = &host->set };

    if (host->set.enabled && host->set.site_file) {
        load_file(&ld);
    }
}

const char *wsk_sites_load(server_rec *s, apr_pool_t *pconf, apr_pool_t *ptemp,
                           bool check_only, uint32_t *pcount)
{
    load_t ld = { .pconf = pconf,
                  .ptemp = ptemp,
                  .check_only = check_only,
                  .stamp = (uint64_t)apr_time_now() };
    const char *error = NULL;
    server_rec *v;

    for (v = s; v && !error; v = v->next) {
        wsk_host_t *host = wsk_conf_of(v);

        if (!host->set.enabled || !host->set.site_file) {
            continue;
        }
        ld.file = host->set.site_file;
        ld.set = &host->set;
        ld.numbers = apr_array_make(pconf, 1, sizeof(uint32_t));
        error = load_file(&ld);
        host->sites = (const uint32_t *)(void *)ld.numbers->elts;
        host->nsites = (unsigned)ld.numbers->nelts;
    }
    if (!error && !check_only) {
        wsk_site_retire(wsk_process.seg, ld.stamp);
    }
    if (ld.unreserved) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, s,
                     "WSK0301 the pages promised to every site do not fit "
                     "WordSocketSharedMemory; give it more");
    }
    *pcount = ld.count;
    return error;
}
