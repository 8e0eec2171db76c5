/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_site_file -- what WordSocketSiteFile holds: one object for a site, or a list
 * of them.
 *
 * Threads   Any; no state.
 * Not here  Whose a site is, and where it goes.
 */
#ifndef WSK_SITE_FILE_H
#define WSK_SITE_FILE_H

#include <jansson.h>

#include "store/wsk_site.h"

#define WSK_SITE_WRONG_MAX 160 /* of what is wrong, with its end */

/**
 * Read a file. A member that is named twice is a fault.
 * @param wrong  receives what is wrong and in which line; nothing of the text is
 *               in it, since that may be a secret
 * @return an owned value, or NULL
 */
json_t *wsk_site_file_read(const char *name, char wrong[WSK_SITE_WRONG_MAX]);

/** How many objects it holds, and one of them. */
size_t wsk_site_file_count(const json_t *root);
json_t *wsk_site_file_at(json_t *root, size_t i);

/**
 * What an object says of a site.
 * @param spec  on entry what holds where it says nothing: limits, user; site_id
 *              stays as it is. Has secrets, also of a site that is wrong
 * @param wrong receives what is wrong
 * @return whether it is a site
 */
bool wsk_site_file_spec(const json_t *site, wsk_site_spec_t *spec,
                        char wrong[WSK_SITE_WRONG_MAX]);

#endif
