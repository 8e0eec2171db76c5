/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_url -- http and https URLs, as far as it must be known whose they are.
 *
 * Promise   Strict: what browsers and servers might read in two ways is refused
 *           -- users, backslashes, bytes that are not printable ASCII. What
 *           comes out has no quotes, blanks or angle brackets.
 * Threads   Any; nothing is kept.
 */
#ifndef WSK_URL_H
#define WSK_URL_H

#include "core/wsk.h"

#define WSK_URL_MAX 255

/** The origin in its one form: lower case, no default port.
 *  @param url  with any path and query, without a fragment
 *  @return false: not such a URL, or its origin is too long */
bool wsk_url_origin(const char *url, char origin[WSK_URL_MAX + 1]);

/** A site's URL in its one form: its origin and its path, without slashes at
 *  the end. @return false: not such a URL, or it has a query, or a path that
 *  could be read in two ways */
bool wsk_url_site(const char *url, char site[WSK_URL_MAX + 1]);

/** Whether a URL lies at a site or below it, in everybody's reading: neither has
 *  a segment that is empty or a dot, or a percent sign before what separates
 *  them. @param site  as wsk_url_site made it */
bool wsk_url_below(const char *site, const char *url);

/** Whether nobody in between can read what goes there: https, or loopback.
 *  @param origin  as wsk_url_origin made it */
bool wsk_url_private(const char *origin);

/** Where the host begins in such an origin. */
const char *wsk_url_host(const char *origin);

#endif
