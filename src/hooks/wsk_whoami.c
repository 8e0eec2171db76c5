/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_whoami -- POST /site/whoami: a site of host mode proves that it has its
 * keys, which connects it, and is shown that this is who made them. POST
 * /site/disconnect revokes them.
 */
#include "hooks/wsk_host.h"

#define BODY_MAX 2048
#define CHALLENGE_MAX 128

typedef struct asked_t {
    const char *home, *challenge;
    uint64_t generation;
} asked_t;

static bool read_asked(const char *body, apr_size_t len, apr_pool_t *pool,
                       asked_t *out)
{
    json_t *root = json_loadb(body, len, JSON_REJECT_DUPLICATES, NULL);
    const char *home = json_string_value(json_object_get(root, "home"));
    json_t *challenge = json_object_get(root, "challenge");
    json_int_t generation = json_integer_value(
        json_object_get(root, "generation"));
    bool is = home && wsk_home_ok(home) && generation > 0
              && json_string_length(challenge) >= 16
              && json_string_length(challenge) <= CHALLENGE_MAX;

    if (is) {
        out->home = apr_pstrdup(pool, home);
        out->challenge = apr_pstrdup(pool, json_string_value(challenge));
        out->generation = (uint64_t)generation;
    }
    json_decref(root);
    return is;
}

static wsk_slice_t slice(const char *text)
{
    return (wsk_slice_t){ text ? text : "", text ? strlen(text) : 0 };
}

static wsk_refusal_e check(request_rec *r, const wsk_request_t *wr,
                           wsk_signer_t *by, wsk_slice_t body, bool *pconnects)
{
    const wsk_site_spec_t *spec = &by->spec;
    wsk_refusal_e why;
    uint64_t live, last;
    bool on;

    wsk_signer_named(r, by);
    if (by->key.len != strlen(spec->key)
        || memcmp(by->key.at, spec->key, by->key.len) != 0) {
        return WSK_R_unknown_site_key;
    }
    by->state = WSK_SITE_ON; /* as far as signatures go */
    why = wsk_signer_check(r, wr, by, body);
    if (why != WSK_R_COUNT) {
        return why;
    }
    live = wsk_host_generation(spec->key, r->request_time, &last, &on);
    *pconnects = !on;
    if (on) {
        return spec->generation == live ? WSK_R_COUNT : WSK_R_site_revoked;
    }
    /* Between giving out keys and this a minute may have begun. */
    if (spec->generation <= last || spec->generation + 2 < live) {
        return WSK_R_site_revoked;
    }
    return spec->generation
                   > wsk_host_clock(r->request_time) + WSK_GENERATIONS_AHEAD
               ? WSK_R_rate_limited
               : WSK_R_COUNT;
}

static bool tell(const wsk_site_spec_t *spec, const wsk_host_t *host, bool on)
{
    wsk_ledger_entry_t entry = { .generation = spec->generation, .on = on };

    apr_cpystrn(entry.tag, host->keys.tag, sizeof entry.tag);
    apr_cpystrn(entry.home, spec->url, sizeof entry.home);
    return wsk_ledger_append(wsk_process.ledger, &entry);
}

/* First the ledger: a reload in between finds the site there. */
static wsk_refusal_e connect_site(request_rec *r, const wsk_site_spec_t *spec,
                                  const wsk_host_t *host)
{
    uint32_t site = WSK_NO_SITE;
    wsk_status_e rv;

    if (!wsk_host_room(host, spec->key)) {
        return WSK_R_unavailable;
    }
    if (!tell(spec, host, true)) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r,
                      "WSK0501 a site could not be connected: the file beside "
                      "the host key cannot be written");
        return WSK_R_unavailable;
    }
    rv = wsk_host_put(spec, (uint64_t)r->request_time, &site);
    if (rv == WSK_EINVAL) {
        return WSK_R_site_revoked;
    }
    if (site == WSK_NO_SITE || (rv != WSK_OK && rv != WSK_EFULL)) {
        return WSK_R_unavailable;
    }
    wsk_bell_ring(wsk_process.bell, wsk_process.seg, site);
    ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r,
                  "WSK0502 site %s is connected: %s", spec->key, spec->url);
    return WSK_R_COUNT;
}

static int prove(request_rec *r, const wsk_site_spec_t *spec,
                 const char *challenge)
{
    const wsk_slice_t parts[] = { slice("wordsocket-whoami-v1\n"),
                                  slice(challenge) };
    uint8_t mac[WSK_MAC_LEN];
    char hex[2 * WSK_MAC_LEN + 1];

    if (!wsk_mac(mac, slice(spec->publish.at[0]), parts, WSK_COUNT_OF(parts))) {
        return wsk_refuse(r, WSK_R_unavailable, 1);
    }
    wsk_hex(hex, mac, sizeof mac);
    return wsk_answer(
        r, HTTP_OK,
        apr_psprintf(r->pool,
                     "{\"ok\":true,\"site_key\":\"%s\","
                     "\"generation\":%" APR_UINT64_T_FMT ",\"proof\":\"%s\"}",
                     spec->key, (apr_uint64_t)spec->generation, hex));
}

int wsk_handle_whoami(request_rec *r, wsk_request_t *wr)
{
    wsk_refusal_e why = WSK_R_COUNT;
    wsk_signer_t by = { .site = WSK_NO_SITE };
    bool connects = false;
    asked_t asked;
    apr_size_t len = 0;
    char *body;
    int status = wsk_body_read(r, BODY_MAX, &body, &len);

    if (!body) {
        return status;
    }
    if (!read_asked(body, len, r->pool, &asked)) {
        return wsk_refuse(r, WSK_R_invalid_json, 0);
    }
    if (!wsk_host_spec(wr->host, asked.home, asked.generation, &by.spec)) {
        return wsk_refuse(r, WSK_R_unavailable, 1);
    }
    why = check(r, wr, &by, (wsk_slice_t){ body, len }, &connects);
    if (why == WSK_R_COUNT && connects) {
        why = connect_site(r, &by.spec, wr->host);
    }
    status = why == WSK_R_COUNT
                 ? prove(r, &by.spec, asked.challenge)
                 : wsk_refuse(r, why, why == WSK_R_rate_limited ? 60 : 0);
    OPENSSL_cleanse(&by, sizeof by);
    return status;
}

static bool is_disconnect(const char *body, apr_size_t len)
{
    json_t *root = json_loadb(body, len, JSON_REJECT_DUPLICATES, NULL);
    const char *action = json_string_value(json_object_get(root, "action"));
    bool is = action && strcmp(action, "disconnect") == 0;

    json_decref(root);
    return is;
}

/* A site of the site file is its administrator's to take out. */
static wsk_refusal_e disconnect(request_rec *r, const wsk_request_t *wr,
                                const wsk_signer_t *by)
{
    if (by->spec.generation == 0) {
        return WSK_R_not_found;
    }
    if (!tell(&by->spec, wr->host, false)) {
        return WSK_R_unavailable;
    }
    wsk_site_revoke(wsk_process.seg, by->site, by->spec.generation);
    wsk_bell_ring(wsk_process.bell, wsk_process.seg, by->site);
    ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r,
                  "WSK0503 site %s is disconnected: %s", by->spec.key,
                  by->spec.url);
    return WSK_R_COUNT;
}

int wsk_handle_disconnect(request_rec *r, wsk_request_t *wr)
{
    wsk_refusal_e why = WSK_R_unknown_site_key;
    wsk_signer_t by = { .site = WSK_NO_SITE };
    apr_size_t len = 0;
    char *body;
    int status = wsk_body_read(r, BODY_MAX, &body, &len);

    if (!body) {
        return status;
    }
    if (wsk_signer_find(r, wr, &by)) {
        why = wsk_signer_check(r, wr, &by, (wsk_slice_t){ body, len });
    }
    if (why == WSK_R_COUNT && !is_disconnect(body, len)) {
        why = WSK_R_invalid_json;
    }
    if (why == WSK_R_COUNT) {
        why = disconnect(r, wr, &by);
    }
    OPENSSL_cleanse(&by, sizeof by);
    return why == WSK_R_COUNT ? wsk_answer(r, HTTP_OK, "{\"ok\":true}")
                              : wsk_refuse(r, why, 0);
}
