/* SPDX-License-Identifier: Apache-2.0 */
#include "transport/wsk_lifeline.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

static pid_t sleeper(void)
{
    const pid_t pid = fork();

    if (pid == 0) {
        pause();
        _exit(0);
    }
    return pid;
}

static void lives(wsk_lifeline_e by, const char *how)
{
    const pid_t pid = sleeper();
    const int lowest = dup(0);
    wsk_lifeline_t line, same;
    int tries = 2000;

    close(lowest);
    wsk_lifeline_take(&line, (int32_t)pid, by);
    is_int(line.by, by, "%s", how);
    ok(wsk_lifeline_holds(&line), "holds while it lives");
    same = line;
    ok(wsk_lifeline_holds(&same), "so does a copy");
    kill(pid, SIGKILL);
    while (tries-- > 0 && wsk_lifeline_holds(&line)) {
        usleep(1000);
    }
    ok(!wsk_lifeline_holds(&line), "a zombie does not live");
    waitpid(pid, NULL, 0);
    ok(!wsk_lifeline_holds(&line), "nor one who is gone");
    wsk_lifeline_drop(&line);
    ok(!wsk_lifeline_holds(&line), "dropped, it holds nobody");
    is_int(dup(0), lowest, "nor a descriptor");
    close(lowest);
}

static void another(void)
{
    wsk_lifeline_t line;

    wsk_lifeline_take(&line, (int32_t)getpid(), WSK_LIFELINE_START);
    line.started--;
    ok(!wsk_lifeline_holds(&line), "a later one with its number is not it");
}

static void nobody(void)
{
    const pid_t pid = sleeper();
    wsk_lifeline_t line;

    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    wsk_lifeline_take(&line, (int32_t)pid, WSK_LIFELINE_FD);
    is_int(line.by, WSK_LIFELINE_NONE, "of nobody nothing is known");
    ok(!wsk_lifeline_holds(&line), "and it does not hold");
}

int main(void)
{
    lives(WSK_LIFELINE_FD, "by a descriptor");
    lives(WSK_LIFELINE_START, "by when it began");
    another();
    nobody();
    return done_testing();
}
