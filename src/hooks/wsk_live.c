/* SPDX-License-Identifier: Apache-2.0 */
#include "hooks/wsk_live.h"

#include "core/wsk_hash.h"
#include "hooks/wsk_page.h"
#include "store/wsk_feed.h"

#define MINUTE (60 * INT64_C(1000000) / WSK_PULSE_US)
#define FEED_LIFE_S 600 /* then the browser asks again, and shows who it is */

_Static_assert(WSK_R_COUNT < 255, "a refusal and one more fit a byte");

void wsk_live_refused(uint32_t site, wsk_refusal_e why)
{
    wsk_pulse_fault(wsk_process.seg, site, (unsigned)why + 1,
                    apr_time_sec(apr_time_now()));
}

void wsk_live_read(const wsk_host_t *host, const char *key, int64_t now_us,
                   wsk_live_t *out)
{
    const wsk_slice_t name = { key, strlen(key) };
    wsk_site_stats_t stats;
    wsk_site_spec_t spec;
    uint32_t number, i;
    unsigned why;

    *out = (wsk_live_t){ 0 };
    wsk_settings_limits(&host->set, &out->limits);
    if (wsk_site_by_key(wsk_process.seg, name, &number) != WSK_OK
        || wsk_site_stats(wsk_process.seg, number, &stats) != WSK_OK) {
        return;
    }
    if (wsk_site_read(wsk_process.seg, number, &spec, NULL) == WSK_OK) {
        out->limits = spec.limits;
    }
    OPENSSL_cleanse(&spec, sizeof spec);
    out->connections = stats.connections;
    out->delivered = stats.counters[WSK_C_delivered]
                     + stats.counters[WSK_C_delivered_binary];
    wsk_pulse_read(wsk_process.seg, number, now_us, out->pulse);
    for (i = WSK_PULSES - MINUTE; i < WSK_PULSES; i++) {
        out->minute += out->pulse[i];
    }
    why = wsk_pulse_faulted(wsk_process.seg, number, &out->fault_s);
    if (why >= 1 && why <= WSK_R_COUNT) {
        out->fault = wsk_refusal_name((wsk_refusal_e)(why - 1));
        out->fault_text = wsk_refusal_text((wsk_refusal_e)(why - 1));
    }
}

/* Into memory first: a client that reads slowly must not hold the registry. */
static void note_site(void *baton, const wsk_registered_t *site)
{
    wsk_registered_t *kept = apr_array_push((apr_array_header_t *)baton);

    *kept = *site;
    OPENSSL_cleanse(kept->publish, sizeof kept->publish);
    OPENSSL_cleanse(kept->jwt, sizeof kept->jwt);
}

wsk_status_e wsk_live_sites(request_rec *r, wsk_registry_t *reg,
                            apr_array_header_t **psites)
{
    *psites = apr_array_make(r->pool, 8, sizeof(wsk_registered_t));
    return wsk_registry_list(reg, r->user, note_site, *psites);
}

/* @return DECLINED, or what was answered */
static int begin(request_rec *r, const wsk_request_t *wr, wsk_registry_t **preg)
{
    const char *from = apr_table_get(r->headers_in, "Sec-Fetch-Site");

    if (!r->user || !*r->user || (from && strcmp(from, "same-origin") != 0)) {
        return wsk_refuse_as(r, WSK_R_unauthorized,
                             "the dashboard is for users that httpd knows");
    }
    *preg = wsk_service_open(wr->host);
    return *preg ? DECLINED : wsk_refuse(r, WSK_R_unavailable, 2);
}

static void put_site(wsk_text_t *t, const wsk_host_t *host,
                     const wsk_registered_t *site, int64_t now_us)
{
    wsk_live_t live;
    unsigned i;

    wsk_live_read(host, site->key, now_us, &live);
    wsk_text_fmt(t,
                 "\"%s\":{\"connections\":%u,\"max_connections\":%u,"
                 "\"minute\":%u,\"delivered\":%" APR_UINT64_T_FMT ",",
                 site->key, live.connections, live.limits.connections,
                 live.minute, (apr_uint64_t)live.delivered);
    if (live.fault) {
        wsk_text_fmt(t,
                     "\"fault\":{\"error\":\"%s\",\"message\":\"%s\","
                     "\"age\":%" APR_INT64_T_FMT "},",
                     live.fault, live.fault_text,
                     (apr_int64_t)(now_us / 1000000 - live.fault_s));
    }
    wsk_text_put(t, "\"pulse\":[");
    for (i = 0; i < WSK_PULSES; i++) {
        wsk_text_fmt(t, i ? ",%u" : "%u", live.pulse[i]);
    }
    wsk_text_put(t, "]}");
}

int wsk_handle_live(request_rec *r, wsk_request_t *wr)
{
    wsk_registry_t *reg = NULL;
    apr_array_header_t *sites;
    wsk_text_t t = { 0 };
    const char *json;
    wsk_status_e rv;
    int status = begin(r, wr, &reg), i;

    if (status != DECLINED) {
        return status;
    }
    rv = wsk_live_sites(r, reg, &sites);
    if (rv != WSK_OK) {
        return wsk_service_refuse(r, rv);
    }
    wsk_text_put(&t, "{\"sites\":{");
    for (i = 0; i < sites->nelts; i++) {
        wsk_text_put(&t, i ? "," : "");
        put_site(&t, wr->host, &APR_ARRAY_IDX(sites, i, wsk_registered_t),
                 apr_time_now());
    }
    wsk_text_put(&t, "}}");
    json = wsk_text_ok(&t) ? apr_pstrmemdup(r->pool, t.at, t.len) : NULL;
    wsk_text_free(&t);
    return json ? wsk_answer(r, HTTP_OK, json)
                : wsk_refuse(r, WSK_R_unavailable, 1);
}

static uint64_t watcher(request_rec *r)
{
    return wsk_hash(wsk_segment_secret(wsk_process.seg), r->user,
                    strlen(r->user));
}

static int too_many(request_rec *r, wsk_admit_e why)
{
    wsk_count(wsk_process.seg, wsk_slot_now(), WSK_NO_SITE, WSK_C_refused_limit,
              1);
    apr_table_setn(r->headers_out, "Retry-After", "10");
    return why == WSK_ADMIT_USER
               ? wsk_refuse_as(r, WSK_R_connection_limit,
                               "too many dashboards of this user are open")
               : wsk_refuse(r, WSK_R_unavailable, 10);
}

/* Without a stream id: nothing can be sent by it. */
static int stream(request_rec *r, uint32_t site, uint64_t incarnation)
{
    static const wsk_slice_t counts = { "wps:connections", 15 };
    wsk_conn_t *c = wsk_conn_make(WSK_KIND_SSE);
    wsk_admit_e rv;

    if (!c || !wsk_connect_channels(c, &counts, 1, "")) {
        if (c) {
            wsk_conn_drop(c);
        }
        return wsk_refuse(r, WSK_R_unavailable, 1);
    }
    c->site = site;
    c->incarnation = incarnation;
    c->feed = true;
    c->user = watcher(r);
    rv = wsk_feed_admit(wsk_process.seg, wsk_slot_now(), c->user, &c->term);
    if (rv != WSK_ADMIT_OK) {
        wsk_conn_drop(c);
        return too_many(r, rv);
    }
    c->admitted = true;
    c->exp_s = apr_time_sec(apr_time_now()) + FEED_LIFE_S;
    wsk_connect_head(r);
    if (ap_rflush(r) < 0) {
        r->connection->aborted = 1;
    }
    wsk_adopt_end_request(r);
    return wsk_adopt(r, c);
}

int wsk_handle_feed(request_rec *r, wsk_request_t *wr)
{
    const char *key = wsk_query(r, "site");
    wsk_registry_t *reg = NULL;
    wsk_registered_t site = { .archived = true };
    uint32_t number;
    uint64_t times;
    wsk_status_e rv;
    bool theirs;
    int status = begin(r, wr, &reg);

    if (status != DECLINED) {
        return status;
    }
    rv = key ? wsk_registry_find(reg, key, &site) : WSK_ENOTFOUND;
    if (rv != WSK_OK && rv != WSK_ENOTFOUND) {
        return wsk_service_refuse(r, rv);
    }
    times = site.times;
    theirs = rv == WSK_OK && !site.archived && strcmp(site.owner, r->user) == 0;
    OPENSSL_cleanse(&site, sizeof site);
    if (!theirs
        || wsk_site_by_key(wsk_process.seg, (wsk_slice_t){ key, strlen(key) },
                           &number)
               != WSK_OK) {
        return wsk_refuse(r, WSK_R_not_found, 0);
    }
    if (r->header_only || wsk_adopt_possible(r) != WSK_ADOPT_YES) {
        r->status = HTTP_NO_CONTENT; /* which tells a browser to give up */
        return OK;
    }
    return stream(r, number, times);
}
