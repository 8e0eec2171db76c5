/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client's JSON messages (PROTOCOL.md, "Frames").
 */
#include <stdlib.h>
#include <string.h>

#include "auth/wsk_channel.h"
#include "transport/wsk_loop_int.h"

#define BAD_MESSAGES 10 /* in a minute: then 1008 */
#define REF_MAX 64

/* A refusal that is not the inbox's, which counts its own. */
static void refuse(wsk_loop_t *l, wsk_conn_t *c, wsk_answer_e answer,
                   const wsk_text_t *extra)
{
    wsk_loop_count(l, c, WSK_C_browser_refused, 1);
    wsk_say_error(l, c, answer, extra);
}

/* Ten of these, and it is not a client of ours. */
static void note_bad(wsk_loop_t *l, wsk_conn_t *c)
{
    if (l->now_s - c->bad_since_s >= 60) {
        c->bad_since_s = l->now_s;
        c->bad_messages = 0;
    }
    if (++c->bad_messages >= BAD_MESSAGES) {
        wsk_loop_count(l, c, WSK_C_protocol_closed, 1);
        wsk_say_close(l, c, WSK_CLOSE_POLICY, "too many bad messages");
    }
}

static void bad_message(wsk_loop_t *l, wsk_conn_t *c, wsk_answer_e answer)
{
    refuse(l, c, answer, NULL);
    if (answer != WSK_A_unavailable) {
        note_bad(l, c);
    }
}

/* More names than make sense in one message, whatever is asked of them. */
static bool too_many(const wsk_loop_t *l, const wsk_conn_t *c, size_t names)
{
    return names
           > 4u * WSK_MAX(l->views[c->site]->spec.limits.max_channels, 1u);
}

static wsk_sender_t sender(wsk_loop_t *l, wsk_conn_t *c)
{
    return (wsk_sender_t){ .seg = l->spec.seg,
                           .bell = l->spec.bell,
                           .slot = l->slot,
                           .site = c->site,
                           .spec = &l->views[c->site]->spec,
                           .grant = c->grant,
                           .id = c->member.id,
                           .present = wsk_roster_present(l, c),
                           .purse = &c->purse,
                           .now_us = l->now_us };
}

/* What the inbox has answered, which counted it. */
static void say_refused(wsk_loop_t *l, wsk_conn_t *c, wsk_answer_e answer,
                        const wsk_limited_t *limited, const wsk_text_t *extra)
{
    if (answer == WSK_A_rate_limited) {
        wsk_say_limited(l, c, limited, extra);
        return;
    }
    wsk_say_error(l, c, answer, extra);
    if (answer == WSK_A_bad_message) {
        note_bad(l, c);
    }
}

/* `,"channels":[..]` */
static void put_channels(wsk_text_t *t, const wsk_slice_t *names, unsigned n)
{
    unsigned i;

    wsk_text_put(t, ",\"channels\":[");
    for (i = 0; i < n; i++) {
        wsk_text_put(t, i ? "," : "");
        wsk_text_string(t, names[i]);
    }
    wsk_text_put(t, "]");
}

/* @param at  the place of who has subscribed, or NULL */
static void say_list(wsk_loop_t *l, wsk_conn_t *c, const char *type,
                     const wsk_slice_t *names, unsigned n,
                     const wsk_cursor_t *at)
{
    wsk_text_t t = { 0 };

    wsk_text_fmt(&t, "{\"type\":\"%s\"", type);
    put_channels(&t, names, n);
    if (at) {
        wsk_text_put(&t, ",\"id\":");
        wsk_text_id(&t, at);
    }
    wsk_text_put(&t, "}");
    wsk_say_text(l, c, &t);
}

static wsk_slice_t text_of(const json_t *value)
{
    return (wsk_slice_t){ json_string_value(value), json_string_length(value) };
}

/* A list of nothing but texts. */
static bool is_text_list(const json_t *list)
{
    size_t i;
    const json_t *item;

    json_array_foreach(list, i, item)
    {
        if (!json_is_string(item)) {
            return false;
        }
    }
    return json_is_array(list);
}

/* The lists a subscribe is sorted into; all lent from the parsed message. */
typedef struct sorted_t {
    wsk_slice_t *granted, *fresh, *refused;
    unsigned ngranted, nfresh, nrefused;
} sorted_t;

/* Add a name unless it is there. */
static bool add_once(wsk_slice_t *names, unsigned *pn, wsk_slice_t name)
{
    unsigned i;

    for (i = 0; i < *pn; i++) {
        if (names[i].len == name.len
            && memcmp(names[i].at, name.at, name.len) == 0) {
            return false;
        }
    }
    names[(*pn)++] = name;
    return true;
}

static void sort_channels(wsk_loop_t *l, const wsk_conn_t *c, json_t *list,
                          sorted_t *s)
{
    const wsk_site_spec_t *spec = &l->views[c->site]->spec;
    size_t i;
    json_t *item;

    json_array_foreach(list, i, item)
    {
        wsk_slice_t given = text_of(item);
        wsk_slice_t bare = wsk_channel_bare(given, spec->site_id);

        if (!wsk_channel_valid(bare, spec->limits.max_channel_name)
            || !wsk_grant_may_read(c->grant, spec->site_id, bare, given)) {
            add_once(s->refused, &s->nrefused, given);
        }
        else if (add_once(s->granted, &s->ngranted, bare)
                 && !wsk_hub_has(&c->member, bare)) {
            s->fresh[s->nfresh++] = bare;
        }
    }
}

/* Where a client is that goes on from `since`. It may keep this and come back
 * with it, so it must hide neither what is replayed now nor a gap. */
static wsk_cursor_t place_from(const wsk_conn_t *c, const wsk_cursor_t *since)
{
    wsk_cursor_t at = wsk_hub_position(&c->member);

    return at.epoch == since->epoch && at.seq < since->seq ? at : *since;
}

static void subscribe_sorted(wsk_loop_t *l, wsk_conn_t *c, const sorted_t *s,
                             json_t *since)
{
    bool resumes = json_is_string(since) && s->nfresh;
    wsk_cursor_t from = { 0, 0 }, at;
    wsk_text_t extra = { 0 };
    wsk_status_e rv = wsk_hub_subscribe(
        l->hub, &c->member, s->granted, s->ngranted,
        l->views[c->site]->spec.limits.max_channels);

    if (rv != WSK_OK) {
        refuse(l, c,
               rv == WSK_EFULL ? WSK_A_too_many_channels : WSK_A_unavailable,
               NULL);
        return;
    }
    if (resumes) {
        /* What is not an id of ours is a place nobody knows: a gap. */
        wsk_cursor_parse(text_of(since), &from);
    }
    at = resumes ? place_from(c, &from) : wsk_hub_position(&c->member);
    say_list(l, c, "subscribed", s->granted, s->ngranted, &at);
    if (s->nrefused) {
        put_channels(&extra, s->refused, s->nrefused);
        refuse(l, c, WSK_A_channel_forbidden, &extra);
        wsk_text_free(&extra);
    }
    if (resumes && !wsk_session_resume(l, c, &from, s->fresh, s->nfresh)) {
        return;
    }
    wsk_roster_begin(l, c, s->fresh, s->nfresh);
}

static void on_subscribe(wsk_loop_t *l, wsk_conn_t *c, json_t *msg)
{
    json_t *list = json_object_get(msg, "channels");
    json_t *since = json_object_get(msg, "since");
    size_t n = json_array_size(list);
    sorted_t s = { 0 };

    if (!is_text_list(list)
        || (since && !json_is_string(since) && !json_is_null(since))) {
        bad_message(l, c, WSK_A_bad_message);
        return;
    }
    if (too_many(l, c, n)) {
        bad_message(l, c, WSK_A_too_many_channels);
        return;
    }
    s.granted = calloc(3 * n + 1, sizeof *s.granted);
    if (!s.granted) {
        refuse(l, c, WSK_A_unavailable, NULL);
        return;
    }
    s.fresh = s.granted + n;
    s.refused = s.fresh + n;
    sort_channels(l, c, list, &s);
    subscribe_sorted(l, c, &s, since);
    free(s.granted);
}

static void on_unsubscribe(wsk_loop_t *l, wsk_conn_t *c, json_t *msg)
{
    json_t *list = json_object_get(msg, "channels"), *item;
    wsk_slice_t *names;
    unsigned n = 0;
    size_t i;

    if (!is_text_list(list)) {
        bad_message(l, c, WSK_A_bad_message);
        return;
    }
    if (too_many(l, c, json_array_size(list))) {
        bad_message(l, c, WSK_A_too_many_channels);
        return;
    }
    names = calloc(json_array_size(list) + 1, sizeof *names);
    if (!names) {
        refuse(l, c, WSK_A_unavailable, NULL);
        return;
    }
    json_array_foreach(list, i, item)
    {
        wsk_slice_t bare = wsk_channel_bare(text_of(item),
                                            l->views[c->site]->spec.site_id);

        if (wsk_hub_unsubscribe(l->hub, &c->member, bare)) {
            names[n++] = bare;
        }
    }
    say_list(l, c, "unsubscribed", names, n, NULL);
    free(names);
}

/* `,"ref":` and what the client named it by. @return false if that is neither
 * a short text nor a whole number */
static bool put_ref(wsk_text_t *t, const json_t *ref)
{
    if (ref && !json_is_null(ref)) {
        wsk_text_put(t, ",\"ref\":");
    }
    if (json_is_string(ref)) {
        wsk_text_string(t, text_of(ref));
        return json_string_length(ref) <= REF_MAX;
    }
    if (json_is_integer(ref)) {
        wsk_text_fmt(t, "%lld", (long long)json_integer_value(ref));
        return true;
    }
    return !ref || json_is_null(ref);
}

static void say_ack(wsk_loop_t *l, wsk_conn_t *c, const wsk_text_t *ref,
                    const wsk_cursor_t *id)
{
    wsk_text_t t = { 0 };

    wsk_text_put(&t, "{\"type\":\"ack\"");
    wsk_text_raw(&t, ref->at, ref->len);
    t.failed |= !wsk_text_ok(ref);
    wsk_text_put(&t, ",\"id\":");
    wsk_text_id(&t, id);
    wsk_text_put(&t, "}");
    wsk_say_text(l, c, &t);
}

static void on_publish(wsk_loop_t *l, wsk_conn_t *c, json_t *msg)
{
    wsk_sender_t from = sender(l, c);
    wsk_text_t ref = { 0 };
    wsk_cursor_t id;
    wsk_answer_e answer;

    /* Who waits for an ack must not wait in vain: nothing is sent unless it
     * can be answered. */
    if (!put_ref(&ref, json_object_get(msg, "ref"))) {
        wsk_text_free(&ref);
        bad_message(l, c, WSK_A_bad_message);
        return;
    }
    answer = ref.failed ? WSK_A_unavailable
                        : wsk_inbox_message(&from, msg, &id);
    if (answer != WSK_A_ok) {
        say_refused(l, c, answer, &from.limited,
                    answer == WSK_A_bad_message ? NULL : &ref);
    }
    else if (ref.len) {
        say_ack(l, c, &ref, &id);
    }
    wsk_text_free(&ref);
}

static void on_presence(wsk_loop_t *l, wsk_conn_t *c, json_t *msg)
{
    wsk_sender_t from = sender(l, c);
    const wsk_answer_e answer = wsk_inbox_presence(&from, msg);

    c->present = true;
    if (answer != WSK_A_ok) {
        say_refused(l, c, answer, &from.limited, NULL);
    }
}

static void say_left(wsk_loop_t *l, wsk_conn_t *c, wsk_slice_t channel)
{
    wsk_text_t t = { 0 };

    wsk_text_put(&t, "{\"type\":\"unsubscribed\"");
    put_channels(&t, &channel, 1);
    wsk_text_put(&t, ",\"presence\":true}");
    wsk_say_text(l, c, &t);
}

/* Presences a refreshed token no longer allows. */
static void drop_presences(wsk_loop_t *l, wsk_conn_t *c)
{
    const wsk_site_spec_t *spec = &l->views[c->site]->spec;
    const uint64_t member = wsk_roster_present(l, c).member;
    const unsigned max = spec->limits.max_channels;
    wsk_slice_t *names = c->present
                             ? malloc(max * (sizeof *names + WSK_CHANNEL_MAX))
                             : NULL;
    unsigned n = 0, i;

    if (names) {
        n = wsk_presence_channels(l->spec.seg, c->site, member,
                                  (char *)(names + max),
                                  (size_t)max * WSK_CHANNEL_MAX, names, max);
    }
    else if (c->present) { /* where it may not be it must not stay */
        wsk_say_close(l, c, WSK_CLOSE_TRY_LATER, NULL);
    }
    for (i = 0; i < n; i++) {
        if (!wsk_grant_may_write(c->grant, spec->site_id, names[i], names[i])) {
            wsk_presence_leave(l->spec.seg, c->site, member, names[i],
                               l->now_us);
            wsk_bell_ring(l->spec.bell, l->spec.seg, c->site);
            say_left(l, c, names[i]);
        }
    }
    free(names);
}

/* Subscriptions a refreshed token no longer allows. */
static void drop_forbidden(wsk_loop_t *l, wsk_conn_t *c)
{
    const wsk_site_spec_t *spec = &l->views[c->site]->spec;
    unsigned i = 0;

    while (i < c->member.nsubs) {
        wsk_slice_t lent = wsk_hub_name(&c->member.subs[i]), name;
        char copy[WSK_CHANNEL_MAX];

        memcpy(copy, lent.at, lent.len); /* goes with its last member */
        name = (wsk_slice_t){ copy, lent.len };
        if (wsk_grant_may_read(c->grant, spec->site_id, name, name)) {
            i++;
            continue;
        }
        wsk_hub_unsubscribe(l->hub, &c->member, name);
        say_list(l, c, "unsubscribed", &name, 1, NULL);
    }
}

static void refuse_token(wsk_loop_t *l, wsk_conn_t *c, wsk_token_e why)
{
    const bool later = why == WSK_TOKEN_NOMEM;

    wsk_loop_count(l, c, WSK_C_refused_token, 1);
    wsk_say_error(l, c, later ? WSK_A_unavailable : WSK_A_unauthorized, NULL);
    wsk_say_close(l, c, later ? WSK_CLOSE_TRY_LATER : WSK_CLOSE_TOKEN,
                  later ? wsk_token_reason(why) : "token refused");
}

static void on_auth(wsk_loop_t *l, wsk_conn_t *c, json_t *msg)
{
    const wsk_site_spec_t *spec = &l->views[c->site]->spec;
    json_t *token = json_object_get(msg, "token");
    wsk_slice_t key = { spec->key, strlen(spec->key) };
    wsk_secrets_t secrets;
    wsk_claims_t claims;
    wsk_text_t t = { 0 };
    wsk_token_e why = WSK_TOKEN_MALFORMED;
    int i;

    for (i = 0; i < 2; i++) {
        secrets.at[i] = (wsk_slice_t){ spec->jwt.at[i],
                                       strlen(spec->jwt.at[i]) };
    }
    if (json_is_string(token)) {
        why = wsk_token_verify(text_of(token), key, &secrets,
                               l->now_us / 1000000, &claims);
    }
    if (why == WSK_TOKEN_OK
        && wsk_inbox_user(l->spec.seg, claims.user_id) != c->user) {
        wsk_grant_unref(claims.grant);
        why = WSK_TOKEN_CLAIMS;
    }
    if (why != WSK_TOKEN_OK) {
        refuse_token(l, c, why);
        return;
    }
    wsk_grant_unref(c->grant);
    c->grant = wsk_grant_intern(l->grants, claims.grant);
    c->exp_s = claims.exp;
    c->proof = wsk_inbox_proof(l->spec.seg, spec->jwt.at[claims.secret]);
    drop_forbidden(l, c);
    drop_presences(l, c);
    wsk_text_fmt(&t, "{\"type\":\"auth_ok\",\"exp\":%lld}",
                 (long long)claims.exp);
    wsk_say_text(l, c, &t);
    wsk_wheel_set(l, c, l->now_s + 1);
}

static const struct {
    const char *type;
    void (*on)(wsk_loop_t *, wsk_conn_t *, json_t *);
} types[] = { { "subscribe", on_subscribe },
              { "unsubscribe", on_unsubscribe },
              { "message", on_publish },
              { "presence", on_presence },
              { "auth", on_auth },
              { "pong", NULL /* heard where bytes are read */ } };

void wsk_message_text(wsk_loop_t *l, wsk_conn_t *c, const char *json,
                      size_t len)
{
    json_t *msg;
    wsk_answer_e answer = wsk_inbox_parse(&msg, json, len);
    wsk_slice_t type = text_of(json_object_get(msg, "type"));
    size_t i;

    for (i = 0; i < WSK_COUNT_OF(types); i++) {
        if (type.len == strlen(types[i].type)
            && memcmp(types[i].type, type.at, type.len) == 0) {
            if (types[i].on) {
                types[i].on(l, c, msg);
            }
            break;
        }
    }
    if (i == WSK_COUNT_OF(types)) {
        bad_message(l, c, answer ? answer : WSK_A_bad_message);
    }
    json_decref(msg);
}

void wsk_message_binary(wsk_loop_t *l, wsk_conn_t *c, const uint8_t *bytes,
                        size_t len)
{
    wsk_sender_t from = sender(l, c);
    wsk_answer_e answer = wsk_inbox_binary(&from, bytes, len);

    c->member.binary = true;
    if (answer != WSK_A_ok) {
        say_refused(l, c, answer, &from.limited, NULL);
    }
}
