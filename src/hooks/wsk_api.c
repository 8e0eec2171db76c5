/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_api -- what a site's server calls: /api/sites/register, unregister, and
 * /api/connect/exchange (wire document, sections 3.4 to 3.6).
 */
#include "hooks/wsk_service.h"

#include "auth/wsk_mac.h"

#define BODY_MAX 16384

typedef struct call_t {
    request_rec *r;
    const wsk_host_t *host;
    wsk_registry_t *reg;
    json_t *body;
    int64_t now_s;
} call_t;

/* @return DECLINED, or what was answered */
static int begin(call_t *call, request_rec *r, const wsk_request_t *wr)
{
    char *text;
    apr_size_t len;
    int status = wsk_body_read(r, BODY_MAX, &text, &len);

    /* The time is that after the body, which may have taken long to come. */
    *call = (call_t){ .r = r,
                      .host = wr->host,
                      .now_s = apr_time_sec(apr_time_now()) };
    if (!text) {
        return status;
    }
    call->body = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
    OPENSSL_cleanse(text, len);
    if (!json_is_object(call->body)) {
        json_decref(call->body);
        return wsk_refuse(r, WSK_R_invalid_json, 0);
    }
    return DECLINED;
}

static const char *text_of(const call_t *call, const char *name)
{
    return json_string_value(json_object_get(call->body, name));
}

/* The version of the signature that the site is connected for, once for all.
 * @return 0: there is no such */
static uint32_t signature_of(const call_t *call)
{
    const json_t *given = json_object_get(call->body, "signature");
    json_int_t version = given ? json_integer_value(given) : 1;

    return version == 1 || version == 2 ? (uint32_t)version : 0;
}

/* The hash of the API key that the request bears.
 * @return false: it bears none */
static bool bearer(request_rec *r, char hash[WSK_REGISTRY_SECRET + 1])
{
    const char *value = apr_table_get(r->headers_in, "Authorization");

    return value && strncasecmp(value, "Bearer ", 7) == 0
           && wsk_service_hash(value + 7 + strspn(value + 7, " "), hash);
}

/* After what can be refused without it.
 * @return DECLINED, or what was answered */
static int need_registry(call_t *call)
{
    call->reg = wsk_service_open(call->host);
    return call->reg ? DECLINED : wsk_refuse(call->r, WSK_R_unavailable, 2);
}

/* The segment has no place: then the registry does not say there is one. */
static int no_place(const call_t *call, const wsk_registered_t *site)
{
    wsk_registry_disconnect(call->reg, site->key, NULL, call->now_s);
    return wsk_refuse(call->r, WSK_R_site_limit_reached, 0);
}

/* @param code  the hash of the one it was connected by, or NULL */
static int connected(const call_t *call, wsk_registered_t *site,
                     const char *code)
{
    wsk_status_e rv = wsk_fill_surely(call->host->service, site->key);
    int status;

    if (code && rv == WSK_OK) {
        wsk_registry_redeemed(call->reg, code);
    }
    else if (code) {
        wsk_registry_unredeemed(call->reg, code);
    }
    if (rv == WSK_EFULL) {
        status = no_place(call, site);
    }
    else if (rv != WSK_OK) {
        status = wsk_service_refuse(call->r, rv);
    }
    else {
        status = wsk_answer(
            call->r, HTTP_OK,
            apr_psprintf(call->r->pool,
                         "{\"site_key\":\"%s\","
                         "\"publish_secret\":\"%s\","
                         "\"jwt_secret\":\"%s\"%s}",
                         site->key, site->publish[0], site->jwt[0],
                         site->signature == 2 ? ",\"signature\":2" : ""));
    }
    OPENSSL_cleanse(site, sizeof *site);
    return status;
}

#define FULL_ACCOUNT "this account has as many sites as it may; disconnect one"

static int full_account(const call_t *call, const wsk_owner_t *owner,
                        const char *url)
{
    wsk_registered_t oldest = { .url = "" };

    wsk_registry_room(call->reg, owner, url, WSK_ACCOUNT_SITES, &oldest);
    return wsk_refuse_as(
        call->r, WSK_R_site_limit_reached,
        apr_pstrcat(call->r->pool, FULL_ACCOUNT " in the dashboard",
                    *oldest.url ? ", such as " : "", oldest.url, NULL));
}

static int register_site(call_t *call)
{
    char url[WSK_URL_MAX + 1], hash[WSK_REGISTRY_SECRET + 1];
    const char *given = text_of(call, "site_url");
    const char *name = text_of(call, "site_name");
    const wsk_owner_t owner = { NULL, hash };
    wsk_secrets_new_t made;
    wsk_registered_t site;
    wsk_status_e rv;
    int status;

    if (!bearer(call->r, hash)) {
        return wsk_refuse(call->r, WSK_R_invalid_api_key, 0);
    }
    if (!given || !wsk_url_site(given, url) || !signature_of(call)) {
        return wsk_refuse(call->r, WSK_R_invalid_request, 0);
    }
    status = need_registry(call);
    if (status != DECLINED) {
        return status;
    }
    if (!wsk_service_secrets(&made, signature_of(call))) {
        return wsk_refuse(call->r, WSK_R_unavailable, 1);
    }
    name = wsk_service_name(call->r->pool, name);
    rv = wsk_registry_connect(call->reg, &owner, url, name, &made.fresh,
                              WSK_ACCOUNT_SITES, call->now_s, &site);
    OPENSSL_cleanse(&made, sizeof made);
    switch (rv) {
    case WSK_OK:
        return connected(call, &site, NULL);
    case WSK_ENOTFOUND:
        return wsk_refuse(call->r, WSK_R_invalid_api_key, 0);
    case WSK_EFULL:
        return full_account(call, &owner, url);
    default:
        return wsk_service_refuse(call->r, rv);
    }
}

static bool is_secret(const wsk_registered_t *site, const char *given)
{
    size_t len = given ? strlen(given) : 0;
    bool is = false;
    int i;

    for (i = 0; i < 2; i++) {
        is |= len > 0 && len == strlen(site->publish[i])
              && wsk_same(site->publish[i], given, len);
    }
    return is;
}

static bool knows(void *baton, const wsk_registered_t *site)
{
    return is_secret(site, text_of(baton, "publish_secret"));
}

/* Either proof is enough: the site's secret, or its account's API key. So a site
 * whose API key was renewed can go, and so can one that lost its secret. */
static wsk_status_e disconnect(call_t *call, const char *key,
                               wsk_refusal_e *why)
{
    char hash[WSK_REGISTRY_SECRET + 1] = "";
    const bool bears = bearer(call->r, hash);
    const wsk_leaver_t who = { knows, call, bears ? hash : NULL };
    wsk_status_e rv = wsk_registry_leave(call->reg, key, &who, call->now_s);

    *why = rv == WSK_ECLASH
                   || (!bears
                       && apr_table_get(call->r->headers_in, "Authorization"))
               ? WSK_R_invalid_api_key
               : WSK_R_unauthorized;
    return rv == WSK_ECLASH ? WSK_EINVAL : rv;
}

static bool is_key(const char *text)
{
    return strspn(text, "0123456789abcdef") == WSK_REGISTRY_KEY
           && !text[WSK_REGISTRY_KEY];
}

static int unregister_site(call_t *call)
{
    const char *key = text_of(call, "site_key");
    wsk_refusal_e why;
    wsk_status_e rv;
    int status;

    if (!key) {
        return wsk_refuse(call->r, WSK_R_invalid_request, 0);
    }
    if (!is_key(key)) {
        return wsk_refuse(call->r, WSK_R_not_found, 0);
    }
    status = need_registry(call);
    if (status != DECLINED) {
        return status;
    }
    rv = disconnect(call, key, &why);
    /* Also where it was archived by somebody who died on the way. */
    if (rv == WSK_OK || rv == WSK_ENOTFOUND) {
        wsk_status_e applied = wsk_fill_surely(call->host->service, key);

        rv = applied == WSK_OK ? rv : applied;
    }
    switch (rv) {
    case WSK_OK:
        return wsk_answer(call->r, HTTP_OK, "{\"ok\":true}");
    case WSK_ENOTFOUND:
        return wsk_refuse(call->r, WSK_R_not_found, 0);
    case WSK_EINVAL:
        return wsk_refuse(call->r, why, 0);
    default:
        return wsk_service_refuse(call->r, rv);
    }
}

static int exchange(call_t *call)
{
    char hash[WSK_REGISTRY_SECRET + 1], url[WSK_URL_MAX + 1];
    const char *code = text_of(call, "code");
    const char *given = text_of(call, "site_url");
    wsk_secrets_new_t made;
    wsk_registered_t site;
    wsk_status_e rv;
    int status;

    if (!code || !wsk_service_hash(code, hash)
        || (given && !wsk_url_site(given, url))) {
        return wsk_refuse(call->r, WSK_R_invalid_code, 0);
    }
    if (!signature_of(call)) {
        return wsk_refuse(call->r, WSK_R_invalid_request, 0);
    }
    status = need_registry(call);
    if (status != DECLINED) {
        return status;
    }
    if (!wsk_service_secrets(&made, signature_of(call))) {
        return wsk_refuse(call->r, WSK_R_unavailable, 1);
    }
    rv = wsk_registry_redeem(call->reg, hash, given ? url : NULL, &made.fresh,
                             WSK_ACCOUNT_SITES, call->now_s, &site);
    OPENSSL_cleanse(&made, sizeof made);
    switch (rv) {
    case WSK_OK:
        return connected(call, &site, hash);
    case WSK_ENOTFOUND:
        return wsk_refuse(call->r, WSK_R_invalid_code, 0);
    case WSK_EGAP:
        return wsk_refuse(call->r, WSK_R_expired_code, 0);
    case WSK_EFULL:
        return wsk_refuse_as(call->r, WSK_R_site_limit_reached,
                             FULL_ACCOUNT " in the dashboard");
    default:
        return wsk_service_refuse(call->r, rv);
    }
}

static int handle(request_rec *r, wsk_request_t *wr,
                  int (*answer)(call_t *call))
{
    call_t call;
    int status = begin(&call, r, wr);

    if (status == DECLINED) {
        status = answer(&call);
        json_decref(call.body);
    }
    return status;
}

int wsk_handle_register(request_rec *r, wsk_request_t *wr)
{
    return handle(r, wr, register_site);
}

int wsk_handle_unregister(request_rec *r, wsk_request_t *wr)
{
    return handle(r, wr, unregister_site);
}

int wsk_handle_exchange(request_rec *r, wsk_request_t *wr)
{
    return handle(r, wr, exchange);
}
