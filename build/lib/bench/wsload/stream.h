/* SPDX-License-Identifier: Apache-2.0 */
/* A whole message of a WebSocket subscriber. False when the connection died. */
static bool sub_message(sthread *t, sub *s, const uint8_t *p, size_t n, uint64_t now)
{
    uint64_t ts, seq;
    uint32_t chan;
    int m = find_mark(p, n, &ts, &seq, &chan);
    if (m > 0) {
        sub_record(t, s, now, ts, seq, chan);
        return true;
    }
    if (m < 0)
        t->foreign++;
    else
        t->unmarked++;
    for (int i = 0; i < opt.n_reply; i++) {
        size_t ml = strlen(opt.reply[i].match);
        if (n >= ml && !memcmp(p, opt.reply[i].match, ml)) {
            t->pings++;
            tmpl r = tmpl_compile(opt.reply[i].text);
            bool ok = sub_send_text(t, s, &r);
            free(r.ops);
            if (!ok)
                return false;
        }
    }
    if (s->st == S_READY_WAIT && memmem(p, n, opt.ready, strlen(opt.ready)))
        sub_opened(t, s);
    return true;
}

/* Returns the bytes used, or -1 when the connection is to be given up. */
static ssize_t sub_parse_ws(sthread *t, sub *s, uint8_t *p, size_t n, uint64_t now)
{
    size_t used = 0;
    ws_frame f;
    for (;;) {
        ssize_t r = ws_next(p + used, n - used, &f);
        if (r < 0)
            return -1;
        if (!r)
            return (ssize_t)used;
        used += (size_t)r;
        if (f.op == 1 || f.op == 2 || f.op == 0) {
            if (f.op == 0 ? !s->frag_op : s->frag_op != 0)
                return -1; /* a continuation of nothing, or a message inside another */
            if (f.fin && f.op) {
                if (!sub_message(t, s, f.p, f.n, now))
                    return -1;
            } else {
                if (f.op)
                    s->frag_op = f.op;
                if (s->frag.n + f.n > MAX_MSG)
                    return -1;
                buf_put(&s->frag, f.p, f.n);
                if (f.fin) {
                    bool ok = sub_message(t, s, (uint8_t *)s->frag.p, s->frag.n, now);
                    s->frag.n = 0;
                    s->frag_op = 0;
                    if (!ok)
                        return -1;
                }
            }
        } else if (f.op == 9) {
            t->pings++;
            buf pong = { 0 };
            ws_put(&pong, 10, f.p, f.n);
            bool ok = sub_send(t, s, pong.p, pong.n);
            free(pong.p);
            if (!ok)
                return -1;
        } else if (f.op == 8) {
            return -1;
        } else if (f.op != 10) {
            return -1;
        }
    }
}

/* Undo the chunked transfer coding in place; the state lives in `s`. */
static ssize_t dechunk(sub *s, uint8_t *p, size_t n)
{
    size_t out = 0;
    for (size_t i = 0; i < n;) {
        uint8_t c = p[i];
        switch (s->cstate) {
        case 0: /* size line */
            i++;
            if (c == '\n') {
                s->cstate = s->cleft ? 2 : 4;
            } else if (c == ';') {
                s->cstate = 1;
            } else if (isxdigit(c)) {
                s->cleft = s->cleft << 4 | (uint64_t)(c <= '9' ? c - '0' : (c | 32) - 'a' + 10);
                if (s->cleft > MAX_MSG)
                    return -1;
            } else if (c != '\r') {
                return -1;
            }
            break;
        case 1: /* extension: up to the end of the line */
            i++;
            if (c == '\n')
                s->cstate = s->cleft ? 2 : 4;
            break;
        case 2: { /* data */
            size_t k = n - i < s->cleft ? n - i : (size_t)s->cleft;
            memmove(p + out, p + i, k);
            out += k;
            i += k;
            s->cleft -= k;
            if (!s->cleft)
                s->cstate = 3;
            break;
        }
        case 3: /* CRLF after the data */
            i++;
            if (c == '\n')
                s->cstate = 0;
            break;
        default: /* last chunk seen: the stream is over */
            return -1;
        }
    }
    return (ssize_t)out;
}

static ssize_t sub_parse_sse(sthread *t, sub *s, uint8_t *p, size_t n, uint64_t now)
{
    uint8_t *at = p, *end = p + n, *nl;
    while (at < end && (nl = memchr(at, '\n', (size_t)(end - at)))) {
        size_t len = (size_t)(nl - at);
        if (len && at[len - 1] == '\r')
            len--;
        if (!len) { /* blank line: dispatch */
            if (s->has_data == 1)
                sub_record(t, s, now, s->p_ts, s->p_seq, s->p_chan);
            else if (s->has_data == 2)
                t->unmarked++;
            s->has_data = 0;
        } else if (len > 5 && !memcmp(at, "data:", 5)) {
            if (s->has_data != 1) {
                int m = find_mark(at + 5, len - 5, &s->p_ts, &s->p_seq, &s->p_chan);
                if (m < 0)
                    t->foreign++;
                s->has_data = m > 0 ? 1 : m < 0 ? 3 : 2;
            }
            if (s->st == S_READY_WAIT && memmem(at + 5, len - 5, opt.ready, strlen(opt.ready)))
                sub_opened(t, s);
        }
        at = nl + 1;
    }
    return at - p;
}

/* The response head. Returns its length, 0 when incomplete, -1 - E_... on refusal. */
static ssize_t sub_head(sthread *t, sub *s, const uint8_t *p, size_t n)
{
    const char *h = (const char *)p, *e = memmem(h, n, "\r\n\r\n", 4), *v;
    size_t vl;
    if (!e)
        return n > 65536 ? -1 - E_PROTOCOL : 0;
    e += 4;
    int status = n > 12 && !memcmp(h, "HTTP/1.", 7) ? atoi(h + 9) : 0;
    if (status < 0 || status > 599)
        status = 0;
    t->status[status]++;
    if (status != (opt.sub.ws ? 101 : 200)) {
        if (!t->sample_error[0])
            snprintf(t->sample_error, sizeof t->sample_error, "%.*s", (int)(n < 190 ? n : 190), h);
        return -1 - E_STATUS;
    }
    if (opt.sub.ws) {
        char want[29];
        ws_accept(s->id, want);
        v = header_value(h, e, "Sec-WebSocket-Accept", &vl);
        if (!v || vl != 28 || memcmp(v, want, 28))
            return -1 - E_PROTOCOL;
    } else {
        v = header_value(h, e, "Content-Type", &vl);
        if (!has_token(v, v ? vl : 0, "text/event-stream"))
            return -1 - E_PROTOCOL;
        v = header_value(h, e, "Transfer-Encoding", &vl);
        s->chunked = v && has_token(v, vl, "chunked");
    }
    return e - h;
}

static void sub_readable(sthread *t, sub *s)
{
    do {
        size_t keep = s->in.n;
        if (t->rcap < keep + 65536) {
            t->rcap = (keep + 65536) * 2;
            t->rbuf = xrealloc(t->rbuf, t->rcap);
        }
        uint8_t *b = t->rbuf;
        ssize_t r = io_read(s->fd, s->ssl, b + keep, t->rcap - keep);
        t->recvs++;
        if (r == IO_AGAIN)
            return;
        if (r <= 0) {
            sub_fail(t, s, E_EARLY_CLOSE);
            return;
        }
        uint64_t now = mono_ns();
        t->bytes += (uint64_t)r;
        size_t n = (size_t)r, used = 0;
        if (keep)
            memcpy(b, s->in.p, keep);
        if (s->st == S_HEAD) {
            n += keep;
            keep = 0;
            ssize_t h = sub_head(t, s, b, n);
            if (h < 0) {
                sub_fail(t, s, (int)(-1 - h));
                return;
            }
            if (h) {
                used = (size_t)h;
                if (opt.ready)
                    s->st = S_READY_WAIT;
                else
                    sub_opened(t, s);
                for (int i = 0; i < opt.n_send_open && opt.sub.ws; i++)
                    if (!sub_send_text(t, s, &opt.send_open[i])) {
                        sub_fail(t, s, E_EARLY_CLOSE);
                        return;
                    }
            }
        }
        if (s->st >= S_READY_WAIT) {
            if (s->chunked) { /* the kept bytes are already decoded, the new ones are not */
                ssize_t d = dechunk(s, b + used + keep, n - used);
                if (d < 0) {
                    sub_fail(t, s, E_EARLY_CLOSE);
                    return;
                }
                n = used + (size_t)d;
            }
            n += keep;
            ssize_t u = opt.sub.ws ? sub_parse_ws(t, s, b + used, n - used, now)
                                   : sub_parse_sse(t, s, b + used, n - used, now);
            if (u < 0) {
                sub_fail(t, s, E_PROTOCOL);
                return;
            }
            used += (size_t)u;
        }
        s->in.n = 0;
        if (n > used)
            buf_put(&s->in, b + used, n - used);
        else if (s->in.cap > 4096) {
            free(s->in.p);
            s->in = (buf){ 0 };
        }
    } while (s->ssl && SSL_pending(s->ssl) > 0);
}

static void sub_event(sthread *t, sub *s, uint32_t ev)
{
    if (s->fd < 0)
        return;
    if (s->st == S_CONNECT) {
        int e = 0;
        socklen_t l = sizeof e;
        getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &e, &l);
        if (e) {
            if (!t->sample_error[0])
                snprintf(t->sample_error, sizeof t->sample_error, "connect: %s", strerror(e));
            sub_fail(t, s, E_CONNECT);
            return;
        }
        s->ssl = tls_start(&opt.sub, s->fd);
        if (!s->ssl) {
            sub_request(t, s);
            return;
        }
        s->st = S_TLS;
        sub_interest(t, s, EPOLLIN);
    }
    if (s->st == S_TLS) {
        int r = tls_step(s->ssl);
        if (r < 0)
            sub_fail(t, s, E_TLS);
        else if (r)
            sub_request(t, s);
        return;
    }
    if (ev & EPOLLOUT && s->out.n) {
        ssize_t r = io_write(s->fd, s->ssl, s->out.p, s->out.n);
        if (r == IO_FAIL) {
            sub_fail(t, s, E_EARLY_CLOSE);
            return;
        }
        if (r > 0) {
            memmove(s->out.p, s->out.p + r, s->out.n - (size_t)r);
            s->out.n -= (size_t)r;
        }
        if (!s->out.n)
            sub_interest(t, s, EPOLLIN);
    }
    if (ev & (EPOLLIN | EPOLLHUP | EPOLLERR))
        sub_readable(t, s);
}

static void *sub_thread(void *arg)
{
    sthread *t = arg;
    struct epoll_event ev[512];
    uint64_t last_scan = 0;
    while (!atomic_load_explicit(&g_stop, memory_order_relaxed)) {
        int timeout = 100;
        if (t->next < t->hi) {
            uint64_t now = mono_ns();
            uint32_t may = t->hi - t->lo;
            if (opt.ramp > 0) {
                double due = (double)(now - connect_t0) / 1e9 * opt.ramp / opt.threads + 1;
                if (due < may)
                    may = (uint32_t)due;
            }
            uint32_t cap = opt.inflight / opt.threads + 1;
            while (t->next < t->hi && t->next - t->lo < may && t->inflight < cap)
                sub_start(t, &subs[t->next++]);
            timeout = t->next < t->hi && t->inflight < cap ? 1 : 20;
        }
        int n = epoll_wait(t->ep, ev, 512, timeout);
        t->waits++;
        for (int i = 0; i < n; i++)
            sub_event(t, ev[i].data.ptr, ev[i].events);
        if (t->batch) {
            uint64_t total = atomic_fetch_add(&g_delivered, t->batch) + t->batch;
            t->batch = 0;
            uint64_t at = atomic_load(&g_wake_at);
            if (total >= at && atomic_compare_exchange_strong(&g_wake_at, &at, UINT64_MAX))
                eventfd_write(wake_fd, 1);
        }
        if (t->inflight) {
            uint64_t now = mono_ns();
            if (now - last_scan > 500000000u) {
                last_scan = now;
                for (uint32_t i = t->lo; i < t->next; i++) {
                    sub *s = &subs[i];
                    if (s->st > S_IDLE && s->st < S_OPEN && (double)(now - s->t_start) / 1e9 > opt.connect_timeout)
                        sub_fail(t, s, E_TIMEOUT);
                }
            }
        }
    }
    return NULL;
}
