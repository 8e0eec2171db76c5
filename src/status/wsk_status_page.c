/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_status_page -- the status page for people: whole without its script, which keeps
 * the figures live and draws them.
 */
#include "status/wsk_status.h"

#include "apr_strings.h"
#include "http_core.h"
#include "http_protocol.h"

#include "status/wsk_status_text.h"

/* With commas, as the script writes it. */
static const char *number(request_rec *r, uint64_t n)
{
    char *text = apr_psprintf(r->pool, WSK_U64, (apr_uint64_t)n);
    const size_t len = strlen(text);
    char *out = apr_palloc(r->pool, len + len / 3 + 1), *at = out;
    size_t i;

    for (i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0) {
            *at++ = ',';
        }
        *at++ = text[i];
    }
    *at = '\0';
    return out;
}

/* As the script writes it, too. */
static const char *megabytes(request_rec *r, uint64_t bytes)
{
    const uint64_t tenths = (bytes * 10 + WSK_MB(1) / 2) / WSK_MB(1);

    return apr_psprintf(r->pool, "%s.%u MB", number(r, tenths / 10),
                        (unsigned)(tenths % 10));
}

static const char *age(request_rec *r, int64_t us)
{
    static const struct {
        int64_t below, unit;
        const char *name;
    } units[] = { { 60, 1, "s" },
                  { 3600, 60, "min" },
                  { 172800, 3600, "h" },
                  { INT64_MAX, 86400, "d" } };
    const int64_t s = us > 0 ? us / 1000000 : 0;
    size_t i = 0;

    while (s >= units[i].below) {
        i++;
    }
    return apr_psprintf(r->pool, "%" APR_INT64_T_FMT " %s",
                        (apr_int64_t)(s / units[i].unit), units[i].name);
}

/* Nothing on the page comes from elsewhere, and nothing runs that we did not
 * send with it. @return the nonce of style and script */
static const char *guard(request_rec *r)
{
    unsigned char random[16];
    char *nonce = apr_palloc(r->pool, 2 * sizeof random + 1);

    if (apr_generate_random_bytes(random, sizeof random) != APR_SUCCESS) {
        return NULL;
    }
    ap_bin2hex(random, sizeof random, nonce);
    apr_table_setn(
        r->headers_out, "Content-Security-Policy",
        apr_psprintf(
            r->pool,
            "default-src 'none'; style-src 'nonce-%s'; script-src "
            "'nonce-%s'; connect-src 'self'; img-src data:; base-uri 'none'; "
            "form-action 'none'; frame-ancestors 'none'",
            nonce, nonce));
    apr_table_setn(r->headers_out, "X-Content-Type-Options", "nosniff");
    apr_table_setn(r->headers_out, "Referrer-Policy", "no-referrer");
    return nonce;
}

static void head(request_rec *r, const wsk_snapshot_t *snap, const char *nonce)
{
    ap_rprintf(r,
               "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n"
               "<meta charset=\"utf-8\">\n<meta name=\"viewport\" "
               "content=\"width=device-width\">\n<title>WordSocket</title>\n"
               "<link rel=\"icon\" href=\"data:,\">\n"
               "<style nonce=\"%s\">\n",
               nonce);
    ap_rputs(wsk_status_style, r);
    ap_rprintf(r,
               "</style>\n</head>\n<body>\n<h1>WordSocket <small>%s on "
               "%s</small></h1>\n<p><span id=\"live\">not live</span> up <span "
               "id=\"age\">%s</span><span id=\"over\"></span>, ",
               WSK_VERSION, ap_escape_html(r->pool, ap_get_server_name(r)),
               age(r, snap->now_us - snap->since_us));
    if (!snap->proved) {
        ap_rputs("<a href=\"?check\">check shared memory</a>", r);
    }
    else if (snap->whole) {
        ap_rputs("shared memory is whole", r);
    }
    else {
        ap_rprintf(r, "<b class=\"bad\">shared memory is BROKEN: %s</b>",
                   ap_escape_html(r->pool, snap->why));
    }
    if (snap->refused_files) {
        ap_rprintf(r,
                   ", <b class=\"bad\">%u site files refused, see the error "
                   "log</b>",
                   snap->refused_files);
    }
    ap_rputs("</p>\n", r);
}

static void plot(request_rec *r, const char *name)
{
    ap_rprintf(r,
               "<svg viewBox=\"0 0 200 40\" preserveAspectRatio=\"none\" "
               "aria-hidden=\"true\"><polygon id=\"area-%s\"/>"
               "<polyline id=\"line-%s\"/></svg>",
               name, name);
}

static void rate_card(request_rec *r, const char *title, const char *name,
                      uint64_t total)
{
    ap_rprintf(r,
               "<figure class=\"card\"><h2>%s</h2><b id=\"rate-%s\">"
               "&ndash;</b>",
               title, name);
    plot(r, name);
    ap_rprintf(r,
               "<figcaption><span id=\"%s\">%s</span> in all<span "
               "class=\"more\">, <span id=\"most-%s\"></span></span>"
               "</figcaption></figure>\n",
               name, number(r, total), name);
}

static void cards(request_rec *r, const wsk_snapshot_t *snap)
{
    ap_rprintf(r,
               "<div class=\"cards\">\n<figure class=\"card\"><h2>Connections"
               "</h2><b id=\"connections\">%s</b>",
               number(r, snap->connections));
    plot(r, "connections");
    ap_rprintf(r,
               "<figcaption><span id=\"websocket\">%s</span> WebSocket, <span "
               "id=\"event_stream\">%s</span> event stream<span "
               "id=\"publishers\"%s>, <span id=\"publisher\">%s</span> "
               "publisher</span><span class=\"more\">, "
               "<span id=\"most-connections\"></span></span></figcaption>"
               "</figure>\n",
               number(r, snap->websockets), number(r, snap->event_streams),
               snap->publishers ? "" : " hidden", number(r, snap->publishers));
    rate_card(r, "Published", "published", snap->totals.published);
    rate_card(r, "Delivered", "delivered", snap->totals.delivered);
    rate_card(r, "Refused", "refused", snap->totals.refused);
    rate_card(r, "Dropped as too slow", "dropped", snap->totals.dropped);
    ap_rprintf(r,
               "<figure class=\"card\"><h2>Shared memory in use</h2><b>"
               "<span id=\"used\">%s</span></b><meter id=\"memory\" min=\"0\" "
               "max=\"" WSK_U64 "\" value=\"" WSK_U64
               "\"></meter><figcaption>of %s, <span id=\"free\">%s</span> "
               "pages free</figcaption></figure>\n</div>\n",
               megabytes(r, snap->used), (apr_uint64_t)snap->bytes,
               (apr_uint64_t)snap->used, megabytes(r, snap->bytes),
               number(r, snap->pages.free));
}

static void sites(request_rec *r, const wsk_snapshot_t *snap)
{
    uint32_t i;

    ap_rprintf(
        r,
        "<h2>Busiest sites, of %s</h2>\n<div class=\"box\"><table><thead>"
        "<tr><th>site</th><th>connections</th><th>published</th>"
        "<th>delivered</th><th>published in all</th><th>delivered in "
        "all</th><th>refused in all</th><th>at a limit</th></tr></thead><tbody "
        "id=\"sites\">\n",
        number(r, snap->known_sites));
    for (i = 0; i < snap->nsites; i++) {
        const wsk_seen_site_t *site = &snap->sites[i];

        ap_rprintf(r,
                   "<tr><th>%s%s</th><td>%s</td><td>&ndash;</td><td>&ndash;"
                   "</td><td>%s</td><td>%s</td><td>%s</td><td>%s</td></tr>\n",
                   ap_escape_html(r->pool, site->key), site->on ? "" : " (off)",
                   number(r, site->connections),
                   number(r, site->published + site->published_browser),
                   number(r, site->delivered), number(r, site->refused),
                   number(r, site->limited));
    }
    ap_rputs("</tbody></table></div>\n", r);
}

static void processes(request_rec *r, const wsk_snapshot_t *snap)
{
    uint32_t i;

    ap_rputs("<h2>Processes</h2>\n<div class=\"box\"><table><thead><tr>"
             "<th>pid</th><th>kind</th><th>generation</th><th>state</th>"
             "<th>connections</th><th>age</th></tr></thead>"
             "<tbody id=\"slots\">\n",
             r);
    for (i = 0; i < snap->nslots; i++) {
        const wsk_slot_info_t *slot = &snap->slots[i].is;

        ap_rprintf(r,
                   "<tr><th>%d</th><td>%s</td><td>%u</td><td>%s</td><td>%s"
                   "</td><td>%s</td></tr>\n",
                   (int)slot->pid,
                   slot->kind == WSK_SLOT_CHILD ? "child" : "keeper",
                   slot->generation,
                   slot->state == WSK_SLOT_LIVE ? "live" : "stopping",
                   number(r, slot->connections),
                   age(r, snap->now_us - slot->since_us));
    }
    ap_rputs("</tbody></table></div>\n", r);
}

static void counters(request_rec *r, const wsk_snapshot_t *snap)
{
    int i;

    ap_rputs("<h2>Counters</h2>\n<div class=\"box\"><table><tbody>\n", r);
    for (i = 0; i < WSK_C_COUNT; i++) {
        ap_rprintf(r,
                   "<tr><th>%s</th><td id=\"c-%s\">%s</td><td class=\"help\">"
                   "%s</td></tr>\n",
                   wsk_counter_info[i].name, wsk_counter_info[i].name,
                   number(r, snap->counters[i]), wsk_counter_info[i].help);
    }
    ap_rputs("</tbody></table></div>\n", r);
}

int wsk_status_page(request_rec *r, const wsk_snapshot_t *snap)
{
    const char *nonce = guard(r);

    if (!nonce) {
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    ap_set_content_type(r, "text/html; charset=utf-8");
    head(r, snap, nonce);
    cards(r, snap);
    sites(r, snap);
    processes(r, snap);
    counters(r, snap);
    ap_rprintf(r, "<script nonce=\"%s\">\n", nonce);
    ap_rputs(wsk_status_script, r);
    ap_rputs("</script>\n</body>\n</html>\n", r);
    return OK;
}
