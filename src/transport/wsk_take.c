/* SPDX-License-Identifier: Apache-2.0 */
#include "transport/wsk_take.h"

#include <stdlib.h>
#include <string.h>

#include "auth/wsk_channel.h"

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
    wsk_record_t records[WSK_TAKE_MAX];
    wsk_text_t bodies[WSK_TAKE_MAX];
    unsigned n;
    bool batch;
} load_t;

static void count(const wsk_taker_t *by, wsk_counter_e which, uint64_t n)
{
    wsk_count(by->seg, by->slot, by->site, which, n);
}

static wsk_take_e pay(const wsk_taker_t *by, unsigned n, unsigned *retry_s)
{
    const uint32_t wait_ms = n ? wsk_site_rate(by->seg, by->site,
                                               WSK_RATE_PUBLISH, n, by->now_us)
                               : 0;

    *retry_s = wait_ms ? wait_ms / 1000 + 1 : 0;
    return wait_ms ? WSK_TAKE_rate_limited : WSK_TAKE_ok;
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
                         wsk_text_t *answer, unsigned *retry_s)
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
        *retry_s = 5;
        return WSK_TAKE_rate_limited;
    case WSK_ENOTFOUND:
        return WSK_TAKE_not_found;
    default:
        count(by, WSK_C_publish_full, 1);
        *retry_s = 1;
        return WSK_TAKE_unavailable;
    }
}

static wsk_take_e take_parsed(const wsk_taker_t *by, json_t *root, load_t *load,
                              wsk_text_t *answer, unsigned *retry_s)
{
    wsk_take_e rv;
    unsigned i;

    load->batch = json_is_array(root);
    if (load->batch
        && (json_array_size(root) < 1
            || json_array_size(root) > WSK_TAKE_MAX)) {
        return WSK_TAKE_invalid_json;
    }
    load->n = load->batch ? (unsigned)json_array_size(root) : 1;
    /* The first message was paid for before the body was parsed. */
    rv = pay(by, load->n - 1, retry_s);
    for (i = 0; i < load->n && rv == WSK_TAKE_ok; i++) {
        rv = read_message(by, load->batch ? json_array_get(root, i) : root,
                          &load->records[i], &load->bodies[i]);
    }
    return rv == WSK_TAKE_ok ? append(by, load, answer, retry_s) : rv;
}

static wsk_take_e take_paid(const wsk_taker_t *by, wsk_slice_t body,
                            wsk_text_t *answer, unsigned *retry_s)
{
    json_t *root = json_loadb(body.at, body.len,
                              JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
    load_t *load = root ? calloc(1, sizeof *load) : NULL;
    wsk_take_e rv = root ? WSK_TAKE_unavailable : WSK_TAKE_invalid_json;
    unsigned i;

    if (load) {
        rv = take_parsed(by, root, load, answer, retry_s);
        for (i = 0; i < load->n; i++) {
            wsk_text_free(&load->bodies[i]);
        }
        free(load);
    }
    json_decref(root);
    return rv;
}

void wsk_take_refusal(wsk_text_t *t, wsk_take_e why, unsigned retry_s)
{
    wsk_text_fmt(t, "{\"ok\":false,\"error\":\"%s\",\"message\":\"%s\"",
                 refusals[why].name, refusals[why].text);
    if (retry_s) {
        wsk_text_fmt(t, ",\"retry\":%u", retry_s);
    }
    wsk_text_put(t, "}");
}

wsk_take_e wsk_take(const wsk_taker_t *by, wsk_slice_t body, wsk_text_t *answer,
                    unsigned *retry_s)
{
    wsk_take_e rv = body.len > by->spec->limits.max_publish
                        ? WSK_TAKE_too_large
                        : pay(by, 1, retry_s);

    if (rv == WSK_TAKE_ok) {
        rv = take_paid(by, body, answer, retry_s);
    }
    if (rv != WSK_TAKE_ok) {
        count(by, WSK_C_publish_refused, 1);
        count(by, WSK_C_publish_limited, rv == WSK_TAKE_rate_limited);
        wsk_take_refusal(answer, rv, *retry_s);
    }
    return rv;
}
