/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_repair -- what the next owner of a lock does when the last one died.
 *
 * Promise   Afterwards what the lock guards is whole: as it was before the dead
 *           one's last turn of work, or after it. A log that does not hang
 *           together, which dying alone cannot bring about, starts anew under
 *           another epoch. May itself be broken off anywhere and begun again.
 * Threads   The lock in question is held, and not yet called mended.
 */
#ifndef WSK_REPAIR_H
#define WSK_REPAIR_H

#include "store/wsk_store_int.h"

/** What a site's lock guards; takes the host lock. */
void wsk_repair_site(wsk_segment_t *seg, uint32_t site);

/** What the host lock guards. */
void wsk_repair_host(wsk_segment_t *seg);

/** Prove the chains of a state and mark their pages, none of which may have a
 *  mark yet.
 *  @param mend  make anew what follows from the records
 *  @param bad   receives the number of the chain that is wrong
 *  @return NULL or what is wrong */
const char *wsk_repair_check(wsk_segment_t *seg, uint32_t site,
                             const wsk_state_t *state, bool mend,
                             unsigned *bad);

#endif
