/* SPDX-License-Identifier: Apache-2.0 */
#include "status/wsk_status.h"

#include "apr_strings.h"
#include "http_protocol.h"

#define SITES_SHOWN 1000
#define SITES_ON_PAGE 10

/* Whether the query has this word, alone between its ampersands. */
static bool asks(const request_rec *r, const char *word)
{
    const size_t len = strlen(word);
    const char *at = r->args;

    while (at && (strncmp(at, word, len) != 0 || (at[len] && at[len] != '&'))) {
        at = strchr(at, '&');
        at = at ? at + 1 : NULL;
    }
    return at != NULL;
}

static bool accepts(const request_rec *r, const char *type)
{
    const char *accept = apr_table_get(r->headers_in, "Accept");

    return accept && strstr(accept, type);
}

uint32_t wsk_status_number(const request_rec *r, const char *name,
                           uint32_t most)
{
    const size_t len = strlen(name);
    const char *at = r->args;
    apr_int64_t n;

    while (at && (strncmp(at, name, len) != 0 || at[len] != '=')) {
        at = strchr(at, '&');
        at = at ? at + 1 : NULL;
    }
    n = at ? apr_atoi64(at + len + 1) : 0;
    return n < 0 ? 0 : (uint32_t)WSK_MIN(n, (apr_int64_t)most);
}

int wsk_status_begin(request_rec *r, const wsk_source_t *from)
{
    if (r->method_number != M_GET) {
        return HTTP_METHOD_NOT_ALLOWED;
    }
    if (!from->seg) {
        return HTTP_SERVICE_UNAVAILABLE;
    }
    apr_table_setn(r->headers_out, "Cache-Control", "no-store");
    return OK;
}

static void json_head(request_rec *r, const wsk_snapshot_t *snap)
{
    const char *whole = snap->whole ? "true" : "false";

    ap_rprintf(r,
               "{\"version\":\"%s\",\"now_ms\":" WSK_U64
               ",\"since_ms\":" WSK_U64
               ",\"connections\":%u,\"max_connections\":%u,"
               "\"transports\":{\"websocket\":%u,\"event_stream\":%u,"
               "\"publisher\":%u},\"refused_site_files\":%u,",
               WSK_VERSION, (apr_uint64_t)snap->now_us / 1000,
               (apr_uint64_t)snap->since_us / 1000, snap->connections,
               snap->max_connections, snap->websockets, snap->event_streams,
               snap->publishers, snap->refused_files);
    ap_rprintf(r,
               "\"segment\":{\"whole\":%s,\"reason\":\"%s\",\"bytes\":" WSK_U64
               ",\"used\":" WSK_U64
               ",\"pages\":%u,\"free\":%u,\"reserved\":%u},",
               snap->proved ? whole : "null", snap->why,
               (apr_uint64_t)snap->bytes, (apr_uint64_t)snap->used,
               snap->pages.total, snap->pages.free, snap->pages.reserved);
    ap_rprintf(r,
               "\"totals\":{\"published\":" WSK_U64 ",\"delivered\":" WSK_U64
               ",\"refused\":" WSK_U64 ",\"dropped\":" WSK_U64 "},",
               (apr_uint64_t)snap->totals.published,
               (apr_uint64_t)snap->totals.delivered,
               (apr_uint64_t)snap->totals.refused,
               (apr_uint64_t)snap->totals.dropped);
}

static void json_slots(request_rec *r, const wsk_snapshot_t *snap)
{
    uint32_t i;

    ap_rputs("\"slots\":[", r);
    for (i = 0; i < snap->nslots; i++) {
        const wsk_slot_info_t *slot = &snap->slots[i].is;

        ap_rprintf(r,
                   "%s{\"slot\":%u,\"pid\":%d,\"generation\":%u,"
                   "\"state\":\"%s\",\"kind\":\"%s\",\"connections\":%u,"
                   "\"since_ms\":" WSK_U64 "}",
                   i ? "," : "", snap->slots[i].number, (int)slot->pid,
                   slot->generation,
                   slot->state == WSK_SLOT_LIVE ? "live" : "stopping",
                   slot->kind == WSK_SLOT_CHILD ? "child" : "keeper",
                   slot->connections, (apr_uint64_t)slot->since_us / 1000);
    }
    ap_rputs("]", r);
}

static void json_sites(request_rec *r, const wsk_snapshot_t *snap)
{
    uint32_t i;

    ap_rputs("\"sites\":[", r);
    for (i = 0; i < snap->nsites; i++) {
        const wsk_seen_site_t *site = &snap->sites[i];

        ap_rprintf(r,
                   "%s{\"site_key\":\"%s\",\"state\":\"%s\","
                   "\"connections\":%u,\"max_connections\":%u,\"pages\":%u,"
                   "\"messages\":" WSK_U64 ",\"kept\":" WSK_U64
                   ",\"bytes\":" WSK_U64 ",\"published\":" WSK_U64
                   ",\"published_browser\":" WSK_U64 ",\"delivered\":" WSK_U64
                   ",\"refused\":" WSK_U64 ",\"limited\":" WSK_U64 "}",
                   i ? "," : "", site->key, site->on ? "on" : "off",
                   site->connections, site->max_connections, site->pages,
                   (apr_uint64_t)site->messages, (apr_uint64_t)site->kept,
                   (apr_uint64_t)site->bytes, (apr_uint64_t)site->published,
                   (apr_uint64_t)site->published_browser,
                   (apr_uint64_t)site->delivered, (apr_uint64_t)site->refused,
                   (apr_uint64_t)site->limited);
    }
    ap_rputs("]", r);
}

static int status_json(request_rec *r, const wsk_snapshot_t *snap)
{
    int i;

    ap_set_content_type(r, "application/json");
    json_head(r, snap);
    ap_rputs("\"counters\":{", r);
    for (i = 0; i < WSK_C_COUNT; i++) {
        ap_rprintf(r, "%s\"%s\":" WSK_U64, i ? "," : "",
                   wsk_counter_info[i].name, (apr_uint64_t)snap->counters[i]);
    }
    ap_rputs("},", r);
    json_slots(r, snap);
    ap_rputs(",", r);
    json_sites(r, snap);
    ap_rputs("}\n", r);
    return OK;
}

static int status_text(request_rec *r, const wsk_snapshot_t *snap)
{
    uint32_t i;

    ap_set_content_type(r, "text/plain; charset=utf-8");
    ap_rprintf(r,
               "WordSocket %s\n\nconnections  %u\nsegment      %s%s, %u "
               "pages, %u free, %u reserved\nsite files   %u refused\n\n",
               WSK_VERSION, snap->connections,
               !snap->proved ? "not checked"
               : snap->whole ? "whole"
                             : "BROKEN: ",
               snap->why, snap->pages.total, snap->pages.free,
               snap->pages.reserved, snap->refused_files);
    for (i = 0; i < snap->nslots; i++) {
        const wsk_slot_info_t *slot = &snap->slots[i].is;

        ap_rprintf(r,
                   "slot %-4u pid %-8d generation %-4u %-9s %u "
                   "connections\n",
                   snap->slots[i].number, (int)slot->pid, slot->generation,
                   slot->state == WSK_SLOT_LIVE ? "live" : "stopping",
                   slot->connections);
    }
    ap_rputs("\n", r);
    for (i = 0; i < WSK_C_COUNT; i++) {
        ap_rprintf(r, "%-20s %12" APR_UINT64_T_FMT "  %s\n",
                   wsk_counter_info[i].name, (apr_uint64_t)snap->counters[i],
                   wsk_counter_info[i].help);
    }
    return OK;
}

int wsk_status_handle(request_rec *r, const wsk_source_t *from)
{
    const bool json = asks(r, "json")
                      || (!asks(r, "auto") && accepts(r, "application/json"));
    const bool page = !json && !asks(r, "auto") && accepts(r, "text/html");
    const uint32_t top = wsk_status_number(r, "top", SITES_SHOWN);
    const wsk_ask_t ask = { .first = json ? SITES_SHOWN : 0,
                            .top = page   ? SITES_ON_PAGE
                                   : json ? top
                                          : 0,
                            .prove = asks(r, "check") };
    const int status = wsk_status_begin(r, from);
    const wsk_snapshot_t *snap;

    if (status != OK) {
        return status;
    }
    apr_table_mergen(r->headers_out, "Vary", "Accept");
    snap = wsk_snapshot_take(r->pool, from, apr_time_now(), &ask);
    if (page) {
        return wsk_status_page(r, snap);
    }
    return json ? status_json(r, snap) : status_text(r, snap);
}
