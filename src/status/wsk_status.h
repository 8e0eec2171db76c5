/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_status -- the page of handler wordsocket-status: text, and JSON for
 * `?json` or an Accept of application/json.
 *
 * Promise   A snapshot of the segment; names and figures of sites, never a
 *           secret.
 */
#ifndef WSK_STATUS_H
#define WSK_STATUS_H

#include "httpd.h"

#include "store/wsk_site.h"

int wsk_status_handle(request_rec *r, wsk_segment_t *seg);

#endif
