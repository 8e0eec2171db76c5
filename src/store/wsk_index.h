/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_index -- finding a site by its key and by its site_id.
 *
 * Promise   Constant expected time, whatever names strangers ask for. Sites are
 *           only ever added and never move, so a lookup takes no lock.
 * Threads   find: any. add, mend: the host lock is held.
 */
#ifndef WSK_INDEX_H
#define WSK_INDEX_H

#include "store/wsk_store_int.h"

typedef enum wsk_index_e { WSK_INDEX_KEY, WSK_INDEX_ID } wsk_index_e;

/** Entries of an index for so many sites; at most half are used. */
uint32_t wsk_index_size(uint32_t sites);

/** @return WSK_OK or WSK_ENOTFOUND */
wsk_status_e wsk_index_find(const wsk_segment_t *seg, wsk_index_e which,
                            wsk_slice_t name, uint32_t *psite);

/** Enter a site under both its names. Does nothing where it is in already. */
void wsk_index_add(wsk_segment_t *seg, uint32_t site);

/** Enter what a dead process did not get to enter. */
void wsk_index_mend(wsk_segment_t *seg);

#endif
