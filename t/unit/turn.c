/* SPDX-License-Identifier: Apache-2.0 */
#include "loop_fixture.h"

#include "hub/wsk_hub_int.h"

#define CROWD 200

static world_t w;
static client_t a, b;
static client_t crowd[3];

static void views(void)
{
    wsk_site_spec_t spec = world_spec(1);
    site_view_t *v;

    world_open(&w);
    v = wsk_turn_view(w.loop, w.sites[1]);
    is_str(v->spec.site_id, "id-1", "a loop knows its sites");
    ok(wsk_turn_view(w.loop, w.sites[1]) == v, "each once");
    spec.limits.max_message = 77;
    world_put(&w, 1, &spec);
    wsk_turn_view(w.loop, w.sites[1]);
    is_int(v->spec.limits.max_message, 77, "and hears of changes");
    wsk_site_switch(w.seg, w.sites[1], false);
    wsk_turn_view(w.loop, w.sites[1]);
    is_int(v->state, WSK_SITE_OFF, "of its end too");
    world_close(&w);
}

/* Who died between telling a slot and its bell, or was swept before it rang. */
static void unheard(void)
{
    wsk_slot_t *slot;

    world_open(&w);
    slot = wsk_slot_of(w.seg, w.loop->slot);
    client_open(&w, &a, WSK_KIND_WS, 1);
    client_say(&w, &a, "{\"type\":\"subscribe\",\"channels\":[\"a\"]}");
    client_heard(&w, &a);
    atomic_store(&slot->told, 1);
    world_say(&w, 1, "a", "one");
    is_str(client_heard(&w, &a), "", "a bell that nobody rang is not heard");
    world_later(&w, 1000);
    has(client_heard(&w, &a), "one", "within a second it is looked for");
    world_say(&w, 1, "a", "two");
    has(client_heard(&w, &a), "two", "and the next is heard at once");
    close(a.fd);
    world_close(&w);
}

static int fds[CROWD];
static wsk_conn_t *conns[CROWD];

/* Site 0 has a crowd, all on one channel. */
static void open_crowd(unsigned n)
{
    wsk_site_spec_t spec = world_spec(0);
    unsigned i;

    world_open(&w);
    spec.limits.connections = 1000;
    spec.limits.address_connections = 1000;
    spec.limits.send_queue = 1 << 20;
    world_put(&w, 0, &spec);
    for (i = 0; i < n; i++) {
        client_open(&w, &a, WSK_KIND_WS, 0);
        client_say(&w, &a, "{\"type\":\"subscribe\",\"channels\":[\"a\"]}");
        fds[i] = a.fd;
        conns[i] = a.c;
    }
}

static void close_crowd(unsigned n)
{
    unsigned i;

    for (i = 0; i < n; i++) {
        close(fds[i]);
    }
    world_close(&w);
}

/* One crowded site and one message at another: it waits for a slice at most. */
static void fairness(void)
{
    unsigned i, sent;

    open_crowd(CROWD);
    client_open(&w, &b, WSK_KIND_WS, 1);
    client_say(&w, &b, "{\"type\":\"subscribe\",\"channels\":[\"b\"]}");
    client_heard(&w, &b);
    for (i = 0; i < 10; i++) {
        world_say(&w, 0, "a", "crowd");
    }
    sent = (unsigned)world_count(&w, WSK_C_sends);
    world_say(&w, 1, "b", "one");
    for (i = 0; i < 10 && b.len == 0; i++) {
        world_turn(&w);
        client_take(&b);
    }
    ok(b.len > 0 && world_count(&w, WSK_C_sends) - sent <= 2 * LOOP_SLICE + 1,
       "a message does not wait for another site's crowd");
    has(client_heard(&w, &b), "one", "it is the one");
    is_int(world_count(&w, WSK_C_delivered), 10 * CROWD + 1,
           "the crowd has all of its own");
    is_int(world_count(&w, WSK_C_sends) - sent, CROWD + 1,
           "in one write for each");
    close(b.fd);
    close_crowd(CROWD);
}

/* Who rings while a slice is written is heard before the next. */
static void interrupted(void)
{
    unsigned sent;

    open_crowd(CROWD);
    world_say(&w, 0, "a", "crowd");
    world_turn(&w);
    ok(w.loop->active != NULL, "a crowd is not written in one turn");
    sent = (unsigned)world_count(&w, WSK_C_sends);
    w.over = wsk_loop_step(w.loop, NULL, 0, &w.now);
    is_int(world_count(&w, WSK_C_sends) - sent, LOOP_SLICE, "a slice of it is");
    world_say(&w, 0, "a", "more");
    sent = (unsigned)world_count(&w, WSK_C_sends);
    w.over = wsk_loop_step(w.loop, NULL, 0, &w.now);
    is_int(world_count(&w, WSK_C_sends) - sent, LOOP_BIT,
           "and a bit of one when somebody rang");
    world_run(&w);
    is_int(world_count(&w, WSK_C_delivered), 2 * CROWD, "in the end all of it");
    close_crowd(CROWD);
}

static void fill(wsk_conn_t *c, unsigned frames)
{
    unsigned i;

    for (i = 0; i < frames; i++) {
        wsk_say_frame(w.loop, c, WSK_OP_BINARY, w.loop->buf, LOOP_INPUT);
    }
}

/* A crowd that had been blocked reads again: it is written in its site's turn,
 * not whenever the poll names it. */
static void unblocked(void)
{
    static struct epoll_event events[2 * CROWD];
    unsigned i, sent;
    int n;

    open_crowd(CROWD);
    for (i = 0; i < CROWD; i++) {
        fill(conns[i], 2);
    }
    world_run(&w);
    for (i = 0; i < CROWD; i++) {
        ok(conns[i]->want_write, "one waits for its reader");
        while (read(fds[i], a.raw, sizeof(a.raw)) > 0) {
        }
    }
    sent = (unsigned)world_count(&w, WSK_C_sends);
    n = epoll_wait(w.loop->epoll, events, 2 * CROWD, 0);
    ok(n >= CROWD, "all can be written at once");
    wsk_loop_step(w.loop, events, n, &w.now);
    sent = (unsigned)world_count(&w, WSK_C_sends) - sent;
    ok(sent >= LOOP_SLICE && sent <= 2 * LOOP_SLICE, "a slice of them is (%u)",
       sent);
    for (i = 0; i < 20; i++) {
        unsigned k;

        world_run(&w);
        for (k = 0; k < CROWD; k++) {
            while (read(fds[k], a.raw, sizeof(a.raw)) > 0) {
            }
        }
    }
    for (i = n = 0; i < CROWD; i++) {
        n += conns[i]->out.frames == 0 && !conns[i]->want_write;
    }
    is_int(n, CROWD, "in the end they all have theirs");
    close_crowd(CROWD);
}

/* Few sockets may take much. */
static void by_bytes(void)
{
    const int large = 200000;
    unsigned i;
    intmax_t sent;

    open_crowd(40);
    for (i = 0; i < 40; i++) {
        setsockopt(conns[i]->fd, SOL_SOCKET, SO_SNDBUF, &large, sizeof(large));
        fill(conns[i], 8);
    }
    sent = world_count(&w, WSK_C_sent_bytes);
    world_turn(&w);
    sent = world_count(&w, WSK_C_sent_bytes) - sent;
    ok(sent >= LOOP_TURN_BYTES && sent < LOOP_TURN_BYTES + 9 * LOOP_INPUT,
       "a turn ends with so many bytes (%jd)", sent);
    ok(w.loop->active != NULL, "and the site waits for its next");
    world_run(&w);
    is_int(conns[39]->out.bytes, 0, "which comes");
    close_crowd(40);
}

/* A crowd that sends is read in pieces too. */
static void intake(void)
{
    static const char pong[] = "{\"type\":\"pong\"}";
    static struct epoll_event events[2 * CROWD];
    static uint8_t batch[10000];
    size_t n = 0;
    unsigned i, frames = 0;
    uint64_t before;
    int ready;

    while (n + sizeof(pong) + 6 <= sizeof(batch)) {
        n += client_frame(batch + n, WSK_OP_TEXT, pong, strlen(pong));
        frames++;
    }
    open_crowd(CROWD);
    client_open(&w, &b, WSK_KIND_WS, 1);
    for (i = 0; i < CROWD; i++) {
        if (write(fds[i], batch, n) != (ssize_t)n) {
            exit(1);
        }
    }
    client_send(&b, WSK_OP_PING, "b", 1);
    frames = frames * CROWD
             + (unsigned)world_count(&w, WSK_C_received_messages);
    ready = epoll_wait(w.loop->epoll, events, 2 * CROWD, 0);
    ok(ready > CROWD, "all have sent");
    n = (size_t)world_count(&w, WSK_C_received_messages);
    wsk_loop_step(w.loop, events, ready, &w.now);
    n = (size_t)world_count(&w, WSK_C_received_messages) - n;
    ok(n > 0 && n * 20 <= LOOP_READ_BYTES + 4 * LOOP_INPUT,
       "what a site sends is read in pieces (%u messages)", (unsigned)n);
    client_take(&b);
    ok(b.len > 0, "who is of another site is heard in the same turn");
    world_run(&w);
    is_int(world_count(&w, WSK_C_received_messages), frames,
           "in the end all is read");
    client_send(&b, WSK_OP_PING, "c", 1);
    w.loop->views[1]->intake = (intake_t){ .turn = w.loop->turn,
                                           .us = LOOP_READ_US };
    before = b.c->bytes_in;
    wsk_turn_read(w.loop, b.c);
    ok(b.c->bytes_in == before, "who has used up the time of its site waits");
    w.loop->turn++;
    wsk_turn_read(w.loop, b.c);
    ok(b.c->bytes_in > before, "for the next turn");
    w.loop->views[1]->intake = (intake_t){ .turn = w.loop->turn, .bytes = 1 };
    client_send(&b, WSK_OP_PING, "d", 1);
    before = b.c->bytes_in;
    world_say(&w, 0, "a", "news");
    wsk_turn_read(w.loop, b.c);
    ok(b.c->bytes_in == before, "so does who was read of, when somebody rings");
    world_run(&w);
    ok(b.c->bytes_in > before, "until that is looked at");
    close(b.fd);
    close_crowd(CROWD);
}

/* The poll names sockets in the same order each time; those behind get their turn
 * although those before them never stop. */
static void all_are_read(void)
{
    static struct epoll_event events[2 * CROWD];
    static uint8_t much[65536];
    uint64_t before[CROWD];
    unsigned i, round, unheard_of = 0, wrote = 0;
    size_t n;

    open_crowd(CROWD);
    for (i = 0; i < CROWD; i++) {
        before[i] = conns[i]->bytes_in;
        fcntl(fds[i], F_SETFL, O_NONBLOCK);
    }
    for (n = 0; n + 6 <= sizeof(much);) {
        n += client_frame(much + n, WSK_OP_PONG, "", 0);
    }
    for (round = 0; round < CROWD; round++) {
        int ready;

        for (i = 0; i < CROWD; i++) {
            wrote += write(fds[i], much, n) > 0;
        }
        ready = epoll_wait(w.loop->epoll, events, 2 * CROWD, 0);
        wsk_loop_step(w.loop, events, ready, &w.now);
    }
    for (i = 0; i < CROWD; i++) {
        unheard_of += conns[i]->bytes_in == before[i];
    }
    ok(wrote > CROWD, "a crowd has always more to say");
    is_int(unheard_of, 0, "and everybody in it is read of");
    close_crowd(CROWD);
}

/* The poll goes on by as many as it can name, and a count beside that might always
 * come to the same one. */
static void first_is_drawn(void)
{
    static struct epoll_event events[LOOP_EVENTS];
    static uint8_t much[60000];
    uint64_t before[CROWD];
    unsigned i, round, heard = 0;
    size_t n;

    open_crowd(CROWD);
    for (n = 0; n + 6 <= sizeof(much);) {
        n += client_frame(much + n, WSK_OP_PONG, "", 0);
    }
    for (i = 0; i < CROWD; i++) {
        fcntl(fds[i], F_SETFL, O_NONBLOCK);
        before[i] = conns[i]->bytes_in;
    }
    for (i = 0; i < LOOP_EVENTS; i++) {
        events[i].events = EPOLLIN;
        events[i].data.ptr = conns[i % CROWD];
    }
    /* How many a turn reads of is a matter of time, but never more than 16. */
    for (round = 0; round < 1000 && heard <= 60; round++) {
        for (i = 0; i < CROWD; i++) {
            ssize_t wrote = write(fds[i], much, n);

            (void)wrote;
        }
        w.loop->turn = (round + 1) * LOOP_EVENTS; /* no turn of their own */
        wsk_loop_step(w.loop, events, LOOP_EVENTS, &w.now);
        for (heard = i = 0; i < CROWD; i++) {
            heard += conns[i]->bytes_in != before[i];
        }
    }
    ok(heard > 60, "of more than the poll names the first is drawn (%u in %u)",
       heard, round);
    close_crowd(CROWD);
}

/* A piece of the log is less for a crowd than for few. */
static void piece_by_crowd(void)
{
    char text[20];
    const char *heard;
    unsigned i, wrong = 0;

    open_crowd(CROWD);
    client_take(&a);
    a.len = 0;
    for (i = 0; i < HUB_BATCH; i++) {
        snprintf(text, sizeof(text), "n%u.", i);
        world_say(&w, 0, "a", text);
    }
    wsk_hub_pump(w.loop->hub, w.sites[0]);
    ok(world_count(&w, WSK_C_delivered) <= HUB_OFFERS + CROWD,
       "a piece of the log has a bound, however many hear it");
    heard = client_heard(&w, &a);
    for (i = 0; i < HUB_BATCH; i++) {
        snprintf(text, sizeof(text), "\"n%u.\"", i);
        wrong += times(heard, text) != 1;
    }
    is_int(wrong, 0, "all of it comes, once");
    is_int(world_count(&w, WSK_C_delivered), HUB_BATCH * CROWD, "to everybody");
    close_crowd(CROWD);
}

/* What is new does not wait for somebody's replay to end. */
static void replay_and_live(void)
{
    const char subscribe[] = "{\"type\":\"subscribe\",\"channels\":[\"a\"],"
                             "\"since\":\"%s\"}";
    char text[200], id[WSK_ID_MAX], big[2000];
    wsk_cursor_t start;
    unsigned i, pieces = 0;

    world_open(&w);
    client_open(&w, &b, WSK_KIND_WS, 1);
    client_say(&w, &b, "{\"type\":\"subscribe\",\"channels\":[\"b\"]}");
    client_heard(&w, &b);
    start = store_head(w.seg, w.sites[1], WSK_LOG_TEXT);
    wsk_cursor_text(id, &start);
    memset(big, 'x', sizeof(big) - 1);
    big[sizeof(big) - 1] = '\0';
    big[10] = '\0';
    for (i = 0; i < 900; i++) {
        world_say(&w, 1, "c", big);
    }
    world_say(&w, 1, "a", "at the end");
    world_run(&w);
    client_open(&w, &a, WSK_KIND_WS, 1);
    snprintf(text, sizeof(text), subscribe, id);
    client_send(&a, WSK_OP_TEXT, text, strlen(text));
    world_turn(&w);
    ok(a.c->member.replaying, "one turn does not search a whole history");
    world_say(&w, 1, "b", "new");
    while (a.c->member.replaying && b.len == 0 && pieces < 100) {
        world_turn(&w);
        client_take(&b);
        pieces++;
    }
    ok(b.len > 0 && a.c->member.replaying,
       "what is new is sent before somebody's replay is over");
    world_run(&w);
    ok(!a.c->member.replaying, "which comes to its end");
    close(a.fd);
    close(b.fd);
    world_close(&w);
}

/* Connections that end while they wait for their turn. */
static void dead_in_turn(void)
{
    unsigned i;

    world_open(&w);
    for (i = 0; i < 3; i++) {
        client_open(&w, &crowd[i], WSK_KIND_WS, 1);
    }
    for (i = 0; i < 3; i++) {
        wsk_say_ping(w.loop, crowd[i].c);
    }
    wsk_life_kill(w.loop, crowd[1].c);
    ok(w.loop->dead == NULL, "one on the list of a turn is not freed yet");
    world_run(&w);
    is_int(w.ended, 1, "but when its turn has come");
    has(client_heard(&w, &crowd[0]), "ping", "who stood before it is written");
    has(client_heard(&w, &crowd[2]), "ping", "who stood behind it too");
    for (i = 0; i < 3; i++) {
        close(crowd[i].fd);
    }
    world_close(&w);
}

int main(void)
{
    views();
    unheard();
    fairness();
    interrupted();
    unblocked();
    by_bytes();
    intake();
    all_are_read();
    first_is_drawn();
    piece_by_crowd();
    replay_and_live();
    dead_in_turn();
    return done_testing();
}
