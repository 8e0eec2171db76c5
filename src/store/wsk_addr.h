/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_addr -- how many connections which client address has at which site,
 * through which slot.
 *
 * Promise   The counts of the entries are the truth about connections: those of
 *           cells, slots, sites and the host are their sums.
 * Threads   The host lock is held for all calls.
 */
#ifndef WSK_ADDR_H
#define WSK_ADDR_H

#include "store/wsk_store_int.h"

/** Chain all entries as free. */
void wsk_addr_format(wsk_segment_t *seg);

/** Make chains and sums anew from the used entries. */
void wsk_addr_mend(wsk_segment_t *seg);

/** Connections of an address at a site, through all slots. */
uint32_t wsk_addr_count(wsk_segment_t *seg, uint32_t site, uint64_t address);

/** Count one in, in every sum. @return WSK_OK or WSK_EFULL */
wsk_status_e wsk_addr_add(wsk_segment_t *seg, unsigned slot, uint32_t site,
                          uint64_t address);

/** Count one out. @return WSK_OK or WSK_ENOTFOUND */
wsk_status_e wsk_addr_remove(wsk_segment_t *seg, unsigned slot, uint32_t site,
                             uint64_t address);

/** Count one over from one slot to another; what others see stays the same.
 *  @return WSK_OK; WSK_ENOTFOUND: `from` has none; WSK_EFULL: nothing changed */
wsk_status_e wsk_addr_move(wsk_segment_t *seg, unsigned from, unsigned to,
                           uint32_t site, uint64_t address);

/** Count out everything of a slot. */
void wsk_addr_reap(wsk_segment_t *seg, unsigned slot);

/** Prove chains, free list and sums. @return NULL or what is wrong */
const char *wsk_addr_check(const wsk_segment_t *seg);

#endif
