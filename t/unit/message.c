/* SPDX-License-Identifier: Apache-2.0 */
#include "fault.h"

#include "loop_fixture.h"

#include "auth_fixture.h"

static world_t w;
static client_t a;

static void open_one(void)
{
    world_open(&w);
    client_open(&w, &a, WSK_KIND_WS, 1);
}

static void close_one(void)
{
    close(a.fd);
    world_close(&w);
}

static const char *asks(const char *json)
{
    client_send(&a, WSK_OP_TEXT, json, strlen(json));
    return client_heard(&w, &a);
}

static intmax_t refused(void)
{
    return world_count(&w, WSK_C_browser_refused);
}

static void subscribes(void)
{
    const char *heard;
    unsigned i;
    char json[400] = "{\"type\":\"subscribe\",\"channels\":[";

    open_one();
    heard = asks("{\"type\":\"subscribe\",\"channels\":[\"a\",\"b:1\",\"a\"]}");
    has(heard,
        "{\"type\":\"subscribed\",\"channels\":[\"a\",\"b:1\"],"
        "\"id\":\"",
        "what may be read is subscribed");
    is_int(a.c->member.nsubs, 2, "each once");
    heard = asks("{\"type\":\"subscribe\",\"channels\":[\"xray\",\"c\",\"\"]}");
    has(heard, "\"channels\":[\"c\"]", "of a mixed list what is allowed");
    has(heard, "\"code\":\"channel_forbidden\"", "and the rest is refused");
    has(heard, ",\"channels\":[\"xray\",\"\"]}", "by name");
    is_int(refused(), 1, "and counted");
    has(asks("{\"type\":\"subscribe\",\"channels\":[\"site:id-1:room:9\"]}"),
        "[\"room:9\"]", "a qualified name is told as the bare one");
    has(asks(
            "{\"type\":\"subscribe\",\"channels\":[\"a1\",\"a2\",\"a3\",\"a4\","
            "\"a5\"]}"),
        "too_many_channels", "more than a connection may have");
    is_int(a.c->member.nsubs, 4, "nothing of that list is kept");
    is_int(refused(), 2, "counted too");
    for (i = 0; i < 33; i++) {
        strcat(json, i > 0 ? ",\"a\"" : "\"a\"");
    }
    strcat(json, "]}");
    has(asks(json), "too_many_channels", "a list without measure");
    has(asks("{\"type\":\"subscribe\",\"channels\":\"a\"}"), "bad_message",
        "what is no list");
    is_int(refused(), 4, "each is counted");
    close_one();
}

/* The place a client is told is never ahead of what it was given. */
static void place_of(const char *since, const char *channel, uint64_t want,
                     const char *what)
{
    char json[200], id[WSK_ID_MAX], full[WSK_ID_MAX + 10];
    wsk_cursor_t at = store_head(w.seg, w.sites[1], WSK_LOG_TEXT);

    at.seq = want;
    wsk_cursor_text(id, &at);
    snprintf(full, sizeof(full), "\"id\":\"%s\"}", id);
    snprintf(json, sizeof(json),
             "{\"type\":\"subscribe\",\"channels\":[\"%s\"]%s%s%s}", channel,
             since ? ",\"since\":\"" : "", since ? since : "",
             since ? "\"" : "");
    wsk_message_text(w.loop, a.c, json, strlen(json));
    has(client_heard(&w, &a), full, what);
}

static void places(void)
{
    wsk_cursor_t at;
    char one[WSK_ID_MAX], ahead[WSK_ID_MAX];
    unsigned i;

    open_one();
    for (i = 0; i < 5; i++) {
        world_say(&w, 1, "a", "x");
    }
    world_run(&w);
    at = store_head(w.seg, w.sites[1], WSK_LOG_TEXT);
    at.seq = 1;
    wsk_cursor_text(one, &at);
    at.seq = 99;
    wsk_cursor_text(ahead, &at);
    place_of(NULL, "b", 5, "without since, the place is where the log is");
    place_of(one, "b", 5, "a channel that is there already goes on from there");
    place_of(one, "a", 1, "who resumes is told the place it resumes from");
    has(asks("{\"type\":\"subscribe\",\"channels\":[\"a1\"],"
             "\"since\":\"nowhere\"}"),
        "\"id\":\"000000000000-0\"}\n{\"type\":\"gap\"",
        "before a gap is told, the place is none that would hide it");
    place_of(ahead, "c", 5, "a place that is not reached yet is not told");
    a.c->member.replaying = true;
    a.c->member.at = 3;
    place_of(NULL, "a2", 3, "who catches up is told how far it has come");
    a.c->member.replaying = true;
    a.c->member.at = 3;
    place_of(one, "a3", 1, "or further back, where it resumes again");
    close_one();
}

static void unsubscribes(void)
{
    char json[400] = "{\"type\":\"unsubscribe\",\"channels\":[";
    unsigned i;

    open_one();
    asks("{\"type\":\"subscribe\",\"channels\":[\"a\",\"b\",\"c\"]}");
    is_str(asks("{\"type\":\"unsubscribe\",\"channels\":[\"b\",\"nope\","
                "\"site:id-1:c\",\"b\"]}"),
           "{\"type\":\"unsubscribed\",\"channels\":[\"b\",\"c\"]}",
           "what it was on it is off");
    world_say(&w, 1, "b", "x");
    is_str(client_heard(&w, &a), "", "and hears no more of");
    world_say(&w, 1, "a", "x");
    has(client_heard(&w, &a), "\"channel\":\"a\"", "the others stay");
    for (i = 0; i < 33; i++) {
        strcat(json, i > 0 ? ",\"a\"" : "\"a\"");
    }
    strcat(json, "]}");
    has(asks(json), "too_many_channels", "a list without measure");
    has(asks("{\"type\":\"unsubscribe\"}"), "bad_message", "no list");
    is_int(refused(), 2, "both are counted");
    close_one();
}

static void publishes(void)
{
    const char *heard;
    unsigned i;

    open_one();
    asks("{\"type\":\"subscribe\",\"channels\":[\"a\"]}");
    heard = asks("{\"type\":\"message\",\"channel\":\"a\",\"event\":\"e\","
                 "\"data\":1,\"ref\":\"r\\\"1\"}");
    has(heard, "{\"type\":\"ack\",\"ref\":\"r\\\"1\",\"id\":\"",
        "a message with a ref has an answer");
    has(heard, "\"event\":\"e\",\"data\":1", "its sender hears it too");
    heard = asks("{\"type\":\"message\",\"channel\":\"a\",\"event\":\"e\"}");
    ok(strstr(heard, "ack") == NULL, "without a ref there is no answer");
    has(asks("{\"type\":\"message\",\"channel\":\"x\",\"event\":\"e\","
             "\"ref\":\"2\"}"),
        "publish_forbidden", "what may not be written is refused");
    has(a.text, ",\"ref\":\"2\"}", "with its ref");
    is_int(refused(), 1, "and counted once");
    for (i = 0; i < 9; i++) {
        heard = asks(
            "{\"type\":\"message\",\"channel\":\"a\",\"event\":\"e\"}");
    }
    has(heard, "rate_limited", "at last it is too many");
    client_send(&a, WSK_OP_BINARY, "\0\1axyz", 6);
    has(client_heard(&w, &a), "rate_limited", "binary ones have no other rate");
    client_send(&a, WSK_OP_BINARY, "\0", 1);
    has(client_heard(&w, &a), "bad_message", "nor other forms");
    close_one();
}

static void bad_ones(void)
{
    static const char *const bad[] = {
        "",
        "{",
        "[]",
        "5",
        "{\"type\":5}",
        "{\"type\":\"what\"}",
        "{\"type\":\"pong\",\"type\":\"pong\"}",
        "{\"type\":\"message\",\"channel\":\"a\"}",
        "{\"type\":\"presence\",\"channel\":\"a\",\"state\":\"x\"}",
        "{\"type\":\"subscribe\",\"channels\":{}}"
    };
    unsigned i, wrong = 0;

    open_one();
    is_str(asks("{\"type\":\"pong\"}"), "", "a pong has no answer");
    has(asks("{\"type\":\"presence\",\"channel\":\"x\",\"state\":{}}"),
        "publish_forbidden", "presence where nothing may be sent is refused");
    is_int(refused(), 1, "and counted");
    for (i = 0; i < 9; i++) {
        wrong += strstr(asks(bad[i]), "\"code\":\"bad_message\"") == NULL;
    }
    is_int(wrong, 0, "nine bad messages have nine answers");
    is_int(refused(), 10, "each is counted");
    world_seconds(&w, 60);
    has(asks(bad[0]), "bad_message", "a minute later it starts anew");
    client_heard(&w, &a);
    ok(a.c->state == WSK_CONN_OPEN, "and it is still there");
    for (i = 0; i < 9; i++) {
        asks(bad[i % WSK_COUNT_OF(bad)]);
    }
    has(a.text, "close 1008 too many bad messages\neof",
        "ten in a minute are too many");
    is_int(world_count(&w, WSK_C_protocol_closed), 1, "and that is counted");
    close_one();
}

/* A token of site 1, with rights to channels that begin so. */
static char *token(const char *prefix, int64_t exp)
{
    wsk_site_spec_t spec;
    char claims[600], site[WSK_HEX256 + 1];

    spec = wsk_turn_view(w.loop, w.sites[1])->spec;
    wsk_site_id(site, slice(spec.key));
    snprintf(claims, sizeof(claims),
             "{\"v\":2,\"site_id\":\"%s\",\"user_id\":\"7\","
             "\"allowed_channel_prefixes\":[\"%s\"],"
             "\"allowed_publish_prefixes\":[],\"iat\":%lld,\"exp\":%lld}",
             site, prefix, (long long)(NOON / SECOND), (long long)exp);
    return token_of(slice("{\"alg\":\"HS256\",\"typ\":\"JWT\"}"), slice(claims),
                    slice(spec.jwt.at[0]));
}

static void auths(void)
{
    char json[2000], site[WSK_HEX256 + 1], prefix[100];
    wsk_site_spec_t spec = world_spec(9);
    char *made;

    world_open(&w);
    wsk_site_id(site, slice(spec.key));
    strcpy(spec.site_id, site);
    world_put(&w, 1, &spec); /* from now on, the one that is meant by 1 */
    client_open(&w, &a, WSK_KIND_WS, 1);
    wsk_grant_unref(a.c->grant);
    {
        wsk_slice_t all;
        const wsk_grant_spec_t rights = { .version = 2,
                                          .read = &all,
                                          .nread = 1 };

        snprintf(prefix, sizeof(prefix), "site:%s:", site);
        all = slice(prefix);
        a.c->grant = wsk_grant_make(&rights);
    }
    asks("{\"type\":\"subscribe\",\"channels\":[\"a\",\"b\"]}");
    is_int(a.c->member.nsubs, 2, "on two channels");
    snprintf(prefix, sizeof(prefix), "site:%s:b", site);
    made = token(prefix, NOON / SECOND + 100);
    snprintf(json, sizeof(json), "{\"type\":\"auth\",\"token\":\"%s\"}", made);
    asks(json);
    has(a.text, "{\"type\":\"auth_ok\",\"exp\":1700000100}",
        "a new token is taken");
    has(a.text, "{\"type\":\"unsubscribed\",\"channels\":[\"a\"]}",
        "what it does not allow is over");
    is_int(a.c->member.nsubs, 1, "the rest stays");
    is_int((intmax_t)a.c->exp_s, NOON / SECOND + 100, "it ends with it");
    free(made);
    has(asks("{\"type\":\"auth\",\"token\":\"a.b.c\"}"), "unauthorized",
        "one that is none is refused");
    has(a.text, "close 4001", "and it is over");
    is_int(world_count(&w, WSK_C_refused_token), 1, "counted");
    client_open(&w, &a, WSK_KIND_WS, 1);
    a.c->user++;
    made = token("", NOON / SECOND + 100);
    snprintf(json, sizeof(json), "{\"type\":\"auth\",\"token\":\"%s\"}", made);
    asks(json);
    has(a.text, "unauthorized", "so is one of another user");
    has(a.text, "close 4001", "and that is over, too");
    is_int(world_count(&w, WSK_C_refused_token), 2, "and counted");
    free(made);
    close_one();
}

/* Nobody is sent for a new token because memory is short. But for the places
 * where the JSON parser loses text in silence: its buffer is grown so often. */
#define GROWN 9

static void auths_without_memory(void)
{
    wsk_site_spec_t spec = world_spec(9);
    char json[2000], site[WSK_HEX256 + 1];
    unsigned taken = 0, later = 0, other = 0, stays = 0;
    wsk_present_t present;
    bool hit = true;
    char *made;
    long at;

    wsk_site_id(site, slice(spec.key));
    strcpy(spec.site_id, site);
    for (at = 0; hit && at < 2000; at++) {
        world_open(&w);
        world_put(&w, 1, &spec);
        client_open(&w, &a, WSK_KIND_WS, 1);
        present = wsk_roster_present(w.loop, a.c);
        a.c->present = true;
        wsk_presence_enter(w.seg, w.sites[1], &present, slice("a"), slice("{}"),
                           NOON);
        made = token("", NOON / SECOND + 100);
        snprintf(json, sizeof(json), "{\"type\":\"auth\",\"token\":\"%s\"}",
                 made);
        free(made);
        fault_arm(FAULT_MEMORY, at,
                  1); /* what remains has to do for an answer */
        wsk_message_text(w.loop, a.c, json, strlen(json));
        hit = fault_end();
        client_heard(&w, &a);
        taken += strstr(a.text, "auth_ok") != NULL;
        stays += strstr(a.text, "auth_ok") != NULL
                 && wsk_presence_any(w.seg, w.sites[1]);
        later += strstr(a.text, "close 1013") != NULL;
        other += strstr(a.text, "close 4") != NULL
                 || strstr(a.text, "unauthorized") != NULL;
        close_one();
    }
    ok(taken > 0 && later > 10, "auth: of %ld times %u were told to come later",
       at, later);
    is_int(stays, 0, "nobody stays where the new token does not allow it");
    ok(other < GROWN, "and %u that the token is no good", other);
}

static void without_memory(void)
{
    static const char *const each[] = {
        "{\"type\":\"subscribe\",\"channels\":[\"a\",\"x\"]}",
        "{\"type\":\"unsubscribe\",\"channels\":[\"b\"]}",
        "{\"type\":\"message\",\"channel\":\"b\",\"event\":\"e\",\"ref\":\"1\"}"
    };
    unsigned i, lost = 0, tried = 0;
    bool hit;
    long at;

    for (i = 0; i < WSK_COUNT_OF(each); i++) {
        for (at = 0, hit = true; hit && at < 300; at++, tried++) {
            open_one();
            asks("{\"type\":\"subscribe\",\"channels\":[\"b\"]}");
            fault_arm(FAULT_MEMORY, at, LONG_MAX);
            wsk_message_text(w.loop, a.c, each[i], strlen(each[i]));
            hit = fault_end();
            client_heard(&w, &a);
            lost += a.text[0] == '\0' && !a.eof;
            close_one();
        }
    }
    ok(tried > 20 && tried < 900, "without memory at %u places", tried);
    is_int(lost, 0, "there is an answer, or an end");
}

int main(void)
{
    subscribes();
    places();
    unsubscribes();
    publishes();
    bad_ones();
    auths();
    auths_without_memory();
    without_memory();
    return done_testing();
}
