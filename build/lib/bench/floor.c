/* SPDX-License-Identifier: Apache-2.0 */
/*
 * floor - the least a fan-out server can do, as a denominator for others.
 *
 *     floor [-p SECONDS] [-k] PORT
 *
 * One thread, one epoll loop, no authentication, no history:
 *   GET  /ws/CH   WebSocket subscriber of channel CH; a text message it sends
 *                 is published to CH as well
 *   GET  /sse/CH  event stream of channel CH
 *   POST /pub/CH  publishes the body; answered 204 after the fan-out
 * A message is encoded once per protocol, then sent with one send() for each
 * subscriber. Only what a socket does not take is copied and kept.
 * Listens on 127.0.0.1. For what the relay it stands beside does, and only then:
 *   -p  pings each WebSocket every so many seconds, in a text as long as the
 *       relay's; a text {"type":"pong".. is the answer
 *   -k  keeps the newest message of a channel; a text {"type":"subscribe".. is
 *       answered with it
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "floor_head.h"

enum { HTTP, WS, SSE, MAX_MSG = 1 << 20, MAX_QUEUE = 1 << 20, RBUF = 256 << 10, HASH = 1 << 17 };

typedef struct channel channel;

typedef struct {
    int fd;
    uint8_t kind, dead;
    uint16_t spoke;         /* of the wheel */
    uint32_t slot, place;   /* in its channel's list; in the wheel's */
    uint32_t inn, outn;     /* bytes kept below */
    channel *ch;
    uint8_t *in, *out;      /* incomplete input; output the socket did not take */
} conn;

struct channel {
    channel *next;
    conn **sub;
    uint32_t n, cap, nws, nsse;
    uint8_t *kept;          /* -k: the newest message, as a frame */
    size_t keptn;
    char name[];
};

/* -p: who came in the same second is pinged in the same second. */
static struct {
    conn **of;
    uint32_t n, cap;
} *wheel;
static uint32_t spokes;     /* seconds from ping to ping; 0: none */
static time_t now;          /* with a wheel only */
static bool keeping;

static channel *table[HASH];
static int ep;
static uint8_t *rbuf;
static conn **grave;        /* freed after the batch of events they may still be in */
static size_t graves, grave_cap;

static void *grow(void *p, size_t n)
{
    p = realloc(p, n ? n : 1);
    if (!p)
        abort();
    return p;
}

static channel *lookup(const char *name, size_t n, bool create)
{
    uint32_t h = 2166136261u;
    for (size_t i = 0; i < n; i++)
        h = (h ^ (uint8_t)name[i]) * 16777619u;
    channel **at = &table[h & (HASH - 1)];
    for (channel *c = *at; c; c = c->next)
        if (!strncmp(c->name, name, n) && !c->name[n])
            return c;
    if (!create)
        return NULL;
    channel *c = calloc(1, sizeof *c + n + 1);
    if (!c)
        abort();
    memcpy(c->name, name, n);
    c->next = *at;
    return *at = c;
}

static void join(conn *c, channel *ch)
{
    if (ch->n == ch->cap)
        ch->sub = grow(ch->sub, (ch->cap = ch->cap ? ch->cap * 2 : 2) * sizeof *ch->sub);
    c->ch = ch;
    c->slot = ch->n;
    ch->sub[ch->n++] = c;
    *(c->kind == WS ? &ch->nws : &ch->nsse) += 1;
}

static void wheel_add(conn *c)
{
    c->spoke = (uint16_t)((uint64_t)now % spokes);
    c->place = wheel[c->spoke].n++;
    if (c->place == wheel[c->spoke].cap) {
        wheel[c->spoke].cap = c->place ? c->place * 2 : 64;
        wheel[c->spoke].of = grow(wheel[c->spoke].of, wheel[c->spoke].cap * sizeof(conn *));
    }
    wheel[c->spoke].of[c->place] = c;
}

static void wheel_remove(conn *c)
{
    conn *last = wheel[c->spoke].of[--wheel[c->spoke].n];
    wheel[c->spoke].of[c->place] = last;
    last->place = c->place;
}

static void drop(conn *c) /* may be called inside a fan-out: the list is mended after the batch */
{
    if (c->dead)
        return;
    c->dead = 1;
    if (graves == grave_cap)
        grave = grow(grave, (grave_cap = grave_cap ? grave_cap * 2 : 64) * sizeof *grave);
    grave[graves++] = c;
}

static void bury(void)
{
    for (size_t i = 0; i < graves; i++) {
        conn *c = grave[i];
        channel *ch = c->ch;
        if (spokes && c->kind == WS)
            wheel_remove(c);
        if (ch) {
            *(c->kind == WS ? &ch->nws : &ch->nsse) -= 1;
            ch->sub[c->slot] = ch->sub[--ch->n];
            ch->sub[c->slot]->slot = c->slot;
        }
        close(c->fd);
        free(c->in);
        free(c->out);
        free(c);
    }
    graves = 0;
}

static void interest(conn *c, uint32_t ev)
{
    struct epoll_event e = { .events = ev, .data.ptr = c };
    epoll_ctl(ep, EPOLL_CTL_MOD, c->fd, &e);
}

static void put(conn *c, const void *p, size_t n)
{
    size_t done = 0;
    if (!c->outn) {
        ssize_t r = send(c->fd, p, n, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (r == (ssize_t)n)
            return;
        if (r < 0 && errno != EAGAIN) {
            drop(c);
            return;
        }
        done = r > 0 ? (size_t)r : 0;
    }
    if (c->outn + n - done > MAX_QUEUE) {
        drop(c); /* too slow */
        return;
    }
    if (!c->outn)
        interest(c, EPOLLIN | EPOLLOUT);
    c->out = grow(c->out, c->outn + n - done);
    memcpy(c->out + c->outn, (const uint8_t *)p + done, n - done);
    c->outn += (uint32_t)(n - done);
}

static void flush(conn *c)
{
    ssize_t r = send(c->fd, c->out, c->outn, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (r < 0 && errno != EAGAIN)
        drop(c);
    if (r <= 0)
        return;
    memmove(c->out, c->out + r, c->outn - (size_t)r);
    c->outn -= (uint32_t)r;
    if (!c->outn) {
        free(c->out);
        c->out = NULL;
        interest(c, EPOLLIN);
    }
}

/* The pings that are due, up to second `until`. */
static void wheel_turn(time_t until)
{
    static const char ping[] = "\x81\x25{\"type\":\"ping\",\"id\":\"000000000000-0\"}";
    while (now < until) {
        uint32_t spoke = (uint32_t)((uint64_t)++now % spokes);
        for (uint32_t i = 0; i < wheel[spoke].n; i++)
            if (!wheel[spoke].of[i]->dead)
                put(wheel[spoke].of[i], ping, sizeof ping - 1);
    }
}

static void publish(channel *ch, const uint8_t *p, size_t n)
{
    static uint8_t *ws, *sse;
    static size_t cap;
    size_t wn = 0, sn = 0;
    if (!ch || (!ch->n && !keeping))
        return;
    if (cap < n + 16) {
        cap = n + 4096;
        ws = grow(ws, cap);
        sse = grow(sse, cap);
    }
    if (ch->nws || keeping) {
        ws[wn++] = 0x81;
        if (n < 126) {
            ws[wn++] = (uint8_t)n;
        } else if (n < 65536) {
            ws[wn++] = 126;
            ws[wn++] = (uint8_t)(n >> 8);
            ws[wn++] = (uint8_t)n;
        } else {
            ws[wn++] = 127;
            for (int i = 56; i >= 0; i -= 8)
                ws[wn++] = (uint8_t)((uint64_t)n >> i);
        }
        memcpy(ws + wn, p, n);
        wn += n;
    }
    if (keeping) {
        ch->kept = grow(ch->kept, wn);
        memcpy(ch->kept, ws, wn);
        ch->keptn = wn;
    }
    if (ch->nsse) { /* the payload is one line here */
        memcpy(sse, "data: ", 6);
        memcpy(sse + 6, p, n);
        memcpy(sse + 6 + n, "\n\n", 2);
        sn = n + 8;
    }
    for (uint32_t i = 0; i < ch->n; i++) {
        conn *c = ch->sub[i];
        if (!c->dead)
            c->kind == WS ? put(c, ws, wn) : put(c, sse, sn);
    }
}

static void upgrade(conn *c, const char *key)
{
    char reply[160], acc[29];
    ws_accept(key, acc);
    int n = snprintf(reply, sizeof reply, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n", acc);
    put(c, reply, (size_t)n);
}

/* One request. Returns the bytes used, 0 when incomplete, -1 to hang up. */
static ssize_t request(conn *c, uint8_t *p, size_t n)
{
    char *h = (char *)p, *e = memmem(h, n, "\r\n\r\n", 4);
    const char *v;
    if (!e)
        return n > 16384 ? -1 : 0;
    e += 4;
    size_t hn = (size_t)(e - h);
    char *path = memchr(h, ' ', hn);
    char *pe = path ? strpbrk(path + 1, " ?\r") : NULL;
    if (!pe)
        return -1;
    path++;
    size_t pn = (size_t)(pe - path);
    if (!strncmp(h, "POST /pub/", 10)) {
        v = field(h, e, "content-length:");
        size_t len = v ? strtoul(v, NULL, 10) : 0;
        if (len > MAX_MSG)
            return -1;
        if (n < hn + len)
            return 0;
        publish(lookup(path + 5, pn - 5, keeping), p + hn, len);
        put(c, "HTTP/1.1 204 No Content\r\n\r\n", 27);
        v = field(h, e, "connection:");
        if (v && !strncasecmp(v, "close", 5))
            return -1;
        return (ssize_t)(hn + len);
    }
    if (!strncmp(h, "GET /ws/", 8) && (v = field(h, e, "sec-websocket-key:")) && v + 24 < e) {
        c->kind = WS;
        upgrade(c, v);
        join(c, lookup(path + 4, pn - 4, true));
        if (spokes)
            wheel_add(c);
    } else if (!strncmp(h, "GET /sse/", 9)) {
        static const char ok[] = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n";
        c->kind = SSE;
        put(c, ok, sizeof ok - 1);
        join(c, lookup(path + 5, pn - 5, true));
    } else {
        static const char no[] = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
        put(c, no, sizeof no - 1);
    }
    return (ssize_t)hn;
}

static bool begins(const uint8_t *p, size_t n, const char *with)
{
    return n >= strlen(with) && !memcmp(p, with, strlen(with));
}

/* One client frame. */
static ssize_t frame(conn *c, uint8_t *p, size_t n)
{
    if (n < 6)
        return 0;
    size_t h = 2;
    uint64_t len = p[1] & 127;
    if (!(p[1] & 128))
        return -1;
    if (len == 126) {
        len = (uint64_t)p[2] << 8 | p[3];
        h = 4;
    } else if (len == 127) {
        if (n < 10)
            return 0;
        len = 0;
        for (int i = 2; i < 10; i++)
            len = len << 8 | p[i];
        h = 10;
    }
    if (len > MAX_MSG)
        return -1;
    if (n < h + 4 + len)
        return 0;
    uint8_t *d = p + h + 4;
    for (size_t i = 0; i < len; i++)
        d[i] ^= p[h + (i & 3)];
    int op = p[0] & 15;
    if (op == 8)
        return -1;
    if (op == 9 && len < 126) {
        uint8_t pong[127] = { 0x8a, (uint8_t)len };
        memcpy(pong + 2, d, len);
        put(c, pong, len + 2);
    } else if (spokes && begins(d, len, "{\"type\":\"pong\"")) {
        ; /* it lives */
    } else if (keeping && begins(d, len, "{\"type\":\"subscribe\"")) {
        if (c->ch->keptn)
            put(c, c->ch->kept, c->ch->keptn);
    } else if (op == 1 || op == 2) {
        publish(c->ch, d, len);
    }
    return (ssize_t)(h + 4 + len);
}

static void readable(conn *c)
{
    size_t n = c->inn, used = 0;
    if (n)
        memcpy(rbuf, c->in, n);
    ssize_t r = recv(c->fd, rbuf + n, RBUF - n, 0);
    if (r <= 0) {
        if (r == 0 || errno != EAGAIN)
            drop(c);
        return;
    }
    n += (size_t)r;
    while (!c->dead && used < n && c->kind != SSE) {
        ssize_t k = c->kind == WS ? frame(c, rbuf + used, n - used) : request(c, rbuf + used, n - used);
        if (k < 0) {
            drop(c);
            return;
        }
        if (!k)
            break;
        used += (size_t)k;
    }
    if (c->kind == SSE || used == n) {
        free(c->in);
        c->in = NULL;
        c->inn = 0;
    } else if (n - used > RBUF / 2) {
        drop(c);
    } else {
        c->in = grow(c->in, n - used);
        memcpy(c->in, rbuf + used, n - used);
        c->inn = (uint32_t)(n - used);
    }
}

static time_t second(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec;
}

/* Until the next second begins; for good without a wheel. */
static int patience_ms(void)
{
    struct timespec t;
    if (!spokes)
        return -1;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec > now ? 0 : (int)(1000 - t.tv_nsec / 1000000);
}

static int options(int argc, char **argv)
{
    for (int o; (o = getopt(argc, argv, "p:k")) >= 0;) {
        if (o == 'k')
            keeping = true;
        else if (o == 'p' && atoi(optarg) > 0 && atoi(optarg) <= UINT16_MAX)
            spokes = (uint32_t)atoi(optarg);
        else
            exit(2);
    }
    if (spokes) {
        wheel = grow(NULL, spokes * sizeof *wheel);
        memset(wheel, 0, spokes * sizeof *wheel);
        now = second();
    }
    return optind < argc ? atoi(argv[optind]) : 7000;
}

int main(int argc, char **argv)
{
    int port = options(argc, argv), one = 1;
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct rlimit rl;
    getrlimit(RLIMIT_NOFILE, &rl);
    rl.rlim_cur = rl.rlim_max;
    setrlimit(RLIMIT_NOFILE, &rl);
    signal(SIGPIPE, SIG_IGN);
    int ls = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    setsockopt(ls, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(ls, (struct sockaddr *)&a, sizeof a) || listen(ls, 4096)) {
        perror("floor");
        return 1;
    }
    ep = epoll_create1(EPOLL_CLOEXEC);
    rbuf = grow(NULL, RBUF);
    struct epoll_event e = { .events = EPOLLIN }, ev[512];
    epoll_ctl(ep, EPOLL_CTL_ADD, ls, &e);
    for (;;) {
        int n = epoll_wait(ep, ev, 512, patience_ms());
        for (int i = 0; i < n; i++) {
            conn *c = ev[i].data.ptr;
            if (!c) {
                for (int k = 0; k < 64; k++) {
                    int fd = accept4(ls, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
                    if (fd < 0)
                        break;
                    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
                    c = calloc(1, sizeof *c);
                    if (!c)
                        abort();
                    c->fd = fd;
                    e = (struct epoll_event){ .events = EPOLLIN, .data.ptr = c };
                    epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e);
                }
                continue;
            }
            if (c->dead)
                continue;
            if (ev[i].events & EPOLLOUT && c->outn)
                flush(c);
            if (!c->dead && ev[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))
                readable(c);
        }
        if (spokes)
            wheel_turn(second());
        if (graves)
            bury();
    }
}
