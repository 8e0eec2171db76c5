/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fault_walk -- a walk through a room's life, again and again: each time another
 * call fails, and each time all must be as it was before.
 *
 * Promise   Of all calls that can fail each is failed once alone, once with those
 *           that follow, and once softly. Without WSK_LONG=1 as many of each name
 *           as the walk says, evenly spread; the line of the test says how many.
 */
#ifndef WSK_FAULT_WALK_H
#define WSK_FAULT_WALK_H

#include "fault.h"

/* Whether all is as it was: descriptors, and memory. */

typedef struct fault_balance_t {
    long live;
    uint64_t fds;
} fault_balance_t;

TAP_UNUSED static fault_balance_t fault_balance(void)
{
    fault_balance_t b = { fault_live, 0 };
    int fd;

    for (fd = 0; fd < 64; fd++) {
        b.fds |= (uint64_t)(__real_fcntl(fd, F_GETFD) >= 0) << fd;
    }
    return b;
}

/* How often it was failed by this program. */
TAP_UNUSED static unsigned fault_times(const char *name)
{
    unsigned i;

    for (i = 0; fault.failed[i].name; i++) {
        if (strcmp(fault.failed[i].name, name) == 0) {
            return fault.failed[i].times;
        }
    }
    return 0;
}

/* Every n: once alone, and once as the first of some. */

#define FAULT_SOME 25 /* calls that fail one after the other */

typedef struct fault_walk_t {
    const char *name;
    /* Calls fault_resume when its world is made.
     * @param soft  nothing may be seen of what fails
     * @return NULL or what is wrong; the world is as before it */
    const char *(*walk)(bool soft);
    long most;  /* of each call so many are tried without WSK_LONG, 0: all */
    bool holds; /* some memory for good */
} fault_walk_t;

static bool fault_long(void)
{
    const char *how = getenv("WSK_LONG");

    return how != NULL && strcmp(how, "1") == 0;
}

/* @return NULL or what is wrong */
static const char *fault_walk_once(const fault_walk_t *w, fault_way_e way,
                                   long at, long few)
{
    const fault_balance_t before = fault_balance();
    fault_balance_t after;
    const char *why;

    fault_arm(way, at, few);
    fault_pause();
    why = w->walk(way == FAULT_SOFT);
    fault_end();
    after = fault_balance();
    if (why == NULL && after.live != before.live && !w->holds) {
        why = "memory is left behind";
    }
    if (why == NULL && after.fds != before.fds) {
        why = "a descriptor is left behind";
    }
    return why;
}

/* The names of the calls, by number. */
static const char *fault_names[FAULT_TRACED];

/* Of each name at most so many, evenly spread. */
static bool fault_chosen(const fault_walk_t *w, long n, long at)
{
    const char *name = fault_names[at];
    long same = 0, before = 0, i;

    if (w->most == 0 || fault_long()) {
        return true;
    }
    for (i = 0; i < n; i++) {
        if (strcmp(fault_names[i], name) == 0) {
            same++;
            before += i < at;
        }
    }
    return before % ((same + w->most - 1) / w->most) == 0;
}

static void fault_walk_all(const fault_walk_t *w, const char *how,
                           fault_way_e way, long few)
{
    long n, at, tried = 0, bad = 0;
    const char *why = fault_walk_once(w, way, LONG_MAX, 0);

    if (why != NULL || fault.seen >= FAULT_TRACED) {
        ok(0, "%s without a failure: %s", w->name, why ? why : "too long");
        return;
    }
    n = fault.seen;
    memcpy(fault_names, fault_trace, (size_t)n * sizeof(*fault_names));
    for (at = 0; at < n; at++) {
        if (!fault_chosen(w, n, at)) {
            continue;
        }
        why = fault_walk_once(w, way, at, few);
        tried++;
        if (why != NULL && ++bad <= 10) {
            note("%s, %s, call %ld, %s: %s", w->name, how, at,
                 fault.first ? fault.first : "none", why);
        }
    }
    is_int(bad, 0, "%s: %s, %ld of %ld calls%s", w->name, how, tried, n,
           tried < n ? " (all with WSK_LONG=1)" : "");
    why = fault_walk_once(w, way, LONG_MAX, 0);
    ok(why == NULL, "%s: and as before after it%s%s", w->name, why ? ": " : "",
       why ? why : "");
}

TAP_UNUSED static void fault_walks(const fault_walk_t *w)
{
    fault_walk_all(w, "each fails alone", FAULT_HARD, 1);
    fault_walk_all(w, "each, and what follows", FAULT_HARD, FAULT_SOME);
    fault_walk_all(w, "each is put off or done by half", FAULT_SOFT, 1);
}

#endif
