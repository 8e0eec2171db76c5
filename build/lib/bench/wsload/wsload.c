/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsload - load generator and probe for realtime relays (WebSocket / SSE).
 *
 * Opens N subscribers over M channels, publishes numbered, timestamped
 * messages by HTTP POST or over a WebSocket, and reports what arrived: rate,
 * latency, losses, duplicates, order - next to what it cost: CPU seconds and
 * memory of the server's process tree, kernel socket memory, and its own CPU.
 *
 * Every part is a header beside this file, in the order of the include lines.
 *
 * Messages carry a mark, "@@RUN.TS.SEQ.CHAN@@", somewhere in their payload.
 * None of its characters is changed by JSON or HTML escaping, so it is found
 * in whatever envelope the relay puts around a payload. RUN tells messages of
 * this run from older ones that a relay with a history may replay.
 *
 * Only loopback targets are accepted; counts and times are bounded.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/ssl.h>

/* Hard bounds: this is a bench tool, not a weapon. */
enum {
    MAX_SUBS = 200000,
    MAX_CHANNELS = 200000,
    MAX_LANES = 1024,
    MAX_DEPTH = 256,
    MAX_SECONDS = 3600,
    MAX_THREADS = 64,
    MAX_LIST = 32,
    MAX_BATCH = 1000,
    MAX_PIDS = 64,
    MAX_MSG = 16 << 20,
};

/* One unit of translation, in the order of a run. */
#include "util.h"
#include "histogram.h"
#include "template.h"
#include "process.h"
#include "transport.h"
#include "frame.h"
#include "options.h"
#include "subscriber.h"
#include "stream.h"
#include "publisher.h"
#include "message.h"
#include "report.h"
#include "command_line.h"

static void on_alarm(int sig)
{
    (void)sig;
    static const char m[] = "wsload: --limit reached, giving up\n";
    if (write(2, m, sizeof m - 1) < 0) { }
    _exit(3);
}

static void make_names(void)
{
    uint64_t seed = mono_ns() ^ (uint64_t)getpid() << 32 ^ (uint64_t)time(NULL);
    seed *= UINT64_C(0x9e3779b97f4a7c15);
    snprintf(names.run, sizeof names.run, "%08x", (uint32_t)(seed >> 32));
    tmpl t = tmpl_compile(opt.channel_name);
    names.channel = xcalloc(opt.channels, sizeof *names.channel);
    for (uint32_t c = 0; c < opt.channels; c++) {
        buf b = { 0 };
        tctx x = { .c = c, .i = c };
        tmpl_expand(&b, &t, &x);
        buf_put(&b, "", 1);
        names.channel[c] = b.p;
    }
}

static double subs_cpu(void)
{
    double s = 0;
    for (uint32_t i = 0; i < opt.threads && threads; i++)
        s += thread_cpu_s(threads[i].tid);
    return s;
}

static uint64_t subs_pings(void)
{
    uint64_t n = 0;
    for (uint32_t i = 0; i < opt.threads && threads; i++)
        n += threads[i].pings;
    return n;
}

static uint64_t subs_bytes(void)
{
    uint64_t n = 0;
    for (uint32_t i = 0; i < opt.threads && threads; i++)
        n += threads[i].bytes;
    return n;
}

static void start_subscribers(void)
{
    subs = xcalloc(opt.subs, sizeof *subs);
    threads = aligned_alloc(128, opt.threads * sizeof *threads);
    if (!threads)
        die("out of memory");
    memset(threads, 0, opt.threads * sizeof *threads);
    for (uint32_t i = 0; i < opt.subs; i++) {
        subs[i].fd = -1;
        subs[i].id = i;
        subs[i].chan = i % opt.channels;
    }
    connect_t0 = mono_ns();
    for (uint32_t k = 0; k < opt.threads; k++) {
        sthread *t = &threads[k];
        t->index = (int)k;
        t->lo = (uint32_t)((uint64_t)opt.subs * k / opt.threads);
        t->hi = (uint32_t)((uint64_t)opt.subs * (k + 1) / opt.threads);
        t->next = t->lo;
        t->ep = epoll_create1(EPOLL_CLOEXEC);
        t->rcap = 256 << 10;
        t->rbuf = xrealloc(NULL, t->rcap);
        if (pthread_create(&t->tid, NULL, sub_thread, t))
            die("cannot start a thread");
    }
    for (;;) {
        uint64_t settled = 0;
        for (uint32_t k = 0; k < opt.threads; k++)
            settled += threads[k].opened + threads[k].failed;
        if (settled >= opt.subs)
            break;
        sleep_ns(1000000);
    }
    run.connect_s = (double)(mono_ns() - connect_t0) / 1e9;
}

static void raise_descriptors(void)
{
    struct rlimit rl = { opt.subs + opt.lanes + 64, 0 };
    rl.rlim_max = rl.rlim_cur;
    struct rlimit cur;
    getrlimit(RLIMIT_NOFILE, &cur);
    if (cur.rlim_cur < rl.rlim_cur) {
        if (cur.rlim_max > rl.rlim_max)
            rl.rlim_max = cur.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &rl))
            die("needs %u file descriptors: raise ulimit -n", (unsigned)rl.rlim_cur);
    }
}

/* Until all has come, or nothing has for three seconds: the rest is lost. */
static void await_deliveries(uint64_t until)
{
    uint64_t idle_since = mono_ns(), seen = 0;
    while (opt.subs && atomic_load(&g_delivered) < pub.expected && mono_ns() < until) {
        uint64_t d = atomic_load(&g_delivered);
        if (d != seen) {
            seen = d;
            idle_since = mono_ns();
        } else if (mono_ns() - idle_since > 3000000000u) {
            break;
        }
        sleep_ns(2000000);
    }
}

static void publish_and_wait(void)
{
    struct rusage r0, r1;
    run.p0 = take_sample(false);
    double c0 = subs_cpu(), m0 = thread_cpu_s(pthread_self());
    getrusage(RUSAGE_SELF, &r0);
    run.bytes_before = subs_bytes();
    pub_run();
    const uint64_t until = pub.t1 + (uint64_t)(opt.drain * 1e9);
    await_deliveries(until);
    run.timed_out = opt.subs && mono_ns() >= until;
    run.p1 = take_sample(false);
    run.sub_cpu_pub = subs_cpu() - c0;
    run.pub_cpu = thread_cpu_s(pthread_self()) - m0;
    getrusage(RUSAGE_SELF, &r1);
    run.self_cpu_pub = (double)(r1.ru_utime.tv_sec - r0.ru_utime.tv_sec + r1.ru_stime.tv_sec - r0.ru_stime.tv_sec)
                     + (double)(r1.ru_utime.tv_usec - r0.ru_utime.tv_usec + r1.ru_stime.tv_usec - r0.ru_stime.tv_usec) / 1e6;
    sleep_ns(100000000); /* late duplicates */
}

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN);
    setvbuf(stderr, NULL, _IOLBF, 0);
    parse_options(argc, argv);
    make_names();
    raise_descriptors();
    if (opt.sub.tls || opt.pub.tls) {
        tls_ctx = SSL_CTX_new(TLS_client_method());
        SSL_CTX_set_verify(tls_ctx, SSL_VERIFY_NONE, NULL); /* loopback, self-signed */
        SSL_CTX_set_mode(tls_ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    }
    signal(SIGALRM, on_alarm);
    alarm((unsigned)opt.limit);
    chan_subs = xcalloc(opt.channels, sizeof *chan_subs);
    atomic_store(&g_wake_at, UINT64_MAX);
    atomic_store(&g_measure_from, UINT64_MAX);
    wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

    run.s0 = take_sample(true);
    const double main_cpu = thread_cpu_s(pthread_self());
    if (opt.subs)
        start_subscribers();
    run.s_conn = take_sample(false);
    run.sub_cpu_connect = subs_cpu();
    run.main_cpu_connect = thread_cpu_s(pthread_self()) - main_cpu;
    if (opt.subs)
        sleep_ns((uint64_t)(opt.settle * 1e9));
    run.s_idle = take_sample(true);
    run.pings = subs_pings();
    if (opt.hold > 0)
        sleep_ns((uint64_t)(opt.hold * 1e9));
    run.pings = subs_pings() - run.pings;
    run.s_hold = take_sample(false);

    int rc = 0;
    if (opt.have_pub) {
        if (!pub_prepare()) {
            fprintf(stderr, "wsload: the publisher cannot connect: %s\n", pub.sample_error);
            opt.have_pub = false;
            rc = 1;
        } else {
            publish_and_wait();
        }
    }
    run.s_end = take_sample(true);
    if (opt.linger > 0) { /* all has come that will: the threads have only pings to answer */
        report();
        sleep_ns((uint64_t)(opt.linger * 1e9));
    }
    atomic_store(&g_stop, true);
    for (uint32_t k = 0; k < opt.threads && threads; k++)
        pthread_join(threads[k].tid, NULL);
    if (opt.linger <= 0)
        report();
    for (uint32_t i = 0; i < opt.subs; i++)
        sub_close(&subs[i], S_CLOSED);
    for (uint32_t i = 0; i < opt.lanes && pub.lane; i++)
        if (pub.lane[i].fd >= 0)
            close(pub.lane[i].fd);
    if (opt.subs) {
        uint64_t failed = 0;
        for (uint32_t k = 0; k < opt.threads; k++)
            failed += threads[k].failed;
        if (failed)
            rc = 1;
    }
    return rc;
}
