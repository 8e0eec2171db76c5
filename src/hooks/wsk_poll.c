/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_poll -- answers at once: GET /poll, and an event stream where a
 * connection cannot be taken over.
 */
#include "hooks/wsk_hooks.h"

#include <openssl/evp.h>

#include "auth/wsk_channel.h"
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
    unsigned count;               /* of all in out, and of those: */
    unsigned made, frames;        /* by the relay; binary */
    wsk_cursor_t presence, frame; /* how far it knows these */
    bool stateful, knows_presence, knows_frames, lost;
    uint64_t sender; /* whose own frames it is not given */
    /* @param id  NULL: the relay says it, without one */
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

static bool widen(poll_t *p, size_t cap)
{
    char *wider = realloc(p->buf, cap);

    if (wider) {
        p->buf = wider;
        p->cap = cap;
    }
    return wider != NULL;
}

static wsk_status_e read_some(poll_t *p, wsk_log_e log, wsk_cursor_t *at,
                              unsigned *pn)
{
    wsk_status_e rv = wsk_log_read(wsk_process.seg, p->who->site, log, at,
                                   p->buf, p->cap, p->records, BATCH, pn);

    if (rv == WSK_EFULL) {
        rv = widen(p, *pn)
                 ? wsk_log_read(wsk_process.seg, p->who->site, log, at, p->buf,
                                p->cap, p->records, BATCH, pn)
                 : WSK_ENOMEM;
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
        wsk_status_e rv = read_some(p, WSK_LOG_TEXT, &p->at, &n);

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

/* Who is on the channels, unless nothing has changed at the site since. */
static void collect_presence(poll_t *p)
{
    const wsk_cursor_t known = p->presence;
    unsigned i;

    if (wsk_log_head(wsk_process.seg, p->who->site, WSK_LOG_PRESENCE,
                     &p->presence)
            != WSK_OK
        || (p->knows_presence && known.epoch == p->presence.epoch
            && known.seq == p->presence.seq)) {
        return;
    }
    for (i = 0; i < p->nnames; i++) {
        wsk_record_t record = { .channel = p->names[i] };
        wsk_cursor_t at;
        size_t len = 0;
        wsk_status_e rv = WSK_EFULL;

        if (wsk_channel_reserved(p->names[i])) {
            continue;
        }
        while (rv == WSK_EFULL) {
            rv = len > p->cap && !widen(p, len)
                     ? WSK_ENOMEM
                     : wsk_presence_list(wsk_process.seg, p->who->site,
                                         p->names[i], p->buf, p->cap, &len,
                                         &at);
        }
        p->out.failed |= rv == WSK_ENOMEM;
        if (rv == WSK_OK) {
            record.body = (wsk_slice_t){ p->buf, len };
            p->put(p, &record, NULL);
            p->count++;
            p->made++;
        }
    }
}

static void collect_counts(poll_t *p)
{
    wsk_record_t record = { .channel = { WSK_ROSTER_COUNTS,
                                         sizeof WSK_ROSTER_COUNTS - 1 } };
    wsk_text_t body = { 0 };

    if (!asked(p, record.channel)) {
        return;
    }
    wsk_roster_counts_body(&body,
                           wsk_site_connections(wsk_process.seg, p->who->site),
                           p->who->spec.limits.connections);
    record.body = (wsk_slice_t){ body.at, body.len };
    p->out.failed |= !wsk_text_ok(&body);
    p->put(p, &record, NULL);
    p->count++;
    p->made++;
    wsk_text_free(&body);
}

static void put_frame(poll_t *p, const wsk_record_t *record)
{
    const size_t cap = (record->body.len + 2) / 3 * 4 + 1;
    char *text = malloc(cap);

    if (text) {
        EVP_EncodeBlock((unsigned char *)text,
                        (const unsigned char *)record->body.at,
                        (int)record->body.len);
        wsk_text_put(&p->out, p->count ? ",{\"binary\":\"" : "{\"binary\":\"");
        wsk_text_raw(&p->out, text, cap - 1);
        wsk_text_put(&p->out, "\"}");
    }
    p->out.failed |= !text;
    free(text);
    p->count++;
    p->frames++;
}

/* Binary frames since the last poll; the first one is told from where on. */
static void collect_frames(poll_t *p)
{
    unsigned n = 1, i;

    wsk_log_polled(wsk_process.seg, p->who->site, apr_time_now());
    if (!p->knows_frames) {
        wsk_log_head(wsk_process.seg, p->who->site, WSK_LOG_BINARY, &p->frame);
        return;
    }
    while (n > 0 && p->out.len < (size_t)ANSWER_MAX) {
        const wsk_status_e rv = read_some(p, WSK_LOG_BINARY, &p->frame, &n);

        if (rv == WSK_EGAP) {
            p->lost = true; /* and on from the oldest there is */
            n = 1;
            continue;
        }
        p->out.failed |= rv == WSK_ENOMEM;
        for (i = 0; i < n && rv == WSK_OK; i++) {
            if (asked(p, p->records[i].channel)
                && (!p->sender || p->records[i].sender != p->sender)) {
                put_frame(p, &p->records[i]);
            }
        }
        if (rv != WSK_OK) {
            return;
        }
    }
}

/* "<place in presence>.<place in binary frames>", as we have said it; without a
 * place that is not known, or not wanted any more. */
static void state_of(poll_t *p, const char *text)
{
    const size_t len = strcspn(text, ".");
    const char *rest = text + len + (text[len] == '.');

    p->knows_presence = wsk_cursor_parse((wsk_slice_t){ text, len },
                                         &p->presence);
    p->knows_frames = wsk_cursor_parse((wsk_slice_t){ rest, strlen(rest) },
                                       &p->frame)
                      && p->frame.epoch;
}

static void put_state(wsk_text_t *t, const poll_t *p)
{
    char presence[WSK_ID_MAX], frame[WSK_ID_MAX];

    wsk_cursor_text(presence, &p->presence);
    wsk_cursor_text(frame, &p->frame);
    wsk_text_fmt(t, ",\"state\":\"%s.%s\"", presence, frame);
    wsk_text_put(t, p->lost ? ",\"lost\":true" : "");
}

/* What a poll is given beside messages, if it can say how far it knows that. */
static void collect_rest(poll_t *p)
{
    const char *state = wsk_query(p->r, "state");
    const char *binary = wsk_query(p->r, "binary");
    const char *stream = wsk_query(p->r, "stream");

    p->stateful = state != NULL;
    if (!p->stateful) {
        return;
    }
    state_of(p, state);
    if (stream && !wsk_caller_sends(p->who, stream, &p->sender)) {
        p->sender = 0;
    }
    collect_presence(p);
    collect_counts(p);
    if (binary && strcmp(binary, "1") == 0) {
        collect_frames(p);
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
              p->count - p->made - p->frames);
    wsk_count(wsk_process.seg, wsk_slot_now(), p->who->site,
              WSK_C_delivered_presence, p->made);
    wsk_count(wsk_process.seg, wsk_slot_now(), p->who->site,
              WSK_C_delivered_binary, p->frames);
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
    if (id) {
        wsk_text_message(&p->out, record, id, false);
    }
    else {
        wsk_roster_text(&p->out, record, false);
    }
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
    collect_rest(p);
    if (p->gap) {
        put_gap(&t, &p->since, &p->oldest);
    }
    wsk_text_put(&t, p->gap && p->count ? "," : "");
    wsk_text_raw(&t, p->out.at, p->out.len);
    wsk_text_put(&t, "],\"cursor\":");
    wsk_text_id(&t, &p->at);
    if (p->stateful) {
        put_state(&t, p);
    }
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

    if (id) {
        wsk_text_message(&data, record, id, false);
        ev.id = (wsk_slice_t){ text, wsk_cursor_text(text, id) };
    }
    else {
        wsk_roster_text(&data, record, false);
    }
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
    collect_presence(&p);
    collect_counts(&p);
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
