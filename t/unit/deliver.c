/* SPDX-License-Identifier: Apache-2.0 */
#include "fault.h"

#include "loop_fixture.h"

static world_t w;
static client_t a, b, c;

static void open_on(client_t *who, wsk_kind_e kind, const char *channel,
                    bool binary)
{
    char json[200];

    client_make(&w, who, kind, 1);
    who->c->binary_events = binary;
    if (kind == WSK_KIND_SSE) {
        client_channels(who, channel);
    }
    wsk_loop_give(w.loop, who->c);
    world_run(&w);
    if (kind == WSK_KIND_WS) {
        snprintf(json, sizeof(json),
                 "{\"type\":\"subscribe\",\"channels\":[\"%s\"]}", channel);
        client_say(&w, who, json);
        client_heard(&w, who);
    }
    else {
        client_read(&w, who);
    }
}

static void close_three(void)
{
    close(a.fd);
    close(b.fd);
    close(c.fd);
    world_close(&w);
}

static void forms(void)
{
    wsk_cursor_t at;
    char id[WSK_ID_MAX], want[300];

    world_open(&w);
    open_on(&a, WSK_KIND_WS, "a", false);
    open_on(&b, WSK_KIND_WS, "a", false);
    open_on(&c, WSK_KIND_SSE, "a", false);
    world_say(&w, 1, "a", "hi");
    world_turn(&w);
    world_turn(&w);
    at = store_head(w.seg, w.sites[1], WSK_LOG_TEXT);
    wsk_cursor_text(id, &at);
    snprintf(want, sizeof(want),
             "{\"type\":\"message\",\"channel\":\"a\",\"event\":\"e\","
             "\"data\":\"hi\",\"id\":\"%s\"}",
             id);
    is_str(client_heard(&w, &a), want, "a socket gets a message");
    is_str(client_heard(&w, &b), want, "another the same");
    snprintf(want, sizeof(want),
             "id: %s\ndata: {\"channel\":\"a\",\"event\":\"e\","
             "\"data\":\"hi\",\"id\":\"%s\"}\n\n",
             id, id);
    is_str(client_read(&w, &c), want, "a stream an event with its id");
    is_int(world_count(&w, WSK_C_delivered), 3, "three were delivered");
    close_three();
}

/* The bytes are made once for each transport, and shared. */
static void shared(void)
{
    world_open(&w);
    open_on(&a, WSK_KIND_WS, "a", false);
    open_on(&b, WSK_KIND_WS, "a", false);
    open_on(&c, WSK_KIND_SSE, "a", false);
    world_say(&w, 1, "a", "hi");
    wsk_hub_pump(w.loop->hub, w.sites[1]);
    ok(a.c->out.frames == 1 && a.c->out.only == b.c->out.only,
       "two sockets share the bytes of a message");
    is_int(a.c->out.only->refs, 2, "nobody else holds them");
    ok(c.c->out.frames == 1 && c.c->out.only != a.c->out.only,
       "a stream has its own");
    world_run(&w);
    close_three();
}

static void in_order(void)
{
    char text[20];
    const char *heard;
    unsigned i, at = 0, wrong = 0;

    world_open(&w);
    open_on(&a, WSK_KIND_WS, "a", false);
    open_on(&b, WSK_KIND_WS, "b", false);
    open_on(&c, WSK_KIND_WS, "a", false);
    for (i = 0; i < 200; i++) {
        snprintf(text, sizeof(text), "n%u.", i);
        world_say(&w, 1, "a", text);
        if (i % 7 == 0) {
            world_turn(&w);
        }
    }
    heard = client_heard(&w, &a);
    for (i = 0; i < 200; i++) {
        const char *found;

        snprintf(text, sizeof(text), "\"n%u.\"", i);
        found = strstr(heard + at, text);
        wrong += found == NULL || times(heard, text) != 1;
        at = found == NULL ? at : (unsigned)(found - heard);
    }
    is_int(wrong, 0, "two hundred messages come once and in order");
    is_str(client_heard(&w, &b), "", "to nobody who did not ask");
    close_three();
}

static void binaries(void)
{
    const char *heard;

    world_open(&w);
    open_on(&a, WSK_KIND_WS, "a", false);
    open_on(&b, WSK_KIND_SSE, "a", true);
    open_on(&c, WSK_KIND_SSE, "a", false);
    client_send(&a, WSK_OP_BINARY, "\0\1axyz", 6);
    heard = client_read(&w, &b);
    has(heard, "event: wps.binary\ndata: AAFheHl6\n", "base64 for a stream");
    is_str(client_read(&w, &c), "", "that asked for it");
    is_str(client_heard(&w, &a), "", "and not back to its sender");
    is_int(world_count(&w, WSK_C_delivered_binary), 1, "counted as binary");
    close(c.fd);
    open_on(&c, WSK_KIND_WS, "a", false);
    client_send(&c, WSK_OP_BINARY, "\0\1axyz", 6);
    is_str(client_heard(&w, &a), "binary 6", "for a socket as it is");
    close_three();
}

/* Who does not read is closed at the bound, with a code it can come back
 * after, and so that what it has got is whole. */
static void too_slow(wsk_kind_e kind)
{
    char big[2001];
    const char *heard;
    unsigned i;

    memset(big, 'x', 2000);
    big[2000] = '\0';
    world_open(&w);
    open_on(&a, kind, "a", false);
    open_on(&b, WSK_KIND_WS, "a", false);
    open_on(&c, WSK_KIND_WS, "a", false);
    for (i = 0; i < 40 && a.c->state == WSK_CONN_OPEN; i++) {
        world_say(&w, 1, "a", big);
        world_run(&w);
        is_int(times(client_heard(&w, &b), big), 1, "others hear it meanwhile");
        client_heard(&w, &c);
        if (a.c->out.bytes > 20000) {
            ok(0, "more is queued than the site allows");
        }
    }
    ok(i > 5 && i < 40, "a slow reader is closed at its bound");
    is_int(world_count(&w, WSK_C_slow_closed), 1, "and counted");
    if (kind == WSK_KIND_WS) {
        heard = client_heard(&w, &a);
        has(heard, "close 1013 reading too slowly\neof", "it can resume");
        ok(times(heard, big) == times(heard, "\"id\""),
           "after the last of the whole messages it got");
    }
    else {
        heard = client_read(&w, &a);
        ok(a.eof && times(heard, big) == times(heard, "\n\n"),
           "a stream ends with a whole event");
    }
    close_three();
}

static void one_large(void)
{
    static char big[4001];
    wsk_site_spec_t spec = world_spec(1);

    memset(big, 'x', 4000);
    world_open(&w);
    open_on(&a, WSK_KIND_WS, "a", false);
    open_on(&b, WSK_KIND_WS, "b", false);
    open_on(&c, WSK_KIND_WS, "b", false);
    spec.limits.send_queue = 1000;
    world_put(&w, 1, &spec);
    wsk_turn_view(w.loop, w.sites[1]);
    world_say(&w, 1, "a", big);
    has(client_heard(&w, &a), big, "one message larger than a queue is sent");
    close_three();
}

/* One piece of a log may be more than a queue holds. */
static void fast_reader(void)
{
    wsk_site_spec_t spec = world_spec(1);
    char text[301];
    unsigned i;

    memset(text, 'x', 300);
    text[300] = '\0';
    world_open(&w);
    open_on(&a, WSK_KIND_WS, "a", false);
    open_on(&b, WSK_KIND_WS, "b", false);
    open_on(&c, WSK_KIND_WS, "b", false);
    spec.limits.send_queue = 1000;
    world_put(&w, 1, &spec);
    for (i = 0; i < 8; i++) {
        world_say(&w, 1, "a", text);
    }
    is_int(times(client_heard(&w, &a), text), 8,
           "who has read all is not too slow for a burst");
    is_int(world_count(&w, WSK_C_slow_closed), 0, "nor said to be");
    close_three();
}

static void closing(void)
{
    world_open(&w);
    open_on(&a, WSK_KIND_WS, "a", false);
    open_on(&b, WSK_KIND_WS, "a", false);
    open_on(&c, WSK_KIND_SSE, "a", false);
    world_say(&w, 1, "a", "hi");
    wsk_say_close(w.loop, a.c, WSK_CLOSE_AWAY, "bye");
    wsk_say_close(w.loop, c.c, WSK_CLOSE_AWAY, NULL);
    is_str(client_heard(&w, &a), "close 1001 bye\neof",
           "nothing is delivered behind a Close");
    is_str(client_read(&w, &c), "eof", "nor behind the end of a stream");
    has(client_heard(&w, &b), "hi", "others have it");
    close_three();
}

static void gaps(void)
{
    char json[200];
    unsigned i;

    world_open(&w);
    open_on(&a, WSK_KIND_WS, "b", false);
    open_on(&b, WSK_KIND_WS, "b", false);
    open_on(&c, WSK_KIND_WS, "b", false);
    for (i = 0; i < 1200; i++) {
        world_say(&w, 1, "a", "x");
    }
    world_run(&w);
    snprintf(json, sizeof(json),
             "{\"type\":\"subscribe\",\"channels\":[\"a\"],\"since\":\"%s\"}",
             "nonsense");
    client_say(&w, &a, json);
    has(client_heard(&w, &a), "{\"type\":\"gap\",\"since\":\"",
        "a place that nobody knows is a gap");
    is_int(world_count(&w, WSK_C_gaps), 1, "and counted");
    close_three();
}

static void replays(void)
{
    char json[200], id[WSK_ID_MAX], big[3000];
    wsk_cursor_t start;
    const char *heard;
    unsigned i, most = 0;

    world_open(&w);
    open_on(&b, WSK_KIND_WS, "b", false);
    open_on(&c, WSK_KIND_WS, "b", false);
    start = store_head(w.seg, w.sites[1], WSK_LOG_TEXT);
    wsk_cursor_text(id, &start);
    memset(big, 'y', sizeof(big) - 1);
    big[sizeof(big) - 1] = '\0';
    for (i = 0; i < 40; i++) {
        world_say(&w, 1, "a", big);
    }
    world_run(&w);
    client_open(&w, &a, WSK_KIND_WS, 1);
    snprintf(json, sizeof(json),
             "{\"type\":\"subscribe\",\"channels\":[\"a\"],\"since\":\"%s\"}",
             id);
    client_say(&w, &a, json);
    most = a.c->out.bytes;
    ok(a.c->member.replaying && a.c->state == WSK_CONN_OPEN,
       "a replay waits for its reader");
    world_say(&w, 1, "a", "new");
    heard = client_heard(&w, &a);
    is_int(times(heard, big), 40, "and comes to its end");
    ok(strstr(heard, "\"new\"") > strstr(heard, big), "what is new behind it");
    is_int(times(heard, "\"new\""), 1, "once");
    ok(most < 20000 + 70000, "no more was queued than a piece (%u)", most);
    is_int(world_count(&w, WSK_C_slow_closed), 0, "nobody was too slow");
    close_three();
}

static void without_memory(void)
{
    long at;
    bool hit = true;
    unsigned lost = 0;

    for (at = 0; hit && at < 200; at++) {
        world_open(&w);
        open_on(&a, WSK_KIND_WS, "a", false);
        open_on(&b, WSK_KIND_SSE, "a", false);
        open_on(&c, WSK_KIND_WS, "a", false);
        world_say(&w, 1, "a", "hi");
        fault_arm(FAULT_MEMORY, at, LONG_MAX);
        wsk_hub_pump(w.loop->hub, w.sites[1]);
        hit = fault_end();
        world_run(&w);
        lost += strstr(client_heard(&w, &a), "hi") == NULL && !a.eof;
        lost += strstr(client_read(&w, &b), "hi") == NULL && !b.eof;
        lost += strstr(client_heard(&w, &c), "hi") == NULL && !c.eof;
        close_three();
    }
    ok(at > 4 && at < 200, "without memory at each of %ld places", at);
    is_int(lost, 0, "nobody loses a message and is not told");
}

int main(void)
{
    forms();
    shared();
    in_order();
    binaries();
    too_slow(WSK_KIND_WS);
    too_slow(WSK_KIND_SSE);
    one_large();
    fast_reader();
    closing();
    gaps();
    replays();
    without_memory();
    return done_testing();
}
