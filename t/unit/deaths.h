/* SPDX-License-Identifier: Apache-2.0 */
/*
 * deaths -- look at every state of the segment in which a process can die.
 *
 * A child does the act step by step under ptrace. After every instruction that
 * changed the segment it is held, its locks are marked as the kernel marks
 * those of the dead, `judge` looks, and the memory is put back for the next
 * step. At some of the steps another child is really killed, to prove that
 * the kernel leaves the very same bytes.
 */
#ifndef WSK_DEATHS_H
#define WSK_DEATHS_H

#include "store_fixture.h"

#include <linux/futex.h>
#include <signal.h>
#include <sys/ptrace.h>

#define DEATHS_STEPS 4000000
#define DEATHS_REAL 4 /* really killed, of each act */
#define DEATHS_SECONDS 120

typedef struct death_t {
    const char *name;
    void (*act)(wsk_segment_t *seg);
    /* @return NULL or what is wrong; the memory is put back afterwards */
    const char *(*judge)(wsk_segment_t *seg);
} death_t;

/* A child that has stopped before the act, or -1. */
TAP_UNUSED static pid_t deaths_child(const death_t *death, wsk_segment_t *seg)
{
    int status;
    pid_t pid;

    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0) {
            _exit(77);
        }
        raise(SIGSTOP);
        death->act(seg);
        _exit(0);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status)) {
        return -1;
    }
    return pid;
}

/* @return false: the child has ended */
TAP_UNUSED static bool deaths_step(pid_t pid)
{
    int status;

    return ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL) == 0
           && waitpid(pid, &status, 0) == pid && WIFSTOPPED(status);
}

TAP_UNUSED static void deaths_kill(pid_t pid)
{
    int status;

    kill(pid, SIGKILL);
    while (waitpid(pid, &status, 0) == pid && !WIFSIGNALED(status)
           && !WIFEXITED(status)) {
    }
}

/* What the kernel does to a robust lock whose owner dies: the first word of the
 * mutex is the futex. */
TAP_UNUSED static void deaths_mark(pthread_mutex_t *lock, pid_t pid)
{
    uint32_t word;

    memcpy(&word, lock, sizeof(word));
    if ((word & FUTEX_TID_MASK) == (uint32_t)pid) {
        word = (word & FUTEX_WAITERS) | FUTEX_OWNER_DIED;
        memcpy(lock, &word, sizeof(word));
    }
}

TAP_UNUSED static void deaths_mark_all(wsk_segment_t *seg, pid_t pid)
{
    uint32_t i;

    deaths_mark(&seg->header->lock, pid);
    for (i = 0; i < seg->spec.sites; i++) {
        deaths_mark(&seg->sites[i].lock, pid);
    }
    for (i = 0; i < seg->spec.slots; i++) {
        deaths_mark(&wsk_slot_of(seg, i)->life, pid);
    }
}

/* Bytes but those of the locks, in which the owner's number and list are. */
TAP_UNUSED static bool deaths_equal(wsk_segment_t *seg, const uint8_t *image)
{
    wsk_segment_t with = *seg;
    uint8_t *copy = malloc(seg->spec.bytes);
    uint32_t i;
    bool equal;

    memcpy(copy, image, seg->spec.bytes);
    with.header = (wsk_header_t *)(void *)copy;
    with.sites = (wsk_site_t *)(void *)(copy + with.header->sites_at);
    with.slots = copy + with.header->slots_at;
    with.header->lock = seg->header->lock;
    for (i = 0; i < seg->spec.sites; i++) {
        with.sites[i].lock = seg->sites[i].lock;
    }
    for (i = 0; i < seg->spec.slots; i++) {
        wsk_slot_of(&with, i)->life = wsk_slot_of(seg, i)->life;
    }
    equal = memcmp(copy, seg->base, seg->spec.bytes) == 0;
    free(copy);
    return equal;
}

/* Really die after so many steps from `before` on, and leave `image`. */
TAP_UNUSED static const char *deaths_real(const death_t *death,
                                          wsk_segment_t *seg, int steps,
                                          const uint8_t *before,
                                          const uint8_t *image)
{
    const char *why = NULL;
    pid_t pid;

    memcpy(seg->base, before, seg->spec.bytes);
    pid = deaths_child(death, seg);
    while (pid > 0 && steps > 0 && deaths_step(pid)) {
        steps--;
    }
    if (pid > 0) {
        deaths_kill(pid);
    }
    if (pid <= 0 || steps > 0) {
        return "the act did not take the same steps again";
    }
    if (!deaths_equal(seg, image)) {
        return "a real death left something else";
    }
    why = death->judge(seg);
    return why;
}

/* What a death at this moment leaves, judged. The memory is put back. */
TAP_UNUSED static const char *deaths_here(const death_t *death,
                                          wsk_segment_t *seg, pid_t pid,
                                          const uint8_t *image)
{
    const char *why;

    deaths_mark_all(seg, pid);
    alarm(DEATHS_SECONDS);
    why = death->judge(seg);
    alarm(0);
    memcpy(seg->base, image, seg->spec.bytes);
    return why;
}

/* Let the act die in all its states. @return how many, or 0 if one of them was
 * not good; -1: this host does not let a process be traced. */
TAP_UNUSED static int deaths_walk(const death_t *death, wsk_segment_t *seg,
                                  const uint8_t *before, uint8_t *image)
{
    const pid_t pid = deaths_child(death, seg);
    const char *why = NULL;
    int step = 0, n = 0;

    if (pid < 0) {
        return -1;
    }
    while (why == NULL && step < DEATHS_STEPS && deaths_step(pid)) {
        step++;
        if (memcmp(image, seg->base, seg->spec.bytes) == 0) {
            continue;
        }
        memcpy(image, seg->base, seg->spec.bytes);
        n++;
        why = deaths_here(death, seg, pid, image);
        if (why == NULL && n % 64 == 17 && n / 64 < DEATHS_REAL) {
            why = deaths_real(death, seg, step, before, image);
            memcpy(seg->base, image, seg->spec.bytes);
        }
    }
    if (why != NULL) {
        note("%s: %s at step %d, death %d", death->name, why, step, n);
        deaths_kill(pid);
        return 0;
    }
    return n;
}

/* The memory is as before afterwards. */
TAP_UNUSED static void deaths_try(const death_t *death, wsk_segment_t *seg)
{
    const size_t bytes = seg->spec.bytes;
    uint8_t *before = malloc(bytes);
    uint8_t *image = malloc(bytes);
    int n;

    memcpy(before, seg->base, bytes);
    memcpy(image, seg->base, bytes);
    n = deaths_walk(death, seg, before, image);
    memcpy(seg->base, before, bytes);
    if (n < 0) {
        skip("this host does not let a process be traced");
    }
    else {
        ok(n > 1, "%s: good after each of %d deaths", death->name, n);
    }
    free(before);
    free(image);
}

/* Leave the segment as the nth death of the act leaves it.
 * @return false: it has no such death */
TAP_UNUSED static bool deaths_leave(const death_t *death, wsk_segment_t *seg,
                                    int n)
{
    const size_t bytes = seg->spec.bytes;
    const pid_t pid = deaths_child(death, seg);
    uint8_t *seen = malloc(bytes);

    memcpy(seen, seg->base, bytes);
    while (pid > 0 && n > 0 && deaths_step(pid)) {
        if (memcmp(seen, seg->base, bytes) != 0) {
            memcpy(seen, seg->base, bytes);
            n--;
        }
    }
    if (pid > 0) {
        deaths_kill(pid);
    }
    free(seen);
    return pid > 0 && n == 0;
}

#endif
