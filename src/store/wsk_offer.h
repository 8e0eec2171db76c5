/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_offer -- whose a connection is that travels from one process to another.
 *
 * The packet with the descriptor may lie in a socket for long, and both
 * processes may die at any instruction. So who owns the connection is one word
 * in the giver's slot, and every change of it one compare-and-swap:
 *
 *     OPEN --> HELD --> TAKEN      the taker has it; the giver lets go
 *       |        |----> REFUSED    the taker wants none of it: the giver's again
 *       |        `----> RETURNED   the same, but another one may want it
 *       `-> (free)                 withdrawn: whoever reads the packet drops it
 *
 * Promise   At most one process at a time may read or write the connection. A
 *           name is never used twice while a packet with it can be under way.
 * Threads   make, look, withdraw, end: the giver's loop thread. hold, settle:
 *           the taker's.
 */
#ifndef WSK_OFFER_H
#define WSK_OFFER_H

#include "store/wsk_segment.h"

#define WSK_OFFERS 64 /* of a slot at once */

/** What a packet names its offer by. */
typedef struct wsk_offer_t {
    uint32_t slot, term; /* of the giver */
    uint32_t number;     /* below WSK_OFFERS */
    uint32_t name;
} wsk_offer_t;

typedef enum wsk_offer_e {
    WSK_OFFER_FREE,
    WSK_OFFER_OPEN,
    WSK_OFFER_HELD,
    WSK_OFFER_TAKEN,
    WSK_OFFER_REFUSED,
    WSK_OFFER_RETURNED, /* the taker had no room or memory for it */
    WSK_OFFER_ORPHAN    /* who held it is dead, and has not touched it */
} wsk_offer_e;

/** @return false: all are in use */
bool wsk_offer_make(wsk_segment_t *seg, unsigned slot, wsk_offer_t *out);

/** What became of it. */
wsk_offer_e wsk_offer_look(wsk_segment_t *seg, const wsk_offer_t *offer);

/** Back, if nobody holds it. @return whether it is the giver's again */
bool wsk_offer_withdraw(wsk_segment_t *seg, const wsk_offer_t *offer);

/** Its place may be used again; after HELD and what it led to. */
void wsk_offer_end(wsk_segment_t *seg, const wsk_offer_t *offer);

/** Hold one for a slot. @return false: withdrawn, or its giver is gone */
bool wsk_offer_hold(wsk_segment_t *seg, const wsk_offer_t *offer, unsigned by);

/** Say TAKEN, REFUSED or RETURNED of what `by` holds. */
void wsk_offer_settle(wsk_segment_t *seg, const wsk_offer_t *offer, unsigned by,
                      wsk_offer_e what);

#endif
