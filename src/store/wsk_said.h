/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_said -- what is said of a site, changed all at once.
 *
 * Promise   No reader ever sees half of a change, whoever dies. Of what is not
 *           in force any more no byte is left.
 * Threads   The caller holds the site's lock.
 */
#ifndef WSK_SAID_H
#define WSK_SAID_H

#include "store/wsk_store_int.h"

/** A spec in one form: every text ended, nothing behind the ends. */
void wsk_said_clean(wsk_site_spec_t *to, const wsk_site_spec_t *from);

/** Put in force, wipe the old, tell by the version. */
void wsk_said_put(wsk_site_t *site, const wsk_said_t *said);

#endif
