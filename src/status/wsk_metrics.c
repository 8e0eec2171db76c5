/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_metrics -- the snapshot for a scraper: OpenMetrics where that is asked
 * for, else the text format that came before it.
 */
#include "status/wsk_status.h"

#include <stdlib.h>

#include "apr_strings.h"
#include "http_protocol.h"

#define OPENMETRICS "application/openmetrics-text"
#define SITES_MOST 1000
#define PREFIX "wordsocket_"

/* What a metric family is called by the two formats. */
typedef struct out_t {
    request_rec *r;
    bool open; /* OpenMetrics */
} out_t;

static const struct {
    const char *metric, *help;
} families[] = {
#define X(metric, help) { metric, help },
    WSK_FAMILIES(X)
#undef X
};

/* The weight an Accept header gives a type; 0: none. */
static double weight(apr_pool_t *pool, const char *accept, const char *type)
{
    char *last, *item = apr_strtok(apr_pstrdup(pool, accept), ",", &last);
    double most = 0;

    for (; item; item = apr_strtok(NULL, ",", &last)) {
        const char *q = strstr(item, ";q=");

        while (*item == ' ') {
            item++;
        }
        if (strncmp(item, type, strlen(type)) == 0) {
            const double value = q ? strtod(q + 3, NULL) : 1;

            most = WSK_MAX(most, value);
        }
    }
    return most;
}

static bool wants_openmetrics(request_rec *r)
{
    const char *accept = apr_table_get(r->headers_in, "Accept");
    double open;

    if (!accept) {
        return false;
    }
    open = weight(r->pool, accept, OPENMETRICS);
    return open > 0 && open >= weight(r->pool, accept, "text/plain");
}

/* OpenMetrics names the family, and samples of counters end with _total, those
 * of infos with _info; before it, the family was named as its samples are. */
static void family(const out_t *out, const char *name, const char *type,
                   const char *help)
{
    const char *suffix = "", *is = type;

    if (!out->open && strcmp(type, "counter") == 0) {
        suffix = "_total";
    }
    if (!out->open && strcmp(type, "info") == 0) {
        suffix = "_info";
        is = "gauge";
    }
    ap_rprintf(out->r, "# TYPE " PREFIX "%s%s %s\n# HELP " PREFIX "%s%s %s.\n",
               name, suffix, is, name, suffix, help);
}

static void gauge(const out_t *out, const char *name, uint64_t value,
                  const char *help)
{
    family(out, name, "gauge", help);
    ap_rprintf(out->r, PREFIX "%s " WSK_U64 "\n", name, (apr_uint64_t)value);
}

static const char *help_of(const wsk_counter_info_t *row)
{
    size_t i;

    for (i = 0; i < WSK_COUNT_OF(families); i++) {
        if (strcmp(families[i].metric, row->metric) == 0) {
            return families[i].help;
        }
    }
    return row->help;
}

static void counters(const out_t *out, const wsk_snapshot_t *snap)
{
    const char *before = "";
    int i;

    for (i = 0; i < WSK_C_COUNT; i++) {
        const wsk_counter_info_t *row = &wsk_counter_info[i];

        if (strcmp(before, row->metric) != 0) {
            family(out, row->metric, "counter", help_of(row));
        }
        ap_rprintf(out->r,
                   *row->label ? PREFIX "%s_total{%s} " WSK_U64 "\n"
                               : PREFIX "%s_total%s " WSK_U64 "\n",
                   row->metric, row->label, (apr_uint64_t)snap->counters[i]);
        before = row->metric;
    }
}

static void children(const out_t *out, const wsk_snapshot_t *snap)
{
    unsigned live = 0, stopping = 0;
    uint32_t i;

    for (i = 0; i < snap->nslots; i++) {
        *(snap->slots[i].is.state == WSK_SLOT_LIVE ? &live : &stopping) += 1;
    }
    family(out, "children", "gauge", "processes that hold connections");
    ap_rprintf(out->r,
               PREFIX "children{state=\"live\"} %u\n" PREFIX
                      "children{state=\"stopping\"} %u\n",
               live, stopping);
}

static void host(const out_t *out, const wsk_snapshot_t *snap)
{
    family(out, "build", "info", "version of the module");
    ap_rprintf(out->r, PREFIX "build_info{version=\"%s\"} 1\n", WSK_VERSION);
    gauge(out, "start_time_seconds", (uint64_t)snap->since_us / 1000000,
          "Unix time from which on is counted");
    family(out, "connections", "gauge", "connections that are open");
    ap_rprintf(out->r,
               PREFIX "connections{transport=\"websocket\"} %u\n" PREFIX
                      "connections{transport=\"event_stream\"} %u\n" PREFIX
                      "connections{transport=\"publisher\"} %u\n",
               snap->websockets, snap->event_streams, snap->publishers);
    gauge(out, "connections_limit", snap->max_connections,
          "connections the host may have");
    gauge(out, "shm_size_bytes", snap->bytes, "size of the shared memory");
    gauge(out, "shm_used_bytes", snap->used, "shared memory that is in use");
    gauge(out, "sites", snap->known_sites, "sites that are known");
    gauge(out, "refused_site_files", snap->refused_files,
          "site files that the last reload found broken");
    children(out, snap);
}

static void site_counter(const out_t *out, const wsk_snapshot_t *snap,
                         const char *name, size_t offset, const char *help)
{
    uint32_t i;

    family(out, name, "counter", help);
    for (i = 0; i < snap->nsites; i++) {
        const char *at = (const char *)&snap->sites[i] + offset;

        ap_rprintf(out->r, PREFIX "%s_total{site=\"%s\"} " WSK_U64 "\n", name,
                   snap->sites[i].key,
                   (apr_uint64_t) * (const uint64_t *)(const void *)at);
    }
}

static void sites(const out_t *out, const wsk_snapshot_t *snap)
{
    uint32_t i;

    family(out, "site_connections", "gauge", "open connections of a site");
    for (i = 0; i < snap->nsites; i++) {
        ap_rprintf(out->r, PREFIX "site_connections{site=\"%s\"} %u\n",
                   snap->sites[i].key, snap->sites[i].connections);
    }
    site_counter(out, snap, "site_messages_published",
                 offsetof(wsk_seen_site_t, published),
                 "messages appended by signed publish of a site");
    site_counter(out, snap, "site_messages_delivered",
                 offsetof(wsk_seen_site_t, delivered),
                 "messages of a site put on a socket");
    site_counter(out, snap, "site_refused", offsetof(wsk_seen_site_t, refused),
                 "connections, requests and messages of a site refused");
    site_counter(out, snap, "site_limited", offsetof(wsk_seen_site_t, limited),
                 "refused at a cap, a rate or a bound of the site");
}

int wsk_metrics_handle(request_rec *r, const wsk_source_t *from)
{
    const uint32_t top = wsk_status_number(r, "sites", SITES_MOST);
    const wsk_ask_t ask = { .top = top };
    const out_t out = { r, wants_openmetrics(r) };
    const int status = wsk_status_begin(r, from);
    const wsk_snapshot_t *snap;

    if (status != OK) {
        return status;
    }
    apr_table_mergen(r->headers_out, "Vary", "Accept");
    ap_set_content_type(r, out.open
                               ? OPENMETRICS "; version=1.0.0; charset=utf-8"
                               : "text/plain; version=0.0.4; charset=utf-8");
    snap = wsk_snapshot_take(r->pool, from, apr_time_now(), &ask);
    host(&out, snap);
    counters(&out, snap);
    if (top > 0) {
        sites(&out, snap);
    }
    if (out.open) {
        ap_rputs("# EOF\n", r);
    }
    return OK;
}
