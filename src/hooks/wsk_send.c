/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_send -- POST /send: what a browser would send over a socket, for those
 * whose network lets none pass.
 */
#include "hooks/wsk_hooks.h"

static const char *bearer(request_rec *r)
{
    const char *value = apr_table_get(r->headers_in, "Authorization");

    return value && strncasecmp(value, "Bearer ", 7) == 0 ? value + 7 : NULL;
}

static int say(request_rec *r, wsk_answer_e answer)
{
    int status = wsk_answer_status(answer);

    if (status == HTTP_TOO_MANY_REQUESTS || status == 503) {
        apr_table_setn(r->headers_out, "Retry-After", "1");
    }
    return wsk_answer(
        r, status,
        apr_psprintf(r->pool, "{\"error\":\"%s\",\"message\":\"%s\"}",
                     wsk_answer_name(answer), wsk_answer_text(answer)));
}

/* What does not come as far as the inbox, which counts its own. */
static int refused(const wsk_caller_t *who, int status)
{
    wsk_count(wsk_process.seg, wsk_slot_now(), who->site, WSK_C_browser_refused,
              1);
    return status;
}

static int send_json(request_rec *r, const wsk_sender_t *from, const char *body,
                     apr_size_t len)
{
    json_t *msg = wsk_inbox_parse(body, len);
    const char *type = json_string_value(json_object_get(msg, "type"));
    wsk_answer_e answer = WSK_A_bad_message;
    wsk_cursor_t id;
    char text[WSK_ID_MAX];
    bool has_id = true;

    if (type && strcmp(type, "message") == 0) {
        answer = wsk_inbox_message(from, msg, &id);
    }
    else if (type && strcmp(type, "presence") == 0) {
        answer = wsk_inbox_presence(from, msg);
        has_id = false;
    }
    json_decref(msg);
    if (answer != WSK_A_ok) {
        return say(r, answer);
    }
    if (!has_id) {
        return wsk_answer(r, HTTP_OK, "{\"ok\":true}");
    }
    wsk_cursor_text(text, &id);
    return wsk_answer(
        r, HTTP_OK, apr_psprintf(r->pool, "{\"ok\":true,\"id\":\"%s\"}", text));
}

static int send_as(request_rec *r, const wsk_request_t *wr,
                   const wsk_caller_t *who)
{
    const char *type = apr_table_get(r->headers_in, "Content-Type");
    const char *stream = apr_table_get(r->headers_in, "X-WordSocket-Stream");
    wsk_sender_t from = { .seg = wsk_process.seg,
                          .bell = wsk_process.bell,
                          .slot = wsk_slot_now(),
                          .site = who->site,
                          .spec = &who->spec,
                          .grant = who->claims.grant,
                          .now_us = apr_time_now() };
    wsk_answer_e answer;
    apr_size_t len = 0;
    char *body;
    int status;

    (void)wr;
    if (who->state != WSK_SITE_ON) {
        return refused(who, wsk_refuse(r, WSK_R_not_found, 0));
    }
    if (!wsk_caller_sends(who, stream, &from.id)) {
        return refused(who, wsk_refuse(r, WSK_R_invalid_stream, 0));
    }
    from.present = wsk_caller_present(who, stream, from.id);
    status = wsk_body_read(r, who->spec.limits.max_message, &body, &len);
    if (!body) {
        return refused(who, status);
    }
    if (!type || strncasecmp(type, "application/octet-stream", 24) != 0) {
        return send_json(r, &from, body, len);
    }
    answer = wsk_inbox_binary(&from, (const uint8_t *)body, len);
    return answer == WSK_A_ok ? wsk_answer(r, HTTP_OK, "{\"ok\":true}")
                              : say(r, answer);
}

int wsk_handle_send(request_rec *r, wsk_request_t *wr)
{
    wsk_caller_t who = { 0 };
    wsk_token_e why;
    int status;

    if (!wsk_allow_origin(r, wr->host)) {
        return wsk_refuse(r, WSK_R_origin_forbidden, 0);
    }
    why = wsk_caller_read(r, wr, bearer(r), &who);
    if (why != WSK_TOKEN_OK) {
        return wsk_refuse_token(r, why);
    }
    status = send_as(r, wr, &who);
    wsk_grant_unref(who.claims.grant);
    return status;
}
