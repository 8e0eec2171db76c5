/* SPDX-License-Identifier: Apache-2.0 */
#include "store/wsk_lock.h"

#include "store_fixture.h"

#include <signal.h>

typedef struct shared_t {
    pthread_mutex_t lock;
    _Atomic int reached;
    int sum;
} shared_t;

/* A process that takes the lock and dies with it, n times mending first. */
static void die_holding(shared_t *shared)
{
    const pid_t pid = fork();

    if (pid == 0) {
        wsk_lock_take(&shared->lock);
        kill(getpid(), SIGKILL);
    }
    waitpid(pid, NULL, 0);
}

static void deaths(shared_t *shared)
{
    is_int(wsk_lock_take(&shared->lock), WSK_LOCK_HELD, "a new lock is taken");
    wsk_lock_give(&shared->lock);
    die_holding(shared);
    is_int(wsk_lock_take(&shared->lock), WSK_LOCK_DEAD,
           "a lock whose owner was killed tells so");
    wsk_lock_mended(&shared->lock);
    wsk_lock_give(&shared->lock);
    is_int(wsk_lock_take(&shared->lock), WSK_LOCK_HELD, "once");
    wsk_lock_give(&shared->lock);
    die_holding(shared);
    die_holding(shared);
    is_int(wsk_lock_try(&shared->lock), WSK_LOCK_DEAD,
           "a repairer that dies leaves it to the next");
    wsk_lock_mended(&shared->lock);
    wsk_lock_give(&shared->lock);
}

static void living(shared_t *shared)
{
    const pid_t pid = fork();
    int status = -1;

    if (pid == 0) {
        wsk_lock_take(&shared->lock);
        atomic_store(&shared->reached, 1);
        while (atomic_load(&shared->reached) == 1) {
            usleep(1000);
        }
        wsk_lock_give(&shared->lock);
        _exit(0);
    }
    while (atomic_load(&shared->reached) == 0) {
        usleep(1000);
    }
    is_int(wsk_lock_try(&shared->lock), WSK_LOCK_BUSY,
           "another process's lock is busy");
    atomic_store(&shared->reached, 2);
    waitpid(pid, &status, 0);
    is_int(status, 0, "the owner goes in peace");
    is_int(wsk_lock_try(&shared->lock), WSK_LOCK_HELD, "and leaves it free");
    wsk_lock_give(&shared->lock);
}

static void excluding(shared_t *shared)
{
    pid_t pids[3];
    int i, p;

    for (p = 0; p < 3; p++) {
        pids[p] = fork();
        if (pids[p] == 0) {
            for (i = 0; i < 50000; i++) {
                wsk_lock_take(&shared->lock);
                shared->sum++;
                wsk_lock_give(&shared->lock);
            }
            _exit(0);
        }
    }
    for (p = 0; p < 3; p++) {
        waitpid(pids[p], NULL, 0);
    }
    is_int(shared->sum, 150000, "one owner at a time");
}

int main(void)
{
    shared_t *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
                            MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    alarm(60);
    ok(wsk_lock_format(&shared->lock), "a lock between processes can be made");
    deaths(shared);
    living(shared);
    excluding(shared);
    return done_testing();
}
