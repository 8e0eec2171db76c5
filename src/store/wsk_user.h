/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_user -- whose account a site is: sites of one user share limits.
 *
 * Promise   A site names at most one user, so there is always a place for one
 *           more. Connections of a user are the sum of its sites', so they go
 *           when a slot dies.
 * Threads   The host lock is held, but for wsk_user_of.
 */
#ifndef WSK_USER_H
#define WSK_USER_H

#include "store/wsk_store_int.h"

/** The user of a site, or NULL. No lock: what it says may have changed. */
wsk_user_t *wsk_user_of(const wsk_segment_t *seg, uint32_t site);

/** The site is this user's from now on, with its connections; nobody's if the
 *  name is empty. A user has the largest rate and burst that one of its sites
 *  gives it. What it owes stays with its name, also while it has no site, unless
 *  all places are needed.
 *  @param limits  of the site */
void wsk_user_name(wsk_segment_t *seg, uint32_t site, const char *name,
                   const wsk_limits_t *limits);

/** Count anew which sites name whom; connections are zero then. */
void wsk_user_mend(wsk_segment_t *seg);

/** @return NULL or what is wrong */
const char *wsk_user_check(const wsk_segment_t *seg);

#endif
