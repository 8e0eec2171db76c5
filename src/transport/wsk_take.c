/* SPDX-License-Identifier: Apache-2.0 */
#include "transport/wsk_take.h"

#include <stdlib.h>
#include <string.h>

#include "auth/wsk_channel.h"
#include "auth/wsk_json.h"

static const struct {
    const char *name, *text;
} refusals[] = { { "", "" },
#define X(name, status, text) { #name, text },
                 WSK_TAKE_REFUSALS(X)
#undef X
};
_Static_assert(WSK_COUNT_OF(refusals) == WSK_TAKE_COUNT,
               "a row for every refusal");

/* One body on its way. */
typedef struct load_t {
    wsk_record_t *records; /* n; one block with: */
    wsk_text_t *bodies;    /* n */
    unsigned n;
    bool batch;
} load_t;

static void count(const wsk_taker_t *by, wsk_counter_e which, uint64_t n)
{
    wsk_count(by->seg, by->slot, by->site, which, n);
}

static wsk_take_e limited(const wsk_taker_t *by, wsk_quota_e quota,
                          unsigned retry_s, wsk_again_t *again)
{
    *again = (wsk_again_t){ retry_s, quota };
    if (quota != WSK_Q_none) {
        count(by, wsk_quota_counter(quota), 1);
    }
    return WSK_TAKE_rate_limited;
}

static wsk_take_e pay(const wsk_taker_t *by, unsigned n, wsk_again_t *again)
{
    wsk_quota_e quota = WSK_Q_none;
    const uint32_t wait_ms = n ? wsk_site_rate(by->seg, by->site,
                                               WSK_RATE_PUBLISH, n, by->now_us,
                                               &quota)
                               : 0;

    return wait_ms ? limited(by, quota, wsk_quota_retry_s(wait_ms), again)
                   : WSK_TAKE_ok;
}

/* One message of the body into a record. */
static wsk_take_e read_message(const wsk_taker_t *by, json_t *msg,
                               wsk_record_t *record, wsk_text_t *body)
{
    json_t *channel = json_object_get(msg, "channel");
    json_t *event = json_object_get(msg, "event");
    wsk_slice_t given = { json_string_value(channel),
                          json_string_length(channel) };
    wsk_slice_t name = { json_string_value(event), json_string_length(event) };

    if (!json_is_object(msg) || !given.at || !name.at || name.len == 0
        || name.len > WSK_EVENT_MAX || memchr(name.at, '\0', name.len)) {
        return WSK_TAKE_invalid_json;
    }
    record->channel = wsk_channel_bare(given, by->spec->site_id);
    if (!wsk_channel_valid(record->channel, by->spec->limits.max_channel_name)
        || wsk_channel_reserved(record->channel)) {
        return WSK_TAKE_invalid_channel;
    }
    wsk_text_body(body, name, json_object_get(msg, "data"));
    if (!wsk_text_ok(body)) {
        return WSK_TAKE_unavailable;
    }
    record->body = (wsk_slice_t){ body->at, body->len };
    return WSK_TAKE_ok;
}

static void count_published(const wsk_taker_t *by, const load_t *load)
{
    uint64_t bytes = 0;
    unsigned i;

    for (i = 0; i < load->n; i++) {
        bytes += load->records[i].body.len;
    }
    count(by, WSK_C_published, load->n);
    count(by, WSK_C_published_bytes, bytes);
}

static void say_ids(wsk_text_t *t, const load_t *load,
                    const wsk_cursor_t *first, bool duplicate)
{
    wsk_cursor_t id = *first;
    unsigned i;

    wsk_text_put(t, "{\"ok\":true");
    wsk_text_put(t, duplicate ? ",\"duplicate\":true" : "");
    wsk_text_put(t, load->batch ? ",\"ids\":[" : ",\"id\":");
    for (i = 0; i < load->n; i++, id.seq++) {
        wsk_text_put(t, i ? "," : "");
        wsk_text_id(t, &id);
    }
    wsk_text_put(t, load->batch ? "]}" : "}");
}

static wsk_take_e append(const wsk_taker_t *by, const load_t *load,
                         wsk_text_t *answer, wsk_again_t *again)
{
    wsk_cursor_t first;

    switch (wsk_log_append(by->seg, by->site, WSK_LOG_TEXT, load->records,
                           load->n, by->once, by->now_us, &first)) {
    case WSK_OK:
        wsk_bell_ring(by->bell, by->seg, by->site);
        count_published(by, load);
        say_ids(answer, load, &first, false);
        return WSK_TAKE_ok;
    case WSK_EDUP:
        count(by, WSK_C_publish_duplicate, 1);
        say_ids(answer, load, &first, true);
        return WSK_TAKE_ok;
    case WSK_ECLASH:
        return WSK_TAKE_nonce_reused;
    case WSK_EAGAIN:
        return limited(by, WSK_Q_site_requests, 5, again);
    case WSK_ENOTFOUND:
        return WSK_TAKE_not_found;
    default:
        count(by, WSK_C_publish_full, 1);
        return WSK_TAKE_unavailable;
    }
}

static bool make_load(load_t *load, unsigned n)
{
    load->records = calloc(n, sizeof *load->records + sizeof *load->bodies);
    if (load->records) {
        load->bodies = (wsk_text_t *)(load->records + n);
        load->n = n;
    }
    return load->records != NULL;
}

static void free_load(load_t *load)
{
    unsigned i;

    for (i = 0; i < load->n; i++) {
        wsk_text_free(&load->bodies[i]);
    }
    free(load->records);
}

static wsk_take_e take_parsed(const wsk_taker_t *by, json_t *root,
                              wsk_text_t *answer, wsk_again_t *again)
{
    load_t load = { .batch = json_is_array(root) };
    const size_t n = load.batch ? json_array_size(root) : 1;
    wsk_take_e rv;
    unsigned i;

    if (n < 1 || n > WSK_TAKE_MAX) {
        return WSK_TAKE_invalid_json;
    }
    if (!make_load(&load, (unsigned)n)) {
        return WSK_TAKE_unavailable;
    }
    /* The first message was paid for before the body was parsed. */
    rv = pay(by, load.n - 1, again);
    for (i = 0; i < load.n && rv == WSK_TAKE_ok; i++) {
        rv = read_message(by, load.batch ? json_array_get(root, i) : root,
                          &load.records[i], &load.bodies[i]);
    }
    rv = rv == WSK_TAKE_ok ? append(by, &load, answer, again) : rv;
    free_load(&load);
    return rv;
}

static wsk_take_e take_paid(const wsk_taker_t *by, wsk_slice_t body,
                            wsk_text_t *answer, wsk_again_t *again)
{
    json_t *root;
    wsk_take_e rv = wsk_json_read(&root, body, JSON_ALLOW_NUL, NULL)
                            == WSK_EINVAL
                        ? WSK_TAKE_invalid_json
                        : WSK_TAKE_unavailable;

    if (root) {
        rv = take_parsed(by, root, answer, again);
    }
    json_decref(root);
    return rv;
}

void wsk_take_refusal(wsk_text_t *t, wsk_take_e why, const wsk_again_t *again)
{
    wsk_text_fmt(t, "{\"ok\":false,\"error\":\"%s\",\"message\":\"%s\"",
                 refusals[why].name,
                 again->quota ? wsk_quota_text(again->quota)
                              : refusals[why].text);
    if (again->retry_s) {
        wsk_text_fmt(t, ",\"retry\":%u", again->retry_s);
    }
    wsk_text_put(t, "}");
}

wsk_take_e wsk_take(const wsk_taker_t *by, wsk_slice_t body, wsk_text_t *answer,
                    wsk_again_t *again)
{
    wsk_take_e rv = body.len > by->spec->limits.max_publish ? WSK_TAKE_too_large
                                                            : pay(by, 1, again);

    if (rv == WSK_TAKE_ok) {
        rv = take_paid(by, body, answer, again);
    }
    if (rv == WSK_TAKE_unavailable) {
        again->retry_s = 1;
    }
    if (rv != WSK_TAKE_ok) {
        count(by, WSK_C_publish_refused, 1);
        wsk_take_refusal(answer, rv, again);
    }
    return rv;
}
