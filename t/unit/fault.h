/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fault -- let a call fail that can fail: of our own code at the linker
 * (--wrap, by build/tools/list-files for who includes this), of the libraries by
 * the allocators and system calls they let us give them. So it works under
 * sanitizers and valgrind, too.
 *
 * Promise   Between fault_arm and fault_end, but for pauses, the calls are counted that can fail
 *           in this way, and `few` of them from the n-th on (from 0) fail as the
 *           kernel would have it: nothing is done, and errno says why. The
 *           text of the test itself calls what is real.
 *           t/guard/faults.t holds the table: a call of hub, store, hand-over
 *           or registry is in it, or there with the reason why it cannot fail.
 * Use       Include it before any fixture.
 * Threads   One.
 */
#ifndef WSK_FAULT_H
#define WSK_FAULT_H

#include "tap.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <malloc.h>
#include <openssl/crypto.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

typedef enum fault_way_e {
    FAULT_HARD = 1,  /* it cannot be done */
    FAULT_SOFT = 2,  /* not now, or only half, or an owner has died: who calls
                      * goes on, and nothing is to be seen of it */
    FAULT_MEMORY = 4 /* as hard, but of memory only */
} fault_way_e;

/* Names in the order of the table below, for what was failed how often. */
#define FAULT_NAMES 80

typedef struct fault_t {
    fault_way_e way; /* 0: nothing fails, nothing is counted */
    unsigned pauses;
    long at, few;
    long seen;         /* calls since fault_arm that can fail this way */
    const char *first; /* the first that failed since then */
    struct {
        const char *name;
        unsigned times;
    } failed[FAULT_NAMES]; /* since the program began */
} fault_t;

static fault_t fault_own, *fault_at = &fault_own;
#define fault (*fault_at)

static long fault_live; /* allocations of this process that are not freed */

#define FAULT_TRACED 16384
static const char *fault_trace[FAULT_TRACED]; /* what they were */

static void fault_note(const char *name)
{
    unsigned i = 0;

    fault.first = fault.first ? fault.first : name;
    while (fault.failed[i].name && strcmp(fault.failed[i].name, name) != 0) {
        i++;
    }
    if (i < FAULT_NAMES - 1) {
        fault.failed[i].name = name;
        fault.failed[i].times++;
    }
}

static bool fault_hits(const char *name, unsigned ways)
{
    long n;

    if (fault.pauses > 0 || !(ways & fault.way)) {
        return false;
    }
    n = fault.seen++;
    fault_trace[n % FAULT_TRACED] = name;
    if (n < fault.at || n - fault.at >= fault.few) {
        return false;
    }
    fault_note(name);
    return true;
}

/* @return the errno of this call, 0: it is not to fail */
static int fault_errno(const char *name, int hard, int soft)
{
    const unsigned ways = (hard ? FAULT_HARD : 0u) | (soft ? FAULT_SOFT : 0u);

    return !fault_hits(name, ways) ? 0 : fault.way == FAULT_SOFT ? soft : hard;
}

TAP_UNUSED static void fault_arm(fault_way_e way, long at, long few)
{
    fault.first = NULL;
    fault.seen = 0;
    fault.pauses = 0;
    fault.at = at;
    fault.few = few;
    fault.way = way;
}

/* From here on a copy of this process counts on, and fails, with it. */
TAP_UNUSED static void fault_share(void)
{
    fault_at = mmap(NULL, sizeof(fault_own), PROT_READ | PROT_WRITE,
                    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (fault_at == MAP_FAILED) {
        exit(1);
    }
    *fault_at = fault_own;
}

/* What is somebody else's: nothing fails, and nothing is counted. Every pause has
 * its end. */
TAP_UNUSED static void fault_pause(void)
{
    fault.pauses++;
}

TAP_UNUSED static void fault_resume(void)
{
    fault.pauses--;
}

TAP_UNUSED static bool fault_end(void)
{
    fault.way = 0;
    return fault.first != NULL;
}

/* The table. Each line is a call with the errno it fails with: for good, and for
 * now (0: it does not fail so). build/tools/list-files reads it, so a call
 * stands on the line of its macro. */

#define FAULT_CALL(name, type, params, args, hard, soft) \
    type __real_##name params; \
    type __wrap_##name params; \
    type __wrap_##name params \
    { \
        const int why = fault_errno(#name, hard, soft); \
        if (why != 0) { \
            errno = why; \
            return (type)-1; \
        } \
        return __real_##name args; \
    }

/* Those that return what errno would be. */
#define FAULT_CODE(name, params, args, hard, soft) \
    int __real_##name params; \
    int __wrap_##name params; \
    int __wrap_##name params \
    { \
        const int why = fault_errno(#name, hard, soft); \
        return why != 0 ? why : __real_##name args; \
    }

/* An eventfd takes and gives 8 bytes. It fails only when it is full, or empty:
 * then somebody else has done what the call was to do. */
#define FAULT_EVENT(len) ((len) == sizeof(uint64_t))
#define FAULT_SHORT (-1) /* a soft failure that is never an errno */
#define FAULT_BYTES(name, params, args, half, hard, soft) \
    ssize_t __real_##name params; \
    ssize_t __wrap_##name params; \
    ssize_t __wrap_##name params \
    { \
        const int why = FAULT_EVENT(len) \
                            ? 0 \
                            : fault_errno(#name, hard, \
                                          len > 1 || soft > 0 ? soft : 0); \
        if (why == 0) { \
            return __real_##name args; \
        } \
        if (len > 1 && (why == FAULT_SHORT || fault_odd())) { \
            return __real_##name half; \
        } \
        errno = why; \
        return -1; \
    }

static bool fault_odd(void)
{
    return fault.way == FAULT_SOFT && fault.seen % 2 != 0;
}

/* Those with more to them: fault_name does it, and gets errno last. */
#define FAULT_LAST(name, type, params, args) \
    type __real_##name params; \
    type __wrap_##name params; \
    type __wrap_##name params \
    { \
        return fault_##name args; \
    }

/* Memory. */

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void __real_free(void *at);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void __wrap_free(void *at);

static bool fault_starves(const char *name)
{
    if (!fault_hits(name, FAULT_HARD | FAULT_MEMORY)) {
        return false;
    }
    errno = ENOMEM;
    return true;
}

static void *fault_malloc(size_t size)
{
    void *at = __real_malloc(size);

    fault_live += at != NULL;
    return at;
}

static void *fault_calloc(size_t count, size_t size)
{
    void *at = __real_calloc(count, size);

    fault_live += at != NULL;
    return at;
}

static void *fault_realloc(void *old, size_t size)
{
    void *at = __real_realloc(old, size);

    fault_live += at != NULL && old == NULL;
    return at;
}

static void fault_free(void *at)
{
    fault_live -= at != NULL;
    __real_free(at);
}

#define FAULT_MEMORY_CALL(name, params, args) \
    void *__wrap_##name params \
    { \
        return fault_starves(#name) ? NULL : fault_##name args; \
    }

FAULT_MEMORY_CALL(malloc, (size_t size), (size))
FAULT_MEMORY_CALL(calloc, (size_t count, size_t size), (count, size))
FAULT_MEMORY_CALL(realloc, (void *old, size_t size), (old, size))

/* Never fails; it is here for the balance. */
#define FAULT_FREE_CALL(name, params) \
    void __wrap_##name params \
    { \
        fault_##name(at); \
    }
FAULT_FREE_CALL(free, (void *at))

/* Sockets and files. */

FAULT_BYTES(send, (int fd, const void *at, size_t len, int flags),
            (fd, at, len, flags), (fd, at, len / 2, flags), ECONNRESET, EAGAIN)
FAULT_BYTES(recv, (int fd, void *at, size_t len, int flags),
            (fd, at, len, flags), (fd, at, len / 2, flags), ECONNRESET, EAGAIN)
FAULT_BYTES(read, (int fd, void *at, size_t len), (fd, at, len),
            (fd, at, len / 2), EIO, FAULT_SHORT)
FAULT_BYTES(write, (int fd, const void *at, size_t len), (fd, at, len),
            (fd, at, len / 2), ENOSPC, FAULT_SHORT)
FAULT_BYTES(pread, (int fd, void *at, size_t len, off_t from),
            (fd, at, len, from), (fd, at, len / 2, from), EIO, FAULT_SHORT)
static ssize_t fault_sendmsg(int fd, const struct msghdr *msg, int flags,
                             int why);
FAULT_LAST(sendmsg, ssize_t, (int fd, const struct msghdr *msg, int flags),
           (fd, msg, flags,
            fault_errno("sendmsg", msg->msg_control ? ENOBUFS : ECONNRESET,
                        EAGAIN)))

/* With descriptors it is a packet, which goes whole or not at all. */
static ssize_t fault_sendmsg(int fd, const struct msghdr *msg, int flags,
                             int why)
{
    struct msghdr part = *msg;

    if (why == 0) {
        return __real_sendmsg(fd, msg, flags);
    }
    if (fault_odd() && !msg->msg_control && msg->msg_iovlen > 1) {
        part.msg_iovlen = 1;
        return __real_sendmsg(fd, &part, flags);
    }
    errno = why;
    return -1;
}

FAULT_CALL(recvmsg, ssize_t, (int fd, struct msghdr *msg, int flags),
           (fd, msg, flags), ENOMEM, EAGAIN)
FAULT_CALL(setsockopt, int,
           (int fd, int level, int name, const void *at, socklen_t len),
           (fd, level, name, at, len), ENOPROTOOPT, 0)
FAULT_CALL(shutdown, int, (int fd, int how), (fd, how), ENOTCONN, 0)
FAULT_CALL(socketpair, int, (int family, int type, int protocol, int fds[2]),
           (family, type, protocol, fds), EMFILE, 0)
FAULT_CALL(memfd_create, int, (const char *name, unsigned flags), (name, flags),
           EMFILE, 0)
FAULT_CALL(eventfd, int, (unsigned count, int flags), (count, flags), EMFILE, 0)
FAULT_CALL(epoll_create1, int, (int flags), (flags), EMFILE, 0)
FAULT_CALL(epoll_ctl, int, (int set, int op, int fd, struct epoll_event *ev),
           (set, op, fd, ev), op == EPOLL_CTL_ADD ? ENOSPC : 0, 0)
FAULT_CALL(epoll_wait, int,
           (int set, struct epoll_event *events, int most, int ms),
           (set, events, most, ms), 0, EINTR)
FAULT_CALL(poll, int, (struct pollfd * fds, nfds_t n, int ms), (fds, n, ms),
           ENOMEM, EINTR)
FAULT_CALL(fstat, int, (int fd, struct stat *what), (fd, what), ENOMEM, 0)
FAULT_CALL(flock, int, (int fd, int how), (fd, how), ENOLCK, EINTR)
FAULT_CALL(getrandom, ssize_t, (void *at, size_t len, unsigned flags),
           (at, len, flags), ENOSYS, 0)
FAULT_CALL(syscall, long, (long number, long a, long b), (number, a, b), ENOSYS,
           0)
FAULT_CALL(fork, pid_t, (void), (), EAGAIN, 0)
FAULT_CALL(waitpid, pid_t, (pid_t pid, int *status, int how),
           (pid, status, how), EINTR, EINTR)

static int fault_open(const char *name, int flags, int mode, int why);
static int fault_fcntl(int fd, int op, int arg, int why);

#define FAULT_WORD(name, params, args, last) \
    int __real_##name params; \
    int __wrap_##name params; \
    int __wrap_##name params \
    { \
        va_list more; \
        int word; \
        va_start(more, last); \
        word = va_arg(more, int); \
        va_end(more); \
        return fault_##name args; \
    }
FAULT_WORD(open, (const char *name, int flags, ...),
           (name, flags, word, fault_errno("open", EMFILE, 0)), flags)
FAULT_WORD(fcntl, (int fd, int op, ...),
           (fd, op, word,
            fault_errno("fcntl",
                        op == F_ADD_SEALS || op == F_GET_SEALS ? EINVAL : 0,
                        0)),
           op)

static int fault_open(const char *name, int flags, int mode, int why)
{
    if (why == 0) {
        return __real_open(name, flags, mode);
    }
    errno = why;
    return -1;
}

static int fault_fcntl(int fd, int op, int arg, int why)
{
    if (why == 0) {
        return __real_fcntl(fd, op, arg);
    }
    errno = why;
    return -1;
}

#define FAULT_NULL(name, type, params, args, hard) \
    type __real_##name params; \
    type __wrap_##name params; \
    type __wrap_##name params \
    { \
        errno = fault_errno(#name, hard, 0); \
        return errno != 0 ? NULL : __real_##name args; \
    }
FAULT_NULL(opendir, DIR *, (const char *name), (name), EMFILE)

/* Threads and locks. That an owner has died is said of robust locks only, and
 * the lock is ours then. ENOTRECOVERABLE is for good, of a lock that was given
 * back unmended: wsk_lock's tests make one. */

#if defined(__GLIBC__)
#define FAULT_ROBUST(lock) (((lock)->__data.__kind & 16) != 0)
#else
#define FAULT_ROBUST(lock) false
#endif

#define FAULT_LOCK(name, params, args, hard) \
    int __real_##name params; \
    int __wrap_##name params; \
    int __wrap_##name params \
    { \
        const bool robust = FAULT_ROBUST(lock); \
        const int why = fault_errno(#name, hard, robust ? EOWNERDEAD : 0); \
        int rc; \
        if (why != 0 && why != EOWNERDEAD) { \
            return why; \
        } \
        rc = __real_##name args; \
        return rc == 0 ? why : rc; \
    }
FAULT_LOCK(pthread_mutex_lock, (pthread_mutex_t * lock), (lock), 0)
FAULT_LOCK(pthread_mutex_trylock, (pthread_mutex_t * lock), (lock), EBUSY)
FAULT_LOCK(pthread_mutex_timedlock,
           (pthread_mutex_t * lock, const struct timespec *until),
           (lock, until), ETIMEDOUT)
FAULT_CODE(pthread_mutex_init,
           (pthread_mutex_t * lock, const pthread_mutexattr_t *attr),
           (lock, attr), attr != NULL ? ENOMEM : 0, 0)
FAULT_CODE(pthread_mutexattr_init, (pthread_mutexattr_t * attr), (attr), ENOMEM,
           0)
FAULT_CODE(pthread_mutexattr_setpshared, (pthread_mutexattr_t * attr, int how),
           (attr, how), ENOTSUP, 0)
FAULT_CODE(pthread_mutexattr_setrobust, (pthread_mutexattr_t * attr, int how),
           (attr, how), ENOTSUP, 0)
FAULT_CODE(pthread_create,
           (pthread_t * thread, const pthread_attr_t *attr,
            void *(*run)(void *), void *baton),
           (thread, attr, run, baton), EAGAIN, 0)

/* The libraries' memory. OpenSSL keeps some of it for good, so that is not in
 * the balance. */

static void *fault_ssl_malloc(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return fault_starves("malloc") ? NULL : __real_malloc(size);
}

static void *fault_ssl_realloc(void *old, size_t size, const char *file,
                               int line)
{
    (void)file;
    (void)line;
    return fault_starves("realloc") ? NULL : __real_realloc(old, size);
}

static void fault_ssl_free(void *at, const char *file, int line)
{
    (void)file;
    (void)line;
    __real_free(at);
}

__attribute__((constructor)) static void fault_libraries(void)
{
    if (CRYPTO_set_mem_functions(fault_ssl_malloc, fault_ssl_realloc,
                                 fault_ssl_free)
        != 1) {
        printf("Bail out! OpenSSL keeps its own memory\n");
        exit(1);
    }
    json_set_alloc_funcs(__wrap_malloc, __wrap_free);
}

/* From here on, the test's own text: real, but for the balance. */
#define malloc(...) fault_malloc(__VA_ARGS__)
#define calloc(...) fault_calloc(__VA_ARGS__)
#define realloc(...) fault_realloc(__VA_ARGS__)
#define free(...) fault_free(__VA_ARGS__)
#define send(...) __real_send(__VA_ARGS__)
#define recv(...) __real_recv(__VA_ARGS__)
#define read(...) __real_read(__VA_ARGS__)
#define write(...) __real_write(__VA_ARGS__)
#define sendmsg(...) __real_sendmsg(__VA_ARGS__)
#define setsockopt(...) __real_setsockopt(__VA_ARGS__)
#define shutdown(...) __real_shutdown(__VA_ARGS__)
#define socketpair(...) __real_socketpair(__VA_ARGS__)
#define eventfd(...) __real_eventfd(__VA_ARGS__)
#define epoll_wait(...) __real_epoll_wait(__VA_ARGS__)
#define fcntl(...) __real_fcntl(__VA_ARGS__)
#define open(...) __real_open(__VA_ARGS__)
#define fork() __real_fork()
#define waitpid(...) __real_waitpid(__VA_ARGS__)

#endif
