/* SPDX-License-Identifier: Apache-2.0 */
#include "status/wsk_status.h"

#include <jansson.h>
#include <stdlib.h>

#include "apr_strings.h"
#include "http_protocol.h"

#define SITES_SHOWN 1000

static const struct {
    const char *name, *help;
} counters[] = {
#define X(name, help) { #name, help },
    WSK_COUNTERS(X)
#undef X
};

static bool wants_json(request_rec *r)
{
    const char *accept = apr_table_get(r->headers_in, "Accept");

    return (r->args && strncmp(r->args, "json", 4) == 0)
           || (accept && strstr(accept, "application/json"));
}

/* A text of the administrator's as JSON. */
static const char *json_text(apr_pool_t *pool, const char *text)
{
    json_t *value = json_string(text);
    char *made = value ? json_dumps(value, JSON_ENCODE_ANY) : NULL;
    const char *json = made ? apr_pstrdup(pool, made) : "null";

    free(made);
    json_decref(value);
    return json;
}

#define U64 "%" APR_UINT64_T_FMT

static void json_slots(request_rec *r, const wsk_segment_t *seg)
{
    wsk_slot_info_t info;
    const char *comma = "";
    uint32_t i;

    ap_rputs("\"slots\":[", r);
    for (i = 0; i < wsk_segment_spec(seg)->slots; i++) {
        if (wsk_slot_info(seg, i, &info)) {
            ap_rprintf(r,
                       "%s{\"slot\":%u,\"pid\":%d,\"generation\":%u,"
                       "\"state\":\"%s\",\"kind\":\"%s\",\"connections\":%u}",
                       comma, i, (int)info.pid, info.generation,
                       info.state == WSK_SLOT_LIVE ? "live" : "stopping",
                       info.kind == WSK_SLOT_CHILD ? "child" : "keeper",
                       info.connections);
            comma = ",";
        }
    }
    ap_rputs("]", r);
}

/* Refusals by quota. */
static void json_limited(request_rec *r, const uint64_t *of)
{
    int quota;

    ap_rputs(",\"limited\":{", r);
    for (quota = WSK_Q_none + 1; quota < WSK_Q_COUNT; quota++) {
        ap_rprintf(r, "%s\"%s\":" U64, quota > WSK_Q_none + 1 ? "," : "",
                   wsk_quota_name((wsk_quota_e)quota),
                   (apr_uint64_t)of[wsk_quota_counter((wsk_quota_e)quota)]);
    }
    ap_rputs("}}", r);
}

static void json_users(request_rec *r, wsk_segment_t *seg)
{
    wsk_user_info_t info;
    const char *comma = "";
    uint32_t i;

    ap_rputs("\"users\":[", r);
    for (i = 0; i < wsk_segment_spec(seg)->sites; i++) {
        if (wsk_user_info(seg, i, &info)) {
            ap_rprintf(r, "%s{\"user\":%s,\"sites\":%u,\"connections\":%u}",
                       comma, json_text(r->pool, info.name), info.sites,
                       info.connections);
            comma = ",";
        }
    }
    ap_rputs("]", r);
}

static void json_sites(request_rec *r, wsk_segment_t *seg)
{
    wsk_site_spec_t spec;
    wsk_site_state_e state;
    wsk_site_stats_t stats;
    const char *comma = "";
    uint32_t i;

    ap_rputs("\"sites\":[", r);
    for (i = 0; i < WSK_MIN(wsk_site_count(seg), (uint32_t)SITES_SHOWN); i++) {
        if (wsk_site_read(seg, i, &spec, &state) != WSK_OK
            || wsk_site_stats(seg, i, &stats) != WSK_OK) {
            continue;
        }
        ap_rprintf(r,
                   "%s{\"site_key\":\"%s\",\"state\":\"%s\","
                   "\"connections\":%u,\"max_connections\":%u,\"pages\":%u,"
                   "\"messages\":" U64 ",\"kept\":" U64 ",\"bytes\":" U64
                   ",\"published\":" U64 ",\"delivered\":" U64 ",\"user\":%s",
                   comma, spec.key, state == WSK_SITE_ON ? "on" : "off",
                   stats.connections, spec.limits.connections, stats.pages,
                   (apr_uint64_t)stats.head,
                   (apr_uint64_t)(stats.head + 1 - stats.oldest),
                   (apr_uint64_t)stats.bytes,
                   (apr_uint64_t)stats.counters[WSK_C_published],
                   (apr_uint64_t)stats.counters[WSK_C_delivered],
                   json_text(r->pool, spec.user));
        json_limited(r, stats.counters);
        comma = ",";
    }
    ap_rputs("]", r);
}

static apr_uint64_t refused_files(const wsk_segment_t *seg)
{
    return wsk_segment_marked(seg, WSK_MARK_REFUSED_FILES);
}

static int status_json(request_rec *r, wsk_segment_t *seg)
{
    const char *why = "";
    wsk_status_e whole = wsk_segment_check(seg, &why);
    wsk_pages_t pages;
    int i;

    wsk_segment_pages(seg, &pages);
    ap_set_content_type(r, "application/json");
    ap_rprintf(r,
               "{\"version\":\"%s\",\"connections\":%u,"
               "\"refused_site_files\":" U64 ","
               "\"segment\":{\"whole\":%s,\"reason\":\"%s\",\"pages\":%u,"
               "\"free\":%u,\"reserved\":%u},\"counters\":{",
               WSK_VERSION, wsk_segment_connections(seg), refused_files(seg),
               whole == WSK_OK ? "true" : "false", whole == WSK_OK ? "" : why,
               pages.total, pages.free, pages.reserved);
    for (i = 0; i < WSK_C_COUNT; i++) {
        ap_rprintf(r, "%s\"%s\":" U64, i ? "," : "", counters[i].name,
                   (apr_uint64_t)wsk_segment_counter(seg, (wsk_counter_e)i));
    }
    ap_rputs("},", r);
    json_slots(r, seg);
    ap_rputs(",", r);
    json_sites(r, seg);
    ap_rputs(",", r);
    json_users(r, seg);
    ap_rputs("}\n", r);
    return OK;
}

static int status_text(request_rec *r, wsk_segment_t *seg)
{
    const char *why = "";
    wsk_status_e whole = wsk_segment_check(seg, &why);
    wsk_slot_info_t info;
    wsk_pages_t pages;
    uint32_t i;

    wsk_segment_pages(seg, &pages);
    ap_set_content_type(r, "text/plain; charset=utf-8");
    ap_rprintf(
        r,
        "WordSocket %s\n\nconnections  %u\nsegment      %s%s, %u "
        "pages, %u free, %u reserved\nsite files   " U64 " refused\n\n",
        WSK_VERSION, wsk_segment_connections(seg),
        whole == WSK_OK ? "whole" : "BROKEN: ", whole == WSK_OK ? "" : why,
        pages.total, pages.free, pages.reserved, refused_files(seg));
    for (i = 0; i < wsk_segment_spec(seg)->slots; i++) {
        if (wsk_slot_info(seg, i, &info)) {
            ap_rprintf(r,
                       "slot %-4u pid %-8d generation %-4u %-9s %u "
                       "connections\n",
                       i, (int)info.pid, info.generation,
                       info.state == WSK_SLOT_LIVE ? "live" : "stopping",
                       info.connections);
        }
    }
    ap_rputs("\n", r);
    for (i = 0; i < WSK_C_COUNT; i++) {
        ap_rprintf(r, "%-20s %12" APR_UINT64_T_FMT "  %s\n", counters[i].name,
                   (apr_uint64_t)wsk_segment_counter(seg, (wsk_counter_e)i),
                   counters[i].help);
    }
    return OK;
}

int wsk_status_handle(request_rec *r, wsk_segment_t *seg)
{
    if (r->method_number != M_GET) {
        return HTTP_METHOD_NOT_ALLOWED;
    }
    if (!seg) {
        return HTTP_SERVICE_UNAVAILABLE;
    }
    apr_table_setn(r->headers_out, "Cache-Control", "no-store");
    return wants_json(r) ? status_json(r, seg) : status_text(r, seg);
}
