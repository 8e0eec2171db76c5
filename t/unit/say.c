/* SPDX-License-Identifier: Apache-2.0 */
#include "fault.h"

#include "loop_fixture.h"

static world_t w;
static client_t a, b, c;

static void open_three(void)
{
    world_open(&w);
    client_open(&w, &a, WSK_KIND_WS, 1);
    client_make(&w, &b, WSK_KIND_SSE, 1);
    client_channels(&b, "a");
    wsk_loop_give(w.loop, b.c);
    client_open(&w, &c, WSK_KIND_ECHO, 0);
    client_read(&w, &b);
}

static void close_three(void)
{
    close(a.fd);
    close(b.fd);
    close(c.fd);
    world_close(&w);
}

static void errors(void)
{
    wsk_text_t extra = { 0 };

    open_three();
    wsk_say_error(w.loop, a.c, WSK_A_rate_limited, NULL);
    is_str(client_heard(&w, &a),
           "{\"type\":\"error\",\"code\":\"rate_limited\",\"message\":\"too "
           "many messages; try again later\"}",
           "an error has a code and words");
    wsk_text_put(&extra, ",\"ref\":\"7\"");
    wsk_say_error(w.loop, a.c, WSK_A_too_large, &extra);
    has(client_heard(&w, &a), "allows\",\"ref\":\"7\"}",
        "and what belongs to it");
    extra.failed = true;
    wsk_say_error(w.loop, a.c, WSK_A_too_large, &extra);
    is_str(client_heard(&w, &a), "eof",
           "one that is not whole is not said, and the client told to return");
    wsk_text_free(&extra);
    close_three();
}

static void closes(void)
{
    open_three();
    wsk_say_close(w.loop, a.c, WSK_CLOSE_NO_STATUS, NULL);
    is_str(client_heard(&w, &a), "close 0 \neof", "a Close without a code");
    wsk_say_close(w.loop, b.c, WSK_CLOSE_TRY_LATER, "x");
    is_str(client_read(&w, &b), "eof", "a stream just ends");
    wsk_say_frame(w.loop, c.c, WSK_OP_TEXT, "first", 5);
    wsk_say_close(w.loop, c.c, WSK_CLOSE_AWAY, "then");
    wsk_say_close(w.loop, c.c, WSK_CLOSE_POLICY, "again");
    wsk_say_frame(w.loop, c.c, WSK_OP_TEXT, "after", 5);
    is_str(client_heard(&w, &c), "first\nclose 1001 then\neof",
           "what was said before comes before, and nothing after");
    close_three();
}

static void reconnects(void)
{
    open_three();
    wsk_say_reconnect(w.loop, a.c, 1234);
    wsk_say_reconnect(w.loop, b.c, 1234);
    wsk_say_reconnect(w.loop, c.c, 1234);
    is_str(client_heard(&w, &a), "{\"type\":\"reconnect\",\"in\":1234}",
           "a socket is told when to come back");
    has(client_read(&w, &b), "retry: 1234\n", "a stream too");
    is_str(client_heard(&w, &c), "", "an echo need not");
    close_three();
}

static void pings(void)
{
    open_three();
    a.c->member.replaying = true;
    wsk_say_ping(w.loop, a.c);
    is_str(client_heard(&w, &a), "",
           "who catches up is not told a place it has not seen");
    a.c->member.replaying = false;
    close_three();
}

/* One frame for all at the same place of the same log, and no other. */
static void pings_are_shared(void)
{
    client_t other;
    const wsk_slab_t *first;
    const char *heard;

    open_three();
    client_open(&w, &other, WSK_KIND_WS, 1);
    wsk_say_ping(w.loop, a.c);
    wsk_say_ping(w.loop, b.c);
    wsk_say_ping(w.loop, other.c);
    first = a.c->out.only;
    ok(a.c->out.frames == 1 && other.c->out.frames == 1
           && other.c->out.only == first && b.c->out.only != first,
       "two sockets share a ping, a stream has its own event");
    heard = client_heard(&w, &a);
    has(heard, "{\"type\":\"ping\",\"id\":\"", "it is a ping");
    is_str(client_heard(&w, &other), heard, "and the same for both");
    close(other.fd);
    client_open(&w, &other, WSK_KIND_WS, 0);
    wsk_say_ping(w.loop, a.c);
    wsk_say_ping(w.loop, other.c);
    ok(a.c->out.only != other.c->out.only, "another site has its own place");
    client_heard(&w, &other);
    close(other.fd);
    wsk_say_ping(w.loop, a.c);
    client_heard(&w, &a);
    world_say(&w, 1, "none", "x");
    wsk_hub_pump(w.loop->hub, w.sites[1]);
    wsk_say_ping(w.loop, a.c);
    has(client_heard(&w, &a), "-1\"}", "who has gone on is told the new one");
    close_three();
}

/* The dead and the closing are told nothing. */
static void too_late(void)
{
    open_three();
    wsk_say_close(w.loop, a.c, WSK_CLOSE_AWAY, "bye");
    wsk_say_ping(w.loop, a.c);
    wsk_say_error(w.loop, a.c, WSK_A_unavailable, NULL);
    is_str(client_heard(&w, &a), "close 1001 bye\neof",
           "after a Close, nothing");
    wsk_life_kill(w.loop, b.c);
    wsk_say_reconnect(w.loop, b.c, 5);
    wsk_say_close(w.loop, b.c, WSK_CLOSE_AWAY, NULL);
    ok(b.c->out.frames == 0 && b.c->state == WSK_CONN_DEAD,
       "nothing to the dead");
    close_three();
}

static void without_memory(void)
{
    bool hit = true;
    long at;
    unsigned wrong = 0;

    for (at = 0; hit && at < 50; at++) {
        const char *heard;

        open_three();
        world_seconds(&w, 2); /* its next time is that of a ping */
        fault_arm(FAULT_MEMORY, at, LONG_MAX);
        wsk_say_error(w.loop, a.c, WSK_A_unavailable, NULL);
        hit = fault_end();
        heard = client_heard(&w, &a);
        wrong += hit ? strcmp(heard, "eof") != 0
                     : strstr(heard, "unavailable") == NULL;
        world_seconds(&w, 3);
        wrong += hit && w.ended != 1;
        close_three();
    }
    ok(at > 2 && at < 50, "without memory at each of %ld places", at);
    is_int(wrong, 0, "the client is sent off, whole answers or none, and soon");
}

int main(void)
{
    errors();
    closes();
    reconnects();
    pings();
    pings_are_shared();
    too_late();
    without_memory();
    return done_testing();
}
