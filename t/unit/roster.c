/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the relay says by itself, as clients read it: who is on a channel, and
 * how many connections a site has.
 */
#include "loop_fixture.h"

#include "auth_fixture.h"

static world_t w;
static client_t a, b, s;

#define SYNC \
    "\"event\":\"wps.presence\",\"data\":{\"action\":\"sync\",\"members\":["

static void open_two(void)
{
    world_open(&w);
    client_open(&w, &a, WSK_KIND_WS, 1);
    client_open(&w, &b, WSK_KIND_WS, 1);
}

static void close_two(void)
{
    close(a.fd);
    close(b.fd);
    world_close(&w);
}

static const char *asks(client_t *who, const char *json)
{
    client_send(who, WSK_OP_TEXT, json, strlen(json));
    return client_heard(&w, who);
}

/* The id somebody entered under, from what a watcher heard. */
static const char *id_in(const char *heard)
{
    static char id[17];
    const char *at = strstr(heard, "\"id\":\"");

    snprintf(id, sizeof(id), "%.16s", at != NULL ? at + 6 : "");
    return id;
}

static void comes_and_goes(void)
{
    char want[300], id[17];
    const char *heard;

    open_two();
    heard = asks(&a, "{\"type\":\"subscribe\",\"channels\":[\"a\",\"xx\"]}");
    ok(strstr(heard, "subscribed") < strstr(heard, "channel_forbidden")
           && strstr(heard, "channel_forbidden") < strstr(heard, SYNC),
       "the list comes last");
    has(heard, "{\"type\":\"message\",\"channel\":\"a\"," SYNC "]}}",
        "also when it is empty, and without an id");
    is_int(times(heard, SYNC), 1, "and not of what is refused");
    is_str(asks(&b, "{\"type\":\"presence\",\"channel\":\"site:id-1:a\","
                    "\"state\":{\"n\" : 1}}"),
           "", "who enters is told nothing");
    heard = client_heard(&w, &a);
    snprintf(id, sizeof(id), "%s", id_in(heard));
    is_int(strspn(id, "0123456789abcdef"), 16, "a member has an id");
    snprintf(want, sizeof(want),
             "{\"type\":\"message\",\"channel\":\"a\",\"event\":"
             "\"wps.presence\",\"data\":{\"action\":\"join\",\"id\":\"%s\","
             "\"state\":{\"n\":1}}}",
             id);
    is_str(heard, want, "its coming is told");
    asks(&b, "{\"type\":\"presence\",\"channel\":\"a\",\"state\":{\"n\":2}}");
    snprintf(
        want, sizeof(want),
        "\"data\":{\"action\":\"join\",\"id\":\"%s\",\"state\":{\"n\":2}}}",
        id);
    has(client_heard(&w, &a), want, "a change as well");
    snprintf(want, sizeof(want), SYNC "{\"id\":\"%s\",\"state\":{\"n\":2}}]}}",
             id);
    has(asks(&b, "{\"type\":\"subscribe\",\"channels\":[\"a\"]}"), want,
        "who comes later has the list, with itself in it");
    asks(&b, "{\"type\":\"presence\",\"channel\":\"a\",\"state\":null}");
    snprintf(want, sizeof(want),
             "\"data\":{\"action\":\"leave\",\"id\":\"%s\"}}", id);
    has(client_heard(&w, &a), want, "its leaving is told");
    is_int(times(asks(&b, "{\"type\":\"pong\"}"), "wps.presence"), 0,
           "to whoever watches, once");
    ok(world_count(&w, WSK_C_delivered_presence) == 6
           && world_count(&w, WSK_C_delivered) == 0,
       "this is counted apart");
    close_two();
}

/* However a connection ends, it leaves the moment it does. */
static void ends(void)
{
    static const char enter[] = "{\"type\":\"presence\",\"channel\":\"a\","
                                "\"state\":{}}";

    open_two();
    asks(&a, "{\"type\":\"subscribe\",\"channels\":[\"a\"]}");
    asks(&b, enter);
    client_heard(&w, &a);
    close(b.fd);
    has(client_heard(&w, &a), "leave", "a socket that breaks");
    client_open(&w, &b, WSK_KIND_WS, 1);
    asks(&b, enter);
    client_heard(&w, &a);
    client_send(&b, 8, "\x03\xe8", 2);
    has(client_heard(&w, &a), "leave", "one that is closed");
    close(b.fd);
    client_open(&w, &b, WSK_KIND_WS, 1);
    asks(&b, enter);
    client_heard(&w, &a);
    wsk_say_close(w.loop, b.c, WSK_CLOSE_RESTART, "restarting");
    has(client_heard(&w, &a), "leave", "one that we close");
    ok(!wsk_presence_any(w.seg, w.sites[1]), "nobody is there");
    close_two();
}

/* A token that allows less takes presence away, too. */
static void fewer_rights(void)
{
    static const char claims[] =
        "{\"v\":2,\"site_id\":\"%s\",\"user_id\":\"7\","
        "\"allowed_channel_prefixes\":[\"%s\"],"
        "\"allowed_publish_prefixes\":[\"%s\"],\"iat\":%lld,\"exp\":%lld}";
    char json[2000], site[WSK_HEX256 + 1], prefix[100];
    wsk_site_spec_t spec = world_spec(9);
    wsk_slice_t all;
    const wsk_grant_spec_t rights = {
        .version = 2, .read = &all, .nread = 1, .write = &all, .nwrite = 1
    };
    const char *heard;
    char *made;

    world_open(&w);
    wsk_site_id(site, slice(spec.key));
    strcpy(spec.site_id, site);
    world_put(&w, 1, &spec);
    client_open(&w, &a, WSK_KIND_WS, 1);
    wsk_grant_unref(a.c->grant);
    snprintf(prefix, sizeof(prefix), "site:%s:", site);
    all = slice(prefix);
    a.c->grant = wsk_grant_make(&rights);
    asks(&a, "{\"type\":\"subscribe\",\"channels\":[\"a\"]}");
    asks(&a, "{\"type\":\"presence\",\"channel\":\"a\",\"state\":{}}");
    asks(&a, "{\"type\":\"presence\",\"channel\":\"b\",\"state\":{}}");
    snprintf(json, sizeof(json), claims, site, prefix, "b",
             (long long)(NOON / SECOND), (long long)(NOON / SECOND + 100));
    made = token_of(slice("{\"alg\":\"HS256\",\"typ\":\"JWT\"}"), slice(json),
                    slice(spec.jwt.at[0]));
    snprintf(json, sizeof(json), "{\"type\":\"auth\",\"token\":\"%s\"}", made);
    free(made);
    heard = asks(&a, json);
    has(heard,
        "{\"type\":\"unsubscribed\",\"channels\":[\"a\"],"
        "\"presence\":true}",
        "a presence that is not allowed any more is told");
    has(heard, "\"action\":\"leave\"", "and over");
    is_int(times(heard, "unsubscribed"), 1, "the other one stays");
    is_int(a.c->member.nsubs, 1, "as does what may be read");
    ok(wsk_presence_any(w.seg, w.sites[1]), "it is there");
    close(a.fd);
    world_close(&w);
}

/* An event stream watches, and enters by /send, by its id and a lease. */
static void streams(void)
{
    const char *heard;
    wsk_present_t who;

    world_open(&w);
    client_make(&w, &s, WSK_KIND_SSE, 1);
    client_channels(&s, "a");
    s.c->sends = true;
    s.c->member.id = 12345;
    wsk_loop_give(w.loop, s.c);
    heard = client_read(&w, &s);
    has(heard, "data: {\"channel\":\"a\"," SYNC "]}}\n\n",
        "a stream gets the list");
    ok(strstr(heard, "id: ") < strstr(heard, SYNC), "after its place");
    is_int(times(heard, "id: "), 1, "without an id");
    who = (wsk_present_t){ .member = wsk_roster_member(w.seg, 12345, 0),
                           .slot = WSK_PRESENCE_LEASED,
                           .until_us = w.now.unix_us + 30 * SECOND,
                           .channels = 5 };
    wsk_presence_enter(w.seg, w.sites[1], &who, store_slice("b"),
                       store_slice("{}"), w.now.unix_us);
    world_seconds(&w, 2);
    ok(!wsk_presence_any_leased(w.seg, w.sites[1]), "it is found to be ours");
    world_seconds(&w, 40);
    ok(wsk_presence_any(w.seg, w.sites[1]), "so its lease does not end");
    close(s.fd);
    world_run(&w);
    ok(!wsk_presence_any(w.seg, w.sites[1]), "and it leaves with the stream");
    world_close(&w);
}

static void nobodys_lease(void)
{
    const wsk_present_t who = { 5, WSK_PRESENCE_LEASED, NOON + 30 * SECOND, 5 };

    open_two();
    asks(&a, "{\"type\":\"subscribe\",\"channels\":[\"a\"]}");
    wsk_presence_enter(w.seg, w.sites[1], &who, store_slice("a"),
                       store_slice("{}"), NOON);
    wsk_bell_ring((wsk_bell_t){ w.bells }, w.seg, w.sites[1]);
    has(client_heard(&w, &a), "join", "a lease of a poll");
    world_seconds(&w, 1);
    world_seconds(&w, 28);
    is_int(times(client_heard(&w, &a), "leave"), 0, "holds");
    world_seconds(&w, 3);
    has(client_heard(&w, &a), "leave", "and ends");
    close_two();
}

/* A process dies: its members leave within the second. */
static void dead_process(void)
{
    wsk_present_t who = { 5, 0, 0, 5 };
    pid_t pid;
    int own;

    open_two();
    asks(&a, "{\"type\":\"subscribe\",\"channels\":[\"a\"]}");
    pid = fork();
    if (pid == 0) {
        own = wsk_slot_claim(w.seg, WSK_SLOT_CHILD, 42, 1, NOON);
        who.slot = (uint32_t)own;
        wsk_presence_enter(w.seg, w.sites[1], &who, store_slice("a"),
                           store_slice("{}"), NOON);
        _exit(0);
    }
    waitpid(pid, NULL, 0);
    world_seconds(&w, 1);
    has(client_heard(&w, &a),
        "\"action\":\"leave\",\"id\":\"0000000000000005\"",
        "who died is told to have left");
    ok(!wsk_presence_any(w.seg, w.sites[1]), "nobody is there");
    close_two();
}

#define COUNT(n) \
    "{\"type\":\"message\",\"channel\":\"wps:connections\",\"event\":" \
    "\"wps.connections\",\"data\":{\"active_connections\":" n \
    ",\"max_connections\":100}}"

static void may_count(client_t *who)
{
    const wsk_slice_t all = { "wps:", 4 };
    const wsk_grant_spec_t rights = { .version = 2, .read = &all, .nread = 1 };

    wsk_grant_unref(who->c->grant);
    who->c->grant = wsk_grant_make(&rights);
}

static void counts(void)
{
    static client_t more[6];
    const char *heard;
    unsigned i;

    open_two();
    has(asks(&a, "{\"type\":\"subscribe\",\"channels\":[\"wps:connections\"]}"),
        "channel_forbidden", "a count needs the right to read it");
    may_count(&a);
    may_count(&b);
    heard = asks(&a,
                 "{\"type\":\"subscribe\",\"channels\":[\"wps:connections\"]}");
    has(heard, COUNT("2"), "the count comes at once");
    is_int(times(heard, "wps.presence"), 0, "and no list where nobody can be");
    heard = asks(&b,
                 "{\"type\":\"subscribe\",\"channels\":[\"wps:connections\"]}");
    has(heard, COUNT("2"), "to everybody who comes");
    is_str(client_heard(&w, &a), "", "and not again to others");
    world_later(&w, 300);
    is_str(client_heard(&w, &a), "", "nor when nothing changes");
    for (i = 0; i < 6; i++) {
        client_open(&w, &more[i], i % 2 ? WSK_KIND_WS : WSK_KIND_SSE, 1);
    }
    world_later(&w, WSK_COUNT_MS);
    is_str(client_heard(&w, &a), COUNT("8"), "many changes are told as one");
    is_str(client_heard(&w, &b), COUNT("8"), "to all");
    client_open(&w, &s, WSK_KIND_WS, 2);
    for (i = 0; i < 6; i++) {
        close(more[i].fd);
    }
    world_later(&w, WSK_COUNT_MS);
    world_later(&w, WSK_COUNT_MS);
    is_str(client_heard(&w, &a), COUNT("2"), "another site's are not counted");
    asks(&a, "{\"type\":\"unsubscribe\",\"channels\":[\"wps:connections\"]}");
    close(b.fd);
    world_later(&w, WSK_COUNT_MS);
    world_later(&w, WSK_COUNT_MS);
    is_str(client_heard(&w, &a), "", "who does not ask is not told");
    ok(w.loop->counted == NULL, "and nobody looks");
    close(a.fd);
    close(s.fd);
    world_close(&w);
}

int main(void)
{
    alarm(120);
    comes_and_goes();
    ends();
    fewer_rights();
    streams();
    nobodys_lease();
    dead_process();
    counts();
    return done_testing();
}
