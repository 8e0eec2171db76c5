/* SPDX-License-Identifier: Apache-2.0 */
/* A loop that serves, and one that hands over, with each call failing that can. */
#include "fault_walk.h"

#include "hand_fixture.h"

#define SIT_MS 12000 /* in which all is over that was begun */

enum { PLAIN, EVENTS, SLOW, HALF, LARGE, BINARY, PUBLISHER, CLIENTS };

static client_t clients[CLIENTS];
static char heard[CLIENTS][1 << 17];
static unsigned nsaid, nframes;
static const char *wrong;
static unsigned slow; /* who does not read */

static void need(bool good, const char *what)
{
    wrong = good || wrong ? wrong : what;
}

/* Somebody else publishes. */
static void said(size_t len)
{
    static const char begin[] = "\"event\":\"e\",\"data\":\"";
    static char body[100000];
    wsk_record_t record = { store_slice("a"), { body, 0 }, 0, 0, 0 };
    wsk_cursor_t first;

    fault_pause();
    memset(body, 'x', len);
    record.body.len = len
                      + (size_t)snprintf(body + len, sizeof(body) - len,
                                         "-m-%03u-\"", nsaid++);
    memcpy(body, begin, sizeof(begin) - 1);
    wsk_log_append(w.seg, w.sites[1], WSK_LOG_TEXT, &record, 1, NULL,
                   w.now.unix_us, &first);
    wsk_bell_ring((wsk_bell_t){ w.bells }, w.seg, w.sites[1]);
    fault_resume();
}

/* A frame of bytes whose length is its number. */
static void framed(void)
{
    static char body[1000];
    wsk_record_t record = { store_slice("b"), { body, 0 }, 1, 0, 0 };
    wsk_cursor_t first;

    fault_pause();
    record.body.len = 10 + nframes++;
    wsk_log_append(w.seg, w.sites[1], WSK_LOG_BINARY, &record, 1, NULL,
                   w.now.unix_us, &first);
    wsk_bell_ring((wsk_bell_t){ w.bells }, w.seg, w.sites[1]);
    fault_resume();
}

/* All but one read what has come. */
static void all_read(void)
{
    unsigned i;

    for (i = 0; i < CLIENTS; i++) {
        if (clients[i].fd >= 0 && i != slow) {
            client_take(&clients[i]);
        }
    }
}

static void go(unsigned ms, unsigned step)
{
    for (; ms >= step; ms -= step) {
        w.now.mono_ms += step;
        w.now.unix_us += step * 1000;
        heir.now = w.now;
        if (!w.over) {
            world_turn(&w);
        }
        if (heir.loop) {
            world_turn(&heir);
        }
        if (ms / step % 4 == 1) {
            all_read();
        }
    }
}

/* The client's end writes as much as there is room for. */
static void writes(client_t *it, const uint8_t *bytes, size_t len)
{
    size_t at = 0;
    unsigned i;

    for (i = 0; at < len && i < 400; i++) {
        const ssize_t n = __real_send(
            it->fd, bytes + at, WSK_MIN(len - at, (size_t)2000), MSG_NOSIGNAL);

        at += n > 0 ? (size_t)n : 0;
        go(2, 1);
    }
}

static void json(unsigned which, const char *text)
{
    uint8_t frame[1000];

    writes(&clients[which], frame,
           client_frame(frame, WSK_OP_TEXT, text, strlen(text)));
}

static void comes(unsigned which, wsk_kind_e kind)
{
    client_t *it = &clients[which];

    fault_pause();
    client_make(&w, it, kind, 1);
    if (kind == WSK_KIND_SSE) {
        client_channels(it, "a");
    }
    fault_resume();
    wsk_loop_give(w.loop, it->c);
    go(3, 1);
}

/* One large message in the queue is not all that fits. */
static wsk_site_spec_t site_spec(void)
{
    wsk_site_spec_t spec = world_spec(1);

    spec.limits.max_publish = 1000;
    spec.limits.send_queue = 200000;
    return spec;
}

static void publisher_comes(void)
{
    client_t *it = &clients[PUBLISHER];
    const wsk_site_spec_t spec = site_spec();
    wsk_conn_t *c;

    fault_pause();
    client_make(&w, it, WSK_KIND_WS, 1);
    c = wsk_publisher_make(&spec, 0, 5000);
    c->fd = it->c->fd;
    c->site = it->c->site;
    c->address = it->c->address;
    c->term = it->c->term;
    c->admitted = it->c->admitted;
    it->c->fd = -1;
    wsk_conn_drop(it->c);
    it->c = c;
    fault_resume();
    wsk_loop_give(w.loop, c);
    go(3, 1);
}

/* Everybody, in every state. */
static void crowd_comes(void)
{
    static uint8_t frame[70000];
    static char big[60000];

    publisher_comes();
    comes(PLAIN, WSK_KIND_WS);
    json(PLAIN, "{\"type\":\"subscribe\",\"channels\":[\"a\",\"room\"]}");
    json(PLAIN, "{\"type\":\"presence\",\"channel\":\"room\","
                "\"action\":\"enter\",\"state\":{\"n\":1}}");
    comes(EVENTS, WSK_KIND_SSE);
    comes(SLOW, WSK_KIND_WS);
    json(SLOW, "{\"type\":\"subscribe\",\"channels\":[\"a\"]}");
    comes(HALF, WSK_KIND_WS);
    json(HALF, "{\"type\":\"subscribe\",\"channels\":[\"a\"]}");
    writes(&clients[HALF], frame,
           client_frame(frame, WSK_OP_PING, "halved", 6) - 3);
    comes(LARGE, WSK_KIND_WS);
    json(LARGE, "{\"type\":\"subscribe\",\"channels\":[\"a\"]}");
    memset(big, 'x', sizeof(big));
    client_frame(frame, WSK_OP_TEXT, big, sizeof(big));
    frame[0] = WSK_OP_TEXT; /* the first of some */
    writes(&clients[LARGE], frame, 8 + sizeof(big));
    client_frame(frame, WSK_OP_CONT, big, sizeof(big) / 2);
    writes(&clients[LARGE], frame, 10000);
    comes(BINARY, WSK_KIND_WS);
    json(BINARY, "{\"type\":\"subscribe\",\"channels\":[\"b\"]}");
}

static void rests(void)
{
    json(PUBLISHER, "{\"channel\":\"c\",\"event\":\"e\",\"data\":1}");
    writes(&clients[HALF], (const uint8_t *)"ved", 3);
}

/* All that has come to a client, as text. */
static void listens(unsigned which)
{
    client_t *it = &clients[which];
    const size_t room = sizeof(heard[which]);
    size_t from = 0, at = 0, n;

    client_take(it);
    it->text[0] = '\0';
    if (which == EVENTS) {
        memcpy(it->text, it->raw, it->len);
        it->text[it->len] = '\0';
    }
    while (which != EVENTS && from < it->len
           && (n = client_one(it, from, &at)) > 0) {
        from += n;
    }
    snprintf(heard[which], room, "%s%s", it->text, it->eof ? "\neof" : "");
}

static bool ended(unsigned which)
{
    return strstr(heard[which], "eof") || strstr(heard[which], "close ");
}

/* Each message once and in order, from the first to the last; or it ended, and
 * goes on elsewhere after the last that it has; or it knows of the gap. */
static void has_all(unsigned which, unsigned since, bool soft)
{
    const char *at = heard[which];
    const bool gap = strstr(at, "\"gap\"") || strstr(at, "wps.gap");
    unsigned next = since;

    while ((at = strstr(at, "m-")) != NULL) {
        const unsigned n = (unsigned)atoi(at + 2);

        need(n >= next, "a message came twice, or out of order");
        need(n == next || gap, "a message is missing before another");
        next = n + 1;
        at += 2;
    }
    if (next != nsaid && !ended(which)) {
        note("client %u has %u of %u", which, next, nsaid);
    }
    need(next == nsaid || ended(which), "the last messages are missing");
    need(!soft || (!gap && !ended(which)), "somebody ended, or has a gap");
}

static void has_frames(bool soft)
{
    const char *at = heard[BINARY];
    unsigned next = 10;

    while ((at = strstr(at, "binary ")) != NULL) {
        if (at[7] >= '0' && at[7] <= '9') {
            need((unsigned)atoi(at + 7) == next++, "a frame is missing");
        }
        at += 7;
    }
    need(next == 10 + nframes || ended(BINARY), "the last frames are missing");
    need(!soft || !ended(BINARY), "who hears frames ended");
}

static bool paired;

static void world_begins(bool pair)
{
    wsk_site_spec_t spec;
    unsigned i;

    wrong = NULL;
    paired = pair;
    nsaid = nframes = 0;
    slow = SLOW;
    for (i = 0; i < CLIENTS; i++) {
        clients[i].fd = -1;
        clients[i].len = 0;
        clients[i].eof = false;
    }
    memset(&heir, 0, sizeof(heir));
    spec = site_spec();
    if (pair) {
        both_open();
    }
    else {
        world_make(&w);
        heir = w;
        heir.loop = NULL;
    }
    world_put(&w, 1, &spec);
}

static void loop_ends(world_t *world)
{
    if (world->loop) {
        wsk_loop_leave(world->loop);
        need(at(world) == 0, "a connection is left");
        wsk_loop_dispose(world->loop);
        world->loop = NULL;
    }
}

static void world_ends(void)
{
    const char *why = NULL;
    unsigned i;

    for (i = 0; i < CLIENTS; i++) {
        if (clients[i].fd >= 0) {
            close(clients[i].fd);
        }
    }
    loop_ends(&heir);
    loop_ends(&w);
    need(wsk_site_connections(w.seg, w.sites[1]) == 0,
         "a connection is counted that is not there");
    need(wsk_segment_connections(w.seg) == 0, "the host counts one");
    need(wsk_segment_check(w.seg, &why) == WSK_OK, "the segment is damaged");
    need(store_unlocked(w.seg), "a lock is held");
    world_unmake(&w);
    if (paired) {
        close(door[0]);
        close(door[1]);
    }
}

/* A child that starts. */
static const char *starts(bool soft)
{
    wsk_loop_spec_t spec;

    (void)soft;
    world_begins(false);
    spec = world_loop_spec(&w);
    fault_resume();
    w.loop = wsk_loop_make(&spec);
    if (w.loop && !wsk_loop_enter(w.loop, &w.now)) {
        wsk_loop_dispose(w.loop);
        w.loop = NULL;
    }
    fault_end();
    if (!w.loop) { /* another one does */
        w.loop = wsk_loop_make(&spec);
        need(w.loop && wsk_loop_enter(w.loop, &w.now), "none can start now");
    }
    world_ends();
    return wrong;
}

/* The same, in a thread. */
static const char *a_thread(bool soft)
{
    wsk_loop_spec_t spec;

    world_begins(false);
    spec = world_loop_spec(&w);
    fault_resume();
    w.loop = wsk_loop_start(&spec);
    need(!soft || w.loop, "it does not start");
    if (w.loop) {
        wsk_loop_stop(w.loop, true);
        wsk_loop_free(w.loop);
        w.loop = NULL;
    }
    fault_end();
    world_ends();
    return wrong;
}

/* They come, subscribe, hear, say something and go. */
static const char *serves(bool soft)
{
    static const char *const says[] = {
        "{\"type\":\"subscribe\",\"channels\":[\"a\",\"b\"]}",
        "{\"type\":\"presence\",\"channel\":\"room\",\"action\":\"enter\","
        "\"state\":{}}",
        "{\"type\":\"message\",\"channel\":\"c\",\"event\":\"e\",\"data\":1,"
        "\"ref\":7}",
        "{\"type\":\"subscribe\",\"channels\":[\"wps:connections\",\"room\"]}",
        "{\"type\":\"unsubscribe\",\"channels\":[\"b\"]}"
    };
    unsigned i;

    world_begins(true);
    fault_resume();
    comes(PLAIN, WSK_KIND_WS);
    comes(EVENTS, WSK_KIND_SSE);
    for (i = 0; i < WSK_COUNT_OF(says); i++) {
        said(600);
        json(PLAIN, says[i]);
    }
    framed();
    go(600, 50);
    said(90000); /* more than the hub reads at once, and nobody rings again */
    go(10, 1);
    fault_end();
    go(3000, 50);
    listens(PLAIN);
    listens(EVENTS);
    need(ended(PLAIN) || strstr(heard[PLAIN], "\"subscribed\"")
             || strstr(heard[PLAIN], "\"error\""),
         "who subscribes gets no answer");
    need(ended(PLAIN) || strstr(heard[PLAIN], "\"ref\":7"),
         "who says something gets no answer");
    need(ended(PLAIN) || !strstr(heard[PLAIN], "\"subscribed\"")
             || strstr(heard[PLAIN], "\"error\"")
             || strstr(heard[PLAIN], "\"data\":\""),
         "who is subscribed hears nothing");
    has_all(EVENTS, 0, soft);
    need(!soft || !ended(PLAIN), "somebody ended");
    world_ends();
    return wrong;
}

/* A reload with a client in every state. */
static const char *hands_over(bool soft)
{
    unsigned i;

    world_begins(true);
    crowd_comes();
    for (i = 0; i < 12; i++) {
        said(600);
        go(2, 1);
    }
    framed();
    go(3, 1);
    fault_resume();
    reload();
    go(3, 1);
    said(600);
    fault_pause();
    heir_comes();
    fault_resume();
    go(6, 1);
    said(70000); /* more than a hub reads at once */
    framed();
    go(30, 1);
    rests();
    said(600);
    go(30, 1);
    fault_end();
    framed();
    said(600);
    slow = CLIENTS; /* it reads now */
    go(100, 1);
    go(SIT_MS, 50);
    for (i = 0; i < CLIENTS; i++) {
        listens(i);
    }
    has_all(PLAIN, 0, soft);
    has_all(EVENTS, 0, soft);
    has_all(SLOW, 0, soft);
    has_all(HALF, 0, soft);
    has_all(LARGE, 0, soft);
    has_frames(soft);
    need(ended(HALF) || strstr(heard[HALF], "pong halved"),
         "half a frame is lost");
    need(ended(PUBLISHER) || strstr(heard[PUBLISHER], "\"ok\":true")
             || strstr(heard[PUBLISHER], "\"error\""),
         "a publisher gets no answer");
    need(ended(PLAIN) || wsk_presence_any(w.seg, w.sites[1]),
         "who is present has vanished");
    need(w.over, "who leaves is still there");
    world_ends();
    return wrong;
}

int main(void)
{
    static const fault_walk_t walks[] = {
        { "a child starts", starts, 0, false },
        { "a thread starts", a_thread, 0, false },
        { "serving", serves, 0, false },
        { "handing over", hands_over, 0, false },
    };
    static const char *const calls[] = {
        "malloc",     "calloc",    "realloc",        "send",
        "sendmsg",    "recv",      "recvmsg",        "epoll_ctl",
        "fcntl",      "fstat",     "eventfd",        "memfd_create",
        "write",      "pread",     "epoll_create1",  "shutdown",
        "setsockopt", "getrandom", "pthread_create", "epoll_wait"
    };
    unsigned i;

    for (i = 0; i < WSK_COUNT_OF(walks); i++) {
        fault_walks(&walks[i]);
    }
    for (i = 0; i < WSK_COUNT_OF(calls); i++) {
        ok(fault_times(calls[i]) > 0, "%s has failed %u times", calls[i],
           fault_times(calls[i]));
    }
    return done_testing();
}
