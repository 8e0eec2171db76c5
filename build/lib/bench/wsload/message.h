/* SPDX-License-Identifier: Apache-2.0 */
static void lane_event(lane *l, uint32_t ev)
{
    if (l->fd < 0)
        return;
    if (l->st == L_CONNECT) {
        int e = 0;
        socklen_t n = sizeof e;
        getsockopt(l->fd, SOL_SOCKET, SO_ERROR, &e, &n);
        if (e) {
            if (!pub.sample_error[0])
                snprintf(pub.sample_error, sizeof pub.sample_error, "connect: %s", strerror(e));
            lane_down(l);
            return;
        }
        l->ssl = tls_start(&opt.pub, l->fd);
        if (!l->ssl) {
            l->st = L_HEAD; /* lane_connected() sets the real one */
            lane_connected(l);
            return;
        }
        l->st = L_TLS;
        lane_interest(l);
    }
    if (l->st == L_TLS) {
        int r = tls_step(l->ssl);
        if (r < 0)
            lane_down(l);
        else if (r)
            lane_connected(l);
        return;
    }
    if (ev & EPOLLOUT)
        lane_flush(l);
    if (l->fd >= 0 && ev & (EPOLLIN | EPOLLHUP | EPOLLERR))
        lane_readable(l);
}

/* Messages that go out in one request. */
typedef struct {
    uint32_t n, fan; /* how many; what they come to in deliveries */
    uint32_t channel[MAX_BATCH];
} batch;

/* Expand payload and body of one message, behind those that are in pub.body. */
static void body_add(tctx x)
{
    pub.payload.n = 0;
    tmpl_expand(&pub.payload, &opt.payload, &x);
    if (pub.payload.n < opt.size && opt.payload.uses & 1u << V_PAD) {
        x.pad = opt.size - pub.payload.n;
        pub.payload.n = 0;
        tmpl_expand(&pub.payload, &opt.payload, &x);
    }
    x.payload = &pub.payload;
    tmpl_expand(&pub.body, &opt.pub_body, &x);
}

/* Expand bodies, signature and request; what the request says of a channel is of the first. */
static void message_build(lane *l, const batch *m, uint64_t ts)
{
    struct timespec rt;
    clock_gettime(CLOCK_REALTIME, &rt);
    tctx x = { .i = l->id, .c = m->channel[0], .p = l->id, .ts = ts, .seq = pub.seq[m->channel[0]] + 1,
               .unix_ms = (uint64_t)rt.tv_sec * 1000 + (uint64_t)rt.tv_nsec / 1000000 };
    char sig[65] = "", sig64[48] = "";

    pub.body.n = 0;
    for (uint32_t k = 0; k < m->n; k++) {
        tctx one = x;
        one.c = m->channel[k];
        one.seq = ++pub.seq[one.c];
        if (opt.batch)
            buf_puts(&pub.body, k ? "," : "[");
        body_add(one);
    }
    if (opt.batch)
        buf_puts(&pub.body, "]");
    x.payload = &pub.payload;
    x.body = &pub.body;
    if (opt.sign_key) {
        unsigned char mac[32];
        unsigned int n = 32;
        pub.sign.n = 0;
        tmpl_expand(&pub.sign, &opt.sign_string, &x);
        HMAC(EVP_sha256(), opt.sign_key, (int)strlen(opt.sign_key), (unsigned char *)pub.sign.p, pub.sign.n, mac, &n);
        hex(sig, mac, 32);
        EVP_EncodeBlock((unsigned char *)sig64, mac, 32);
        x.sig = sig;
        x.sig_b64 = sig64;
    }
    if (opt.pub.ws) {
        ws_put(&l->out, opt.pub_binary ? 2 : 1, pub.body.p, pub.body.n);
        return;
    }
    request_head(&l->out, &opt.pub, opt.pub_method, &x);
    for (int i = 0; i < opt.n_pub_header; i++) {
        tmpl_expand(&l->out, &opt.pub_header[i], &x);
        buf_puts(&l->out, "\r\n");
    }
    if (!opt.keepalive)
        buf_puts(&l->out, "Connection: close\r\n");
    buf_puts(&l->out, "Content-Length: ");
    buf_u64(&l->out, pub.body.n);
    buf_puts(&l->out, "\r\n\r\n");
    buf_put(&l->out, pub.body.p, pub.body.n);
}

static bool lane_can(const lane *l)
{
    if (l->st != L_UP)
        return false;
    if (opt.pub.ws && !opt.pub_ack) /* no acknowledgements: the socket's appetite decides */
        return l->out.n - l->out_off < 65536;
    return l->inflight < opt.depth && (opt.keepalive || !l->inflight);
}

static void message_send(lane *l, const batch *m)
{
    uint64_t ts = mono_ns();
    message_build(l, m, ts);
    pub.sent += m->n;
    pub.expected += m->fan;
    if (opt.pub.ws && !opt.pub_ack) {
        pub.ok += m->n;
        pub.t_last_ok = ts;
    } else {
        uint32_t at = (l->head + l->inflight++) % opt.depth;
        l->ring[at].t = ts;
        l->ring[at].n = m->n;
        l->ring[at].fan = m->fan;
    }
    lane_flush(l);
}

static void batch_add(batch *m, uint32_t c)
{
    m->channel[m->n++] = c;
    m->fan += opt.subs ? atomic_load_explicit(&chan_subs[c], memory_order_relaxed) : 0;
}

static bool enough(void)
{
    return opt.max_msgs && pub.sent >= opt.max_msgs;
}

/* Messages of the next request; not when enough(). */
static uint32_t batch_size(void)
{
    uint32_t n = opt.batch ? opt.batch : 1;
    return opt.max_msgs && opt.max_msgs - pub.sent < n ? (uint32_t)(opt.max_msgs - pub.sent) : n;
}

/* The next request of a lane in closed mode: channels go round within each lane. */
static void next_of_lane(lane *l, batch *m)
{
    m->n = m->fan = 0;
    for (uint32_t left = batch_size(); left; left--) {
        batch_add(m, l->next_c);
        uint32_t c = l->next_c + opt.lanes;
        if (opt.channels >= opt.lanes)
            l->next_c = c < opt.channels ? c : l->id;
        else
            l->next_c = c % opt.channels;
    }
}

/* The next request, from message k on, and its lane in rate and window mode. */
static lane *next_slot(uint64_t k, batch *m)
{
    m->n = m->fan = 0;
    for (uint32_t left = batch_size(); left; left--)
        batch_add(m, (uint32_t)((k + m->n) % opt.channels));
    if (opt.batch)
        return &pub.lane[k / opt.batch % opt.lanes];
    return &pub.lane[opt.channels >= opt.lanes ? m->channel[0] % opt.lanes : k % opt.lanes];
}

static bool window_open(uint32_t more)
{
    uint64_t done = atomic_load(&g_delivered) + pub.window_base;
    uint64_t open = pub.expected > done ? pub.expected - done : 0;
    double fan = opt.subs ? (double)opt.subs / opt.channels : 1;
    double room = opt.window * fan;
    if ((double)open + (double)more <= room || !open)
        return true;
    /* Sleep until enough of it has arrived. */
    uint64_t need = pub.expected + more - pub.window_base;
    uint64_t at = need > (uint64_t)room ? need - (uint64_t)room : 0;
    if (at > pub.expected - pub.window_base)
        at = pub.expected - pub.window_base;
    atomic_store(&g_wake_at, at);
    if (atomic_load(&g_delivered) >= at) {
        atomic_store(&g_wake_at, UINT64_MAX);
        return true;
    }
    return false;
}

static void pub_poll(int timeout_ms)
{
    struct epoll_event ev[256];
    int n = epoll_wait(pub.ep, ev, 256, timeout_ms);
    for (int i = 0; i < n; i++) {
        if (ev[i].data.ptr == &pub.timer || ev[i].data.ptr == &wake_fd) {
            uint64_t v;
            int fd = ev[i].data.ptr == &wake_fd ? wake_fd : pub.timer;
            if (read(fd, &v, sizeof v) < 0)
                continue;
        } else {
            lane_event(ev[i].data.ptr, ev[i].events);
        }
    }
    for (uint32_t i = 0; i < opt.lanes; i++)
        if (pub.lane[i].st == L_DOWN && pub.lane[i].fd < 0) {
            pub.lane[i].reconnects++;
            lane_open(&pub.lane[i]);
        }
}

static void timer_at(uint64_t when)
{
    struct itimerspec its = { .it_value = { (time_t)(when / 1000000000u), (long)(when % 1000000000u) } };
    timerfd_settime(pub.timer, TFD_TIMER_ABSTIME, &its, NULL);
}

static bool pub_prepare(void)
{
    pub.ep = epoll_create1(EPOLL_CLOEXEC);
    pub.timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    struct epoll_event e = { .events = EPOLLIN, .data.ptr = &pub.timer };
    epoll_ctl(pub.ep, EPOLL_CTL_ADD, pub.timer, &e);
    e.data.ptr = &wake_fd;
    epoll_ctl(pub.ep, EPOLL_CTL_ADD, wake_fd, &e);
    pub.seq = xcalloc(opt.channels, sizeof *pub.seq);
    pub.lane = xcalloc(opt.lanes, sizeof *pub.lane);
    pub.order_checked = opt.lanes == 1 || (opt.channels >= opt.lanes && (!opt.batch || opt.mode == MODE_CLOSED));
    for (uint32_t i = 0; i < opt.lanes; i++) {
        pub.lane[i].fd = -1;
        pub.lane[i].id = i;
        pub.lane[i].next_c = i % opt.channels;
        lane_open(&pub.lane[i]);
    }
    uint64_t until = mono_ns() + 10000000000u;
    for (;;) {
        uint32_t up = 0;
        for (uint32_t i = 0; i < opt.lanes; i++)
            up += pub.lane[i].st == L_UP;
        if (up == opt.lanes)
            return true;
        if (mono_ns() > until)
            return false;
        pub_poll(10);
        if (pub.connects > opt.lanes * 3) /* refused again and again */
            return false;
    }
}

static void pub_run(void)
{
    uint64_t end, progress_at = mono_ns(), progress = 0, k = 0;
    static batch m;
    pub.t0 = mono_ns();
    atomic_store(&g_measure_from, pub.t0 + (uint64_t)(opt.warmup * 1e9));
    end = pub.t0 + (uint64_t)(opt.duration * 1e9);
    for (;;) {
        uint64_t now = mono_ns();
        int timeout = 50;
        if (now >= end || enough())
            break;
        if (opt.mode == MODE_CLOSED) {
            bool sent = false;
            for (uint32_t i = 0; i < opt.lanes; i++) {
                lane *l = &pub.lane[i];
                for (uint32_t q = 0; q < 64 && lane_can(l) && !enough(); q++) {
                    next_of_lane(l, &m);
                    message_send(l, &m);
                    sent = true;
                }
            }
            if (sent)
                timeout = opt.pub.ws && !opt.pub_ack ? 0 : 50;
        } else if (opt.mode == MODE_RATE) {
            uint64_t due = (uint64_t)((double)(now - pub.t0) / 1e9 * opt.rate) + 1;
            bool blocked = false;
            while (k < due && !enough()) {
                lane *l = next_slot(k, &m);
                if (!lane_can(l)) {
                    blocked = true; /* open loop held up: the relay answers too slowly */
                    break;
                }
                double lag = ((double)(mono_ns() - pub.t0) - (double)k / opt.rate * 1e9) / 1e6;
                if (lag > pub.max_lag_ms)
                    pub.max_lag_ms = lag;
                if (lag > 5)
                    pub.late++;
                message_send(l, &m);
                k += m.n;
            }
            if (!blocked)
                timer_at(pub.t0 + (uint64_t)((double)k / opt.rate * 1e9));
        } else { /* MODE_WINDOW */
            for (uint32_t q = 0; q < 256 && !enough(); q++) {
                lane *l = next_slot(k, &m);
                if (!lane_can(l) || !window_open(m.fan))
                    break;
                message_send(l, &m);
                k += m.n;
            }
            uint64_t d = atomic_load(&g_delivered);
            if (d != progress) {
                progress = d;
                progress_at = now;
            } else if (now - progress_at > 2000000000u) { /* losses: forgive them and go on */
                pub.stalls++;
                uint64_t done = d + pub.window_base;
                if (pub.expected > done)
                    pub.window_base += pub.expected - done;
                progress_at = now;
            }
        }
        pub_poll(timeout);
    }
    pub.t1 = mono_ns();
    /* Outstanding responses. */
    uint64_t until = pub.t1 + (uint64_t)(opt.drain * 1e9);
    for (;;) {
        bool busy = false;
        for (uint32_t i = 0; i < opt.lanes; i++)
            busy |= pub.lane[i].st == L_UP && (pub.lane[i].inflight || pub.lane[i].out.n > pub.lane[i].out_off);
        if (!busy || mono_ns() > until)
            break;
        pub_poll(5);
    }
}
