/* SPDX-License-Identifier: Apache-2.0 */
/* ------------------------------------------------------------------ 8. publisher */

enum { L_DOWN, L_CONNECT, L_TLS, L_HEAD, L_READY_WAIT, L_UP };

typedef struct {
    int fd, st;
    uint32_t id, next_c;
    SSL *ssl;
    buf in, out;
    size_t out_off;
    bool want_out, closing;
    uint32_t inflight, head; /* ring of requests waiting for their response */
    struct { uint64_t t; uint32_t n, fan; } ring[MAX_DEPTH]; /* messages in it, deliveries owed for it */
    uint32_t reconnects;
} lane;

static struct {
    lane *lane;
    int ep, timer;
    uint64_t *seq;           /* last number of each channel */
    uint64_t sent, ok, failed, expected, acked_fan, connects, stalls, late;
    uint64_t window_base;    /* forgiven losses (window mode) */
    uint32_t status[600];
    uint64_t t0, t1, t_last_ok;
    double max_lag_ms;
    hist lat;
    char sample_error[200];
    buf payload, body, req, sign;
    bool order_checked;
} pub;

static void lane_interest(lane *l)
{
    bool want = l->st == L_CONNECT || l->out.n > l->out_off;
    if (want == l->want_out && l->st != L_CONNECT)
        return;
    l->want_out = want;
    struct epoll_event e = { .events = EPOLLIN | (want ? EPOLLOUT : 0u), .data.ptr = l };
    epoll_ctl(pub.ep, EPOLL_CTL_MOD, l->fd, &e);
}

static void lane_open(lane *l)
{
    l->fd = tcp_start(&opt.pub, opt.bind_src ? 200 + l->id % 50 : 0);
    if (l->fd < 0) {
        if (!pub.sample_error[0])
            snprintf(pub.sample_error, sizeof pub.sample_error, "connect: %s", strerror(errno));
        l->st = L_DOWN;
        return;
    }
    pub.connects++;
    l->st = L_CONNECT;
    l->closing = false;
    l->want_out = true;
    struct epoll_event e = { .events = EPOLLIN | EPOLLOUT, .data.ptr = l };
    epoll_ctl(pub.ep, EPOLL_CTL_ADD, l->fd, &e);
}

static void lane_down(lane *l)
{
    if (l->ssl) {
        SSL_free(l->ssl);
        l->ssl = NULL;
    }
    if (l->fd >= 0)
        close(l->fd);
    l->fd = -1;
    l->st = L_DOWN;
    l->in.n = l->out.n = l->out_off = 0;
    /* whatever had no answer is counted as failed */
    for (; l->inflight; l->inflight--) {
        pub.failed += l->ring[l->head].n;
        pub.expected -= l->ring[l->head].fan;
        l->head = (l->head + 1) % opt.depth;
    }
}

static void lane_flush(lane *l)
{
    while (l->out_off < l->out.n) {
        ssize_t r = io_write(l->fd, l->ssl, l->out.p + l->out_off, l->out.n - l->out_off);
        if (r == IO_AGAIN)
            break;
        if (r <= 0) {
            lane_down(l);
            return;
        }
        l->out_off += (size_t)r;
    }
    if (l->out_off == l->out.n)
        l->out.n = l->out_off = 0;
    lane_interest(l);
}

static void lane_ready(lane *l)
{
    l->st = L_UP;
}

static void lane_connected(lane *l) /* TCP (and TLS) is up */
{
    if (!opt.pub.ws) {
        l->out.n = l->out_off = 0;
        lane_ready(l);
        lane_interest(l);
        return;
    }
    tctx x = { .i = l->id, .c = l->id % opt.channels, .p = l->id };
    ws_request(&l->out, &opt.pub, UINT64_C(1) << 40 | l->id, opt.pub_subproto, opt.pub_header, opt.n_pub_header, &x);
    l->st = L_HEAD;
    lane_flush(l);
}

static void lane_done(lane *l, bool ok, uint64_t now) /* one response or acknowledgement */
{
    if (!l->inflight)
        return;
    uint64_t t = l->ring[l->head].t;
    uint32_t n = l->ring[l->head].n, fan = l->ring[l->head].fan;
    l->head = (l->head + 1) % opt.depth;
    l->inflight--;
    if (ok) {
        pub.ok += n;
        pub.t_last_ok = now;
        if (t >= atomic_load(&g_measure_from))
            hist_add(&pub.lat, now - t);
    } else {
        pub.failed += n;
        pub.expected -= fan;
    }
}

/* Length of the first whole HTTP response in [p, p+n), 0 when incomplete, -1 when invalid. */
static ssize_t response_len(const char *p, size_t n, int *status, bool *close_after)
{
    const char *e = memmem(p, n, "\r\n\r\n", 4), *v;
    size_t vl, h;
    if (!e)
        return n > 65536 ? -1 : 0;
    e += 4;
    h = (size_t)(e - p);
    if (n < 12 || memcmp(p, "HTTP/1.", 7))
        return -1;
    *status = atoi(p + 9);
    v = header_value(p, e, "Connection", &vl);
    *close_after = (v && has_token(v, vl, "close")) || (p[7] == '0' && !(v && has_token(v, vl, "keep-alive")));
    if (*status == 204 || *status == 304 || *status / 100 == 1)
        return (ssize_t)h;
    v = header_value(p, e, "Transfer-Encoding", &vl);
    if (v && has_token(v, vl, "chunked")) {
        size_t i = h;
        for (;;) {
            const char *nl = i < n ? memchr(p + i, '\n', n - i) : NULL;
            if (!nl)
                return 0;
            uint64_t k = strtoull(p + i, NULL, 16);
            if (k > MAX_MSG)
                return -1;
            i = (size_t)(nl - p) + 1;
            if (!k) { /* trailers up to a blank line */
                const char *t = p + i;
                while (t < p + n) {
                    const char *q = memchr(t, '\n', (size_t)(p + n - t));
                    if (!q)
                        return 0;
                    if (q - t <= 1)
                        return q + 1 - p;
                    t = q + 1;
                }
                return 0;
            }
            i += (size_t)k + 2;
            if (i > n)
                return 0;
        }
    }
    v = header_value(p, e, "Content-Length", &vl);
    if (v) {
        uint64_t k = strtoull(v, NULL, 10);
        if (k > MAX_MSG)
            return -1;
        return h + k <= n ? (ssize_t)(h + k) : 0;
    }
    *close_after = true; /* the body ends with the connection; its content is of no interest */
    return (ssize_t)h;
}

static void lane_readable(lane *l)
{
    for (;;) {
        buf_room(&l->in, 16384);
        ssize_t r = io_read(l->fd, l->ssl, l->in.p + l->in.n, l->in.cap - l->in.n);
        if (r == IO_AGAIN)
            return;
        if (r <= 0) {
            lane_down(l);
            return;
        }
        l->in.n += (size_t)r;
        uint64_t now = mono_ns();
        size_t used = 0;
        if (l->st == L_HEAD) {
            char *e = memmem(l->in.p, l->in.n, "\r\n\r\n", 4);
            if (!e)
                continue;
            if (l->in.n < 12 || atoi(l->in.p + 9) != 101) {
                snprintf(pub.sample_error, sizeof pub.sample_error, "%.*s", (int)(l->in.n < 190 ? l->in.n : 190), l->in.p);
                lane_down(l);
                return;
            }
            used = (size_t)(e + 4 - l->in.p);
            l->st = L_READY_WAIT;
            for (int i = 0; i < opt.n_pub_send_open; i++) {
                buf text = { 0 };
                tctx x = { .i = l->id, .c = l->id % opt.channels, .p = l->id, .ts = now };
                tmpl_expand(&text, &opt.pub_send_open[i], &x);
                ws_put(&l->out, opt.pub_binary ? 2 : 1, text.p, text.n);
                free(text.p);
            }
            if (!opt.pub_ready)
                lane_ready(l);
            lane_flush(l);
            if (l->fd < 0)
                return;
        }
        if (opt.pub.ws) {
            ws_frame f;
            ssize_t k;
            while ((k = ws_next((uint8_t *)l->in.p + used, l->in.n - used, &f)) > 0) {
                used += (size_t)k;
                if (f.op == 9) {
                    ws_put(&l->out, 10, f.p, f.n);
                    lane_flush(l);
                    if (l->fd < 0)
                        return;
                } else if (f.op == 8) {
                    lane_down(l);
                    return;
                } else if (f.op < 3) {
                    if (l->st == L_READY_WAIT && memmem(f.p, f.n, opt.pub_ready, strlen(opt.pub_ready)))
                        lane_ready(l);
                    else if (opt.pub_ack && memmem(f.p, f.n, opt.pub_ack, strlen(opt.pub_ack)))
                        lane_done(l, true, now);
                    for (int i = 0; i < opt.n_reply; i++) {
                        size_t ml = strlen(opt.reply[i].match);
                        if (f.n >= ml && !memcmp(f.p, opt.reply[i].match, ml)) {
                            ws_put(&l->out, 1, opt.reply[i].text, strlen(opt.reply[i].text));
                            lane_flush(l);
                            if (l->fd < 0)
                                return;
                        }
                    }
                }
            }
            if (k < 0) {
                lane_down(l);
                return;
            }
        } else {
            for (;;) {
                int status = 0;
                bool close_after = false;
                ssize_t k = response_len(l->in.p + used, l->in.n - used, &status, &close_after);
                if (k < 0) {
                    lane_down(l);
                    return;
                }
                if (!k)
                    break;
                if (status == 100) {
                    used += (size_t)k;
                    continue;
                }
                bool ok = status / 100 == 2;
                pub.status[status > 0 && status < 600 ? status : 0]++;
                if (!ok && !pub.sample_error[0])
                    snprintf(pub.sample_error, sizeof pub.sample_error, "%.*s",
                             (int)(l->in.n - used < 190 ? l->in.n - used : 190), l->in.p + used);
                used += (size_t)k;
                lane_done(l, ok, now);
                if (close_after || !opt.keepalive) {
                    lane_down(l);
                    return;
                }
            }
        }
        if (used) {
            memmove(l->in.p, l->in.p + used, l->in.n - used);
            l->in.n -= used;
        }
    }
}
