/* SPDX-License-Identifier: Apache-2.0 */
/* How much is read of a site at once, and what no poll names. */
#include "loop_fixture.h"

#include "tls_fixture.h"

#define LEAST (LOOP_INPUT >> LOOP_GRAIN)
#define READS 4

static world_t w;
static client_t a, b;
static intake_t *in;
static uint8_t much[LOOP_INPUT];

/* Of the site of both. */
static void begin(void)
{
    world_open(&w);
    client_open(&w, &a, WSK_KIND_WS, 1);
    client_open(&w, &b, WSK_KIND_WS, 1);
    in = &w.loop->views[w.sites[1]]->intake;
}

static void end(void)
{
    close(a.fd);
    close(b.fd);
    world_close(&w);
}

/* Pongs, and a ping as the last. @return bytes */
static size_t fill(void)
{
    size_t n = 0;

    while (n + 20 <= sizeof(much)) {
        n += client_frame(much + n, WSK_OP_PONG, "", 0);
    }
    return n + client_frame(much + n, WSK_OP_PING, "last", 4);
}

/* The clock is far beyond nothing, and before the end of time. */
static void worked(bool slow, size_t bytes)
{
    in->at_us = slow ? 0 : INT64_MAX;
    wsk_turn_worked(w.loop, a.c, bytes);
}

static void pieces(void)
{
    unsigned i;

    begin();
    *in = (intake_t){ .turn = w.loop->turn };
    is_int(wsk_turn_piece(w.loop, a.c), LOOP_INPUT, "a piece is a whole read");
    worked(true, 10);
    is_int(wsk_turn_piece(w.loop, a.c), LOOP_INPUT / 2,
           "half of it after one that was much work");
    for (i = 0; i < 10; i++) {
        worked(true, 10);
    }
    is_int(wsk_turn_piece(w.loop, a.c), LEAST, "and so on, to a sixteenth");
    w.loop->turn++;
    is_int(wsk_turn_piece(w.loop, a.c), LEAST, "which holds in the next turn");
    for (i = 0; i < 2 * LOOP_QUICK; i++) {
        worked(false, 10);
    }
    is_int(wsk_turn_piece(w.loop, a.c), LEAST,
           "a few bytes, however quick, say nothing");
    for (i = 0; i < LOOP_QUICK - 1; i++) {
        worked(false, LEAST);
    }
    worked(true, LEAST);
    worked(false, LEAST);
    is_int(wsk_turn_piece(w.loop, a.c), LEAST,
           "nor do quick ones with a slow one among them");
    for (i = 1; i < LOOP_QUICK; i++) {
        w.loop->turn++;
        wsk_turn_piece(w.loop, a.c);
        worked(false, LEAST);
    }
    is_int(wsk_turn_piece(w.loop, a.c), 2 * LEAST,
           "so many quick ones in a row double it");
    end();
}

static void pieces_are_read(void)
{
    size_t n = fill();
    uint64_t before;

    begin();
    before = a.c->bytes_in;
    if (write(a.fd, much, n) != (ssize_t)n) {
        exit(1);
    }
    *in = (intake_t){ .turn = w.loop->turn, .grain = LOOP_GRAIN };
    wsk_turn_read(w.loop, a.c);
    n = (size_t)(a.c->bytes_in - before);
    ok(n >= LEAST && n <= READS * LEAST, "no more than pieces are read (%u)",
       (unsigned)n);
    ok(in->at_us > in->from_us, "and the work on each is told");
    *in = (intake_t){ .turn = w.loop->turn };
    has(client_heard(&w, &a), "last", "and the rest after them");
    end();
}

/* A record is read as a whole, and given out in pieces. */
static void rest_of_record(void)
{
    const size_t n = fill();
    uint64_t before;
    tls_pair_t tls;
    char answer[100] = "";
    unsigned turns;

    begin();
    client_make(&w, &a, WSK_KIND_WS, 1);
    tls = tls_open(a.c->fd, a.fd);
    a.c->ssl = tls.server;
    wsk_loop_give(w.loop, a.c);
    world_run(&w);
    before = a.c->bytes_in;
    is_int(SSL_write(tls.client, much, (int)n), (intmax_t)n, "one record");
    *in = (intake_t){ .turn = w.loop->turn + 1, .grain = LOOP_GRAIN };
    for (turns = 0; turns < 100 && a.c->bytes_in == before; turns++) {
        world_turn(&w);
    }
    ok(a.c->bytes_in - before <= 2 * READS * LEAST && a.c->hidden,
       "one turn does not read all of it");
    for (turns = 0; turns < 20 && a.c->hidden; turns++) {
        *in = (intake_t){ .turn = w.loop->turn + 1,
                          .us = LOOP_READ_US,
                          .grain = LOOP_GRAIN };
        world_turn(&w);
    }
    ok(!a.c->hidden, "all is in the end, whoever took the time (%u turns)",
       turns);
    world_run(&w);
    SSL_read(tls.client, answer, sizeof(answer));
    has(answer, "last", "and answered");
    tls_close(&tls);
    end();
}

/* Who sent more than a request, and is silent since, has its turn too. */
static void early_bytes(void)
{
    uint8_t frame[20];
    const size_t n = client_frame(frame, WSK_OP_PING, "early", 5);
    unsigned i;

    begin();
    wsk_conn_keep_early(a.c, frame, n);
    wsk_conn_keep_early(b.c, frame, n);
    *in = (intake_t){ .turn = w.loop->turn, .us = LOOP_READ_US };
    wsk_turn_read(w.loop, a.c);
    is_int((intmax_t)wsk_conn_early(a.c), (intmax_t)n,
           "others have used up the time");
    wsk_life_hidden(w.loop, a.c);
    is_int((intmax_t)wsk_conn_early(a.c), 0,
           "what the poll does not name is read all the same");
    wsk_life_hidden(w.loop, b.c);
    is_int((intmax_t)wsk_conn_early(b.c), (intmax_t)n, "of one in each turn");
    for (i = 0; i < 2; i++) {
        *in = (intake_t){ .turn = w.loop->turn + 1, .us = LOOP_READ_US };
        world_turn(&w);
    }
    has(client_heard(&w, &b), "early", "of the other in the next");
    end();
}

int main(void)
{
    pieces();
    pieces_are_read();
    rest_of_record();
    early_bytes();
    return done_testing();
}
