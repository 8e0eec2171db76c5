/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_section -- the snapshot in mod_status's server-status: lines for `?auto`,
 * a table for people.
 */
#include "status/wsk_status.h"

#include "apr_lib.h"
#include "http_protocol.h"
#include "mod_status.h"

#define SITES_SHOWN 10

typedef struct line_t {
    const char *key, *title;
    uint64_t value;
} line_t;

/* opened_ws becomes WordSocketOpenedWs. */
static void counter_line(request_rec *r, const char *name, uint64_t value)
{
    char key[64];
    size_t n = 0;
    bool first = true;

    for (; *name && n < sizeof key - 1; name++) {
        if (*name == '_') {
            first = true;
            continue;
        }
        key[n++] = (char)(first ? apr_toupper(*name) : *name);
        first = false;
    }
    key[n] = '\0';
    ap_rprintf(r, "WordSocket%s: " WSK_U64 "\n", key, (apr_uint64_t)value);
}

static void say_lines(request_rec *r, const wsk_snapshot_t *snap,
                      const line_t *lines, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++) {
        ap_rprintf(r, "WordSocket%s: " WSK_U64 "\n", lines[i].key,
                   (apr_uint64_t)lines[i].value);
    }
    for (i = 0; i < WSK_C_COUNT; i++) {
        counter_line(r, wsk_counter_info[i].name, snap->counters[i]);
    }
}

static void say_table(request_rec *r, const line_t *lines, size_t n)
{
    size_t i;

    ap_rputs("<table border=\"0\">\n", r);
    for (i = 0; i < n; i++) {
        ap_rprintf(r,
                   "<tr><th align=\"left\">%s</th><td>" WSK_U64 "</td></tr>\n",
                   lines[i].title, (apr_uint64_t)lines[i].value);
    }
    ap_rputs("</table>\n", r);
}

static void say_sites(request_rec *r, const wsk_snapshot_t *snap)
{
    uint32_t i;

    ap_rputs("<table border=\"0\">\n<tr><th align=\"left\">Site</th>"
             "<th>Connections</th><th>Published</th><th>Delivered</th></tr>\n",
             r);
    for (i = 0; i < WSK_MIN(snap->nsites, (uint32_t)SITES_SHOWN); i++) {
        const wsk_seen_site_t *site = &snap->sites[i];

        ap_rprintf(r,
                   "<tr><td>%s</td><td>%u</td><td>" WSK_U64 "</td><td>" WSK_U64
                   "</td></tr>\n",
                   ap_escape_html(r->pool, site->key), site->connections,
                   (apr_uint64_t)site->published,
                   (apr_uint64_t)site->delivered);
    }
    ap_rputs("</table>\n", r);
}

int wsk_status_section(request_rec *r, int flags, const wsk_source_t *from,
                       bool sites)
{
    const wsk_ask_t ask = { .top = sites && !(flags & AP_STATUS_SHORT)
                                       ? SITES_SHOWN
                                       : 0 };
    const wsk_snapshot_t *snap = wsk_snapshot_take(r->pool, from,
                                                   apr_time_now(), &ask);
    const line_t lines[] = {
        { "Connections", "Connections", snap->connections },
        { "ConnectionsWebSocket", "by WebSocket", snap->websockets },
        { "ConnectionsEventStream", "by event stream", snap->event_streams },
        { "ConnectionsPublisher", "by publish socket", snap->publishers },
        { "MessagesPublished", "Messages published", snap->totals.published },
        { "MessagesDelivered", "Messages delivered", snap->totals.delivered },
        { "Refusals", "Refused", snap->totals.refused },
        { "ConnectionsDropped", "Dropped as too slow", snap->totals.dropped },
        { "SharedMemoryBytes", "Shared memory, bytes", snap->bytes },
        { "SharedMemoryUsedBytes", "in use, bytes", snap->used },
        { "Processes", "Processes", snap->nslots },
        { "Sites", "Sites", snap->known_sites },
        { "SiteFilesRefused", "Site files refused", snap->refused_files }
    };
    size_t i;

    if (flags & AP_STATUS_SHORT) {
        say_lines(r, snap, lines, WSK_COUNT_OF(lines));
        return OK;
    }
    ap_rputs("<hr>\n<h2>WordSocket</h2>\n", r);
    if (flags & AP_STATUS_NOTABLE) {
        for (i = 0; i < WSK_COUNT_OF(lines); i++) {
            ap_rprintf(r, "%s: " WSK_U64 "<br>\n", lines[i].title,
                       (apr_uint64_t)lines[i].value);
        }
        return OK;
    }
    say_table(r, lines, WSK_COUNT_OF(lines));
    if (sites) {
        say_sites(r, snap);
    }
    return OK;
}
