/* SPDX-License-Identifier: Apache-2.0 */
#include "fault.h"

#include "transport/wsk_take.h"
#include "store_fixture.h"

#include <sys/eventfd.h>

/* A site that listens in slot 0, and who publishes to it. */
typedef struct stand_t {
    wsk_segment_t *seg;
    wsk_site_spec_t spec;
    wsk_taker_t by;
    wsk_text_t said;
    wsk_again_t again;
    int bells[4];
} stand_t;

static void stand_open(stand_t *s, uint32_t rate, uint32_t burst)
{
    wsk_cursor_t heads[WSK_LOG_COUNT];
    unsigned i;

    *s = (stand_t){ .seg = store_new(4, 4, 8, 40) };
    store_spec(&s->spec, 1);
    s->spec.limits.max_channel_name = WSK_CHANNEL_MAX;
    s->spec.limits.max_publish = 2000;
    s->spec.limits.publish_rate = rate;
    s->spec.limits.publish_burst = burst;
    wsk_site_put(s->seg, &s->spec, 1, 0xabc, &s->by.site);
    for (i = 0; i < 4; i++) {
        s->bells[i] = eventfd(0, EFD_NONBLOCK);
    }
    s->by.seg = s->seg;
    s->by.bell.fds = s->bells;
    s->by.slot = (unsigned)wsk_slot_claim(s->seg, WSK_SLOT_CHILD, 1, 1, NOON);
    s->by.spec = &s->spec;
    s->by.now_us = NOON;
    wsk_log_listen(s->seg, s->by.site, s->by.slot, heads);
}

static void stand_shut(stand_t *s)
{
    unsigned i;

    for (i = 0; i < 4; i++) {
        close(s->bells[i]);
    }
    wsk_text_free(&s->said);
    wsk_slot_release(s->seg, s->by.slot);
    store_whole(s->seg, "the segment is whole");
    store_end(s->seg);
}

/* What is answered to a body. */
static const char *take(stand_t *s, const char *body)
{
    wsk_text_free(&s->said);
    s->said = (wsk_text_t){ 0 };
    s->again = (wsk_again_t){ 0 };
    wsk_take(&s->by, store_slice(body), &s->said, &s->again);
    wsk_text_raw(&s->said, "", 1);
    return s->said.at;
}

/* The code of a refusal. */
static const char *refused(stand_t *s, const char *body)
{
    static char code[40];

    if (sscanf(take(s, body),
               "{\"ok\":false,\"error\":\"%39[^\"]\",\"message\"", code)
        != 1) {
        snprintf(code, sizeof(code), "not refused");
    }
    return code;
}

static intmax_t head(stand_t *s)
{
    return (intmax_t)store_head(s->seg, s->by.site, WSK_LOG_TEXT).seq;
}

static intmax_t counted(stand_t *s, wsk_counter_e which)
{
    return (intmax_t)wsk_segment_counter(s->seg, which);
}

static void messages(void)
{
    uint64_t rung = 0;
    stand_t s;

    stand_open(&s, 100, 100);
    is_str(take(&s, "{\"channel\":\"a\",\"event\":\"e\",\"data\":{\"n\":1}}"),
           "{\"ok\":true,\"id\":\"000000000abc-1\"}", "a message has its id");
    is_int(read(s.bells[s.by.slot], &rung, sizeof(rung)), 8,
           "who listens is rung");
    is_str(take(&s, "[{\"channel\":\"site:id-1:a\",\"event\":\"e\"},"
                    "{\"channel\":\"b\",\"event\":\"f\",\"data\":null}]"),
           "{\"ok\":true,\"ids\":[\"000000000abc-2\",\"000000000abc-3\"]}",
           "a list has one for each");
    is_str(take(&s, "[{\"channel\":\"a\",\"event\":\"e\"}]"),
           "{\"ok\":true,\"ids\":[\"000000000abc-4\"]}",
           "a list of one is a list");
    is_int(counted(&s, WSK_C_published), 4, "all are counted");
    is_int(counted(&s, WSK_C_publish_refused), 0, "and no refusal");
    stand_shut(&s);
}

static void refusals(void)
{
    char large[2100];
    stand_t s;

    stand_open(&s, 100, 100);
    is_str(refused(&s, "{\"channel\":\"a\","), "invalid_json", "half of JSON");
    is_str(refused(&s, ""), "invalid_json", "nothing");
    is_str(refused(&s, "7"), "invalid_json", "a number");
    is_str(refused(&s, "[]"), "invalid_json", "an empty list");
    is_str(refused(&s, "{\"channel\":\"a\"}"), "invalid_json", "no event");
    is_str(refused(&s, "{\"channel\":\"a,b\",\"event\":\"e\"}"),
           "invalid_channel", "no channel name");
    is_str(refused(&s, "{\"channel\":\"wps:x\",\"event\":\"e\"}"),
           "invalid_channel", "a channel of the relay");
    is_str(refused(&s, "[{\"channel\":\"a\",\"event\":\"e\"},{}]"),
           "invalid_json", "a list with a bad end");
    memset(large, ' ', sizeof(large));
    large[sizeof(large) - 1] = '\0';
    is_str(refused(&s, large), "too_large", "more than a body may have");
    is_int((intmax_t)s.again.retry_s, 0, "none of them is to be tried again");
    is_int(head(&s), 0, "nothing of all that is in the log");
    is_int(counted(&s, WSK_C_publish_refused), 9, "each is counted");
    wsk_site_switch(s.seg, s.by.site, false);
    is_str(refused(&s, "{\"channel\":\"a\",\"event\":\"e\"}"), "not_found",
           "nothing is taken for a site that is off");
    stand_shut(&s);
}

static void rates(void)
{
    stand_t s;

    stand_open(&s, 1, 3);
    take(&s, "{\"channel\":\"a\",\"event\":\"e\"}");
    is_str(refused(&s, "[{\"channel\":\"a\",\"event\":\"e\"},"
                       "{\"channel\":\"a\",\"event\":\"e\"},"
                       "{\"channel\":\"a\",\"event\":\"e\"}]"),
           "rate_limited", "a list costs as many as it has");
    ok(s.again.retry_s >= 1 && s.again.retry_s <= 3,
       "and says when to come again");
    ok(strstr(s.said.at, ",\"retry\":") != NULL, "also in the answer");
    is_int(head(&s), 1, "nothing of it was taken");
    is_str(refused(&s, "x"), "invalid_json", "what is left pays for one more");
    is_str(refused(&s, "x"), "rate_limited", "which costs also if it is bad");
    stand_shut(&s);
}

static void once(void)
{
    static const char body[] = "{\"channel\":\"a\",\"event\":\"e\"}";
    wsk_once_t name = { .until_us = NOON + SECOND };
    stand_t s;

    stand_open(&s, 100, 100);
    s.by.once = &name;
    is_str(refused(&s, "{}"), "invalid_json", "what was refused");
    is_str(take(&s, body), "{\"ok\":true,\"id\":\"000000000abc-1\"}",
           "may come again");
    is_str(take(&s, body),
           "{\"ok\":true,\"duplicate\":true,\"id\":\"000000000abc-1\"}",
           "what was taken has its first id");
    name.proof[0] = 1;
    is_str(refused(&s, body), "nonce_reused", "of another proof it is refused");
    is_int(head(&s), 1, "it is in the log once");
    is_int(counted(&s, WSK_C_publish_duplicate), 1, "the duplicate is counted");
    s.by.once = NULL;
    is_str(take(&s, body), "{\"ok\":true,\"id\":\"000000000abc-2\"}",
           "without a name every message is new");
    stand_shut(&s);
}

static void without_memory(void)
{
    const char *body = "{\"channel\":\"a\",\"event\":\"e\",\"data\":{}}";
    unsigned hungry = 0;
    bool hit = true;
    stand_t s;
    long n;

    stand_open(&s, 1000, 1000);
    for (n = 0; hit && n < 200; n++) {
        wsk_text_t said = { 0 };
        wsk_again_t again = { 0 };
        wsk_take_e rv;

        fault_arm(FAULT_MEMORY, n, LONG_MAX);
        rv = wsk_take(&s.by, store_slice(body), &said, &again);
        hit = fault_end();
        hungry += rv == WSK_TAKE_unavailable;
        if ((rv != WSK_TAKE_ok && rv != WSK_TAKE_unavailable)
            || (rv != WSK_TAKE_ok && again.retry_s == 0)) {
            ok(false, "without memory from %ld on: %d, retry %u", n, rv,
               again.retry_s);
        }
        wsk_text_free(&said);
    }
    ok(n > 4 && n < 200, "without memory no body is at fault (%ld ways)", n);
    ok(hungry > 2, "who sent it is told to try again");
    stand_shut(&s);
}

int main(void)
{
    messages();
    refusals();
    rates();
    once();
    without_memory();
    return done_testing();
}
