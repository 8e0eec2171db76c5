/* SPDX-License-Identifier: Apache-2.0 */
/* A keeper is made, and looks after itself, with each call failing that can, in
 * the original and in the copy. */
#include "fault_walk.h"

#include "hand_fixture.h"
#include "tls_fixture.h"

#include <openssl/err.h>
#include <signal.h>

#define LIVES_MS 5000 /* of a copy whose client has gone, at most */
#define AGAIN 5

/* What the original holds for good is one thing in a process that ends, and many
 * here. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:wsk_keep_fork\n";
}

static const char *wrong;
static tls_pair_t tls;
static wsk_lifeline_t line;
static char text[100000]; /* what the client was told */
static size_t len;
static bool closed;

static void need(bool good, const char *what)
{
    wrong = good || wrong ? wrong : what;
}

static void says(const char *what)
{
    fault_pause();
    world_say(&w, 1, "a", what);
    fault_resume();
}

/* What comes within so many milliseconds, or until it does. */
static void listens(const char *for_what, unsigned ms)
{
    int n;

    do {
        fault_pause(); /* a client of another machine's memory */
        n = SSL_read(tls.client, text + len, (int)(sizeof(text) - 1 - len));
        len += n > 0 ? (size_t)n : 0;
        if (n <= 0 && SSL_get_error(tls.client, n) != SSL_ERROR_WANT_READ) {
            closed = true;
        }
        fault_resume();
        if (n <= 0 && w.loop) {
            w.now = wsk_loop_clocks();
            world_turn(&w);
            usleep(1000);
            ms--;
        }
    } while (!closed && ms > 0
             && !(for_what && memmem(text, len, for_what, strlen(for_what))));
    ERR_clear_error();
}

static unsigned count(const char *what)
{
    const char *at = text;
    unsigned n = 0;

    while ((at = memmem(at, (size_t)(text + len - at), what, strlen(what)))) {
        n++;
        at += strlen(what);
    }
    return n;
}

static void tls_says(const char *json)
{
    uint8_t frame[1000];
    const size_t n = client_frame(frame, WSK_OP_TEXT, json, strlen(json));

    need(SSL_write(tls.client, frame, (int)n) == (int)n, "it cannot be said");
}

/* One over TLS, in a loop that leaves. */
static void one_comes(void)
{
    wrong = NULL;
    len = 0;
    closed = false;
    memset(text, 0, sizeof(text));
    both_open();
    wsk_lifeline_take(&line, (int32_t)getpid(), WSK_LIFELINE_FD);
    w.loop->spec.lifeline = line;
    wsk_segment_mark(w.seg, WSK_MARK_KEEPERS, 4);
    wsk_segment_mark(w.seg, WSK_MARK_KEEPER_AGE_MS, 1000000);
    w.now = wsk_loop_clocks(); /* as the copy will have it */
    world_run(&w);
    client_make(&w, &who, WSK_KIND_WS, 1);
    tls = tls_open(who.c->fd, who.fd);
    who.c->ssl = tls.server;
    wsk_loop_give(w.loop, who.c);
    world_run(&w);
    tls_says("{\"type\":\"subscribe\",\"channels\":[\"a\"]}");
    listens("\"subscribed\"", 500);
    need(count("\"subscribed\"") == 1, "it is not subscribed");
    w.loop->keeps = true;
    w.loop->phase = PHASE_HAND;
}

/* Whoever was copied ends when its client has gone. */
static void all_end(void)
{
    unsigned i;
    pid_t pid = 0;

    SSL_free(tls.client);
    close(who.fd);
    for (i = 0; i < LIVES_MS && (pid = waitpid(-1, NULL, WNOHANG)) == 0; i++) {
        usleep(1000);
    }
    need(pid != 0, "a copy does not end");
    wsk_loop_leave(w.loop);
    need(at(&w) == 0, "a connection is left");
    wsk_loop_dispose(w.loop);
    wsk_lifeline_drop(&line);
    w.loop = NULL;
    wsk_slot_sweep(w.seg);
    need(wsk_site_connections(w.seg, w.sites[1]) == 0,
         "a connection is counted that is not there");
    need(store_unlocked(w.seg), "a lock is held");
    world_unmake(&w);
    close(door[0]);
    close(door[1]);
}

/* It goes on in the copy, or in the original, or ends; never in both. */
static const char *copied(bool soft)
{
    const char *why = NULL;
    bool gone;

    one_comes();
    says("first");
    world_run(&w);
    fault_resume();
    wsk_keep_fork(w.loop);
    says("second");
    listens("second", 300);
    fault_end();
    gone = at(&w) == 0 || w.loop->dead;
    need(!soft || (gone && !closed), "it is not kept");
    says("third");
    listens("third", 3000); /* who has no memory takes a second to end */
    need(count("first") == 1, "what came before is lost");
    need(closed || (count("second") == 1 && count("third") == 1),
         "what is said is lost, or comes twice");
    need(wsk_segment_check(w.seg, &why) == WSK_OK, "the segment is damaged");
    all_end();
    return wrong;
}

/* A keeper that lives does not leave because it cannot look. */
static const char *looks(wsk_lifeline_e by)
{
    wrong = NULL;
    world_open(&w);
    w.loop->spec.is_keeper = true;
    fault_resume();
    wsk_lifeline_take(&line, (int32_t)getpid(), by);
    fault_pause();
    if (line.by == WSK_LIFELINE_NONE) { /* then there are no keepers */
        wsk_lifeline_take(&line, (int32_t)getpid(), by);
    }
    w.loop->spec.lifeline = line;
    w.loop->born_ms = w.loop->in_force_ms = w.now.mono_ms;
    wsk_segment_mark(w.seg, WSK_MARK_KEEPERS, 4);
    wsk_segment_mark(w.seg, WSK_MARK_KEEPER_AGE_MS, 100000);
    client_open(&w, &who, WSK_KIND_WS, 1);
    w.over = false;
    fault_resume();
    world_later(&w, 1000);
    world_later(&w, 1000);
    fault_end();
    need(atomic_load(&w.loop->stop) == 0 && !w.over, "it leaves");
    close(who.fd);
    wsk_loop_leave(w.loop);
    wsk_loop_dispose(w.loop);
    wsk_lifeline_drop(&line);
    alarm(0);
    need(store_unlocked(w.seg), "a lock is held");
    world_unmake(&w);
    return wrong;
}

static const char *looks_at_it(bool soft)
{
    (void)soft;
    return looks(WSK_LIFELINE_FD);
}

static const char *looks_at_proc(bool soft)
{
    (void)soft;
    return looks(WSK_LIFELINE_START);
}

/* Of those that a keeper makes once. */
static bool one_was_missed(void)
{
    return fault_times("opendir") == 0 || fault_times("write") == 0
           || fault_times("fork") == 0 || fault_times("socketpair") == 0;
}

int main(void)
{
    static const fault_walk_t keeps = { "a keeper is made", copied, 0, true },
                              polls = { "a keeper looks", looks_at_it, 0,
                                        false },
                              stays = { "a keeper reads", looks_at_proc, 0,
                                        false };
    static const char *const calls[] = { "open", "syscall",    "opendir",
                                         "read", "write",      "poll",
                                         "fork", "socketpair", "waitpid" };
    unsigned i, again = 0;

    signal(SIGPIPE, SIG_IGN);
    fault_share();
    do { /* original and copy run at once: a call may have another number */
        fault_walk_all(&keeps, "each fails alone", FAULT_HARD, 1);
    } while (one_was_missed() && ++again < AGAIN);
    fault_walk_all(&keeps, "each is put off", FAULT_SOFT, 1);
    is_str(fault_walk_once(&keeps, FAULT_HARD, 4, FAULT_SOME), NULL,
           "a copy without memory is none");
    if (fault_long()) { /* a client that nobody has memory for takes a second */
        fault_walk_all(&keeps, "each, and what follows", FAULT_HARD,
                       FAULT_SOME);
    }
    fault_walks(&polls);
    fault_walks(&stays);
    for (i = 0; i < WSK_COUNT_OF(calls); i++) {
        ok(fault_times(calls[i]) > 0, "%s has failed %u times", calls[i],
           fault_times(calls[i]));
    }
    return done_testing();
}
