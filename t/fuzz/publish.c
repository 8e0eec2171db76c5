/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whatever the body of a publish: what is answered is JSON; what is taken is in
 * the log, as many messages as ids are answered, each JSON for whoever listens;
 * of what is refused nothing is, and it is refused again.
 *
 * Input: the body.
 */
#include "store_fixture.h"
#include "transport/wsk_take.h"

#include <jansson.h>
#include <sys/eventfd.h>

#define MOST 20000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static wsk_taker_t by;
static wsk_site_spec_t spec;
static int bell;

static void must(int truth, const char *what)
{
    if (!truth) {
        fprintf(stderr, "%s\n", what);
        abort();
    }
}

static void begin(void)
{
    wsk_cursor_t heads[WSK_LOG_COUNT];

    by = (wsk_taker_t){ .seg = store_new(1, 2, 8, 80), .now_us = NOON };
    store_spec(&spec, 1);
    spec.limits.max_channel_name = WSK_CHANNEL_MAX;
    spec.limits.max_publish = MOST;
    spec.limits.publish_rate = spec.limits.publish_burst = 1000;
    must(wsk_site_put(by.seg, &spec, 1, 0xabc, &by.site) == WSK_OK, "a site");
    bell = eventfd(0, EFD_NONBLOCK);
    by.bell.fds = &bell;
    by.slot = (unsigned)wsk_slot_claim(by.seg, WSK_SLOT_CHILD, 1, 1, NOON);
    by.spec = &spec;
    wsk_log_listen(by.seg, by.site, by.slot, heads);
}

static void end(void)
{
    const char *why = NULL;

    close(bell);
    wsk_slot_release(by.seg, by.slot);
    must(wsk_segment_check(by.seg, &why) == WSK_OK, why ? why : "");
    store_end(by.seg);
}

static uint64_t head(void)
{
    return store_head(by.seg, by.site, WSK_LOG_TEXT).seq;
}

/* @return an owned answer */
static json_t *take(wsk_slice_t body, wsk_take_e *what)
{
    wsk_text_t said = { 0 };
    wsk_again_t again = { 0 };
    json_t *answer;

    *what = wsk_take(&by, body, &said, &again);
    answer = json_loadb(said.at, said.len, JSON_REJECT_DUPLICATES, NULL);
    must(answer != NULL, "the answer is JSON");
    must(json_is_true(json_object_get(answer, "ok")) == (*what == WSK_TAKE_ok),
         "and says whether it was taken");
    wsk_text_free(&said);
    return answer;
}

static size_t ids_of(const json_t *answer)
{
    const json_t *list = json_object_get(answer, "ids");

    return list ? json_array_size(list) : json_object_get(answer, "id") != NULL;
}

/* What a record's body says, as a client would be told. */
static void is_told(const wsk_record_t *record)
{
    const size_t most = record->body.len + record->channel.len * 6 + 64;
    char *text = malloc(most);
    json_t *name, *frame;
    int n;

    must(text != NULL, "there is memory");
    name = json_stringn(record->channel.at, record->channel.len);
    must(name != NULL, "a channel is text");
    n = snprintf(text, most, "{\"type\":\"message\",%.*s}",
                 (int)record->body.len, record->body.at);
    frame = json_loadb(text, (size_t)n, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL,
                       NULL);
    must(json_is_string(json_object_get(frame, "event")), "it has an event");
    json_decref(frame);
    json_decref(name);
    free(text);
}

static void are_told(uint64_t from, uint64_t to)
{
    wsk_cursor_t at = store_head(by.seg, by.site, WSK_LOG_TEXT);
    uint8_t *bytes = malloc(4 * MOST);
    wsk_record_t records[WSK_TAKE_MAX];
    unsigned n = 0, i;

    must(bytes != NULL, "there is memory");
    for (at.seq = from; at.seq < to;) {
        must(wsk_log_read(by.seg, by.site, WSK_LOG_TEXT, &at, bytes, 4 * MOST,
                          records, WSK_TAKE_MAX, &n)
                     == WSK_OK
                 && n > 0,
             "they can be read");
        for (i = 0; i < n; i++) {
            is_told(&records[i]);
        }
    }
    free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const wsk_slice_t body = { (const char *)data, size };
    json_t *answer, *again;
    uint64_t before, after;
    wsk_take_e what;

    if (size > MOST + 100) {
        return 0;
    }
    begin();
    before = head();
    answer = take(body, &what);
    after = head();
    if (what == WSK_TAKE_ok) {
        must(after - before == ids_of(answer), "as many as ids");
        are_told(before, after);
    }
    else {
        must(after == before, "nothing was appended");
        again = take(body, &what);
        must(json_equal(answer, again), "and it is refused again");
        json_decref(again);
    }
    json_decref(answer);
    end();
    return 0;
}
