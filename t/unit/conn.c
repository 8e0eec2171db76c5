/* SPDX-License-Identifier: Apache-2.0 */
#include "fault.h"

#include "transport/wsk_conn.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tls_fixture.h"

typedef struct line_t {
    wsk_conn_t *c;
    int peer;
} line_t;

static line_t line_open(void)
{
    const int small = 4096;
    int fds[2];
    line_t line = { wsk_conn_make(WSK_KIND_WS), -1 };

    if (line.c == NULL || socketpair(AF_UNIX, SOCK_STREAM, 0, fds) != 0) {
        exit(1);
    }
    setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
    setsockopt(fds[1], SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
    line.c->fd = fds[0];
    line.peer = fds[1];
    return line;
}

static wsk_slab_t *slab_of(size_t len, int fill)
{
    wsk_slab_t *slab = wsk_slab_make(len);

    memset(slab->bytes, fill, len);
    return slab;
}

/* Queue bytes nobody else sends. */
static void put(wsk_conn_t *c, size_t len, int fill)
{
    wsk_slab_t *slab = slab_of(len, fill);

    wsk_queue_put(&c->out, slab);
    wsk_slab_unref(slab);
}

static void shared_bytes(void)
{
    line_t a = line_open(), b = line_open();
    wsk_slab_t *slab = slab_of(5, 'x');
    wsk_sent_t sent = { 0 };
    char got[16];

    wsk_queue_put(&a.c->out, slab);
    wsk_queue_put(&b.c->out, slab);
    is_int(slab->refs, 3, "many connections share one slab");
    is_int(a.c->out.bytes, 5, "its bytes count for each");
    is_int(wsk_conn_flush(a.c, &sent), WSK_IO_OK, "one writes it");
    is_int(slab->refs, 2, "and lets go of it");
    is_int(a.c->out.bytes, 0, "nothing is left");
    is_int((intmax_t)read(a.peer, got, sizeof(got)), 5, "the peer has it");
    wsk_conn_drop(b.c);
    is_int(slab->refs, 1, "who is dropped lets go too");
    wsk_slab_unref(slab);
    wsk_conn_drop(a.c);
    is_int((intmax_t)read(a.peer, got, sizeof(got)), 0,
           "the descriptor is closed with its connection");
    close(a.peer);
    close(b.peer);
}

static void few_calls(void)
{
    line_t line = line_open();
    wsk_sent_t sent = { 0 };
    char got[100];
    unsigned i;

    for (i = 0; i < 40; i++) {
        put(line.c, 2, 'a' + (int)(i % 26));
    }
    is_int(wsk_conn_flush(line.c, &sent), WSK_IO_OK, "forty frames");
    is_int((intmax_t)sent.sends, 1, "are one call");
    is_int((intmax_t)sent.bytes, 80, "of all their bytes");
    is_int((intmax_t)line.c->bytes_out, 80, "which are counted");
    is_int((intmax_t)read(line.peer, got, sizeof(got)), 80, "they arrive");
    is_mem(got, 6, "aabbcc", 6, "in order");
    wsk_conn_drop(line.c);
    close(line.peer);
}

/* Read what is there; each byte must be the one that was queued there.
 * @return how many */
static size_t drain(int peer, size_t at, unsigned *wrong, size_t piece)
{
    unsigned char buf[4096];
    size_t sum = 0;
    ssize_t n, i;

    while ((n = recv(peer, buf, sizeof(buf), MSG_DONTWAIT)) > 0) {
        for (i = 0; i < n; i++) {
            *wrong += buf[i] != (unsigned char)((at + sum + (size_t)i) / piece);
        }
        sum += (size_t)n;
    }
    return sum;
}

static void blocked(void)
{
    line_t line = line_open();
    wsk_sent_t sent = { 0 };
    size_t got = 0;
    unsigned wrong = 0, i;

    for (i = 0; i < 100; i++) {
        put(line.c, 1000, (int)i);
    }
    is_int(wsk_conn_flush(line.c, &sent), WSK_IO_AGAIN,
           "who does not read blocks");
    is_int(line.c->out.bytes, (intmax_t)(100000 - sent.bytes),
           "what is left is what was not written");
    ok(sent.bytes > 0 && sent.bytes < 100000, "some was");
    for (i = 0; i < 1000 && got < 100000; i++) {
        got += drain(line.peer, got, &wrong, 1000);
        wsk_conn_flush(line.c, &sent);
    }
    is_int((intmax_t)got, 100000, "who reads gets all of it");
    is_int(wrong, 0, "in order and whole");
    is_int(line.c->out.bytes, 0, "nothing is left");
    wsk_conn_drop(line.c);
    close(line.peer);
}

static void unqueue(void)
{
    line_t line = line_open();
    wsk_sent_t sent = { 0 };
    uint64_t before;
    size_t got = 0;
    unsigned wrong = 0, i;

    put(line.c, 10, 1);
    put(line.c, 10, 2);
    wsk_queue_cut(&line.c->out, line.c->sealed);
    ok(line.c->out.frames == 0 && line.c->out.bytes == 0,
       "what has not begun to leave is dropped");
    for (i = 0; i < 100; i++) {
        put(line.c, 1000, (int)i);
    }
    wsk_conn_flush(line.c, &sent);
    before = sent.bytes;
    wsk_queue_cut(&line.c->out, line.c->sealed);
    is_int(line.c->out.bytes, (intmax_t)((1000 - before % 1000) % 1000),
           "a frame that has begun to leave is kept to its end");
    put(line.c, 1000, (int)(before / 1000 + (before % 1000 != 0)));
    for (i = 0; i < 1000 && line.c->out.frames != 0; i++) {
        got += drain(line.peer, got, &wrong, 1000);
        wsk_conn_flush(line.c, &sent);
    }
    got += drain(line.peer, got, &wrong, 1000);
    is_int((intmax_t)(got % 1000), 0, "so that what follows is a frame again");
    is_int(wrong, 0, "and stands behind it");
    wsk_conn_drop(line.c);
    close(line.peer);
}

static void gone(void)
{
    line_t line = line_open();
    wsk_sent_t sent = { 0 };
    uint8_t buf[16];
    size_t n = 0;

    is_int(wsk_conn_read(line.c, buf, sizeof(buf), &n), WSK_IO_AGAIN,
           "nothing to read is no end");
    is_int((intmax_t)write(line.peer, "hello", 5), 5, "a peer writes");
    is_int(wsk_conn_read(line.c, buf, 3, &n), WSK_IO_OK, "it is read");
    is_mem(buf, n, "hel", 3, "as much as there is room");
    is_int((intmax_t)line.c->bytes_in, 3, "and counted");
    close(line.peer);
    is_int(wsk_conn_read(line.c, buf, sizeof(buf), &n), WSK_IO_OK, "the rest");
    is_int(wsk_conn_read(line.c, buf, sizeof(buf), &n), WSK_IO_GONE,
           "then the peer is gone");
    put(line.c, 10, 'x');
    is_int(wsk_conn_flush(line.c, &sent), WSK_IO_GONE,
           "and for writing, without a signal");
    wsk_conn_drop(line.c);
}

/* What lies aside. */

typedef struct heard_t {
    wsk_conn_t *c;
    unsigned messages, controls;
    bool ends; /* the message closes its connection */
} heard_t;

static bool hear_message(void *baton, wsk_opcode_e op, uint8_t *payload,
                         size_t len)
{
    heard_t *heard = baton;

    (void)op;
    heard->messages += len == 5 && memcmp(payload, "hello", 5) == 0;
    if (heard->ends) {
        heard->c->state = WSK_CONN_CLOSING;
    }
    return !heard->ends;
}

static bool hear_control(void *baton, wsk_opcode_e op, uint8_t *payload,
                         size_t len)
{
    heard_t *heard = baton;

    (void)op;
    (void)payload;
    (void)len;
    heard->controls++;
    return true;
}

static bool hear_close(void *baton, unsigned code, const char *reason,
                       size_t len)
{
    (void)baton;
    (void)code;
    (void)reason;
    (void)len;
    return false;
}

static unsigned decode(heard_t *heard, const char *bytes, size_t len)
{
    static const wsk_frame_limits_t limits = { 100, 10 };
    static const wsk_frame_handler_t to = { hear_message, hear_control,
                                            hear_close };
    uint8_t copy[64];

    memcpy(copy, bytes, len);
    return wsk_conn_decode(heard->c, &limits, &to, heard, copy, len);
}

/* Masked with zeros: a ping, and `hello` in two fragments. */
#define PING "\x89\x80\0\0\0\0"
#define HEL "\x01\x83\0\0\0\0hel"
#define LO "\x80\x82\0\0\0\0lo"
#define HELLO "\x81\x85\0\0\0\0hello"

static void parts(void)
{
    static const char all[] = PING HEL PING LO HELLO PING;
    const size_t len = sizeof(all) - 1;
    line_t line = line_open();
    heard_t heard = { .c = line.c };
    unsigned wrong = 0;
    size_t cut;

    for (cut = 0; cut <= len; cut++) {
        const bool between = cut == 0 || cut == 6 || cut == 29 || cut == 40
                             || cut == len;

        heard.messages = heard.controls = 0;
        wrong += cut > 0 && decode(&heard, all, cut) != 0;
        wrong += (line.c->aside == NULL) != between;
        wrong += wsk_frame_in_idle(wsk_conn_decoder(line.c)) != between;
        wrong += cut < len && decode(&heard, all + cut, len - cut) != 0;
        wrong += line.c->aside != NULL || heard.messages != 2
                 || heard.controls != 3;
    }
    is_int(wrong, 0,
           "cut anywhere, it is decoded, and between messages nothing is kept");
    is_int(decode(&heard, HEL, 5), 0, "half a frame");
    ok(line.c->aside != NULL, "is kept");
    is_int(decode(&heard, "\0he", 3), 0, "what comes is its rest");
    is_int(decode(&heard, "l\x81\x01", 3), WSK_CLOSE_PROTOCOL, "until a fault");
    ok(line.c->aside == NULL, "then nothing is");
    heard.ends = true;
    is_int(decode(&heard, HELLO HEL, 20), 0, "a message that ends it");
    ok(line.c->aside == NULL, "nor is what comes behind that");
    wsk_conn_drop(line.c);
    close(line.peer);
}

static void early(void)
{
    line_t line = line_open();
    heard_t heard = { .c = line.c };
    uint8_t buf[8];
    size_t n = 0;

    ok(wsk_conn_keep_early(line.c, "he", 2)
           && wsk_conn_keep_early(line.c, "llo", 3),
       "input that came early");
    is_int((intmax_t)wsk_conn_early(line.c), 5, "is there");
    is_int(wsk_conn_read(line.c, buf, 4, &n), WSK_IO_OK, "read first");
    is_mem(buf, n, "hell", 4, "in pieces");
    is_int(decode(&heard, HEL, 7), 0, "half a frame beside it");
    is_int(wsk_conn_read(line.c, buf, 4, &n), WSK_IO_OK, "the rest is read");
    ok(line.c->aside != NULL && wsk_conn_early(line.c) == 0,
       "and only that goes");
    is_int(decode(&heard, &HEL[7], 2), 0, "when the frame is whole");
    ok(line.c->aside != NULL, "and its message is not,");
    is_int(decode(&heard, LO, 8), 0, "then that is whole");
    ok(line.c->aside == NULL && heard.messages == 1, "all has gone");
    is_int(wsk_conn_read(line.c, buf, 4, &n), WSK_IO_AGAIN,
           "nothing else was there");
    ok(wsk_conn_keep_early(line.c, "x", 1), "who ends before it is read");
    wsk_conn_drop(line.c);
    close(line.peer);
}

static void no_memory(void)
{
    line_t line = line_open();
    heard_t heard = { .c = line.c };
    unsigned n, faults = 0, refused = 0;

    for (n = 0; n < 3; n++) {
        fault_arm(FAULT_MEMORY, n, LONG_MAX);
        faults += decode(&heard, HEL, 8) == WSK_CLOSE_TRY_LATER;
        if (!fault_end()) {
            break;
        }
        refused += line.c->aside == NULL;
    }
    ok(faults == 2 && refused == 2,
       "without memory for half a frame it is not kept, and that is told");
    ok(line.c->aside != NULL && wsk_conn_decoder(line.c)->held_len == 2,
       "with it, it is");
    wsk_conn_drop(line.c);
    close(line.peer);
    line = line_open();
    for (n = 0, refused = 0; n < 3; n++) {
        bool kept;

        fault_arm(FAULT_MEMORY, n, LONG_MAX);
        kept = wsk_conn_keep_early(line.c, "abc", 3);
        if (!fault_end()) {
            break;
        }
        refused += !kept && wsk_conn_early(line.c) == 0;
    }
    is_int(refused, 2, "nor is early input");
    is_int((intmax_t)wsk_conn_early(line.c), 3, "with memory it is, once");
    wsk_conn_drop(line.c);
    close(line.peer);
}

/* TLS */

static void over_tls(void)
{
    line_t line = line_open();
    tls_pair_t tls = tls_open(line.c->fd, line.peer);
    wsk_sent_t sent = { 0 };
    uint8_t buf[64];
    size_t n = 0;
    unsigned i;

    line.c->ssl = tls.server;
    ok(wsk_conn_own_ssl(line.c), "a session becomes ours");
    is_int(wsk_conn_read(line.c, buf, sizeof(buf), &n), WSK_IO_AGAIN,
           "nothing to read is no end");
    SSL_write(tls.client, "hello", 5);
    is_int(wsk_conn_read(line.c, buf, sizeof(buf), &n), WSK_IO_OK,
           "what the peer writes is read");
    is_mem(buf, n, "hello", 5, "as it was");
    for (i = 0; i < 20; i++) {
        put(line.c, 3, 'a' + (int)i);
    }
    is_int(wsk_conn_flush(line.c, &sent), WSK_IO_OK,
           "twenty frames are written");
    is_int((intmax_t)sent.sends, 1, "as one record");
    is_int(SSL_read(tls.client, buf, sizeof(buf)), 60, "and arrive together");
    is_mem(buf, 6, "aaabbb", 6, "in order");
    wsk_conn_drop(line.c);
    tls_close(&tls);
    close(line.peer);
}

/* Read over TLS what is there now. */
static size_t tls_drain(SSL *ssl, size_t at, unsigned *wrong, size_t piece)
{
    unsigned char buf[4096];
    size_t sum = 0;
    int n, i;

    while ((n = SSL_read(ssl, buf, sizeof(buf))) > 0) {
        for (i = 0; i < n; i++) {
            *wrong += buf[i] != (unsigned char)((at + sum + (size_t)i) / piece);
        }
        sum += (size_t)n;
    }
    return sum;
}

static void blocked_tls(bool unqueued)
{
    line_t line = line_open();
    tls_pair_t tls = tls_open(line.c->fd, line.peer);
    wsk_sent_t sent = { 0 };
    size_t got = 0, whole;
    unsigned wrong = 0, i;
    wsk_io_e io;

    line.c->ssl = tls.server;
    wsk_conn_own_ssl(line.c);
    for (i = 0; i < 100; i++) {
        put(line.c, 1000, (int)i);
    }
    is_int(wsk_conn_flush(line.c, &sent), WSK_IO_AGAIN,
           "over TLS too, who does not read blocks");
    if (unqueued) {
        wsk_queue_cut(&line.c->out, line.c->sealed);
        whole = (size_t)sent.bytes + line.c->out.bytes;
        ok(whole % 1000 == 0 && whole < 100000,
           "what TLS was given leaves with the frame it ends in");
        put(line.c, 10, (int)(whole / 1000));
        whole += 10;
    }
    else {
        whole = 100000;
    }
    for (i = 0, io = WSK_IO_AGAIN; i < 1000 && io == WSK_IO_AGAIN; i++) {
        got += tls_drain(tls.client, got, &wrong, 1000);
        io = wsk_conn_flush(line.c, &sent);
    }
    got += tls_drain(tls.client, got, &wrong, 1000);
    is_int(io, WSK_IO_OK, "who reads on gets on");
    is_int((intmax_t)got, (intmax_t)whole, "to the end");
    is_int(wrong, 0, "in order and whole");
    wsk_conn_drop(line.c);
    tls_close(&tls);
    close(line.peer);
}

int main(void)
{
    shared_bytes();
    few_calls();
    blocked();
    unqueue();
    gone();
    parts();
    early();
    no_memory();
    over_tls();
    blocked_tls(false);
    blocked_tls(true);
    return done_testing();
}
