/* SPDX-License-Identifier: Apache-2.0 */
#include "transport/wsk_inbox.h"

#include "store_fixture.h"

#include <sys/eventfd.h>

typedef struct door_t {
    wsk_segment_t *seg;
    wsk_site_spec_t spec;
    wsk_cursor_t start[WSK_LOG_COUNT];
    wsk_sender_t from;
    wsk_grant_t *grant;
    int bells[4];
} door_t;

/* A site where who comes may write to "room:" and "wps:", and read more. */
static void door_open(door_t *d, uint32_t rate, uint32_t burst)
{
    static const wsk_slice_t read[] = { { "site:id-1:room:", 15 },
                                        { "news", 4 } };
    static const wsk_slice_t write[] = { { "site:id-1:room:", 15 },
                                         { "wps:", 4 } };
    const wsk_grant_spec_t rights = {
        .version = 2, .read = read, .nread = 2, .write = write, .nwrite = 2
    };
    unsigned i;

    *d = (door_t){ .seg = store_new(4, 4, 8, 40) };
    store_spec(&d->spec, 1);
    d->spec.limits.max_channel_name = WSK_CHANNEL_MAX;
    d->spec.limits.max_message = 1000;
    d->spec.limits.connection_rate = rate;
    d->spec.limits.connection_burst = burst;
    wsk_site_put(d->seg, &d->spec, 1, 0xabc, &d->from.site);
    for (i = 0; i < 4; i++) {
        d->bells[i] = eventfd(0, EFD_NONBLOCK);
    }
    d->grant = wsk_grant_make(&rights);
    d->from.seg = d->seg;
    d->from.bell.fds = d->bells;
    d->from.slot = (unsigned)wsk_slot_claim(d->seg, WSK_SLOT_CHILD, 1, 1, NOON);
    d->from.spec = &d->spec;
    d->from.grant = d->grant;
    d->from.id = 99;
    d->from.now_us = NOON;
    wsk_log_listen(d->seg, d->from.site, d->from.slot, d->start);
}

static void door_shut(door_t *d)
{
    unsigned i;

    for (i = 0; i < 4; i++) {
        close(d->bells[i]);
    }
    wsk_slot_release(d->seg, d->from.slot);
    wsk_grant_unref(d->grant);
    store_end(d->seg);
}

static const char *says(door_t *d, const char *json)
{
    json_t *msg = json_loads(json, 0, NULL);
    wsk_cursor_t id;
    const wsk_answer_e answer = wsk_inbox_message(&d->from, msg, &id);

    json_decref(msg);
    return wsk_answer_name(answer);
}

static const char *sends(door_t *d, const char *frame, size_t len)
{
    return wsk_answer_name(
        wsk_inbox_binary(&d->from, (const uint8_t *)frame, len));
}

static uint64_t counted(door_t *d, wsk_counter_e which)
{
    return wsk_segment_counter(d->seg, which);
}

static uint64_t head(door_t *d, wsk_log_e log)
{
    return store_head(d->seg, d->from.site, log).seq;
}

static void answers(void)
{
    unsigned i, wrong = 0;

    is_str(wsk_answer_name(WSK_A_publish_forbidden), "publish_forbidden",
           "an answer has its name");
    is_int(wsk_answer_status(WSK_A_too_large), 413, "and its status");
    for (i = 1; i < WSK_A_COUNT; i++) {
        wrong += wsk_answer_text((wsk_answer_e)i)[0] == '\0'
                 || wsk_answer_status((wsk_answer_e)i) < 400;
    }
    is_int(wrong, 0, "every refusal has words and a status of its kind");
}

/* The record after where the door was opened. */
static wsk_record_t first(door_t *d, wsk_log_e log)
{
    static char buf[4096];
    wsk_record_t record = { .seq = 0 };
    wsk_cursor_t from = d->start[log];
    unsigned n = 0;

    wsk_log_read(d->seg, d->from.site, log, &from, buf, sizeof(buf), &record, 1,
                 &n);
    is_int(n, 1, "a record is in the log");
    return record;
}

static const char *enters(door_t *d, const char *json)
{
    json_t *msg = json_loads(json, 0, NULL);
    const wsk_answer_e answer = wsk_inbox_presence(&d->from, msg);

    json_decref(msg);
    return wsk_answer_name(answer);
}

static void presence(void)
{
    door_t d;
    wsk_record_t record;
    wsk_slice_t rest, state;
    uint64_t member = 0, rung = 0;

    door_open(&d, 100, 100);
    d.from.present = (wsk_present_t){ 77, d.from.slot, 0, 1 };
    is_str(enters(&d, "{\"channel\":\"site:id-1:room:1\",\"state\":{ \"a\" : "
                      "[1, 2]}}"),
           "ok", "one enters");
    is_int((intmax_t)counted(&d, WSK_C_presence), 1, "it is counted");
    is_int(read(d.bells[d.from.slot], &rung, 8), 8, "and rung for");
    record = first(&d, WSK_LOG_PRESENCE);
    is_mem(record.channel.at, record.channel.len, "room:1", 6,
           "under the bare name");
    is_int(wsk_presence_read(record.body, &rest), WSK_PRESENCE_JOIN,
           "it joins");
    ok(wsk_presence_next(&rest, &member, &state) && member == 77,
       "as who it is");
    is_mem(state.at, state.len, "{\"a\":[1,2]}", 11, "with a compact state");
    is_str(enters(&d, "{\"channel\":\"room:1\",\"state\":{\"a\":[1,2]}}"), "ok",
           "the same once more");
    is_int((intmax_t)head(&d, WSK_LOG_PRESENCE), 1, "is nothing to tell");
    is_str(enters(&d, "{\"channel\":\"room:2\",\"state\":{}}"), "presence_full",
           "on no more channels than it may");
    is_int((intmax_t)counted(&d, WSK_C_presence_full), 1, "which is counted");
    is_str(enters(&d, "{\"channel\":\"room:1\",\"state\":null}"), "ok",
           "it leaves");
    is_int((intmax_t)head(&d, WSK_LOG_PRESENCE), 2, "which is told");
    is_str(enters(&d, "{\"channel\":\"room:1\",\"state\":null}"), "ok",
           "it may leave where it is not");
    is_int((intmax_t)head(&d, WSK_LOG_PRESENCE), 2, "of which nothing is told");
    door_shut(&d);
}

static void presence_refused(void)
{
    door_t d;
    char json[WSK_PRESENCE_STATE + 100];

    door_open(&d, 3, 3);
    d.from.present = (wsk_present_t){ 77, d.from.slot, 0, 10 };
    is_str(enters(&d, "{\"channel\":\"news\",\"state\":{}}"),
           "publish_forbidden", "who may only read does not enter");
    is_str(enters(&d, "{\"channel\":\"wps:connections\",\"state\":{}}"),
           "publish_forbidden", "nobody enters where the relay speaks");
    is_str(enters(&d, "{\"channel\":\"a,b\",\"state\":{}}"), "invalid_channel",
           "nor what is no channel");
    is_str(enters(&d, "{\"state\":{}}"), "bad_message", "nor nowhere");
    is_str(enters(&d, "{\"channel\":\"room:1\"}"), "bad_message",
           "a state must be there");
    is_str(enters(&d, "{\"channel\":\"room:1\",\"state\":[]}"), "bad_message",
           "and an object");
    snprintf(json, sizeof(json),
             "{\"channel\":\"room:1\",\"state\":{\"x\":\"%0*d\"}}",
             WSK_PRESENCE_STATE, 1);
    is_str(enters(&d, json), "too_large", "and not too long");
    is_int((intmax_t)counted(&d, WSK_C_browser_refused), 7, "all are counted");
    d.from.purse = &(wsk_purse_t){ 0 };
    enters(&d, "{\"channel\":\"room:1\",\"state\":{}}");
    enters(&d, "{\"channel\":\"room:2\",\"state\":{}}");
    enters(&d, "{\"channel\":\"room:3\",\"state\":{}}");
    is_str(enters(&d, "{\"channel\":\"room:1\",\"state\":{\"a\":1}}"),
           "rate_limited", "each costs");
    wsk_site_switch(d.seg, d.from.site, false);
    d.from.purse = NULL;
    is_str(enters(&d, "{\"channel\":\"room:1\",\"state\":{\"a\":1}}"),
           "unavailable", "nor at a site that is off");
    door_shut(&d);
}

static void message(void)
{
    door_t d;
    json_t *msg = json_pack("{s:s,s:s,s:{s:i}}", "channel", "room:1", "event",
                            "moved", "data", "x", 3);
    wsk_cursor_t id = { 0, 0 };
    wsk_record_t record;
    uint64_t rung = 0;

    door_open(&d, 30, 100);
    is_int(wsk_inbox_message(&d.from, msg, &id), WSK_A_ok,
           "a message is taken");
    is_int((intmax_t)id.epoch, (intmax_t)d.start[WSK_LOG_TEXT].epoch,
           "its id has the log's epoch");
    is_int((intmax_t)id.seq, 1, "and its number");
    record = first(&d, WSK_LOG_TEXT);
    is_mem(record.channel.at, record.channel.len, "room:1", 6,
           "on its channel");
    is_mem(record.body.at, record.body.len,
           "\"event\":\"moved\",\"data\":{\"x\":3}", 30, "as it was said");
    is_int((intmax_t)record.sender, 0, "its sender hears it too");
    is_int((intmax_t)read(d.bells[d.from.slot], &rung, sizeof(rung)),
           sizeof(rung), "who listens is rung");
    is_int((intmax_t)counted(&d, WSK_C_published_browser), 1, "it is counted");
    is_int((intmax_t)counted(&d, WSK_C_published_bytes), 30, "with its bytes");
    json_decref(msg);
    door_shut(&d);
}

static void refusals(void)
{
    char event[300], text[400];
    door_t d;

    door_open(&d, 30, 1000);
    is_str(says(&d, "{\"event\":\"e\"}"), "bad_message", "no channel");
    is_str(says(&d, "{\"channel\":7,\"event\":\"e\"}"), "bad_message",
           "a channel that is no text");
    is_str(says(&d, "{\"channel\":\"room:1\"}"), "bad_message", "no event");
    is_str(says(&d, "{\"channel\":\"room:1\",\"event\":\"\"}"), "bad_message",
           "an empty event");
    memset(event, 'e', sizeof(event));
    snprintf(text, sizeof(text),
             "{\"channel\":\"room:1\",\"event\":\"%.201s\"}", event);
    is_str(says(&d, text), "bad_message", "an event of 201 bytes");
    is_str(says(&d, "{\"channel\":\"room:,\",\"event\":\"e\"}"),
           "invalid_channel", "a name with a comma");
    is_str(says(&d, "{\"channel\":\"news\",\"event\":\"e\"}"),
           "publish_forbidden", "a channel that may be read only");
    is_str(says(&d, "{\"channel\":\"wps:presence\",\"event\":\"e\"}"),
           "publish_forbidden", "a reserved one, whatever the token says");
    is_int((intmax_t)counted(&d, WSK_C_browser_refused), 8,
           "each is counted once");
    is_int((intmax_t)head(&d, WSK_LOG_TEXT), 0, "and nothing is in the log");
    snprintf(text, sizeof(text),
             "{\"channel\":\"room:1\",\"event\":\"%.200s\"}", event);
    is_str(says(&d, text), "ok", "an event of 200 bytes is fine");
    wsk_site_switch(d.seg, d.from.site, false);
    is_str(says(&d, "{\"channel\":\"room:1\",\"event\":\"e\"}"), "unavailable",
           "a site that is switched off takes nothing");
    door_shut(&d);
}

static void binary(void)
{
    static char large[2000] = "\0\6room:1";
    door_t d;
    wsk_record_t record;

    door_open(&d, 30, 1000);
    is_str(sends(&d, "", 0), "bad_message", "an empty frame");
    is_str(sends(&d, "\0", 1), "bad_message", "half a length");
    is_str(sends(&d, "\0\0abc", 5), "bad_message", "an empty name");
    is_str(sends(&d, "\0\7room:1", 8), "bad_message",
           "a name longer than its frame");
    is_str(sends(&d, "\1\0room:1", 8), "bad_message",
           "the length is read from both bytes");
    is_str(sends(&d, "\0\4newsx", 7), "publish_forbidden",
           "a channel it may not write");
    is_str(sends(&d, large, 1001), "too_large", "more than the site allows");
    is_int((intmax_t)head(&d, WSK_LOG_BINARY), 0, "nothing is in the log");
    is_str(sends(&d, "\0\6room:1\xff\x00", 10), "ok", "a good one is taken");
    is_str(sends(&d, large, 1000), "ok", "as is one of just the size allowed");
    is_int((intmax_t)head(&d, WSK_LOG_BINARY), 2, "they are in the binary log");
    is_int((intmax_t)head(&d, WSK_LOG_TEXT), 0, "and not in the other");
    record = first(&d, WSK_LOG_BINARY);
    is_mem(record.body.at, record.body.len, "\0\6room:1\xff\x00", 10,
           "byte for byte");
    is_int((intmax_t)record.sender, 99, "under its sender's number");
    is_int((intmax_t)counted(&d, WSK_C_published_binary), 2,
           "counted as binary");
    door_shut(&d);
}

static void qualified(void)
{
    door_t d;
    wsk_record_t record;

    door_open(&d, 30, 1000);
    is_str(says(&d, "{\"channel\":\"site:id-1:room:1\",\"event\":\"e\"}"), "ok",
           "a qualified name is taken");
    record = first(&d, WSK_LOG_TEXT);
    is_mem(record.channel.at, record.channel.len, "room:1", 6,
           "and stored as the bare one");
    is_str(says(&d, "{\"channel\":\"site:id-2:room:1\",\"event\":\"e\"}"),
           "publish_forbidden", "that of another site is forbidden");
    door_shut(&d);
}

static void rates(void)
{
    static const char msg[] = "{\"channel\":\"room:1\",\"event\":\"e\"}";
    wsk_purse_t purse = { 0, 0 }, other = { 0, 0 };
    door_t d;
    unsigned got = 0, i;

    door_open(&d, 2, 5);
    d.from.purse = &purse;
    for (i = 0; i < 10; i++) {
        got += strcmp(says(&d, msg), "ok") == 0;
    }
    is_int(got, 5, "a connection has its burst");
    is_str(says(&d, msg), "rate_limited", "and is told when it is used up");
    d.from.now_us += SECOND;
    got = (unsigned)strcmp(says(&d, msg), "ok");
    is_str(says(&d, msg), "ok", "a second later it has its rate again");
    is_int(got, 0, "twice, as its rate is two");
    is_str(says(&d, msg), "rate_limited", "and no more");
    d.from.purse = &other;
    is_str(says(&d, msg), "ok", "another connection has a purse of its own");
    for (got = 0, i = 0; i < 100; i++) {
        wsk_purse_t fresh = { 0, 0 };

        d.from.purse = &fresh;
        got += strcmp(says(&d, msg), "ok") == 0;
    }
    ok(got > 10 && got <= 40, "all together have the site's (%u)", got);
    d.from.now_us += 3600 * SECOND;
    d.from.purse = NULL;
    for (got = 0, i = 0; i < 10; i++) {
        got += strcmp(says(&d, msg), "ok") == 0;
    }
    is_int(got, 5, "who has no connection has the rate of one");
    is_int(d.from.limited.quota, WSK_Q_connection_browser,
           "whose bound it was");
    is_int((intmax_t)d.from.limited.wait_ms, 500, "and for how long");
    d.from.caller = 7;
    is_str(says(&d, msg), "ok", "another caller has a purse of its own");
    d.from.caller = 0;
    d.from.purse = &other;
    for (i = 0; i < 10; i++) {
        says(&d, msg);
    }
    is_int(d.from.limited.quota, WSK_Q_connection_browser,
           "of a connection it is said in the same way");
    is_int((intmax_t)d.from.limited.wait_ms, 501, "when it has one again");
    for (i = 0; i < 100; i++) {
        d.from.caller = 100 + i;
        d.from.purse = NULL;
        says(&d, msg);
    }
    is_int(d.from.limited.quota, WSK_Q_site_browser,
           "that of the site is the site's");
    ok(d.from.limited.wait_ms > 0 && d.from.limited.wait_ms <= 50,
       "with its own wait");
    ok(wsk_segment_counter(d.seg, WSK_C_limited_connection) > 10
           && wsk_segment_counter(d.seg, WSK_C_limited_browser) > 10,
       "each is counted for itself");
    is_int((intmax_t)(wsk_segment_counter(d.seg, WSK_C_limited_connection)
                      + wsk_segment_counter(d.seg, WSK_C_limited_browser)),
           (intmax_t)wsk_segment_counter(d.seg, WSK_C_browser_refused),
           "and all of them together");
    door_shut(&d);
}

/* The purse alone; rate 10, burst 3. */
static unsigned taken(wsk_purse_t *b, int64_t from_us, int64_t step_us,
                      unsigned tries)
{
    unsigned n = 0, i;

    for (i = 0; i < tries; i++) {
        n += wsk_purse_take(b, 10, 3, from_us + (int64_t)i * step_us);
    }
    return n;
}

static void purse(void)
{
    wsk_purse_t b = { 0, 0 };

    is_int(taken(&b, NOON, 0, 10), 3, "a burst");
    is_int(taken(&b, NOON + 100000, 0, 10), 1, "a tenth of a second later one");
    is_int(taken(&b, NOON + 3600 * SECOND, 0, 10), 3,
           "an hour later no more than a burst");
    is_int(taken(&b, NOON, 0, 10), 0, "a clock that jumps back gives nothing");
    is_int(taken(&b, NOON + 100000, 0, 10), 1,
           "and costs no more than the wait");
    b = (wsk_purse_t){ 0, 0 };
    is_int(taken(&b, NOON, 700, 14286), 3 + 99,
           "who hammers for ten seconds still gets ten a second");
    b = (wsk_purse_t){ 0, 0 };
    ok(!wsk_purse_take(&b, 0, 0, NOON), "no rate and no burst is nothing");
}

int main(void)
{
    answers();
    presence();
    presence_refused();
    message();
    refusals();
    binary();
    qualified();
    rates();
    purse();
    return done_testing();
}
