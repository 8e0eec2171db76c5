/* SPDX-License-Identifier: Apache-2.0 */
/*
 * floor - the least a fan-out server can do, as a denominator for others.
 *
 * One thread, one epoll loop, no authentication, no history, no pings:
 *   GET  /ws/CH   WebSocket subscriber of channel CH; a text message it sends
 *                 is published to CH as well
 *   GET  /sse/CH  event stream of channel CH
 *   POST /pub/CH  publishes the body; answered 204 after the fan-out
 * A message is encoded once per protocol, then sent with one send() for each
 * subscriber. Only what a socket does not take is copied and kept.
 * Listens on 127.0.0.1; the port is the first argument (7000).
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
#include <unistd.h>

enum { HTTP, WS, SSE, MAX_MSG = 1 << 20, MAX_QUEUE = 1 << 20, RBUF = 256 << 10, HASH = 1 << 17 };

typedef struct channel channel;

typedef struct {
    int fd;
    uint8_t kind, dead;
    uint32_t slot;          /* place in its channel's list */
    uint32_t inn, outn;     /* bytes kept below */
    channel *ch;
    uint8_t *in, *out;      /* incomplete input; output the socket did not take */
} conn;

struct channel {
    channel *next;
    conn **sub;
    uint32_t n, cap, nws, nsse;
    char name[];
};

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

static void publish(channel *ch, const uint8_t *p, size_t n)
{
    static uint8_t *ws, *sse;
    static size_t cap;
    size_t wn = 0, sn = 0;
    if (!ch || !ch->n)
        return;
    if (cap < n + 16) {
        cap = n + 4096;
        ws = grow(ws, cap);
        sse = grow(sse, cap);
    }
    if (ch->nws) {
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

/* SHA-1 of fewer than 120 bytes, for the handshake. */
static void sha1(const uint8_t *p, size_t n, uint8_t out[20])
{
    uint8_t m[128] = { 0 };
    uint32_t h[5] = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0 }, w[80];
    size_t total = n < 56 ? 64 : 128;
    memcpy(m, p, n);
    m[n] = 0x80;
    for (int i = 0; i < 8; i++)
        m[total - 1 - (size_t)i] = (uint8_t)((uint64_t)n * 8 >> (8 * i));
    for (size_t o = 0; o < total; o += 64) {
        for (int i = 0; i < 16; i++)
            w[i] = (uint32_t)m[o + 4 * i] << 24 | (uint32_t)m[o + 4 * i + 1] << 16 | (uint32_t)m[o + 4 * i + 2] << 8 | m[o + 4 * i + 3];
        for (int i = 16; i < 80; i++) {
            uint32_t x = w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16];
            w[i] = x << 1 | x >> 31;
        }
        uint32_t a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];
        for (int i = 0; i < 80; i++) {
            uint32_t f = i < 20 ? (b & c) | (~b & d) : i < 40 ? b ^ c ^ d : i < 60 ? (b & c) | (b & d) | (c & d) : b ^ c ^ d;
            uint32_t k = i < 20 ? 0x5a827999 : i < 40 ? 0x6ed9eba1 : i < 60 ? 0x8f1bbcdc : 0xca62c1d6;
            uint32_t t = (a << 5 | a >> 27) + f + e + k + w[i];
            e = d; d = c; c = b << 30 | b >> 2; b = a; a = t;
        }
        h[0] += a; h[1] += b; h[2] += c; h[3] += d; h[4] += e;
    }
    for (int i = 0; i < 20; i++)
        out[i] = (uint8_t)(h[i / 4] >> (24 - 8 * (i % 4)));
}

static void upgrade(conn *c, const char *key)
{
    static const char b64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char text[61], reply[160], acc[29];
    uint8_t md[21] = { 0 };
    memcpy(text, key, 24);
    memcpy(text + 24, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11", 36);
    sha1((uint8_t *)text, 60, md);
    for (int i = 0; i < 7; i++) {
        uint32_t v = (uint32_t)md[3 * i] << 16 | (uint32_t)md[3 * i + 1] << 8 | md[3 * i + 2];
        for (int k = 0; k < 4; k++)
            acc[4 * i + k] = b64[v >> (18 - 6 * k) & 63];
    }
    acc[27] = '=';
    acc[28] = 0;
    int n = snprintf(reply, sizeof reply, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n", acc);
    put(c, reply, (size_t)n);
}

static const char *field(const char *p, const char *end, const char *name)
{
    size_t n = strlen(name);
    for (; p + n < end; p++) {
        p = memchr(p, '\n', (size_t)(end - p));
        if (!p || p + n + 2 >= end)
            return NULL;
        if (!strncasecmp(p + 1, name, n)) {
            p += n + 1;
            while (*p == ' ')
                p++;
            return p;
        }
    }
    return NULL;
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
        publish(lookup(path + 5, pn - 5, false), p + hn, len);
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

int main(int argc, char **argv)
{
    int port = argc > 1 ? atoi(argv[1]) : 7000, one = 1;
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
        int n = epoll_wait(ep, ev, 512, -1);
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
        if (graves)
            bury();
    }
}
