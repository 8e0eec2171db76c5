/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_lifeline -- whether a process that is not our parent still lives.
 *
 * Promise   Not deceived by a later process with the same number. By a pidfd
 *           (Linux 5.3), which needs no right to the process; else by when it
 *           began, which /proc must show: with hidepid it does not.
 * Owner     The caller's; a copy of the struct is the same lifeline.
 * Threads   Any, one at a time.
 */
#ifndef WSK_LIFELINE_H
#define WSK_LIFELINE_H

#include "core/wsk.h"

typedef enum wsk_lifeline_e {
    WSK_LIFELINE_NONE, /* all zero: it is not known */
    WSK_LIFELINE_FD,
    WSK_LIFELINE_START
} wsk_lifeline_e;

typedef struct wsk_lifeline_t {
    wsk_lifeline_e by;
    int32_t pid;
    int fd;          /* of WSK_LIFELINE_FD */
    int64_t started; /* of WSK_LIFELINE_START: ticks since the system did */
} wsk_lifeline_t;

/** Of a process that lives; whoever calls makes sure that it still does after.
 *  @param best  another than WSK_LIFELINE_FD is for tests */
void wsk_lifeline_take(wsk_lifeline_t *line, int32_t pid, wsk_lifeline_e best);

/** @return false: it is dead, a zombie, or was never known */
bool wsk_lifeline_holds(const wsk_lifeline_t *line);

/** Close what it holds open; all zero then. */
void wsk_lifeline_drop(wsk_lifeline_t *line);

#endif
