/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_ends -- ends of connections of processes that have no log, for one that has.
 *
 * Promise   Each is taken once. At most WSK_ENDS wait; what is one too many is
 *           counted as `unlogged`.
 * Threads   Any, of any process.
 */
#ifndef WSK_ENDS_H
#define WSK_ENDS_H

#include "store/wsk_segment.h"

#define WSK_ENDS 256

typedef struct wsk_end_t {
    uint32_t site; /* or WSK_NO_SITE */
    uint32_t kind; /* the caller's */
    uint32_t code; /* close code, 0 for none */
    int64_t lived_ms;
    uint64_t bytes_in, bytes_out;
} wsk_end_t;

/** Leave one, for a process of the given slot. */
void wsk_ends_put(wsk_segment_t *seg, unsigned slot, const wsk_end_t *end);

/** The oldest. @return false: none waits. Cheap then */
bool wsk_ends_take(wsk_segment_t *seg, wsk_end_t *out);

#endif
