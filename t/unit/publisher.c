/* SPDX-License-Identifier: Apache-2.0 */
#include "loop_fixture.h"

#define MESSAGE "{\"channel\":\"a\",\"event\":\"e\"}"

static world_t w;
static client_t a;
static wsk_site_spec_t spec;

/* A publish socket of site 1, which proved one of two secrets. */
static void open_one(unsigned secret)
{
    wsk_conn_t *plain;

    world_open(&w);
    spec = world_spec(1);
    spec.limits.max_publish = 1000;
    snprintf(spec.publish.at[1], sizeof(spec.publish.at[1]), "the one before");
    world_put(&w, 1, &spec);
    client_make(&w, &a, WSK_KIND_WS, 1);
    plain = a.c;
    a.c = wsk_publisher_make(&spec, secret, 500);
    a.c->fd = plain->fd;
    a.c->site = plain->site;
    a.c->address = plain->address;
    a.c->admitted = plain->admitted;
    plain->fd = -1;
    wsk_conn_drop(plain);
    wsk_loop_give(w.loop, a.c);
    world_run(&w);
}

static void close_one(void)
{
    close(a.fd);
    world_close(&w);
}

static const char *said(const char *text)
{
    client_say(&w, &a, text);
    return client_heard(&w, &a);
}

static intmax_t head(void)
{
    return (intmax_t)store_head(w.seg, w.sites[1], WSK_LOG_TEXT).seq;
}

static void frames_are_answered(void)
{
    char large[1200];

    open_one(0);
    is_int(world_count(&w, WSK_C_opened_publisher), 1, "it is counted");
    is_int((intmax_t)wsk_hub_members(w.loop->hub, w.sites[1]), 0,
           "it is nobody who listens");
    is_str(said(MESSAGE), "{\"ok\":true,\"id\":\"00000000e001-1\"}",
           "a message has its id");
    is_str(said("[" MESSAGE "," MESSAGE "]"),
           "{\"ok\":true,\"ids\":[\"00000000e001-2\",\"00000000e001-3\"]}",
           "a list has one for each");
    is_str(said(MESSAGE), "{\"ok\":true,\"id\":\"00000000e001-4\"}",
           "the same again is another message");
    has(said("{}"), "{\"ok\":false,\"error\":\"invalid_json\"",
        "what is refused is told");
    has(said("{\"channel\":\"wps:a\",\"event\":\"e\"}"), "\"invalid_channel\"",
        "by its code");
    client_send(&a, WSK_OP_BINARY, MESSAGE, strlen(MESSAGE));
    has(client_heard(&w, &a), "\"invalid_json\"", "a binary frame is none");
    memset(large, ' ', sizeof(large));
    large[501] = '\0';
    has(said(large), "\"too_large\"", "more than the host allows");
    is_int(head(), 4, "nothing of that was taken");
    is_int(world_count(&w, WSK_C_publish_refused), 4, "each is counted");
    is_str(said(MESSAGE), "{\"ok\":true,\"id\":\"00000000e001-5\"}",
           "and the socket stays");
    close_one();
}

static void far_too_large(void)
{
    static char large[3000];

    open_one(0);
    memset(large, ' ', sizeof(large) - 1);
    has(said(large), "close 1009", "what is far too large closes it");
    close_one();
}

static void many_at_once(void)
{
    static uint8_t batch[8192];
    size_t n = 0;
    unsigned i;
    const char *heard;

    open_one(0);
    for (i = 0; i < 100; i++) {
        n += client_frame(batch + n, WSK_OP_TEXT, MESSAGE, strlen(MESSAGE));
    }
    is_int((intmax_t)write(a.fd, batch, n), (intmax_t)n, "a hundred at once");
    heard = client_heard(&w, &a);
    is_int(times(heard, "\"ok\":true"), 100, "have a hundred answers");
    has(heard, "e001-1\"}\n{\"ok\":true,\"id\":\"00000000e001-2\"",
        "in their order");
    for (i = 0; i < 100; i++) {
        client_send(&a, WSK_OP_TEXT, MESSAGE, strlen(MESSAGE));
    }
    client_heard(&w, &a);
    has(said(MESSAGE), "\"rate_limited\"", "more than the burst is refused");
    has(said(MESSAGE), ",\"retry\":1}", "with a time to come back");
    world_seconds(&w, 1);
    has(said(MESSAGE), "\"ok\":true", "and goes through then");
    close_one();
}

static void who_does_not_read_is_not_read(void)
{
    static uint8_t batch[8192];
    unsigned i, most = 0, blocked = 0;
    size_t n = 0;

    while (n + 40 < sizeof(batch)) {
        n += client_frame(batch + n, WSK_OP_TEXT, "{}", 2);
    }
    open_one(0);
    for (i = 0; i < 400 && blocked < 2; i++) {
        blocked += write(a.fd, batch, n) < 0;
        world_run(&w);
        most = WSK_MAX(most, a.c->out.bytes + a.c->out.frames * 64u);
    }
    is_int(blocked, 2, "who does not read its answers is not read");
    ok(most < 1u << 20, "and no more than a bound is kept (%u)", most);
    for (i = 0; i < 1000; i++) {
        client_take(&a);
        a.len = 0;
        world_run(&w);
    }
    is_int(a.c->out.bytes, 0, "when it reads it gets all of it");
    client_send(&a, WSK_OP_PING, "x", 1);
    has(client_heard(&w, &a), "pong x", "and is read again");
    close_one();
}

static void its_secret_is_revoked(void)
{
    open_one(1);
    snprintf(spec.publish.at[0], sizeof(spec.publish.at[0]), "a newer one");
    world_put(&w, 1, &spec);
    world_seconds(&w, 2);
    has(said(MESSAGE), "\"ok\":true", "a secret that is still live is good");
    spec.publish.at[1][0] = '\0';
    world_put(&w, 1, &spec);
    world_seconds(&w, 1);
    is_str(client_heard(&w, &a), "close 4001 secret revoked\neof",
           "one that is not closes the socket within a second");
    close_one();
    open_one(1);
    spec.publish.at[1][0] = '\0';
    world_put(&w, 1, &spec);
    is_str(said(MESSAGE), "close 4001 secret revoked\neof",
           "and nothing is taken meanwhile");
    is_int(head(), 0, "not a message");
    close_one();
}

static void secrets_change_places(void)
{
    open_one(0);
    snprintf(spec.publish.at[1], sizeof(spec.publish.at[1]), "%s",
             spec.publish.at[0]);
    snprintf(spec.publish.at[0], sizeof(spec.publish.at[0]), "a newer one");
    world_put(&w, 1, &spec);
    world_seconds(&w, 2);
    has(said(MESSAGE), "\"ok\":true", "the newest may become the one before");
    close_one();
}

static void its_site_is_off(void)
{
    open_one(0);
    wsk_site_switch(w.seg, w.sites[1], false);
    world_seconds(&w, 1);
    is_str(client_heard(&w, &a), "close 4003 site not found\neof",
           "a site that is switched off closes it");
    close_one();
}

static void silence(void)
{
    open_one(0);
    world_seconds(&w, 25);
    is_str(client_heard(&w, &a), "ping", "it is asked whether it is there");
    client_send(&a, WSK_OP_PONG, "", 0);
    world_seconds(&w, 50);
    ok(a.c->state == WSK_CONN_OPEN, "who answers is");
    client_heard(&w, &a);
    world_seconds(&w, 21);
    has(client_heard(&w, &a), "close 1001", "who does not is not");
    close_one();
}

static void leaving(void)
{
    open_one(0);
    wsk_loop_stop(w.loop, false);
    world_run(&w);
    world_later(&w, 6500);
    is_str(client_heard(&w, &a), "close 1012 restarting\neof",
           "a process that leaves says so, between answers only");
    close_one();
    open_one(1);
    spec.publish.at[1][0] = '\0';
    world_put(&w, 1, &spec);
    wsk_loop_stop(w.loop, true);
    world_run(&w);
    is_str(client_heard(&w, &a), "close 4001 secret revoked\neof",
           "or that it need not come back");
    close_one();
}

static void a_ring_finds_it(void)
{
    open_one(0);
    wsk_site_switch(w.seg, w.sites[1], false);
    wsk_bell_ring((wsk_bell_t){ w.bells }, w.seg, w.sites[1]);
    wsk_turn_ring(w.loop, w.sites[1]);
    has(client_heard(&w, &a), "close 4003 site not found",
        "a publish socket is found by its site, though it is no member");
    is_int((intmax_t)w.loop->looked_at, 1, "and nothing else is looked at");
    close(a.fd);
    world_seconds(&w, 1);
    ok(w.loop->views[w.sites[1]]->publishers == NULL,
       "one that ended is found no more");
    world_close(&w);
}

int main(void)
{
    frames_are_answered();
    far_too_large();
    many_at_once();
    who_does_not_read_is_not_read();
    its_secret_is_revoked();
    secrets_change_places();
    its_site_is_off();
    a_ring_finds_it();
    silence();
    leaving();
    return done_testing();
}
