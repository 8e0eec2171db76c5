/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loop_fixture -- a loop that is driven turn by turn in the test's thread, over a
 * real segment, with clients at the other ends of real sockets.
 *
 * A client's log has one line for each thing it was sent: the text of a frame,
 * `close 1012 restarting`, `ping`, `pong`, `binary 12`, `eof`; of an event stream
 * it is the bytes.
 *
 * Owner     world_open/world_close; clients close their own ends.
 */
#ifndef WSK_LOOP_FIXTURE_H
#define WSK_LOOP_FIXTURE_H

#include "store_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "transport/wsk_loop_int.h"

#define WORLD_SLOTS 4
#define WORLD_SITES 4

typedef struct world_t {
    wsk_segment_t *seg;
    wsk_loop_t *loop;
    int bells[WORLD_SLOTS];
    uint32_t sites[WORLD_SITES];
    wsk_now_t now;
    bool over;      /* the last turn said so */
    unsigned ended; /* connections, and of the last: */
    unsigned code;
    const char *kind;
} world_t;

typedef struct client_t {
    wsk_conn_t *c; /* dangles once it is buried */
    int fd;
    uint8_t raw[1 << 18];
    size_t len;
    char text[1 << 18];
    bool eof;
} client_t;

static void world_ended(void *baton, const wsk_session_end_t *end)
{
    world_t *w = baton;

    w->ended++;
    w->code = end->code;
    w->kind = end->kind;
}

TAP_UNUSED static wsk_site_spec_t world_spec(unsigned n)
{
    wsk_site_spec_t spec;

    store_spec(&spec, n);
    spec.limits.max_message = 100000;
    spec.limits.max_channels = 8;
    spec.limits.max_channel_name = WSK_CHANNEL_MAX;
    spec.limits.send_queue = 20000;
    spec.limits.connection_rate = 10;
    spec.limits.connection_burst = 10;
    spec.limits.ping_ms = 25000;
    spec.limits.idle_ms = 70000;
    return spec;
}

/* Change what is said of site n. */
TAP_UNUSED static void world_put(world_t *w, unsigned n,
                                 const wsk_site_spec_t *spec)
{
    wsk_site_put(w->seg, spec, 1, 0xe000 + n, &w->sites[n]);
}

TAP_UNUSED static wsk_loop_spec_t world_loop_spec(world_t *w)
{
    return (wsk_loop_spec_t){ .seg = w->seg,
                              .bell = { w->bells },
                              .generation = 1,
                              .pid = (int32_t)getpid(),
                              .drain_ms = 10000,
                              .max_connections = 1000,
                              .ended = world_ended,
                              .baton = w };
}

/* A segment with its sites and bells; no loop yet. */
TAP_UNUSED static void world_make(world_t *w)
{
    unsigned i;

    *w = (world_t){ .seg = store_new(WORLD_SLOTS, WORLD_SITES + 1, 8, 80),
                    .now = { NOON, 1000000 } };
    for (i = 0; i < WORLD_SLOTS; i++) {
        w->bells[i] = eventfd(0, EFD_NONBLOCK);
    }
    for (i = 0; i < WORLD_SITES; i++) {
        const wsk_site_spec_t spec = world_spec(i);

        world_put(w, i, &spec);
    }
}

TAP_UNUSED static void world_open(world_t *w)
{
    wsk_loop_spec_t spec;

    world_make(w);
    spec = world_loop_spec(w);
    w->loop = wsk_loop_make(&spec);
    if (w->loop == NULL || !wsk_loop_enter(w->loop, &w->now)) {
        printf("Bail out! no loop\n");
        exit(1);
    }
}

TAP_UNUSED static void world_unmake(world_t *w)
{
    unsigned i;

    for (i = 0; i < WORLD_SLOTS; i++) {
        close(w->bells[i]);
    }
    store_end(w->seg);
}

TAP_UNUSED static void world_close(world_t *w)
{
    wsk_loop_leave(w->loop);
    is_int((intmax_t)atomic_load(&w->loop->connections), 0,
           "no connection is left");
    wsk_loop_dispose(w->loop);
    store_whole(w->seg, "the segment is whole");
    world_unmake(w);
}

/* @return how many things happened at once */
TAP_UNUSED static int world_turn(world_t *w)
{
    struct epoll_event events[64];
    const int n = epoll_wait(w->loop->epoll, events, 64, 0);

    w->over = wsk_loop_step(w->loop, events, n, &w->now);
    return n;
}

/* Turns until nothing is left to do now. */
TAP_UNUSED static void world_run(world_t *w)
{
    unsigned quiet = 0, i;

    for (i = 0; i < 20000 && quiet < 2 && !w->over; i++) {
        const bool busy = world_turn(w) > 0 || w->loop->active != NULL
                          || w->loop->dead != NULL;

        quiet = busy ? 0 : quiet + 1;
    }
    if (i == 20000) {
        printf("Bail out! a loop that does not come to rest\n");
        exit(1);
    }
}

TAP_UNUSED static void world_later(world_t *w, int64_t ms)
{
    w->now.mono_ms += ms;
    w->now.unix_us += ms * 1000;
    world_run(w);
}

TAP_UNUSED static void world_seconds(world_t *w, unsigned n)
{
    while (n-- > 0) {
        world_later(w, 1000);
    }
}

TAP_UNUSED static intmax_t world_count(const world_t *w, wsk_counter_e which)
{
    return (intmax_t)wsk_segment_counter(w->seg, which);
}

/* Publish a message of n bytes and ring. */
TAP_UNUSED static void world_say(world_t *w, unsigned n, const char *channel,
                                 const char *text)
{
    char body[4096];
    wsk_record_t record = { store_slice(channel), { body, 0 }, 0, 0, 0 };
    wsk_cursor_t first;

    record.body.len = (size_t)snprintf(body, sizeof(body),
                                       "\"event\":\"e\",\"data\":\"%s\"", text);
    wsk_log_append(w->seg, w->sites[n], WSK_LOG_TEXT, &record, 1, NULL,
                   w->now.unix_us, &first);
    wsk_bell_ring((wsk_bell_t){ w->bells }, w->seg, w->sites[n]);
}

/* Rights to everything at site n, but for channels that begin with `x`. */
TAP_UNUSED static wsk_grant_t *world_grant(unsigned n)
{
    static const char *const starts[] = { "a", "b", "c", "room" };
    char names[4][40];
    wsk_slice_t prefixes[4];
    const wsk_grant_spec_t rights = { .version = 2,
                                      .read = prefixes,
                                      .nread = 4,
                                      .write = prefixes,
                                      .nwrite = 4 };
    unsigned i;

    for (i = 0; i < 4; i++) {
        snprintf(names[i], sizeof(names[i]), "site:id-%u:%s", n, starts[i]);
        prefixes[i] = store_slice(names[i]);
    }
    return wsk_grant_make(&rights);
}

#define CLIENT_STREAM "0123456789abcdef0123456789abcdef"

/* Channels of an event stream and its id, as hooks leave them: one block. */
TAP_UNUSED static void client_channels(client_t *who, const char *name)
{
    const size_t len = strlen(name);
    wsk_aside_t *aside = wsk_conn_aside(who->c);
    char *text;

    free(aside->first);
    aside->first = malloc(2 * sizeof(wsk_slice_t) + len
                          + sizeof(CLIENT_STREAM));
    text = (char *)(aside->first + 2);
    memcpy(text, name, len);
    memcpy(text + len, CLIENT_STREAM, sizeof(CLIENT_STREAM));
    aside->nfirst = len > 0;
    aside->first[0] = (wsk_slice_t){ text, len };
    aside->first[aside->nfirst] = (wsk_slice_t){ text + len,
                                                 sizeof(CLIENT_STREAM) - 1 };
}

/* A connection of site n that nobody has given to the loop yet. */
TAP_UNUSED static void client_make(world_t *w, client_t *who, wsk_kind_e kind,
                                   unsigned n)
{
    const int small = 4096;
    int fds[2];

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) != 0) {
        exit(1);
    }
    setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
    fcntl(fds[1], F_SETFL, O_NONBLOCK);
    who->fd = fds[1];
    who->len = 0;
    who->eof = false;
    who->c = wsk_conn_make(kind);
    who->c->fd = fds[0];
    who->c->site = kind == WSK_KIND_ECHO ? WSK_NO_SITE : w->sites[n];
    if (kind != WSK_KIND_ECHO) {
        who->c->grant = world_grant(n);
        who->c->address = 5;
        who->c->proof = wsk_inbox_proof(w->seg, world_spec(n).jwt.at[0]);
        who->c->user = wsk_inbox_user(w->seg, "7");
        who->c->admitted = wsk_site_admit(w->seg, w->loop->slot, w->sites[n], 5,
                                          &who->c->term)
                           == WSK_ADMIT_OK;
    }
    if (kind == WSK_KIND_SSE) {
        client_channels(who, "");
    }
}

TAP_UNUSED static void client_open(world_t *w, client_t *who, wsk_kind_e kind,
                                   unsigned n)
{
    client_make(w, who, kind, n);
    wsk_loop_give(w->loop, who->c);
    world_run(w);
}

/* A masked frame, as a browser sends it. @return bytes */
TAP_UNUSED static size_t client_frame(uint8_t *out, unsigned op,
                                      const void *bytes, size_t len)
{
    size_t n = 2;

    out[0] = (uint8_t)(0x80 | op);
    if (len < 126) {
        out[1] = (uint8_t)(0x80 | len);
    }
    else {
        out[1] = 0x80 | 126;
        out[2] = (uint8_t)(len >> 8);
        out[3] = (uint8_t)len;
        n = 4;
    }
    memset(out + n, 0, 4); /* a mask that changes nothing */
    memcpy(out + n + 4, bytes, len);
    return n + 4 + len;
}

TAP_UNUSED static void client_send(client_t *who, unsigned op,
                                   const void *bytes, size_t len)
{
    static uint8_t frame[70000];
    const size_t n = client_frame(frame, op, bytes, len);

    if (write(who->fd, frame, n) != (ssize_t)n) {
        note("a client could not write");
    }
}

TAP_UNUSED static void client_say(world_t *w, client_t *who, const char *json)
{
    client_send(who, WSK_OP_TEXT, json, strlen(json));
    world_run(w);
}

static void client_note(client_t *who, size_t *at, const char *what,
                        const uint8_t *bytes, size_t len)
{
    *at += (size_t)snprintf(who->text + *at, sizeof(who->text) - *at,
                            "%s%s%.*s", *at > 0 ? "\n" : "", what, (int)len,
                            (const char *)bytes);
}

/* One frame of a server into the log. @return its bytes, 0: not whole */
static size_t client_one(client_t *who, size_t from, size_t *at)
{
    const uint8_t *f = who->raw + from, *body = f + 2;
    const size_t have = who->len - from;
    size_t len;
    char line[64];

    if (have < 2 || have < (f[1] == 127 ? 10u : f[1] == 126 ? 4u : 2u)) {
        return 0;
    }
    len = f[1];
    if (len == 127) {
        len = (size_t)f[7] << 16 | (size_t)f[8] << 8 | f[9];
        body = f + 10;
    }
    if (len == 126) {
        len = (size_t)f[2] << 8 | f[3];
        body = f + 4;
    }
    if ((size_t)(body - f) + len > have) {
        return 0;
    }
    switch (f[0] & 15) {
    case WSK_OP_TEXT:
        client_note(who, at, "", body, len);
        break;
    case 8:
        snprintf(line, sizeof(line), "close %u ",
                 len < 2 ? 0u : (unsigned)body[0] << 8 | body[1]);
        client_note(who, at, line, body + WSK_MIN(len, 2u),
                    len < 2 ? 0 : len - 2);
        break;
    case WSK_OP_PING:
        client_note(who, at, "ping", body, 0);
        break;
    case WSK_OP_PONG:
        client_note(who, at, "pong ", body, len);
        break;
    default:
        snprintf(line, sizeof(line), "binary %u", (unsigned)len);
        client_note(who, at, line, body, 0);
    }
    return (size_t)(body - f) + len;
}

/* Take what is there off the socket. */
TAP_UNUSED static void client_take(client_t *who)
{
    ssize_t n = 0;

    while (
        who->len < sizeof(who->raw)
        && (n = read(who->fd, who->raw + who->len, sizeof(who->raw) - who->len))
               > 0) {
        who->len += (size_t)n;
    }
    who->eof |= n == 0 || (n < 0 && errno == ECONNRESET);
}

/* What it heard since it was asked last, read while the loop runs. */
TAP_UNUSED static const char *client_heard(world_t *w, client_t *who)
{
    size_t from = 0, at = 0, n, before;

    do {
        before = who->len;
        world_run(w);
        client_take(who);
    } while (who->len != before);
    who->text[0] = '\0';
    while (from < who->len && (n = client_one(who, from, &at)) > 0) {
        from += n;
    }
    memmove(who->raw, who->raw + from, who->len - from);
    who->len -= from;
    if (who->eof) {
        client_note(who, &at, "eof", who->raw, 0);
    }
    return who->text;
}

/* The same for an event stream. */
TAP_UNUSED static const char *client_read(world_t *w, client_t *who)
{
    size_t before, at = 0;

    do {
        before = who->len;
        world_run(w);
        client_take(who);
    } while (who->len != before);
    who->text[0] = '\0';
    client_note(who, &at, "", who->raw, who->len);
    who->len = 0;
    if (who->eof) {
        client_note(who, &at, "eof", who->raw, 0);
    }
    return who->text;
}

TAP_UNUSED static unsigned times(const char *text, const char *what)
{
    unsigned n = 0;

    for (; (text = strstr(text, what)) != NULL; text += strlen(what)) {
        n++;
    }
    return n;
}

/* Passes if `what` stands in `text`. */
TAP_UNUSED static int has(const char *text, const char *what,
                          const char *description)
{
    const int there = ok(strstr(text, what) != NULL, "%s", description);

    if (!there) {
        tap_show("got ", text, strlen(text));
        tap_show("want", what, strlen(what));
    }
    return there;
}

#endif
