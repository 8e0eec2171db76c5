/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keepers. A TLS connection cannot be sent to another process, but a process can
 * be copied: when nothing else is left in one that leaves, its loop thread forks,
 * and the copy goes on with them under a slot of its own. It calls our code,
 * OpenSSL on these connections and the C library, nothing of httpd's.
 *
 * The original waits for the copy's word. Meanwhile it reads no log, so what the
 * connections have not got stays there until the copy has said that it listens.
 * From the fork on it neither writes to these connections nor frees their SSL
 * objects, whatever becomes of the copy: two that go on with one key stream would
 * give the key away.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "transport/wsk_loop_int.h"
#include "transport/wsk_parcel.h"

#define ANSWER_MS 5000 /* of the copy, and one more for each connection */
/* Clients of a keeper that leaves come back, each with a handshake. */
#define MS_EACH 10
#define SPREAD_MAX_MS 60000
#define FDS_MAX 65536
/* So long after a reload began is the configuration read. */
#define LEFT_BEHIND_MS 20000
/* Without a turn: something was locked when it was copied. */
#define HANGS_S 60
#define NSIG_STANDARD 32 /* those after it are the C library's */

enum {
    WORD_NONE = 0,     /* in time: who knows what it has done */
    WORD_KEPT = 'k',   /* it goes on with them */
    WORD_REFUSED = 'n' /* it has touched nothing */
};

/* In the original. */

bool wsk_keep_may(const wsk_loop_t *l, const wsk_conn_t *c)
{
    return l->keeps && l->phase == PHASE_HAND && c->ssl && !c->told && !c->stays
           && wsk_parcel_whole(c)
           && wsk_segment_marked(l->spec.seg, WSK_MARK_KEEPERS) > 0;
}

static wsk_conn_t **all_kept(wsk_loop_t *l, uint32_t *n)
{
    wsk_conn_t **conns = calloc(atomic_load(&l->connections) + 1u,
                                sizeof(wsk_conn_t *));
    wsk_conn_t *c;
    uint32_t i;

    *n = 0;
    for (i = 0; conns && i < LOOP_WHEEL; i++) {
        for (c = l->wheel[i]; c; c = c->timer_next) {
            if (wsk_keep_may(l, c)) {
                conns[(*n)++] = c;
            }
        }
    }
    return conns;
}

static char hear(int fd, uint32_t n)
{
    const int64_t until = wsk_loop_clocks().mono_ms + ANSWER_MS + n;
    struct pollfd what = { .fd = fd, .events = POLLIN };
    char word = WORD_NONE;
    int64_t left;
    int heard;

    do {
        left = until - wsk_loop_clocks().mono_ms;
        heard = poll(&what, 1, (int)WSK_MAX(left, INT64_C(0)));
    } while (heard < 0 && errno == EINTR);
    return heard == 1 && read(fd, &word, 1) == 1 ? word : WORD_NONE;
}

/* SSL objects that are another's now: held by the process, never freed. */
static SSL **anothers;

/* It is the copy's. What it stood for here was counted over. */
static void let_go(wsk_loop_t *l, wsk_conn_t *c)
{
    wsk_wheel_drop(c);
    epoll_ctl(l->epoll, EPOLL_CTL_DEL, c->fd, NULL);
    wsk_hub_leave(l->hub, &c->member);
    wsk_publisher_leave(c);
    c->ssl = NULL;
    wsk_loop_count(l, c, WSK_C_kept, 1);
    wsk_conn_drop(c);
    atomic_fetch_sub(&l->connections, 1);
}

/* Nobody knows what the copy has sent: the client finds out and comes back. */
static void cut_off(wsk_loop_t *l, wsk_conn_t *c)
{
    c->ssl = NULL;
    wsk_life_kill(l, c);
}

static void end_of_copy(pid_t pid, bool hurry)
{
    if (hurry) {
        kill(pid, SIGKILL);
    }
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
    }
}

static void keep(const wsk_loop_t *from, wsk_conn_t **conns, uint32_t n,
                 int word);

void wsk_keep_fork(wsk_loop_t *l)
{
    uint32_t n, i;
    wsk_conn_t **conns = all_kept(l, &n);
    char word = WORD_REFUSED;
    int pair[2];
    pid_t pid;

    l->keeps = false; /* once; who is still here then is told */
    anothers = calloc(n + 1u, sizeof(SSL *));
    if (conns && anothers && n > 0
        && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0) {
        pid = fork();
        if (pid == 0) {
            keep(l, conns, n, pair[1]);
            _exit(0);
        }
        close(pair[1]);
        word = pid < 0 ? WORD_REFUSED : hear(pair[0], n);
        close(pair[0]);
        if (pid > 0 && word != WORD_KEPT) {
            end_of_copy(pid, word == WORD_NONE);
        }
    }
    for (i = 0; i < n && word != WORD_REFUSED; i++) {
        anothers[i] = conns[i]->ssl;
        (word == WORD_KEPT ? let_go : cut_off)(l, conns[i]);
    }
    free(conns);
}

/* In the copy. */

static wsk_loop_t *own_loop;

static void on_sigterm(int ignored)
{
    (void)ignored;
    if (own_loop) {
        wsk_loop_stop(own_loop, true);
    }
}

/* Handlers are httpd's: they run its cleanups, and that of a crash ends the
 * process whose copy we are, or who has its number by then. */
static void own_signals(void)
{
    static const int deaf[] = { SIGHUP,  SIGINT,   SIGUSR1, SIGUSR2,
                                SIGPIPE, SIGWINCH, SIGCHLD };
    struct sigaction act = { .sa_handler = SIG_DFL };
    sigset_t none;
    unsigned i;

    for (i = 1; i < NSIG_STANDARD; i++) {
        sigaction((int)i, &act, NULL);
    }
    act.sa_handler = SIG_IGN;
    for (i = 0; i < WSK_COUNT_OF(deaf); i++) {
        sigaction(deaf[i], &act, NULL);
    }
    act.sa_handler = on_sigterm;
    sigaction(SIGTERM, &act, NULL);
    sigemptyset(&none);
    pthread_sigmask(SIG_SETMASK, &none, NULL);
}

/* Which descriptors are ours, by number. */
typedef struct ours_t {
    uint8_t *is;
    int n;
} ours_t;

static bool make_ours(ours_t *ours, wsk_conn_t **conns, uint32_t n)
{
    uint32_t i;

    ours->n = FDS_MAX;
    for (i = 0; i < n; i++) {
        ours->n = WSK_MAX(ours->n, conns[i]->fd + 1);
    }
    ours->is = calloc(1, (size_t)ours->n);
    return ours->is != NULL;
}

static void own(ours_t *ours, int fd)
{
    if (fd >= 0 && fd < ours->n) {
        ours->is[fd] = 1;
    }
}

static bool is_own(const ours_t *ours, int fd)
{
    return fd >= 0 && fd < ours->n && ours->is[fd];
}

/* Listeners, logs, locks, pipes: while we had them open, others would wait for
 * their end. Only closed, their numbers would be given to somebody else, while
 * code of httpd's still knows them. */
static void shut_others(const ours_t *ours, int nothing)
{
    DIR *dir = opendir("/proc/self/fd");
    struct dirent *entry;
    int fd;

    if (dir) {
        while ((entry = readdir(dir)) != NULL) {
            fd = (int)strtol(entry->d_name, NULL, 10);
            if (entry->d_name[0] != '.' && fd != nothing && fd != dirfd(dir)
                && !is_own(ours, fd)) {
                dup2(nothing, fd);
            }
        }
        closedir(dir);
    }
    else {
        for (fd = 0; fd < ours->n; fd++) {
            if (fd != nothing && !is_own(ours, fd) && fcntl(fd, F_GETFD) >= 0) {
                dup2(nothing, fd);
            }
        }
    }
}

/* A session with a name is taken out of httpd's cache when its connection ends
 * badly: by code of httpd's, which would lock with what is /dev/null now, or call
 * another host. */
static void forget_session(SSL *ssl)
{
    SSL_SESSION *session = SSL_get_session(ssl);
    const uint8_t none[1] = { 0 };

    if (session) {
        SSL_SESSION_set1_id(session, none, 0);
    }
}

/* A connection of the loop that was copied goes on in ours. */
static wsk_conn_t *bring(wsk_loop_t *l, wsk_conn_t *was, unsigned from)
{
    wsk_parcel_t parcel = { 0 };
    uint8_t *bytes = NULL;
    const int fd = was->fd;
    wsk_conn_t *c = NULL;
    size_t len = 0;

    if (wsk_parcel_pack(was, &bytes, &len) == WSK_OK
        && wsk_parcel_open(bytes, len, &parcel) == WSK_OK) {
        c = parcel.conn;
        c->ssl = was->ssl;
        c->sealed = was->sealed;
        forget_session(c->ssl);
        if (wsk_hand_bring_in(l, &parcel, fd, from) != WSK_OFFER_TAKEN) {
            c->ssl = NULL;
            c = NULL;
        }
        wsk_parcel_close(&parcel);
    }
    OPENSSL_cleanse(bytes, len);
    free(bytes);
    was->ssl = NULL;
    was->fd = -1;
    free(was->member.subs); /* its hub is left as it is: the slot's not ours */
    wsk_conn_drop(was);
    return c;
}

static bool begin_loop(const wsk_loop_t *from)
{
    wsk_loop_spec_t spec = from->spec;
    wsk_now_t now = wsk_loop_clocks();

    spec.pid = (int32_t)getpid();
    spec.door = NULL;
    spec.heirs = NULL;
    spec.ended = NULL; /* the log is httpd's: wsk_ends */
    spec.is_keeper = true;
    spec.unsure = false;
    spec.max_connections = UINT32_MAX; /* none come */
    own_loop = wsk_loop_make(&spec);
    if (!own_loop) {
        return false;
    }
    own_loop->born_ms = own_loop->in_force_ms = now.mono_ms;
    own_loop->leave_mark = from->leave_mark;
    return wsk_loop_enter(own_loop, &now);
}

static void keep(const wsk_loop_t *from, wsk_conn_t **conns, uint32_t n,
                 int word)
{
    const wsk_segment_spec_t *spec = wsk_segment_spec(from->spec.seg);
    const int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    ours_t ours = { 0 };
    char say = WORD_KEPT;
    uint32_t i;

    own_signals();
    alarm(HANGS_S);
    if (nothing < 0 || !make_ours(&ours, conns, n) || !begin_loop(from)) {
        say = WORD_REFUSED;
        i = (uint32_t)write(word, &say, 1);
        _exit(0);
    }
    prctl(PR_SET_NAME, "wsk-keeper", 0, 0, 0);
    own(&ours, word);
    own(&ours, own_loop->epoll);
    own(&ours, own_loop->kick);
    if (own_loop->spec.lifeline.by == WSK_LIFELINE_FD) {
        own(&ours, own_loop->spec.lifeline.fd);
    }
    for (i = 0; i < spec->slots; i++) {
        own(&ours, own_loop->spec.bell.fds[i]);
    }
    for (i = 0; i < n; i++) {
        conns[i] = bring(own_loop, conns[i], from->slot);
        if (conns[i]) {
            own(&ours, conns[i]->fd);
        }
    }
    shut_others(&ours, nothing);
    free(ours.is);
    if (write(word, &say, 1) != 1) {
        _exit(0); /* given up: it has cut them off */
    }
    close(word);
    for (i = 0; i < n; i++) {
        if (conns[i]) {
            wsk_hand_begin(own_loop, conns[i]);
        }
    }
    free(conns);
    wsk_loop_run(own_loop);
    wsk_loop_leave(own_loop);
}

/* Every step of a keeper. */

/* The oldest make place for those that came after them: each counts for itself,
 * as several may come at once. */
static bool is_one_too_many(const wsk_loop_t *l)
{
    uint64_t younger = 0;
    wsk_slot_info_t own, info;
    unsigned slot;

    wsk_slot_info(l->spec.seg, l->slot, &own);
    for (slot = 0; slot < wsk_segment_spec(l->spec.seg)->slots; slot++) {
        younger += wsk_slot_info(l->spec.seg, slot, &info)
                   && info.kind == WSK_SLOT_KEEPER
                   && info.state == WSK_SLOT_LIVE
                   && (info.since_us > own.since_us
                       || (info.since_us == own.since_us && slot > l->slot));
    }
    return younger >= wsk_segment_marked(l->spec.seg, WSK_MARK_KEEPERS);
}

/* A reload has brought a configuration that does without us, or another version
 * of us with a segment of its own. */
static bool is_left_behind(wsk_loop_t *l)
{
    if (wsk_segment_marked(l->spec.seg, WSK_MARK_READ)
        >= wsk_segment_marked(l->spec.seg, WSK_MARK_RELOAD)) {
        l->in_force_ms = l->mono_ms;
    }
    return l->mono_ms - l->in_force_ms >= LEFT_BEHIND_MS;
}

static bool is_to_leave(wsk_loop_t *l)
{
    const uint64_t age = (uint64_t)(l->mono_ms - l->born_ms);

    return age >= wsk_segment_marked(l->spec.seg, WSK_MARK_KEEPER_AGE_MS)
           || is_one_too_many(l) || is_left_behind(l);
}

bool wsk_keep_step(wsk_loop_t *l)
{
    uint64_t spread = (uint64_t)atomic_load(&l->connections) * MS_EACH;

    if (l->mono_ms >= l->keep_look_ms) {
        l->keep_look_ms = l->mono_ms + WSK_SWEEP_MS;
        alarm(HANGS_S);
        wsk_turn_look(l);
        if (!wsk_lifeline_holds(&l->spec.lifeline)
            || wsk_segment_marked(l->spec.seg, WSK_MARK_LEAVE)
                   != l->leave_mark) {
            wsk_loop_stop(l, true);
        }
        else if (!atomic_load(&l->stop) && is_to_leave(l)) {
            spread = WSK_MIN(spread, (uint64_t)SPREAD_MAX_MS);
            l->spec.drain_ms = WSK_MAX(l->spec.drain_ms, (uint32_t)spread);
            wsk_loop_stop(l, false);
        }
    }
    return atomic_load(&l->connections) == 0;
}
