/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_poll -- answers at once: GET /poll, and an event stream where a
 * connection cannot be taken over.
 */
#include "hooks/wsk_hooks.h"

#include <openssl/evp.h>

#include "proto/wsk_sse.h"

#define RETRY_MS 3000        /* poll again after this, and up to half more */
#define ANSWER_MAX WSK_MB(1) /* more waits for the next poll */
#define BATCH 64

/* What one poll collects. */
typedef struct poll_t {
    request_rec *r;
    wsk_caller_t *who;
    wsk_slice_t *names;
    unsigned nnames;
    wsk_cursor_t since, oldest, at;
    bool has_since, gap;
    char *buf;
    size_t cap;
    wsk_record_t records[BATCH];
    wsk_text_t out;
    unsigned count;
    void (*put)(struct poll_t *p, const wsk_record_t *record,
                const wsk_cursor_t *id);
} poll_t;

static bool asked(const poll_t *p, wsk_slice_t channel)
{
    unsigned i;

    for (i = 0; i < p->nnames; i++) {
        if (p->names[i].len == channel.len
            && memcmp(p->names[i].at, channel.at, channel.len) == 0) {
            return true;
        }
    }
    return false;
}

static wsk_status_e read_some(poll_t *p, unsigned *pn)
{
    wsk_status_e rv = wsk_log_read(wsk_process.seg, p->who->site, WSK_LOG_TEXT,
                                   &p->at, p->buf, p->cap, p->records, BATCH,
                                   pn);

    if (rv == WSK_EFULL) {
        char *wider = realloc(p->buf, *pn);

        if (!wider) {
            return WSK_ENOMEM;
        }
        p->buf = wider;
        p->cap = *pn;
        rv = wsk_log_read(wsk_process.seg, p->who->site, WSK_LOG_TEXT, &p->at,
                          p->buf, p->cap, p->records, BATCH, pn);
    }
    return rv;
}

/* Go on from a place, or from the oldest one after a gap. */
static void begin_at(poll_t *p, const wsk_cursor_t *since)
{
    wsk_cursor_t at = *since;

    p->gap = wsk_log_since(wsk_process.seg, p->who->site, &at, p->names,
                           p->nnames, apr_time_now(), &p->at)
             == WSK_EGAP;
    p->since = at;
    p->oldest = p->at;
}

/* Everything after the cursor on the asked channels, up to ANSWER_MAX. */
static void collect(poll_t *p)
{
    unsigned n = 0, i;

    while (p->out.len < (size_t)ANSWER_MAX) {
        wsk_cursor_t before = p->at;
        wsk_status_e rv = read_some(p, &n);

        if (rv == WSK_EGAP) {
            /* Evicted while we read. A gap stands first, so one that follows
             * messages is for the next poll to tell. */
            p->at = before;
            if (p->count) {
                return;
            }
            begin_at(p, p->gap ? &p->since : &before);
            continue;
        }
        if (rv != WSK_OK || n == 0) {
            p->out.failed |= rv == WSK_ENOMEM;
            return;
        }
        for (i = 0; i < n; i++) {
            wsk_cursor_t id = { p->at.epoch, p->records[i].seq };

            if (asked(p, p->records[i].channel)) {
                p->put(p, &p->records[i], &id);
                p->count++;
            }
        }
    }
}

/* @return whether there is something to answer; if not, *why */
static bool begin(poll_t *p, wsk_refusal_e *why)
{
    unsigned refused;

    p->names = wsk_channels_asked(p->r, p->who, &p->nnames, &refused);
    if (!p->nnames) {
        *why = refused ? WSK_R_channel_forbidden : WSK_R_invalid_channel;
        return false;
    }
    *why = WSK_R_unavailable;
    p->has_since = wsk_since_asked(p->r, &p->since);
    if (wsk_log_head(wsk_process.seg, p->who->site, WSK_LOG_TEXT, &p->at)
        != WSK_OK) {
        return false;
    }
    if (p->has_since) {
        begin_at(p, &p->since);
    }
    p->cap = 65536;
    p->buf = malloc(p->cap);
    return p->buf != NULL;
}

static void count_answer(const poll_t *p)
{
    wsk_count(wsk_process.seg, wsk_slot_now(), p->who->site, WSK_C_poll_answers,
              1);
    wsk_count(wsk_process.seg, wsk_slot_now(), p->who->site, WSK_C_delivered,
              p->count);
    wsk_count(wsk_process.seg, wsk_slot_now(), p->who->site, WSK_C_gaps,
              p->gap);
}

static void end(poll_t *p)
{
    free(p->buf);
    wsk_text_free(&p->out);
}

static unsigned retry_ms(void)
{
    return RETRY_MS + (unsigned)(apr_time_now() / 7 % (RETRY_MS / 2));
}

static void put_json(poll_t *p, const wsk_record_t *record,
                     const wsk_cursor_t *id)
{
    wsk_text_put(&p->out, p->count ? "," : "");
    wsk_text_message(&p->out, record, id, false);
}

/* A gap stands before what is left, in the place of a message. */
static void put_gap(wsk_text_t *t, const wsk_cursor_t *since,
                    const wsk_cursor_t *oldest)
{
    wsk_text_put(t, "{\"type\":\"gap\",\"since\":");
    wsk_text_id(t, since);
    wsk_text_put(t, ",\"oldest\":");
    wsk_text_id(t, oldest);
    wsk_text_put(t, "}");
}

static int answer_poll(poll_t *p)
{
    wsk_text_t t = { 0 };
    char stream[WSK_STREAM_LEN + 1];
    const char *json;

    wsk_caller_renew(p->r, p->who, stream);
    wsk_text_put(&t, "{\"messages\":[");
    collect(p);
    if (p->gap) {
        put_gap(&t, &p->since, &p->oldest);
    }
    wsk_text_put(&t, p->gap && p->count ? "," : "");
    wsk_text_raw(&t, p->out.at, p->out.len);
    wsk_text_put(&t, "],\"cursor\":");
    wsk_text_id(&t, &p->at);
    wsk_text_fmt(&t, ",\"retry\":%u,\"stream\":\"%s\"}", retry_ms(), stream);
    if (!wsk_text_ok(&t) || !wsk_text_ok(&p->out)) {
        wsk_text_free(&t);
        return wsk_refuse(p->r, WSK_R_unavailable, 1);
    }
    json = apr_pstrmemdup(p->r->pool, t.at, t.len);
    wsk_text_free(&t);
    return wsk_answer(p->r, HTTP_OK, json);
}

int wsk_handle_poll(request_rec *r, wsk_request_t *wr)
{
    wsk_caller_t who = { 0 };
    poll_t p = { .r = r, .who = &who, .put = put_json };
    wsk_token_e token;
    wsk_refusal_e why;
    int status;

    if (!wsk_allow_origin(r, wr->host)) {
        return wsk_refuse(r, WSK_R_origin_forbidden, 0);
    }
    token = wsk_caller_read(r, wr, wr->token, &who);
    if (token != WSK_TOKEN_OK) {
        status = wsk_refuse_token(r, token);
    }
    else if (who.state != WSK_SITE_ON) {
        status = wsk_refuse(r, WSK_R_not_found, 0);
    }
    else if (!begin(&p, &why)) {
        status = wsk_refuse(r, why, 0);
    }
    else {
        status = answer_poll(&p);
        count_answer(&p);
    }
    end(&p);
    wsk_caller_done(&who);
    return status;
}

/* An event stream that ends. */

static void put_one_event(wsk_text_t *t, const wsk_sse_event_t *ev)
{
    size_t cap = wsk_sse_bound(ev);
    char *line = malloc(cap);

    if (line) {
        wsk_text_raw(t, line, wsk_sse_write(line, cap, ev));
    }
    t->failed |= !line;
    free(line);
}

static void put_event(poll_t *p, const wsk_record_t *record,
                      const wsk_cursor_t *id)
{
    char text[WSK_ID_MAX];
    wsk_text_t data = { 0 };
    wsk_sse_event_t ev = { .retry_ms = -1 };

    wsk_text_message(&data, record, id, false);
    ev.id = (wsk_slice_t){ text, wsk_cursor_text(text, id) };
    ev.data = (wsk_slice_t){ data.at, data.len };
    put_one_event(&p->out, &ev);
    wsk_text_free(&data);
}

static void put_gap_event(poll_t *p, wsk_text_t *out)
{
    char text[WSK_ID_MAX];
    wsk_text_t data = { 0 };
    wsk_sse_event_t ev = { .event = { "wps.gap", 7 }, .retry_ms = -1 };

    put_gap(&data, &p->since, &p->oldest);
    ev.id = (wsk_slice_t){ text, wsk_cursor_text(text, &p->oldest) };
    ev.data = (wsk_slice_t){ data.at, data.len };
    put_one_event(out, &ev);
    wsk_text_free(&data);
}

int wsk_poll_events(request_rec *r, wsk_caller_t *who)
{
    poll_t p = { .r = r, .who = who, .put = put_event };
    char text[WSK_ID_MAX], stream[33];
    wsk_sse_event_t last = { .retry_ms = (int64_t)retry_ms() };
    wsk_text_t gap = { 0 };
    wsk_refusal_e why;

    if (!begin(&p, &why)) {
        end(&p);
        return wsk_refuse(r, why, 0);
    }
    collect(&p);
    if (p.gap) {
        put_gap_event(&p, &gap);
    }
    last.id = (wsk_slice_t){ text, wsk_cursor_text(text, &p.at) };
    put_one_event(&p.out, &last);
    if (!wsk_text_ok(&p.out) || (p.gap && !wsk_text_ok(&gap))) {
        wsk_text_free(&gap);
        end(&p);
        return wsk_refuse(r, WSK_R_unavailable, 0);
    }
    apr_table_setn(r->headers_out, "Cache-Control", "no-store, no-transform");
    apr_table_setn(r->headers_out, "X-Accel-Buffering", "no");
    ap_set_content_type(r, "text/event-stream");
    wsk_caller_stream(who, true, stream);
    ap_rprintf(r, "event: wps.open\ndata: {\"stream\":\"%s\"}\n\n", stream);
    ap_rwrite(gap.at, (int)gap.len, r);
    ap_rwrite(p.out.at, (int)p.out.len, r);
    wsk_text_free(&gap);
    count_answer(&p);
    end(&p);
    return OK;
}
