/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_signer -- who signs a request: site, signature of either version, clock.
 *
 * A request with an X-WordSocket-Signature is of version 2. Any site may send
 * one; a site that is fixed to version 2 sends nothing else.
 */
#include "hooks/wsk_host.h"
#include "hooks/wsk_live.h"

#include <openssl/crypto.h>

/* A request is forgotten a little after its time, so that no difference between
 * the clock that judges and the clock that forgets lets it in again. */
#define FORGET_MS 5000

static wsk_slice_t header(request_rec *r, const char *name)
{
    const char *text = apr_table_get(r->headers_in, name);

    return (wsk_slice_t){ text ? text : "", text ? strlen(text) : 0 };
}

void wsk_signer_named(request_rec *r, wsk_signer_t *by)
{
    by->v2 = apr_table_get(r->headers_in, "X-WordSocket-Signature") != NULL;
    by->key = header(r, by->v2 ? "X-WordSocket-Key" : "X-WP-Signal-Key");
}

/* One without secrets was revoked, and is nobody's any more. */
bool wsk_signer_find(request_rec *r, const wsk_request_t *wr, wsk_signer_t *by)
{
    wsk_signer_named(r, by);
    return wsk_site_by_key(wsk_process.seg, by->key, &by->site) == WSK_OK
           && wsk_site_read(wsk_process.seg, by->site, &by->spec, &by->state)
                  == WSK_OK
           && by->spec.publish.at[0][0] != '\0'
           && wsk_serves(wr->host, by->site, &by->spec);
}

int wsk_signer_unknown(request_rec *r, const wsk_request_t *wr)
{
    return wsk_service_unsure(wr->host)
               ? wsk_signer_refuse(r, NULL, WSK_R_unavailable, 2)
               : wsk_signer_refuse(r, NULL, WSK_R_unknown_site_key, 0);
}

void wsk_signer_done(wsk_signer_t *by)
{
    OPENSSL_cleanse(by, sizeof *by);
}

static wsk_sign_e check_v1(request_rec *r, wsk_signer_t *by,
                           const wsk_secrets_t *secrets, wsk_slice_t body,
                           int64_t now_ms)
{
    uint8_t mac[WSK_MAC_LEN];
    wsk_sign_e rv = wsk_sign_v1(secrets, body, header(r, "X-WP-Signal-Ts"),
                                header(r, "X-WP-Signal-Sign"), now_ms, mac);

    if (rv == WSK_SIGN_OK) {
        memcpy(by->once.name, mac, sizeof by->once.name);
        memcpy(by->once.proof, mac + sizeof by->once.name,
               sizeof by->once.proof);
    }
    return rv;
}

static wsk_sign_e check_v2(request_rec *r, const wsk_request_t *wr,
                           wsk_signer_t *by, const wsk_secrets_t *secrets,
                           wsk_slice_t body, int64_t now_ms)
{
    const char *path = wsk_endpoint_path(wr->endpoint);
    const wsk_signed_t given = {
        .method = { r->method, strlen(r->method) },
        .path = { path, strlen(path) },
        .key = by->key,
        .ts = header(r, "X-WordSocket-Timestamp"),
        .nonce = header(r, "X-WordSocket-Nonce"),
        .sign = header(r, "X-WordSocket-Signature"),
        .body = body,
    };
    uint8_t mac[WSK_MAC_LEN];
    wsk_sign_e rv = wsk_sign_v2(secrets, &given, now_ms, mac, &by->secret);

    if (rv == WSK_SIGN_OK) {
        memcpy(by->once.proof, mac, sizeof by->once.proof);
        if (!wsk_sign_nonce(by->once.name, given.nonce)) {
            return WSK_SIGN_NOMEM;
        }
    }
    return rv;
}

/* A key that was stolen is of no use to a neighbour then. Asked last, so that
 * nobody learns more by it. */
static bool is_owners(request_rec *r, const wsk_host_t *host,
                      const wsk_signer_t *by)
{
    const conn_rec *c = r->connection->master ? r->connection->master
                                              : r->connection;

    return !host->set.publisher_user || by->spec.generation == 0
           || (host->keys.uid >= 0 && wsk_peer_uid(c) == host->keys.uid);
}

wsk_refusal_e wsk_signer_check(request_rec *r, const wsk_request_t *wr,
                               wsk_signer_t *by, wsk_slice_t body)
{
    /* Not when the request began: its body may have taken long to come. */
    const int64_t now_ms = apr_time_as_msec(apr_time_now());
    wsk_secrets_t secrets;
    wsk_slice_t ts = header(r, by->v2 ? "X-WordSocket-Timestamp"
                                      : "X-WP-Signal-Ts");
    wsk_sign_e rv;
    int i;

    if (by->spec.signature == 2 && !by->v2) {
        return WSK_R_signature_v2_required;
    }
    for (i = 0; i < 2; i++) {
        secrets.at[i] = (wsk_slice_t){ by->spec.publish.at[i],
                                       strlen(by->spec.publish.at[i]) };
    }
    rv = by->v2 ? check_v2(r, wr, by, &secrets, body, now_ms)
                : check_v1(r, by, &secrets, body, now_ms);
    if (rv != WSK_SIGN_OK) {
        return rv == WSK_SIGN_NOMEM   ? WSK_R_unavailable
               : rv == WSK_SIGN_CLOCK ? WSK_R_stale_timestamp
                                      : WSK_R_invalid_signature;
    }
    if (!is_owners(r, wr->host, by)) {
        return WSK_R_user_forbidden;
    }
    by->once.until_us = (apr_atoi64(ts.at) + WSK_SIGN_WINDOW_MS + FORGET_MS)
                        * 1000;
    return by->state == WSK_SITE_ON ? WSK_R_COUNT : WSK_R_not_found;
}

/* What the public plugin sends to see whether its key is known: no fault. */
static bool is_probe(request_rec *r, wsk_refusal_e why)
{
    const char *sign = apr_table_get(r->headers_in, "X-WP-Signal-Sign");

    return why == WSK_R_invalid_signature && sign && strcmp(sign, "dummy") == 0;
}

int wsk_signer_refuse(request_rec *r, const wsk_signer_t *by, wsk_refusal_e why,
                      unsigned retry_s)
{
    wsk_count(wsk_process.seg, wsk_slot_now(), by ? by->site : WSK_NO_SITE,
              WSK_C_publish_refused, 1);
    if (by && !is_probe(r, why)) {
        wsk_live_refused(by->site, why);
    }
    return wsk_refuse(r, why, retry_s);
}
