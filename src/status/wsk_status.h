/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_status -- what the administrator sees: the handlers wordsocket-status and
 * wordsocket-metrics, and a section in server-status.
 *
 * wordsocket-status is a page for who accepts HTML, JSON for `?json` or an
 * Accept of application/json, and text for `?auto` and all others. `check` among
 * the query proves the segment, which nothing else does.
 *
 * Promise   Each is made from one snapshot; names and figures of sites, never a
 *           secret.
 */
#ifndef WSK_STATUS_H
#define WSK_STATUS_H

#include "httpd.h"

#include "status/wsk_snapshot.h"

int wsk_status_handle(request_rec *r, const wsk_source_t *from);
int wsk_metrics_handle(request_rec *r, const wsk_source_t *from);

/** For mod_status's status_hook.
 *  @param sites  whether sites may be named here */
int wsk_status_section(request_rec *r, int flags, const wsk_source_t *from,
                       bool sites);

/** The page, for people. */
int wsk_status_page(request_rec *r, const wsk_snapshot_t *snap);

/** What handlers have in common. @return OK: go on */
int wsk_status_begin(request_rec *r, const wsk_source_t *from);

/** A number of the query, at most `most`; 0 if absent. */
uint32_t wsk_status_number(const request_rec *r, const char *name,
                           uint32_t most);

#define WSK_U64 "%" APR_UINT64_T_FMT

#endif
