/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_connect -- GET /ws, /sse, /publisher, /echo: the HTTP part of a connection.
 */
#include "hooks/wsk_live.h"

#include "proto/wsk_upgrade.h"
#include "util_filter.h"

static int not_taken_by(request_rec *r, wsk_quota_e quota)
{
    wsk_count(wsk_process.seg, wsk_slot_now(), WSK_NO_SITE, WSK_C_refused_adopt,
              1);
    return wsk_refuse_by(r, WSK_R_unavailable, quota, 1);
}

static int not_taken(request_rec *r)
{
    return not_taken_by(r, WSK_Q_none);
}

/* @return OK, or what was answered: *done says which */
static int check_upgrade(request_rec *r, char *accept, bool *done)
{
    const wsk_upgrade_t head = {
        .method = r->method,
        .upgrade = apr_table_get(r->headers_in, "Upgrade"),
        .connection = apr_table_get(r->headers_in, "Connection"),
        .key = apr_table_get(r->headers_in, "Sec-WebSocket-Key"),
        .version = apr_table_get(r->headers_in, "Sec-WebSocket-Version")
    };

    *done = true;
    switch (wsk_upgrade(&head, accept)) {
    case WSK_UPGRADE_OK:
        *done = false;
        return OK;
    case WSK_UPGRADE_BAD:
        return wsk_refuse(r, WSK_R_invalid_request, 0);
    case WSK_UPGRADE_NONE:
    case WSK_UPGRADE_VERSION:
        break;
    }
    return wsk_refuse(r, WSK_R_upgrade_required, 0);
}

/* A refusal the browser can read: an accepted upgrade, then Close. */
static int close_with(request_rec *r, const char *accept, unsigned code,
                      const char *reason)
{
    uint8_t frame[2 + WSK_FRAME_CONTROL_MAX];
    size_t len = wsk_frame_close(frame, code, reason);

    wsk_switch_protocols(r, accept, frame, len);
    return OK;
}

static wsk_conn_t *make(request_rec *r, wsk_kind_e kind, wsk_caller_t *who)
{
    wsk_conn_t *c = wsk_conn_make(kind);

    if (c) {
        c->site = who->site;
        c->term = who->term;
        c->generation = who->spec.generation;
        c->incarnation = who->spec.incarnation;
        c->address = wsk_address_of(r);
        c->user = wsk_inbox_user(wsk_process.seg, who->claims.user_id);
        c->exp_s = who->claims.exp;
        c->proof = wsk_inbox_proof(wsk_process.seg,
                                   who->spec.jwt.at[who->claims.secret]);
        c->grant = who->claims.grant;
        who->claims.grant = NULL;
        c->admitted = true;
    }
    return c;
}

static const wsk_quota_e quota_of[] = {
    [WSK_ADMIT_HOST] = WSK_Q_host_connections,
    [WSK_ADMIT_USER] = WSK_Q_user_connections,
    [WSK_ADMIT_SITE] = WSK_Q_site_connections,
    [WSK_ADMIT_ADDRESS] = WSK_Q_address_connections
};

static wsk_admit_e admit(request_rec *r, uint32_t site, uint32_t *term)
{
    wsk_admit_e rv = wsk_site_admit(wsk_process.seg, wsk_slot_now(), site,
                                    wsk_address_of(r), term);

    if (quota_of[rv]) {
        wsk_count(wsk_process.seg, wsk_slot_now(), site, WSK_C_refused_limit,
                  1);
        wsk_count(wsk_process.seg, wsk_slot_now(), site,
                  wsk_quota_counter(quota_of[rv]), 1);
    }
    if (rv == WSK_ADMIT_SITE || rv == WSK_ADMIT_ADDRESS) {
        wsk_live_refused(site, WSK_R_connection_limit);
    }
    return rv;
}

static int connect_ws(request_rec *r, const char *accept, wsk_caller_t *who)
{
    wsk_admit_e rv = who->state == WSK_SITE_ON ? admit(r, who->site, &who->term)
                                               : WSK_ADMIT_OFF;
    wsk_conn_t *c;

    if (rv == WSK_ADMIT_OFF) {
        return close_with(r, accept, WSK_CLOSE_SITE, "site not found");
    }
    if (rv == WSK_ADMIT_HOST) {
        /* So that clients go to an event stream, in poll mode. */
        return not_taken_by(r, quota_of[rv]);
    }
    if (rv != WSK_ADMIT_OK) {
        return close_with(r, accept, WSK_CLOSE_LIMIT,
                          wsk_quota_text(quota_of[rv]));
    }
    c = make(r, WSK_KIND_WS, who);
    if (!c || !wsk_switch_protocols(r, accept, NULL, 0)) {
        wsk_site_leave(wsk_process.seg, wsk_slot_now(), who->term, who->site,
                       wsk_address_of(r));
        if (c) {
            wsk_conn_drop(c);
        }
        return c ? OK : wsk_refuse(r, WSK_R_unavailable, 1);
    }
    return wsk_adopt(r, c);
}

static unsigned close_code(wsk_token_e why, const wsk_caller_t *who)
{
    if (why == WSK_TOKEN_NOMEM) {
        return WSK_CLOSE_TRY_LATER;
    }
    return why == WSK_TOKEN_SITE && who->state == WSK_SITE_EMPTY
               ? WSK_CLOSE_SITE
               : WSK_CLOSE_TOKEN;
}

int wsk_handle_ws(request_rec *r, wsk_request_t *wr)
{
    char accept[WSK_ACCEPT_LEN + 1];
    wsk_caller_t who = { 0 };
    wsk_token_e rv;
    bool answered;
    int status = check_upgrade(r, accept, &answered);

    if (answered) {
        return status;
    }
    if (!wsk_allow_origin(r, wr->host)) {
        return wsk_refuse(r, WSK_R_origin_forbidden, 0);
    }
    if (wsk_adopt_possible(r) != WSK_ADOPT_YES) {
        return not_taken(r);
    }
    rv = wsk_caller_read(r, wr, wr->token, &who);
    status = rv == WSK_TOKEN_OK ? connect_ws(r, accept, &who)
                                : close_with(r, accept, close_code(rv, &who),
                                             wsk_token_reason(rv));
    wsk_caller_done(&who);
    return status;
}

int wsk_handle_echo(request_rec *r, wsk_request_t *wr)
{
    char accept[WSK_ACCEPT_LEN + 1];
    bool answered;
    int status = check_upgrade(r, accept, &answered);
    wsk_conn_t *c;

    if (answered) {
        return status;
    }
    if (!wsk_allow_origin(r, wr->host)) {
        return wsk_refuse(r, WSK_R_origin_forbidden, 0);
    }
    if (wsk_adopt_possible(r) != WSK_ADOPT_YES) {
        return not_taken(r);
    }
    c = wsk_conn_make(WSK_KIND_ECHO);
    if (!c) {
        return not_taken(r);
    }
    c->site = WSK_NO_SITE;
    if (!wsk_switch_protocols(r, accept, NULL, 0)) {
        wsk_conn_drop(c);
        return OK;
    }
    return wsk_adopt(r, c);
}

/* The upgrade is remembered last, so that one that was refused may come again.
 * @return WSK_R_COUNT when it has its effect now */
static wsk_refusal_e once_only(const wsk_signer_t *by)
{
    switch (wsk_log_remember(wsk_process.seg, by->site, &by->once,
                             apr_time_now())) {
    case WSK_OK:
        return WSK_R_COUNT;
    case WSK_EDUP:
    case WSK_ECLASH:
        return WSK_R_nonce_reused;
    case WSK_EAGAIN:
        return WSK_R_rate_limited;
    case WSK_ENOTFOUND:
        return WSK_R_not_found;
    default:
        return WSK_R_unavailable;
    }
}

/* More requests than the site has room to remember. */
static int refuse_more(request_rec *r, const wsk_signer_t *by)
{
    wsk_count(wsk_process.seg, wsk_slot_now(), by->site, WSK_C_publish_refused,
              1);
    wsk_count(wsk_process.seg, wsk_slot_now(), by->site,
              wsk_quota_counter(WSK_Q_site_requests), 1);
    return wsk_refuse_by(r, WSK_R_rate_limited, WSK_Q_site_requests, 5);
}

/* @return NULL: refused, and *status is the answer */
static wsk_conn_t *make_publisher(request_rec *r, const wsk_request_t *wr,
                                  const wsk_signer_t *by, int *status)
{
    const int64_t most = WSK_MIN(wr->host->set.max_publish,
                                 (int64_t)by->spec.limits.max_publish);
    wsk_conn_t *c = wsk_publisher_make(&by->spec, by->secret, (uint32_t)most);
    wsk_refusal_e why = c ? once_only(by) : WSK_R_unavailable;

    if (why != WSK_R_COUNT) {
        *status = why == WSK_R_rate_limited ? refuse_more(r, by)
                                            : wsk_signer_refuse(r, by, why, 0);
        if (c) {
            wsk_conn_drop(c);
        }
        return NULL;
    }
    c->site = by->site;
    c->generation = by->spec.generation;
    c->incarnation = by->spec.incarnation;
    c->address = wsk_address_of(r);
    c->admitted = true;
    return c;
}

static int connect_publisher(request_rec *r, const char *accept,
                             const wsk_request_t *wr, const wsk_signer_t *by)
{
    const uint64_t address = wsk_address_of(r);
    uint32_t term = 0;
    wsk_admit_e rv = admit(r, by->site, &term);
    wsk_conn_t *c;
    int status = OK;

    if (rv == WSK_ADMIT_OFF) {
        return wsk_refuse(r, WSK_R_not_found, 0);
    }
    if (rv == WSK_ADMIT_HOST) {
        return not_taken_by(r, quota_of[rv]);
    }
    if (rv != WSK_ADMIT_OK) {
        return wsk_refuse_by(r, WSK_R_connection_limit, quota_of[rv], 10);
    }
    c = make_publisher(r, wr, by, &status);
    if (c) {
        c->term = term;
    }
    if (!c || !wsk_switch_protocols(r, accept, NULL, 0)) {
        wsk_site_leave(wsk_process.seg, wsk_slot_now(), term, by->site,
                       address);
        if (c) {
            wsk_conn_drop(c);
        }
        return status;
    }
    return wsk_adopt(r, c);
}

static int connect_signed(request_rec *r, const char *accept,
                          const wsk_request_t *wr, wsk_signer_t *by)
{
    wsk_refusal_e why;

    if (!wsk_signer_find(r, wr, by)) {
        return wsk_signer_unknown(r, wr);
    }
    why = by->v2 ? wsk_signer_check(r, wr, by, (wsk_slice_t){ "", 0 })
                 : WSK_R_signature_v2_required;
    if (why != WSK_R_COUNT) {
        return wsk_signer_refuse(r, by, why, 0);
    }
    return connect_publisher(r, accept, wr, by);
}

int wsk_handle_publisher(request_rec *r, wsk_request_t *wr)
{
    char accept[WSK_ACCEPT_LEN + 1];
    wsk_signer_t by = { 0 };
    bool answered;
    int status = check_upgrade(r, accept, &answered);

    if (answered) {
        return status;
    }
    if (!wsk_allow_origin(r, wr->host)) {
        return wsk_refuse(r, WSK_R_origin_forbidden, 0);
    }
    if (wsk_adopt_possible(r) != WSK_ADOPT_YES) {
        return not_taken(r);
    }
    status = connect_signed(r, accept, wr, &by);
    wsk_signer_done(&by);
    return status;
}

void wsk_connect_head(request_rec *r)
{
    apr_table_setn(r->subprocess_env, "no-gzip", "1");
    apr_table_setn(r->subprocess_env, "no-brotli", "1");
    apr_table_setn(r->headers_out, "Cache-Control", "no-store, no-transform");
    apr_table_setn(r->headers_out, "X-Accel-Buffering", "no");
    ap_set_content_type(r, "text/event-stream");
    ap_remove_input_filter_byhandle(r->connection->input_filters, "reqtimeout");
    r->connection->keepalive = AP_CONN_CLOSE;
}

/* The channels travel to the loop in one block of their own, and behind them
 * the stream's id. */
bool wsk_connect_channels(wsk_conn_t *c, const wsk_slice_t *names, unsigned n,
                          const char *id)
{
    const size_t id_len = strlen(id);
    wsk_aside_t *aside = wsk_conn_aside(c);
    size_t bytes = sizeof *names * (n + 1) + id_len, i;
    char *text;

    for (i = 0; i < n; i++) {
        bytes += names[i].len;
    }
    if (!aside || !(aside->first = malloc(bytes))) {
        return false;
    }
    text = (char *)(aside->first + n + 1);
    for (i = 0; i < n; i++) {
        memcpy(text, names[i].at, names[i].len);
        aside->first[i] = (wsk_slice_t){ text, names[i].len };
        text += names[i].len;
    }
    memcpy(text, id, id_len);
    aside->first[n] = (wsk_slice_t){ text, id_len };
    aside->nfirst = (uint16_t)n;
    return true;
}

static int connect_sse(request_rec *r, wsk_caller_t *who,
                       const wsk_slice_t *names, unsigned n)
{
    const char *binary = wsk_query(r, "binary");
    wsk_conn_t *c = make(r, WSK_KIND_SSE, who);
    wsk_aside_t *aside;
    char id[WSK_STREAM_LEN + 1];

    wsk_caller_stream(who, false, id);
    if (!c || !wsk_connect_channels(c, names, n, id)) {
        wsk_site_leave(wsk_process.seg, wsk_slot_now(), who->term, who->site,
                       wsk_address_of(r));
        if (c) {
            wsk_conn_drop(c);
        }
        return wsk_refuse(r, WSK_R_unavailable, 1);
    }
    /* What is published once the head is out belongs to the stream, though the
     * loop takes it over a moment later. */
    aside = c->aside;
    aside->has_since = wsk_since_asked(r, &aside->since)
                       || wsk_log_head(wsk_process.seg, who->site, WSK_LOG_TEXT,
                                       &aside->since)
                              == WSK_OK;
    c->binary_events = binary && strcmp(binary, "1") == 0;
    wsk_caller_sends(who, id, &c->member.id);
    c->sends = c->member.id != 0;
    wsk_connect_head(r);
    if (ap_rflush(r) < 0) {
        r->connection->aborted = 1;
    }
    wsk_adopt_end_request(r);
    return wsk_adopt(r, c);
}

static int serve_sse(request_rec *r, wsk_caller_t *who)
{
    unsigned n, refused;
    wsk_slice_t *names;
    wsk_admit_e rv;

    if (who->state != WSK_SITE_ON) {
        return wsk_refuse(r, WSK_R_not_found, 0);
    }
    names = wsk_channels_asked(r, who, &n, &refused);
    if (!n) {
        return wsk_refuse(
            r, refused ? WSK_R_channel_forbidden : WSK_R_invalid_channel, 0);
    }
    /* Nothing of a HEAD may come after its head. */
    if (r->header_only || wsk_adopt_possible(r) != WSK_ADOPT_YES) {
        return wsk_poll_events(r, who);
    }
    rv = admit(r, who->site, &who->term);
    if (rv == WSK_ADMIT_OFF) {
        return wsk_refuse(r, WSK_R_not_found, 0);
    }
    if (rv == WSK_ADMIT_HOST) {
        return wsk_poll_events(r, who);
    }
    if (rv != WSK_ADMIT_OK) {
        return wsk_refuse_by(r, WSK_R_connection_limit, quota_of[rv], 10);
    }
    return connect_sse(r, who, names, n);
}

int wsk_handle_sse(request_rec *r, wsk_request_t *wr)
{
    wsk_caller_t who = { 0 };
    wsk_token_e why;
    int status;

    if (!wsk_allow_origin(r, wr->host)) {
        return wsk_refuse(r, WSK_R_origin_forbidden, 0);
    }
    why = wsk_caller_read(r, wr, wr->token, &who);
    status = why == WSK_TOKEN_OK ? serve_sse(r, &who)
                                 : wsk_refuse_token(r, why);
    wsk_caller_done(&who);
    return status;
}
