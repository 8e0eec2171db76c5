/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_pulse -- a site's last ten minutes at a glance: how many messages came in,
 * and what was refused last.
 *
 * Promise   For people who look; nothing is decided by it. A reader that meets a
 *           writer may see a number that is a moment old.
 * Threads   Any; no locks.
 */
#ifndef WSK_PULSE_H
#define WSK_PULSE_H

#include "store/wsk_segment.h"

#define WSK_PULSES 60
#define WSK_PULSE_US INT64_C(10000000)

/** Note where a site stands; every few seconds, by anybody. */
void wsk_pulse_note(wsk_segment_t *seg, uint32_t site, int64_t now_us);

/** Messages of each of the last periods, the one under way last. */
void wsk_pulse_read(const wsk_segment_t *seg, uint32_t site, int64_t now_us,
                    uint32_t out[WSK_PULSES]);

/** Something of a site was refused. @param why  the caller's number, 1 to 255 */
void wsk_pulse_fault(wsk_segment_t *seg, uint32_t site, unsigned why,
                     int64_t now_s);
/** @return what was refused last, 0: nothing; *pwhen_s says when */
unsigned wsk_pulse_faulted(const wsk_segment_t *seg, uint32_t site,
                           int64_t *pwhen_s);

#endif
