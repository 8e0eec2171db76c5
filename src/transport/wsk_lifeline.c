/* SPDX-License-Identifier: Apache-2.0 */
#include "transport/wsk_lifeline.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define STARTED 22 /* field of /proc/PID/stat, the command being the second */

static int64_t why_not(void)
{
    return errno == ENOENT || errno == ESRCH ? -1 : 0;
}

/* @return -1: it does not live, or is not shown; 0: it cannot be looked at now */
static int64_t started(int32_t pid)
{
    char name[32], text[1024];
    const char *at;
    unsigned field;
    ssize_t n;
    int fd;

    snprintf(name, sizeof name, "/proc/%d/stat", (int)pid);
    fd = open(name, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return why_not();
    }
    n = read(fd, text, sizeof text - 1);
    if (n < 0) {
        const int64_t why = why_not();

        close(fd);
        return why;
    }
    close(fd);
    text[n] = '\0';
    at = strrchr(text, ')'); /* a command may have anything in its name */
    if (!at || strncmp(at, ") Z", 3) == 0 || strncmp(at, ") X", 3) == 0) {
        return -1;
    }
    for (field = 2; at && field < STARTED; field++) {
        at = strchr(at + 1, ' ');
    }
    return at ? strtoll(at, NULL, 10) : -1;
}

static int open_pidfd(int32_t pid)
{
#ifdef SYS_pidfd_open
    return (int)syscall(SYS_pidfd_open, pid, 0); /* closes at exec */
#else
    (void)pid;
    errno = ENOSYS;
    return -1;
#endif
}

void wsk_lifeline_take(wsk_lifeline_t *line, int32_t pid, wsk_lifeline_e best)
{
    memset(line, 0, sizeof *line);
    line->pid = pid;
    line->fd = best == WSK_LIFELINE_FD ? open_pidfd(pid) : -1;
    if (line->fd >= 0) {
        line->by = WSK_LIFELINE_FD;
        return;
    }
    line->started = started(pid);
    line->by = line->started > 0 ? WSK_LIFELINE_START : WSK_LIFELINE_NONE;
}

/* That it cannot be looked at just now says nothing. */
bool wsk_lifeline_holds(const wsk_lifeline_t *line)
{
    struct pollfd end = { .fd = line->fd, .events = POLLIN };
    int64_t now;
    int n;

    switch (line->by) {
    case WSK_LIFELINE_FD:
        do {
            n = poll(&end, 1, 0);
        } while (n < 0 && errno == EINTR);
        return n <= 0;
    case WSK_LIFELINE_START:
        now = started(line->pid);
        return now == 0 || now == line->started;
    case WSK_LIFELINE_NONE:
        break;
    }
    return false;
}

void wsk_lifeline_drop(wsk_lifeline_t *line)
{
    if (line->by == WSK_LIFELINE_FD) {
        close(line->fd);
    }
    memset(line, 0, sizeof *line);
}
