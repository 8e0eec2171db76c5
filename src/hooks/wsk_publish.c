/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_publish -- POST /publish and GET /site/stats: requests that a site's
 * server signs.
 *
 * Order of checks: size, key, signature, clock; then those of transport/wsk_take.
 */
#include "hooks/wsk_live.h"

static const wsk_refusal_e refusal_of[] = {
#define X(name, status, text) [WSK_TAKE_##name] = WSK_R_##name,
    WSK_TAKE_REFUSALS(X)
#undef X
};

static int publish(request_rec *r, const wsk_signer_t *by, wsk_slice_t body)
{
    const wsk_taker_t taker = { .seg = wsk_process.seg,
                                .bell = wsk_process.bell,
                                .slot = wsk_slot_now(),
                                .site = by->site,
                                .spec = &by->spec,
                                .once = &by->once,
                                .now_us = apr_time_now() };
    wsk_text_t answer = { 0 };
    wsk_again_t again = { 0 };
    wsk_take_e rv = wsk_take(&taker, body, &answer, &again);
    const char *json = "{\"ok\":true}";

    if (wsk_text_ok(&answer)) {
        json = apr_pstrmemdup(r->pool, answer.at, answer.len);
    }
    wsk_text_free(&answer);
    if (rv != WSK_TAKE_ok) {
        wsk_live_refused(by->site, refusal_of[rv]);
    }
    return rv == WSK_TAKE_ok
               ? wsk_answer(r, HTTP_OK, json)
               : wsk_refuse_by(r, refusal_of[rv], again.quota, again.retry_s);
}

static int publish_signed(request_rec *r, const wsk_request_t *wr,
                          wsk_signer_t *by, wsk_slice_t body)
{
    wsk_refusal_e why;

    if (!wsk_signer_find(r, wr, by)) {
        return wsk_signer_unknown(r, wr);
    }
    if (body.len > by->spec.limits.max_publish) {
        return wsk_signer_refuse(r, by, WSK_R_too_large, 0);
    }
    why = wsk_signer_check(r, wr, by, body);
    if (why != WSK_R_COUNT) {
        return wsk_signer_refuse(r, by, why, 0);
    }
    return publish(r, by, body);
}

int wsk_handle_publish(request_rec *r, wsk_request_t *wr)
{
    wsk_signer_t by = { 0 };
    apr_size_t len = 0;
    char *body;
    int status = wsk_body_read(r, (apr_size_t)wr->host->set.max_publish, &body,
                               &len);

    if (!body) {
        wsk_count(wsk_process.seg, wsk_slot_now(),
                  wsk_signer_find(r, wr, &by) ? by.site : WSK_NO_SITE,
                  WSK_C_publish_refused, 1);
        wsk_signer_done(&by);
        return status;
    }
    status = publish_signed(r, wr, &by, (wsk_slice_t){ body, len });
    wsk_signer_done(&by);
    return status;
}

static int stats_signed(request_rec *r, const wsk_request_t *wr,
                        wsk_signer_t *by)
{
    wsk_site_stats_t stats;
    wsk_refusal_e why;

    if (!wsk_signer_find(r, wr, by)) {
        return wsk_signer_unknown(r, wr);
    }
    why = wsk_signer_check(r, wr, by, (wsk_slice_t){ "", 0 });
    if (why != WSK_R_COUNT) {
        return wsk_signer_refuse(r, by, why, 0);
    }
    if (wsk_site_stats(wsk_process.seg, by->site, &stats) != WSK_OK) {
        return wsk_signer_refuse(r, by, WSK_R_not_found, 0);
    }
    return wsk_answer(r, HTTP_OK,
                      apr_psprintf(r->pool,
                                   "{\"active_connections\":%u,"
                                   "\"max_connections\":%u}",
                                   stats.connections,
                                   by->spec.limits.connections));
}

int wsk_handle_stats(request_rec *r, wsk_request_t *wr)
{
    wsk_signer_t by = { 0 };
    const int status = stats_signed(r, wr, &by);

    wsk_signer_done(&by);
    return status;
}
