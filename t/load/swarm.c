/* SPDX-License-Identifier: Apache-2.0 */
/* The loop, and what is said on standard output: one JSON object a line,
 * "ready" when all are subscribed, "published" when all was answered,
 * "report" last. Standard input: "publish" begins, "quit" ends, and so does the
 * end of it where --wait or --hold make us listen. */
#include "swarm.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#define EVENTS 1024
#define TICK_MS 5

static void say(const char *what, const swarm_t *swarm)
{
    printf("{\"event\":\"%s\",\"ready\":%d,\"elapsed_ms\":%llu}\n", what,
           swarm->ready, (unsigned long long)(now_ms() - swarm->begun_ms));
    fflush(stdout);
}

static void add(swarm_t *swarm, int count, kind_e kind, bool tls)
{
    const size_t bits = (size_t)swarm->opt.publishes / 8 + 1;
    subscriber_t *sub;

    for (; count > 0; count--) {
        sub = &swarm->subs[swarm->nsubs];
        sub->number = swarm->nsubs++;
        sub->kind = kind;
        sub->tls = tls;
        sub->wire.fd = -1;
        sub->last_n = -1;
        sub->seen = need(calloc(bits, 1));
        swarm->waiting++;
    }
}

static void prepare(swarm_t *swarm)
{
    const options_t *opt = &swarm->opt;
    const kind_e ws = opt->echo_rounds > 0 ? KIND_ECHO : KIND_WS;
    const int all = opt->ws + opt->wss + opt->sse + opt->sses;

    swarm->begun_ms = now_ms();
    snprintf(swarm->run, sizeof(swarm->run), "%x%llx", (unsigned)getpid(),
             (unsigned long long)swarm->begun_ms & 0xffffff);
    swarm->subs = need(calloc((size_t)all + 1, sizeof(subscriber_t)));
    swarm->ids = need(calloc((size_t)opt->publishes + 1, ID_MAX));
    add(swarm, opt->ws, ws, false);
    add(swarm, opt->sse, KIND_SSE, false);
    add(swarm, opt->wss, ws, true);
    add(swarm, opt->sses, KIND_SSE, true);
    swarm->tls = need(SSL_CTX_new(TLS_client_method()));
    SSL_CTX_set_verify(swarm->tls, SSL_VERIFY_NONE, NULL);
    SSL_CTX_set_mode(swarm->tls, SSL_MODE_RELEASE_BUFFERS
                                     | SSL_MODE_ENABLE_PARTIAL_WRITE
                                     | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    swarm->epoll = epoll_create1(EPOLL_CLOEXEC);
}

static void raise_limit(int want)
{
    struct rlimit limit;

    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur < (rlim_t)want + 100) {
        die("%d connections want more than %llu descriptors", want,
            (unsigned long long)limit.rlim_cur);
    }
}

/* Start those whose time has come, a bounded number at once. */
static void wake_waiting(swarm_t *swarm)
{
    const uint64_t now = now_ms();
    int i;

    if (swarm->waiting == 0) {
        return;
    }
    for (i = 0; i < swarm->nsubs && swarm->opening < swarm->opt.burst; i++) {
        if (swarm->subs[i].stage == STAGE_WAITING
            && swarm->subs[i].due_ms <= now) {
            subscriber_start(swarm, &swarm->subs[i]);
        }
    }
}

static void hear_commands(swarm_t *swarm)
{
    char text[256];
    const ssize_t n = read(STDIN_FILENO, text, sizeof(text) - 1);

    if (n < 0) {
        return;
    }
    text[n] = '\0';
    if ((n == 0 && (swarm->opt.hold || swarm->opt.wait))
        || strstr(text, "quit") != NULL) {
        swarm->quit = true;
    }
    else if (strstr(text, "publish") != NULL && !swarm->publishing) {
        publisher_begin(swarm);
    }
}

static bool everybody_done(const swarm_t *swarm)
{
    int i;

    for (i = 0; i < swarm->nsubs; i++) {
        if (swarm->subs[i].stage != STAGE_DONE) {
            return false;
        }
    }
    return true;
}

static void turn(swarm_t *swarm)
{
    static struct epoll_event events[EVENTS];
    const int n = epoll_wait(swarm->epoll, events, EVENTS, TICK_MS);
    int i;

    for (i = 0; i < n; i++) {
        wire_t *wire = events[i].data.ptr;
        const bool readable = (events[i].events
                               & (EPOLLIN | EPOLLHUP | EPOLLERR))
                              != 0;

        if (wire->fd < 0) {
            continue;
        }
        if (wire->is_publisher) {
            publisher_turn(swarm, wire->owner, readable);
        }
        else {
            subscriber_turn(swarm, wire->owner, readable);
        }
    }
    wake_waiting(swarm);
    publisher_tick(swarm);
    hear_commands(swarm);
}

static bool finished(swarm_t *swarm, uint64_t *quiet_since)
{
    const options_t *opt = &swarm->opt;

    if (swarm->quit
        || now_ms() - swarm->begun_ms > (uint64_t)opt->seconds * 1000) {
        return true;
    }
    if (opt->echo_rounds > 0) {
        return everybody_done(swarm);
    }
    if (opt->hold || (opt->publishes == 0 && swarm->tally.ready_ms == 0)
        || !publisher_done(swarm) || (opt->wait && !swarm->publishing)) {
        return false;
    }
    if (*quiet_since == 0) {
        *quiet_since = now_ms();
        say("published", swarm);
    }
    return track_missing(swarm) == 0
           || now_ms() - *quiet_since > (uint64_t)opt->settle * 1000;
}

static void run(swarm_t *swarm)
{
    uint64_t quiet_since = 0;

    while (!finished(swarm, &quiet_since)) {
        turn(swarm);
        if (swarm->tally.ready_ms == 0 && swarm->ready == swarm->nsubs
            && swarm->opt.echo_rounds == 0) {
            swarm->tally.ready_ms = now_ms() - swarm->begun_ms + 1;
            say("ready", swarm);
            if (!swarm->opt.wait && swarm->opt.publishes > 0) {
                publisher_begin(swarm);
            }
        }
    }
    if (quiet_since > 0) {
        /* What comes twice may come late. */
        const uint64_t end = now_ms() + 300;

        while (now_ms() < end) {
            turn(swarm);
        }
    }
}

int main(int argc, char **argv)
{
    static swarm_t swarm;

    signal(SIGPIPE, SIG_IGN);
    options_read(&swarm.opt, argc, argv);
    prepare(&swarm);
    raise_limit(swarm.nsubs + swarm.opt.lanes);
    fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK);
    srand((unsigned)getpid());
    run(&swarm);
    report(&swarm);
    return 0;
}
