/* SPDX-License-Identifier: Apache-2.0 */
/*
 * starve -- let an allocation fail, in this program and in every library it
 * uses: what is done without memory can be tested.
 *
 * Promise   Between starve(n) and starve_end() the n-th allocation from now
 *           (from 0) and all after it fail; with starve_for(n, few) only as many
 *           as that. CAN_STARVE is 0 under sanitizers,
 *           which have an allocator of their own, and where libc is not GNU's.
 * Threads   One.
 */
#ifndef WSK_STARVE_H
#define WSK_STARVE_H

#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define STARVE_SANITIZED 1
#endif
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define STARVE_SANITIZED 1
#endif

#if defined(__GLIBC__) && !defined(STARVE_SANITIZED)
#define CAN_STARVE 1

static long starve_left = LONG_MAX, starve_few;
static bool starve_hit;

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);

static bool starve_one(void)
{
    if (starve_left == LONG_MAX) {
        return false;
    }
    if (starve_left > 0) {
        starve_left--;
        return false;
    }
    if (starve_few-- <= 0) {
        return false;
    }
    starve_hit = true;
    return true;
}

void *malloc(size_t size)
{
    return starve_one() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return starve_one() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    return starve_one() ? NULL : __libc_realloc(old, size);
}

static void starve_for(long after, long few)
{
    starve_hit = false;
    starve_few = few;
    starve_left = after;
}

static void starve(long after)
{
    starve_for(after, LONG_MAX);
}

/* @return whether anything failed since starve() */
static bool starve_end(void)
{
    starve_left = LONG_MAX;
    return starve_hit;
}

#else
#define CAN_STARVE 0

static void starve_for(long after, long few)
{
    (void)after;
    (void)few;
}

static void starve(long after)
{
    starve_for(after, LONG_MAX);
}

static bool starve_end(void)
{
    return false;
}
#endif

#endif
