/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_settings -- what the administrator said of a host; for every room, no
 * httpd.
 *
 * Threads   Written while the configuration is read; never after.
 */
#ifndef WSK_SETTINGS_H
#define WSK_SETTINGS_H

#include "conf/wsk_directives.h"
#include "store/wsk_site.h"

/* What the sites of a user have together, times what one has. */
#define WSK_USER_PART 3

typedef struct wsk_settings_t {
#define X(field, ...) int64_t field;
    WSK_DIRECTIVES(X)
#undef X
    int64_t history_bytes, history_messages, history_age_ms;
    int64_t publish_rate, publish_burst;
    int64_t user_publish_rate, user_publish_burst;
    int64_t keepers, keeper_age_ms;
    const char *path;           /* begins with /, does not end with it */
    const char *site_file;      /* NULL: none */
    const char *host_key;       /* its file; NULL: no host mode */
    const char *registry;       /* NULL: none; a host's own, never inherited */
    const char *const *origins; /* NULL: any */
    unsigned norigins;
} wsk_settings_t;

/** The limits these settings give a site. */
void wsk_settings_limits(const wsk_settings_t *set, wsk_limits_t *out);

#endif
