/* SPDX-License-Identifier: Apache-2.0 */
/* ------------------------------------------------------------------ 7. subscribers */

enum { S_IDLE, S_CONNECT, S_TLS, S_HEAD, S_READY_WAIT, S_OPEN, S_CLOSED, S_FAILED };

typedef struct {
    int fd;
    uint8_t st, chunked, cstate, has_data, frag_op;
    uint32_t id, chan;
    SSL *ssl;
    buf in;            /* bytes of an incomplete frame or line */
    buf out;           /* bytes the socket would not take yet (rare) */
    buf frag;          /* a fragmented message */
    uint64_t cleft;    /* bytes left in the HTTP chunk */
    uint64_t max_seq, window, t_start;
    uint64_t p_ts, p_seq; /* mark of the SSE event being read */
    uint32_t p_chan;
} sub;

enum { E_CONNECT, E_TLS, E_TIMEOUT, E_STATUS, E_PROTOCOL, E_EARLY_CLOSE, E_KINDS };
static const char *const err_names[E_KINDS] = { "connect", "tls", "timeout", "status", "protocol", "early_close" };

typedef struct {
    pthread_t tid;
    int ep, index;
    uint32_t lo, hi, next, inflight;
    uint8_t *rbuf;
    size_t rcap;
    /* results; the main thread reads them after the join or as plain gauges */
    _Atomic uint32_t opened, failed, dropped;
    uint64_t received, dups, disorder, misrouted, foreign, unmarked, bytes, recvs, waits;
    uint64_t batch, pings;
    uint32_t err[E_KINDS], status[600];
    char sample_error[200];
    uint64_t last_delivery;
    hist lat, handshake;
} __attribute__((aligned(128))) sthread;

static sub *subs;
static sthread *threads;
static _Atomic uint32_t *chan_subs;      /* open subscribers of each channel */
static _Atomic uint64_t g_delivered;     /* all threads, without duplicates */
static _Atomic uint64_t g_wake_at;       /* the publisher sleeps until g_delivered gets here */
static _Atomic uint64_t g_measure_from;  /* messages sent before are not in the histogram */
static _Atomic bool g_stop;
static int wake_fd = -1;
static uint64_t connect_t0;

static void sub_close(sub *s, uint8_t st)
{
    if (s->ssl) {
        SSL_free(s->ssl);
        s->ssl = NULL;
    }
    if (s->fd >= 0) {
        if (!opt.clean_close) { /* RST: leaves no TIME_WAIT behind for the next run */
            struct linger l = { 1, 0 };
            setsockopt(s->fd, SOL_SOCKET, SO_LINGER, &l, sizeof l);
        }
        close(s->fd);
        s->fd = -1;
    }
    free(s->in.p);
    free(s->out.p);
    free(s->frag.p);
    s->in = s->out = s->frag = (buf){ 0 };
    s->st = st;
}

static void sub_fail(sthread *t, sub *s, int kind)
{
    if (s->st == S_OPEN) {
        atomic_fetch_add(&t->dropped, 1);
        atomic_fetch_sub(&chan_subs[s->chan], 1);
        sub_close(s, S_CLOSED);
        return;
    }
    t->err[kind]++;
    t->inflight--;
    atomic_fetch_add(&t->failed, 1);
    sub_close(s, S_FAILED);
}

static void sub_interest(sthread *t, sub *s, uint32_t ev)
{
    struct epoll_event e = { .events = ev, .data.ptr = s };
    epoll_ctl(t->ep, EPOLL_CTL_MOD, s->fd, &e);
}

/* Send, keeping what the socket does not take. False when the connection is dead. */
static bool sub_send(sthread *t, sub *s, const void *p, size_t n)
{
    size_t done = 0;
    if (!s->out.n) {
        ssize_t r = io_write(s->fd, s->ssl, p, n);
        if (r == IO_FAIL)
            return false;
        if (r > 0)
            done = (size_t)r;
    }
    if (done < n) {
        buf_put(&s->out, (const char *)p + done, n - done);
        sub_interest(t, s, EPOLLIN | EPOLLOUT);
    }
    return true;
}

static bool sub_send_text(sthread *t, sub *s, const tmpl *m)
{
    buf text = { 0 }, frame = { 0 };
    tctx x = { .i = s->id, .c = s->chan, .ts = mono_ns() };
    tmpl_expand(&text, m, &x);
    ws_put(&frame, opt.send_binary ? 2 : 1, text.p, text.n);
    bool ok = sub_send(t, s, frame.p, frame.n);
    free(text.p);
    free(frame.p);
    return ok;
}

static void request_head(buf *b, const target *t, const char *method, const tctx *x)
{
    buf_puts(b, method);
    buf_puts(b, " ");
    tmpl_expand(b, &t->path, x);
    buf_puts(b, " HTTP/1.1\r\nHost: ");
    buf_puts(b, t->hostport);
    buf_puts(b, "\r\n");
}

static void ws_request(buf *b, const target *t, uint64_t key_id, const char *subproto, const tmpl *h, int nh, const tctx *x)
{
    char key[25];
    request_head(b, t, "GET", x);
    ws_key(key_id, key);
    buf_puts(b, "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ");
    buf_puts(b, key);
    buf_puts(b, "\r\n");
    if (subproto) {
        buf_puts(b, "Sec-WebSocket-Protocol: ");
        buf_puts(b, subproto);
        buf_puts(b, "\r\n");
    }
    for (int i = 0; i < nh; i++) {
        tmpl_expand(b, &h[i], x);
        buf_puts(b, "\r\n");
    }
    buf_puts(b, "\r\n");
}

static void sub_request(sthread *t, sub *s)
{
    buf b = { 0 };
    tctx x = { .i = s->id, .c = s->chan };
    if (opt.sub.ws) {
        ws_request(&b, &opt.sub, s->id, opt.subproto, opt.header, opt.n_header, &x);
    } else {
        request_head(&b, &opt.sub, "GET", &x);
        buf_puts(&b, "Accept: text/event-stream\r\nCache-Control: no-cache\r\n");
        for (int i = 0; i < opt.n_header; i++) {
            tmpl_expand(&b, &opt.header[i], &x);
            buf_puts(&b, "\r\n");
        }
        buf_puts(&b, "\r\n");
    }
    s->st = S_HEAD;
    sub_interest(t, s, EPOLLIN);
    if (!sub_send(t, s, b.p, b.n))
        sub_fail(t, s, E_EARLY_CLOSE);
    free(b.p);
}

static void sub_start(sthread *t, sub *s)
{
    s->t_start = mono_ns();
    t->inflight++;
    s->fd = tcp_start(&opt.sub, opt.bind_src ? 1 + s->id / opt.per_addr : 0);
    if (s->fd < 0) {
        if (!t->sample_error[0])
            snprintf(t->sample_error, sizeof t->sample_error, "connect: %s", strerror(errno));
        s->st = S_CONNECT;
        sub_fail(t, s, E_CONNECT);
        return;
    }
    s->st = S_CONNECT;
    struct epoll_event e = { .events = EPOLLOUT, .data.ptr = s };
    epoll_ctl(t->ep, EPOLL_CTL_ADD, s->fd, &e);
}

static void sub_opened(sthread *t, sub *s)
{
    s->st = S_OPEN;
    t->inflight--;
    hist_add(&t->handshake, mono_ns() - s->t_start);
    atomic_fetch_add(&chan_subs[s->chan], 1);
    atomic_fetch_add(&t->opened, 1);
}

static uint64_t number(const uint8_t **p, const uint8_t *end)
{
    uint64_t v = 0;
    while (*p < end && **p >= '0' && **p <= '9')
        v = v * 10 + (uint64_t)(*(*p)++ - '0');
    return v;
}

/* Find the mark in a message. 1 found, 0 none, -1 one of another run. */
static int find_mark(const uint8_t *p, size_t n, uint64_t *ts, uint64_t *seq, uint32_t *chan)
{
    const uint8_t *end = p + n;
    if (opt.ts_key) { /* --ts-key/--seq-key: digits somewhere after a literal */
        const uint8_t *a = memmem(p, n, opt.ts_key, strlen(opt.ts_key));
        const uint8_t *b = opt.seq_key ? memmem(p, n, opt.seq_key, strlen(opt.seq_key)) : NULL;
        if (!a)
            return 0;
        for (a += strlen(opt.ts_key); a < end && !isdigit(*a);)
            a++;
        *ts = number(&a, end);
        *seq = 0;
        if (b) {
            for (b += strlen(opt.seq_key); b < end && !isdigit(*b);)
                b++;
            *seq = number(&b, end);
        }
        *chan = UINT32_MAX;
        return 1;
    }
    while ((p = memchr(p, '@', (size_t)(end - p)))) {
        if (end - p < 18)
            return 0;
        if (p[1] == '@') {
            if (memcmp(p + 2, names.run, 8))
                return p[10] == '.' ? -1 : 0;
            p += 11;
            *ts = number(&p, end);
            p++;
            *seq = number(&p, end);
            p++;
            *chan = (uint32_t)number(&p, end);
            return 1;
        }
        p++;
    }
    return 0;
}

static void sub_record(sthread *t, sub *s, uint64_t now, uint64_t ts, uint64_t seq, uint32_t chan)
{
    if (chan != s->chan && chan != UINT32_MAX) {
        t->misrouted++;
        return;
    }
    t->received++;
    /* Anti-replay style window: the 64 numbers up to the highest one seen. */
    if (seq > s->max_seq) {
        uint64_t d = seq - s->max_seq;
        s->window = d < 64 ? s->window << d | 1 : 1;
        s->max_seq = seq;
    } else {
        uint64_t d = s->max_seq - seq;
        if (d < 64 && s->window >> d & 1) {
            t->dups++;
            return;
        }
        if (d < 64)
            s->window |= UINT64_C(1) << d;
        t->disorder++;
    }
    t->batch++;
    if (ts >= atomic_load_explicit(&g_measure_from, memory_order_relaxed))
        hist_add(&t->lat, now > ts ? now - ts : 0);
    t->last_delivery = now;
}
