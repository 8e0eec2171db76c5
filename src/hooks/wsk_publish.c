/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_publish -- POST /publish and GET /site/stats: requests that a site's
 * server signs.
 *
 * Order of checks: size, key, signature, clock, quota, JSON, channel; then
 * "seen before?" together with the append.
 */
#include "hooks/wsk_hooks.h"

#include "auth/wsk_channel.h"
#include "proto/wsk_utf8.h"

#define BATCH_MAX 100
#define EVENT_MAX 200

typedef struct signer_t {
    uint32_t site;
    wsk_site_state_e state;
    wsk_site_spec_t spec;
    uint8_t mac[WSK_MAC_LEN];
    int64_t ts_ms;
} signer_t;

static wsk_slice_t header(request_rec *r, const char *name)
{
    const char *text = apr_table_get(r->headers_in, name);

    return (wsk_slice_t){ text ? text : "", text ? strlen(text) : 0 };
}

/* One without secrets was revoked, and is nobody's any more. */
static bool find_site(request_rec *r, const wsk_request_t *wr, signer_t *by)
{
    return wsk_site_by_key(wsk_process.seg, header(r, "X-WP-Signal-Key"),
                           &by->site)
               == WSK_OK
           && wsk_site_read(wsk_process.seg, by->site, &by->spec, &by->state)
                  == WSK_OK
           && by->spec.publish.at[0][0] != '\0'
           && wsk_serves(wr->host, by->site, &by->spec);
}

wsk_sign_e wsk_signed_by(request_rec *r, const wsk_site_spec_t *spec,
                         wsk_slice_t body, uint8_t *mac)
{
    wsk_secrets_t secrets;
    int i;

    for (i = 0; i < 2; i++) {
        secrets.at[i] = (wsk_slice_t){ spec->publish.at[i],
                                       strlen(spec->publish.at[i]) };
    }
    return wsk_sign_v1(&secrets, body, header(r, "X-WP-Signal-Ts"),
                       header(r, "X-WP-Signal-Sign"),
                       apr_time_as_msec(r->request_time), mac);
}

/* @return WSK_R_COUNT when all is well */
static wsk_refusal_e check_signature(request_rec *r, signer_t *by,
                                     wsk_slice_t body)
{
    switch (wsk_signed_by(r, &by->spec, body, by->mac)) {
    case WSK_SIGN_OK:
        by->ts_ms = apr_atoi64(header(r, "X-WP-Signal-Ts").at);
        return by->state == WSK_SITE_ON ? WSK_R_COUNT : WSK_R_not_found;
    case WSK_SIGN_CLOCK:
        return WSK_R_stale_timestamp;
    case WSK_SIGN_BAD:
        break;
    }
    return WSK_R_invalid_signature;
}

static int refuse(request_rec *r, const signer_t *by, wsk_refusal_e why,
                  unsigned retry_s)
{
    wsk_count(wsk_process.seg, wsk_slot_now(), by ? by->site : WSK_NO_SITE,
              WSK_C_publish_refused, 1);
    return wsk_refuse(r, why, retry_s);
}

/* One message of the body into a record.
 * @return WSK_R_COUNT when all is well */
static wsk_refusal_e read_message(json_t *msg, const wsk_site_spec_t *spec,
                                  wsk_record_t *record, wsk_text_t *body)
{
    json_t *channel = json_object_get(msg, "channel");
    json_t *event = json_object_get(msg, "event");
    wsk_slice_t given = { json_string_value(channel),
                          json_string_length(channel) };

    if (!json_is_object(msg) || !given.at || !json_is_string(event)
        || json_string_length(event) == 0
        || json_string_length(event) > EVENT_MAX) {
        return WSK_R_invalid_json;
    }
    record->channel = wsk_channel_bare(given, spec->site_id);
    if (!wsk_channel_valid(record->channel, spec->limits.max_channel_name)
        || wsk_channel_reserved(record->channel)) {
        return WSK_R_invalid_channel;
    }
    wsk_text_body(body, json_string_value(event), json_object_get(msg, "data"));
    if (!wsk_text_ok(body)) {
        return WSK_R_unavailable;
    }
    record->body = (wsk_slice_t){ body->at, body->len };
    return WSK_R_COUNT;
}

static void count_published(const signer_t *by, const wsk_record_t *records,
                            unsigned n)
{
    unsigned i;

    wsk_count(wsk_process.seg, wsk_slot_now(), by->site, WSK_C_published, n);
    for (i = 0; i < n; i++) {
        wsk_count(wsk_process.seg, wsk_slot_now(), by->site,
                  WSK_C_published_bytes, records[i].body.len);
    }
}

static int say_ids(request_rec *r, const wsk_cursor_t *first, unsigned n,
                   bool batch, bool duplicate)
{
    wsk_text_t t = { 0 };
    wsk_cursor_t id = *first;
    const char *json;
    unsigned i;

    wsk_text_put(&t, "{\"ok\":true");
    wsk_text_put(&t, duplicate ? ",\"duplicate\":true" : "");
    wsk_text_put(&t, batch ? ",\"ids\":[" : ",\"id\":");
    for (i = 0; i < n; i++, id.seq++) {
        wsk_text_put(&t, i ? "," : "");
        wsk_text_id(&t, &id);
    }
    wsk_text_put(&t, batch ? "]}" : "}");
    json = apr_pstrmemdup(r->pool, wsk_text_ok(&t) ? t.at : "{\"ok\":true}",
                          wsk_text_ok(&t) ? t.len : 11);
    wsk_text_free(&t);
    return wsk_answer(r, HTTP_OK, json);
}

static int append(request_rec *r, const signer_t *by,
                  const wsk_record_t *records, unsigned n, bool batch)
{
    wsk_once_t once = { .until_us = (by->ts_ms + WSK_SIGN_WINDOW_MS) * 1000 };
    wsk_cursor_t first;
    wsk_status_e rv;

    memcpy(once.mac, by->mac, sizeof once.mac);
    rv = wsk_log_append(wsk_process.seg, by->site, WSK_LOG_TEXT, records, n,
                        &once, apr_time_now(), &first);
    switch (rv) {
    case WSK_OK:
        wsk_bell_ring(wsk_process.bell, wsk_process.seg, by->site);
        count_published(by, records, n);
        return say_ids(r, &first, n, batch, false);
    case WSK_EDUP:
        wsk_count(wsk_process.seg, wsk_slot_now(), by->site,
                  WSK_C_publish_duplicate, 1);
        return say_ids(r, &first, n, batch, true);
    case WSK_EAGAIN:
        return refuse(r, by, WSK_R_rate_limited, 5);
    case WSK_ENOTFOUND:
        return refuse(r, by, WSK_R_not_found, 0);
    default:
        wsk_count(wsk_process.seg, wsk_slot_now(), by->site, WSK_C_publish_full,
                  1);
        return refuse(r, by, WSK_R_unavailable, 1);
    }
}

static int publish(request_rec *r, const signer_t *by, json_t *root)
{
    bool batch = json_is_array(root);
    unsigned n = batch ? (unsigned)json_array_size(root) : 1, i;
    wsk_record_t *records;
    wsk_text_t *bodies;
    wsk_refusal_e why = n >= 1 && n <= BATCH_MAX ? WSK_R_COUNT
                                                 : WSK_R_invalid_json;
    uint32_t wait_ms;
    int status;

    if (why != WSK_R_COUNT) {
        return refuse(r, by, why, 0);
    }
    /* The first message was paid for before the body was parsed. */
    wait_ms = n > 1 ? wsk_site_rate(wsk_process.seg, by->site, WSK_RATE_PUBLISH,
                                    n - 1, apr_time_now())
                    : 0;
    if (wait_ms) {
        return refuse(r, by, WSK_R_rate_limited, wait_ms / 1000 + 1);
    }
    records = apr_pcalloc(r->pool, n * sizeof *records);
    bodies = apr_pcalloc(r->pool, n * sizeof *bodies);
    for (i = 0; i < n && why == WSK_R_COUNT; i++) {
        why = read_message(batch ? json_array_get(root, i) : root, &by->spec,
                           &records[i], &bodies[i]);
    }
    status = why == WSK_R_COUNT ? append(r, by, records, n, batch)
                                : refuse(r, by, why, 0);
    for (i = 0; i < n; i++) {
        wsk_text_free(&bodies[i]);
    }
    return status;
}

int wsk_signed_read(request_rec *r, const wsk_request_t *wr, apr_size_t max,
                    char **pbody, apr_size_t *plen, uint32_t *psite,
                    wsk_site_spec_t *spec)
{
    wsk_refusal_e why = WSK_R_unknown_site_key;
    signer_t by = { 0 };
    int status = wsk_body_read(r, max, pbody, plen);

    if (!*pbody) {
        return status;
    }
    if (find_site(r, wr, &by)) {
        why = check_signature(r, &by, (wsk_slice_t){ *pbody, *plen });
    }
    if (why != WSK_R_COUNT) {
        *pbody = NULL;
        return refuse(r, NULL, why, 0);
    }
    *psite = by.site;
    *spec = by.spec;
    OPENSSL_cleanse(&by, sizeof by);
    return OK;
}

int wsk_handle_publish(request_rec *r, wsk_request_t *wr)
{
    signer_t by = { 0 };
    apr_size_t len = 0;
    wsk_refusal_e why;
    uint32_t wait_ms;
    char *body;
    json_t *root;
    int status = wsk_body_read(r, (apr_size_t)wr->host->set.max_publish, &body,
                               &len);

    if (!body) {
        wsk_count(wsk_process.seg, wsk_slot_now(), WSK_NO_SITE,
                  WSK_C_publish_refused, 1);
        return status;
    }
    if (!find_site(r, wr, &by)) {
        return refuse(r, NULL, WSK_R_unknown_site_key, 0);
    }
    if (len > by.spec.limits.max_publish) {
        return refuse(r, &by, WSK_R_too_large, 0);
    }
    why = check_signature(r, &by, (wsk_slice_t){ body, len });
    if (why != WSK_R_COUNT) {
        return refuse(r, &by, why, 0);
    }
    wait_ms = wsk_site_rate(wsk_process.seg, by.site, WSK_RATE_PUBLISH, 1,
                            apr_time_now());
    if (wait_ms) {
        return refuse(r, &by, WSK_R_rate_limited, wait_ms / 1000 + 1);
    }
    root = json_loadb(body, len, JSON_REJECT_DUPLICATES, NULL);
    if (!root) {
        return refuse(r, &by, WSK_R_invalid_json, 0);
    }
    status = publish(r, &by, root);
    json_decref(root);
    return status;
}

int wsk_handle_stats(request_rec *r, wsk_request_t *wr)
{
    signer_t by = { 0 };
    wsk_site_stats_t stats;
    wsk_refusal_e why;

    if (!find_site(r, wr, &by)) {
        return refuse(r, NULL, WSK_R_unknown_site_key, 0);
    }
    why = check_signature(r, &by, (wsk_slice_t){ "", 0 });
    if (why != WSK_R_COUNT) {
        return refuse(r, &by, why, 0);
    }
    if (wsk_site_stats(wsk_process.seg, by.site, &stats) != WSK_OK) {
        return refuse(r, &by, WSK_R_not_found, 0);
    }
    return wsk_answer(r, HTTP_OK,
                      apr_psprintf(r->pool,
                                   "{\"active_connections\":%u,"
                                   "\"max_connections\":%u}",
                                   stats.connections,
                                   by.spec.limits.connections));
}
