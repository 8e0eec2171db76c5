/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_answer -- JSON answers, refusals, origins, bodies.
 */
#include "hooks/wsk_hooks.h"

static const struct {
    const char *name;
    int status;
    const char *text;
} refusals[] = {
#define X(name, status, text) { #name, status, text },
    WSK_REFUSALS(X)
#undef X
};
_Static_assert(WSK_COUNT_OF(refusals) == WSK_R_COUNT,
               "a row for every refusal");

int wsk_answer(request_rec *r, int status, const char *json)
{
    r->status = status;
    apr_table_setn(r->headers_out, "Cache-Control", "no-store");
    apr_table_setn(r->headers_out, "X-Content-Type-Options", "nosniff");
    ap_set_content_type(r, "application/json");
    ap_set_content_length(r, (apr_off_t)strlen(json));
    ap_rputs(json, r);
    return OK;
}

const char *wsk_refusal_name(wsk_refusal_e why)
{
    return refusals[why].name;
}

const char *wsk_refusal_text(wsk_refusal_e why)
{
    return refusals[why].text;
}

int wsk_refuse_as(request_rec *r, wsk_refusal_e why, const char *text)
{
    ap_log_rerror(APLOG_MARK, APLOG_DEBUG, 0, r, "WSK0101 refused: %s",
                  refusals[why].name);
    return wsk_answer(r, refusals[why].status,
                      apr_psprintf(r->pool,
                                   "{\"error\":\"%s\",\"message\":\"%s\"}",
                                   refusals[why].name, text));
}

int wsk_refuse(request_rec *r, wsk_refusal_e why, unsigned retry_s)
{
    return wsk_refuse_by(r, why, WSK_Q_none, retry_s);
}

int wsk_refuse_by(request_rec *r, wsk_refusal_e why, wsk_quota_e quota,
                  unsigned retry_s)
{
    /* Whoever is to come again is told when. */
    if (!retry_s
        && (refusals[why].status == HTTP_TOO_MANY_REQUESTS
            || refusals[why].status == HTTP_SERVICE_UNAVAILABLE)) {
        retry_s = 1;
    }
    if (retry_s) {
        apr_table_setn(r->headers_out, "Retry-After",
                       apr_psprintf(r->pool, "%u", retry_s));
    }
    if (why == WSK_R_upgrade_required) {
        apr_table_setn(r->headers_out, "Sec-WebSocket-Version", "13");
        apr_table_setn(r->headers_out, "Upgrade", "websocket");
    }
    return wsk_refuse_as(r, why,
                         quota ? wsk_quota_text(quota) : refusals[why].text);
}

int wsk_refuse_token(request_rec *r, wsk_token_e why)
{
    return why == WSK_TOKEN_NOMEM ? wsk_refuse(r, WSK_R_unavailable, 1)
                                  : wsk_refuse(r, WSK_R_invalid_token, 0);
}

bool wsk_allow_origin(request_rec *r, const wsk_host_t *host)
{
    const char *origin = apr_table_get(r->headers_in, "Origin");
    bool allowed = !host->set.origins;
    unsigned i;

    if (!origin) {
        return true; /* not a browser's cross-origin request */
    }
    for (i = 0; i < host->set.norigins && !allowed; i++) {
        allowed = strcmp(origin, host->set.origins[i]) == 0;
    }
    apr_table_mergen(r->headers_out, "Vary", "Origin");
    if (!allowed) {
        wsk_count(wsk_process.seg, wsk_slot_now(), WSK_NO_SITE,
                  WSK_C_refused_origin, 1);
        return false;
    }
    apr_table_setn(r->headers_out, "Access-Control-Allow-Origin", origin);
    return true;
}

/* A body in the pool of its request, which frees nothing before its end: so
 * what is there doubles. */
typedef struct body_t {
    apr_pool_t *pool;
    char *at;
    apr_size_t len, cap, max;
} body_t;

/* @return false: it is more than max */
static bool add(body_t *body, const char *bytes, apr_size_t len)
{
    const apr_size_t all = body->len + len;

    if (all > body->max) {
        return false;
    }
    if (all + 1 > body->cap) {
        char *wider;

        body->cap = WSK_MIN(2 * all + 1024, body->max + 1);
        wider = apr_palloc(body->pool, body->cap);
        if (body->len) {
            memcpy(wider, body->at, body->len);
        }
        body->at = wider;
    }
    memcpy(body->at + body->len, bytes, len);
    body->len = all;
    return true;
}

/* What came at once. @return WSK_R_COUNT, or why it is refused */
static wsk_refusal_e add_brigade(body_t *body, apr_bucket_brigade *bb,
                                 bool *end)
{
    apr_bucket *b;

    for (b = APR_BRIGADE_FIRST(bb); b != APR_BRIGADE_SENTINEL(bb) && !*end;
         b = APR_BUCKET_NEXT(b)) {
        const char *bytes;
        apr_size_t len;

        *end = APR_BUCKET_IS_EOS(b);
        if (APR_BUCKET_IS_METADATA(b)) {
            continue;
        }
        if (apr_bucket_read(b, &bytes, &len, APR_BLOCK_READ) != APR_SUCCESS) {
            return WSK_R_invalid_request;
        }
        if (!add(body, bytes, len)) {
            return WSK_R_too_large;
        }
    }
    return WSK_R_COUNT;
}

int wsk_body_read(request_rec *r, apr_size_t max, char **pbody,
                  apr_size_t *plen)
{
    apr_bucket_brigade *bb = apr_brigade_create(r->pool,
                                                r->connection->bucket_alloc);
    const char *length = apr_table_get(r->headers_in, "Content-Length");
    body_t body = { .pool = r->pool, .max = max };
    wsk_refusal_e why = WSK_R_COUNT;
    bool end = false;

    *pbody = NULL;
    if (length && apr_atoi64(length) > (apr_int64_t)max) {
        return wsk_refuse(r, WSK_R_too_large, 0);
    }
    while (!end && why == WSK_R_COUNT) {
        if (ap_get_brigade(r->input_filters, bb, AP_MODE_READBYTES,
                           APR_BLOCK_READ, HUGE_STRING_LEN)
            != APR_SUCCESS) {
            why = WSK_R_invalid_request;
            break;
        }
        why = add_brigade(&body, bb, &end);
        apr_brigade_cleanup(bb);
    }
    if (why != WSK_R_COUNT) {
        return wsk_refuse(r, why, 0);
    }
    *pbody = body.at ? body.at : apr_pstrdup(r->pool, "");
    (*pbody)[body.len] = '\0';
    *plen = body.len;
    return OK;
}
