/* SPDX-License-Identifier: Apache-2.0 */
#include "loop_fixture.h"

static world_t w;
static client_t a;

static void open_one(wsk_kind_e kind)
{
    world_open(&w);
    client_make(&w, &a, kind, 1);
    if (kind == WSK_KIND_SSE) {
        client_channels(&a, "a");
    }
    wsk_loop_give(w.loop, a.c);
    world_run(&w);
}

static void close_one(void)
{
    close(a.fd);
    world_close(&w);
}

/* The site went off between the worker's look and ours. */
static void late(void)
{
    world_open(&w);
    client_make(&w, &a, WSK_KIND_WS, 1);
    wsk_site_switch(w.seg, w.sites[1], false);
    wsk_loop_give(w.loop, a.c);
    has(client_heard(&w, &a), "close 4003", "a site that went off is told");
    close_one();
}

/* What a client sent behind its handshake came with the request. */
static void early(void)
{
    static const char hello[] = "{\"type\":\"subscribe\",\"channels\":[\"a\"]}";
    uint8_t frame[200];
    size_t len;

    world_open(&w);
    client_make(&w, &a, WSK_KIND_WS, 1);
    len = client_frame(frame, WSK_OP_TEXT, hello, strlen(hello)) - 5;
    wsk_conn_keep_early(a.c, frame, len);
    wsk_loop_give(w.loop, a.c);
    world_run(&w);
    is_int((intmax_t)write(a.fd, frame + len, 5), 5,
           "the rest comes by itself");
    has(client_heard(&w, &a), "subscribed", "together they are a message");
    is_int((intmax_t)a.c->bytes_in, (intmax_t)strlen(hello) + 6,
           "all of it is counted");
    close_one();
}

/* Much of it is read as from a socket: in pieces, and not faster than the
 * answers are taken. */
static void much_early(wsk_kind_e kind)
{
    static const char ask[] = "{\"type\":\"subscribe\",\"channels\":[]}";
    const unsigned frames = 10000;
    uint8_t frame[64];
    size_t len = 0;
    unsigned i;

    world_open(&w);
    client_make(&w, &a, kind, 1);
    for (i = 0; i < frames; i++) {
        const size_t n = client_frame(frame, WSK_OP_TEXT, ask, strlen(ask));

        wsk_conn_keep_early(a.c, frame, n);
        len += n;
    }
    wsk_loop_give(w.loop, a.c);
    world_run(&w);
    ok(a.c->out.bytes < 1u << 19 && a.c->out.bytes > 0,
       "early input has its answers only as they are taken");
    client_send(&a, WSK_OP_TEXT, "no", 2);
    for (i = 0; i < 5000 && a.c->out.bytes > 0; i++) {
        client_take(&a);
        a.len = 0;
        world_run(&w);
    }
    is_int(world_count(&w, WSK_C_received_messages), frames + 1,
           "all of it is read, and what came behind it then");
    ok(a.c->aside == NULL, "then it is freed");
    is_int((intmax_t)a.c->bytes_in, (intmax_t)len + 8,
           "each byte counted once");
    close_one();
}

static void controls(void)
{
    open_one(WSK_KIND_WS);
    client_send(&a, WSK_OP_PING, "abc", 3);
    is_str(client_heard(&w, &a), "pong abc", "a ping has its pong");
    client_send(&a, WSK_OP_PONG, "abc", 3);
    is_str(client_heard(&w, &a), "", "a pong has none");
    client_send(&a, WSK_OP_CLOSE, "\x03\xe8", 2);
    is_str(client_heard(&w, &a), "close 1000 \neof", "a Close is answered");
    is_int(world_count(&w, WSK_C_protocol_closed), 0, "that is no fault");
    close_one();
    open_one(WSK_KIND_WS);
    client_send(&a, WSK_OP_CLOSE, "", 0);
    client_send(&a, WSK_OP_PING, "x", 1);
    is_str(client_heard(&w, &a), "close 0 \neof",
           "one without a code too, and what comes after it is not read");
    close_one();
}

static void faults(void)
{
    char big[200];
    wsk_site_spec_t spec = world_spec(1);

    open_one(WSK_KIND_WS);
    is_int((intmax_t)write(a.fd, "\x81\x01x", 3), 3, "a frame without a mask");
    has(client_heard(&w, &a), "close 1002", "is a fault");
    is_int(world_count(&w, WSK_C_protocol_closed), 1, "and counted");
    close_one();
    open_one(WSK_KIND_WS);
    client_send(&a, WSK_OP_TEXT, "\xff", 1);
    has(client_heard(&w, &a), "close 1007 not UTF-8", "bytes that are no text");
    close_one();
    open_one(WSK_KIND_WS);
    spec.limits.max_message = 100;
    world_put(&w, 1, &spec);
    memset(big, ' ', sizeof(big));
    client_send(&a, WSK_OP_TEXT, big, 101);
    has(client_heard(&w, &a), "close 1009 message too large",
        "more than the site allows now");
    close_one();
}

static void echo(void)
{
    open_one(WSK_KIND_ECHO);
    client_send(&a, WSK_OP_TEXT, "hello", 5);
    client_send(&a, WSK_OP_BINARY, "\0\1", 2);
    is_str(client_heard(&w, &a), "hello\nbinary 2", "an echo says it again");
    is_int(world_count(&w, WSK_C_received_messages), 2, "messages are counted");
    close_one();
}

static void streams(void)
{
    char junk[4096];
    const char *heard;
    unsigned i;

    open_one(WSK_KIND_SSE);
    heard = client_read(&w, &a);
    has(heard, "event: wps.open\ndata: {\"stream\":\"" CLIENT_STREAM "\"}\n\n",
        "a stream begins with its id");
    has(heard, "\n\nid: ", "and with where it is");
    ok(a.c->aside == NULL && a.c->member.nsubs == 1, "on its channels");
    memset(junk, 'j', sizeof(junk));
    for (i = 0; i < 16; i++) {
        is_int((intmax_t)write(a.fd, junk, sizeof(junk)), sizeof(junk),
               "what it sends");
        world_run(&w);
    }
    is_int(w.ended, 0, "is nobody's");
    is_int((intmax_t)write(a.fd, "!", 1), 1, "but without end");
    world_run(&w);
    is_int(w.ended, 1, "it is an abuse");
    is_int(world_count(&w, WSK_C_protocol_closed), 1, "and counted");
    close_one();
}

static void stream_resumes(void)
{
    const char *heard;

    world_open(&w);
    client_open(&w, &a, WSK_KIND_WS, 1);
    world_say(&w, 1, "a", "one");
    world_say(&w, 1, "a", "two");
    world_run(&w);
    close(a.fd);
    client_make(&w, &a, WSK_KIND_SSE, 1);
    client_channels(&a, "a");
    a.c->aside->has_since = true;
    a.c->aside->since = store_head(w.seg, w.sites[1], WSK_LOG_TEXT);
    a.c->aside->since.seq = 1;
    wsk_loop_give(w.loop, a.c);
    heard = client_read(&w, &a);
    has(heard, "two", "a stream goes on after the id it names");
    ok(strstr(heard, "one") == NULL, "and not before");
    has(strstr(heard, "two"),
        "\n\nid: ", "when it has caught up it hears the place");
    close_one();
}

/* What came meanwhile was for others: the place is told at once. */
static void stream_resumes_to_nothing(void)
{
    wsk_cursor_t head;
    char line[WSK_ID_MAX + 8] = "id: ";
    const char *heard;

    world_open(&w);
    client_open(&w, &a, WSK_KIND_WS, 1);
    world_say(&w, 1, "b", "one");
    world_say(&w, 1, "b", "two");
    world_run(&w);
    close(a.fd);
    client_make(&w, &a, WSK_KIND_SSE, 1);
    client_channels(&a, "a");
    head = store_head(w.seg, w.sites[1], WSK_LOG_TEXT);
    a.c->aside->has_since = true;
    a.c->aside->since = (wsk_cursor_t){ head.epoch, 1 };
    wsk_loop_give(w.loop, a.c);
    heard = client_read(&w, &a);
    strcat(line + wsk_cursor_text(line + 4, &head), "\n\n");
    has(strstr(heard, "\n\n"), line,
        "with nothing to catch up on it hears the place");
    is_int(times(heard, "id: "), 1, "and no other");
    close_one();
}

static void switched_off(wsk_kind_e kind, bool known, const char *heard)
{
    static client_t other;
    uint8_t frame[16];

    world_open(&w);
    if (known) { /* somebody of that site is here already */
        client_open(&w, &other, WSK_KIND_WS, 1);
    }
    client_make(&w, &a, kind, 1);
    if (kind == WSK_KIND_SSE) {
        client_channels(&a, "a");
    }
    wsk_conn_keep_early(a.c, frame, client_frame(frame, WSK_OP_PING, "x", 1));
    wsk_site_switch(w.seg, w.sites[1], false);
    wsk_loop_give(w.loop, a.c);
    is_str(kind == WSK_KIND_SSE ? client_read(&w, &a) : client_heard(&w, &a),
           heard, "at a site that was switched off meanwhile it is told so");
    is_int(world_count(&w, WSK_C_delivered), 0, "and nothing else");
    if (known) {
        close(other.fd);
    }
    close_one();
}

int main(void)
{
    late();
    early();
    much_early(WSK_KIND_WS);
    much_early(WSK_KIND_ECHO);
    controls();
    faults();
    echo();
    streams();
    stream_resumes();
    stream_resumes_to_nothing();
    switched_off(WSK_KIND_WS, false, "close 4003 site not found\neof");
    switched_off(WSK_KIND_WS, true, "close 4003 site not found\neof");
    switched_off(WSK_KIND_SSE, false, "eof");
    switched_off(WSK_KIND_SSE, true, "eof");
    return done_testing();
}
