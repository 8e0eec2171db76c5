/* SPDX-License-Identifier: Apache-2.0 */
#include "transport/wsk_inbox.h"

#include <string.h>
#include <unistd.h>

#include "auth/wsk_channel.h"
#include "auth/wsk_json.h"
#include "core/wsk_hash.h"
#include "proto/wsk_utf8.h"

static const struct {
    const char *name, *text;
    int status;
} answers[] = {
#define X(name, text, status) { #name, text, status },
    WSK_ANSWERS(X)
#undef X
};
_Static_assert(WSK_COUNT_OF(answers) == WSK_A_COUNT, "a row for every answer");

const char *wsk_answer_name(wsk_answer_e answer)
{
    return answers[answer].name;
}

const char *wsk_answer_text(wsk_answer_e answer)
{
    return answers[answer].text;
}

int wsk_answer_status(wsk_answer_e answer)
{
    return answers[answer].status;
}

static void ring_one(void *baton, unsigned slot)
{
    const int *fds = baton;
    uint64_t one = 1;
    ssize_t n = write(fds[slot], &one, sizeof one);

    (void)n; /* full means it will wake anyhow */
}

void wsk_bell_ring(wsk_bell_t bell, wsk_segment_t *seg, uint32_t site)
{
    wsk_slot_ring(seg, site, ring_one, (void *)(uintptr_t)bell.fds);
}

bool wsk_purse_take(wsk_purse_t *p, uint32_t rate, uint32_t burst,
                    int64_t now_us)
{
    uint64_t most = (uint64_t)burst * 1000;
    uint64_t have = p->at_us ? p->milli : most;
    int64_t idle_ms = 0;

    if (p->at_us && now_us > p->at_us) {
        idle_ms = (now_us - p->at_us) / 1000;
        have += (uint64_t)WSK_MIN(idle_ms, INT64_C(3600000)) * rate;
    }
    have = WSK_MIN(have, WSK_MIN(most, (uint64_t)UINT32_MAX));
    if (!p->at_us || now_us < p->at_us) {
        p->at_us = WSK_MAX(now_us, INT64_C(1));
    }
    else {
        p->at_us += idle_ms * 1000; /* parts of one are not forgotten */
    }
    p->milli = (uint32_t)have;
    if (have < 1000) {
        return false;
    }
    p->milli -= 1000;
    return true;
}

wsk_answer_e wsk_inbox_parse(json_t **pvalue, const char *bytes, size_t len)
{
    const wsk_slice_t text = { bytes, len };
    json_error_t error = { .text = "" };
    wsk_status_e rv = wsk_json_read(pvalue, text, JSON_ALLOW_NUL, &error);

    if (rv == WSK_EINVAL && strncmp(error.text, "too big", 7) == 0) {
        /* To a browser all numbers are floats, so it may write a large one
         * without a point. */
        rv = wsk_json_read(pvalue, text,
                           JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, NULL);
    }
    return rv == WSK_OK       ? WSK_A_ok
           : rv == WSK_EINVAL ? WSK_A_bad_message
                              : WSK_A_unavailable;
}

uint64_t wsk_inbox_user(const wsk_segment_t *seg, const char *user_id)
{
    return wsk_hash(wsk_segment_secret(seg), user_id, strlen(user_id));
}

uint64_t wsk_inbox_proof(const wsk_segment_t *seg, const char *secret)
{
    return wsk_hash(wsk_segment_secret(seg) + WSK_HASH_KEY, secret,
                    strlen(secret))
           | 1;
}

static wsk_answer_e refused(wsk_sender_t *from, wsk_answer_e answer)
{
    wsk_count(from->seg, from->slot, from->site, WSK_C_browser_refused, 1);
    return answer;
}

/* @return the milliseconds until its purse has one again; 0: it was taken */
static uint32_t own_rate(wsk_sender_t *from)
{
    const wsk_limits_t *limits = &from->spec->limits;
    const uint32_t rate = limits->connection_rate;

    if (!from->purse) {
        return wsk_site_rate_caller(from->seg, from->site, from->caller,
                                    from->now_us);
    }
    if (wsk_purse_take(from->purse, rate, limits->connection_burst,
                       from->now_us)) {
        return 0;
    }
    return rate ? (1000 - from->purse->milli) / rate + 1 : UINT32_MAX;
}

static wsk_answer_e pay(wsk_sender_t *from)
{
    wsk_limited_t by = { WSK_Q_connection_browser, own_rate(from) };

    if (!by.wait_ms) {
        by.wait_ms = wsk_site_rate(from->seg, from->site, WSK_RATE_BROWSER, 1,
                                   from->now_us, &by.quota);
    }
    if (!by.wait_ms) {
        return WSK_A_ok;
    }
    if (by.quota) {
        wsk_count(from->seg, from->slot, from->site,
                  wsk_quota_counter(by.quota), 1);
    }
    from->limited = by;
    return WSK_A_rate_limited;
}

static wsk_answer_e may_send(wsk_sender_t *from, wsk_slice_t given, size_t len,
                             wsk_slice_t *bare)
{
    const wsk_limits_t *limits = &from->spec->limits;

    *bare = wsk_channel_bare(given, from->spec->site_id);
    if (!wsk_channel_valid(*bare, limits->max_channel_name)) {
        return WSK_A_invalid_channel;
    }
    if (wsk_channel_reserved(*bare)
        || !wsk_grant_may_write(from->grant, from->spec->site_id, *bare,
                                given)) {
        return WSK_A_publish_forbidden;
    }
    if (len > limits->max_message) {
        return WSK_A_too_large;
    }
    return pay(from);
}

static wsk_answer_e append(wsk_sender_t *from, wsk_log_e log,
                           const wsk_record_t *record, wsk_cursor_t *id)
{
    wsk_status_e rv = wsk_log_append(from->seg, from->site, log, record, 1,
                                     NULL, from->now_us, id);

    if (rv != WSK_OK) {
        wsk_count(from->seg, from->slot, from->site, WSK_C_publish_full,
                  rv != WSK_ENOTFOUND);
        return refused(from, WSK_A_unavailable);
    }
    wsk_count(from->seg, from->slot, from->site,
              log == WSK_LOG_TEXT ? WSK_C_published_browser
                                  : WSK_C_published_binary,
              1);
    wsk_count(from->seg, from->slot, from->site, WSK_C_published_bytes,
              record->body.len);
    wsk_bell_ring(from->bell, from->seg, from->site);
    return WSK_A_ok;
}

wsk_answer_e wsk_inbox_message(wsk_sender_t *from, json_t *msg,
                               wsk_cursor_t *id)
{
    json_t *channel = json_object_get(msg, "channel");
    json_t *event = json_object_get(msg, "event");
    wsk_record_t record = { 0 };
    wsk_text_t body = { 0 };
    wsk_answer_e answer;

    if (!json_is_string(channel) || !json_is_string(event)
        || json_string_length(event) == 0
        || json_string_length(event) > WSK_EVENT_MAX
        || strlen(json_string_value(event)) != json_string_length(event)) {
        return refused(from, WSK_A_bad_message);
    }
    answer = may_send(from,
                      (wsk_slice_t){ json_string_value(channel),
                                     json_string_length(channel) },
                      0, &record.channel);
    if (answer != WSK_A_ok) {
        return refused(from, answer);
    }
    wsk_text_body(
        &body,
        (wsk_slice_t){ json_string_value(event), json_string_length(event) },
        json_object_get(msg, "data"));
    record.body = (wsk_slice_t){ body.at, body.len };
    answer = wsk_text_ok(&body) ? append(from, WSK_LOG_TEXT, &record, id)
                                : refused(from, WSK_A_unavailable);
    wsk_text_free(&body);
    return answer;
}

wsk_answer_e wsk_inbox_binary(wsk_sender_t *from, const uint8_t *bytes,
                              size_t len)
{
    wsk_record_t record = { .body = { (const char *)bytes, len },
                            .sender = from->id };
    wsk_cursor_t id;
    wsk_slice_t given;
    wsk_answer_e answer;

    if (len < 2) {
        return refused(from, WSK_A_bad_message);
    }
    given.len = (size_t)bytes[0] << 8 | bytes[1];
    given.at = (const char *)bytes + 2;
    if (given.len == 0 || given.len > len - 2) {
        return refused(from, WSK_A_bad_message);
    }
    answer = may_send(from, given, len, &record.channel);
    if (answer != WSK_A_ok) {
        return refused(from, answer);
    }
    return append(from, WSK_LOG_BINARY, &record, &id);
}

/* @return what a state in so many bytes is answered with */
static wsk_answer_e enter(wsk_sender_t *from, wsk_slice_t channel,
                          const wsk_text_t *state)
{
    switch (wsk_presence_enter(from->seg, from->site, &from->present, channel,
                               (wsk_slice_t){ state->at, state->len },
                               from->now_us)) {
    case WSK_OK:
        wsk_count(from->seg, from->slot, from->site, WSK_C_presence, 1);
        wsk_bell_ring(from->bell, from->seg, from->site);
        return WSK_A_ok;
    case WSK_EDUP:
        return WSK_A_ok;
    case WSK_EINVAL:
        return refused(from, WSK_A_too_large);
    case WSK_EFULL:
        wsk_count(from->seg, from->slot, from->site, WSK_C_presence_full, 1);
        return refused(from, WSK_A_presence_full);
    default:
        return refused(from, WSK_A_unavailable);
    }
}

static wsk_answer_e leave(wsk_sender_t *from, wsk_slice_t channel)
{
    if (wsk_presence_leave(from->seg, from->site, from->present.member, channel,
                           from->now_us)) {
        wsk_bell_ring(from->bell, from->seg, from->site);
    }
    return WSK_A_ok;
}

wsk_answer_e wsk_inbox_presence(wsk_sender_t *from, json_t *msg)
{
    json_t *channel = json_object_get(msg, "channel");
    json_t *state = json_object_get(msg, "state");
    wsk_text_t text = { 0 };
    wsk_slice_t bare;
    wsk_answer_e answer;

    if (!json_is_string(channel)
        || (!json_is_object(state) && !json_is_null(state))) {
        return refused(from, WSK_A_bad_message);
    }
    answer = may_send(from,
                      (wsk_slice_t){ json_string_value(channel),
                                     json_string_length(channel) },
                      0, &bare);
    if (answer != WSK_A_ok) {
        return refused(from, answer);
    }
    if (json_is_null(state)) {
        return leave(from, bare);
    }
    wsk_text_json(&text, state);
    answer = wsk_text_ok(&text) ? enter(from, bare, &text)
                                : refused(from, WSK_A_unavailable);
    wsk_text_free(&text);
    return answer;
}
