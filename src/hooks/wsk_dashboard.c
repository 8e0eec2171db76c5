/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_dashboard -- GET and POST /dashboard: one's own sites and API key.
 */
#include "hooks/wsk_assets.h"
#include "hooks/wsk_live.h"
#include "hooks/wsk_page.h"

typedef struct desk_t {
    request_rec *r;
    const wsk_host_t *host;
    wsk_registry_t *reg;
    int64_t now_s;
} desk_t;

static int failed(const desk_t *desk, wsk_status_e rv)
{
    wsk_service_failed(desk->r, rv);
    apr_table_setn(desk->r->headers_out, "Retry-After", "1");
    if (rv == WSK_ERATE) {
        return wsk_page_say(desk->r, HTTP_TOO_MANY_REQUESTS, "Dashboard",
                            "Too many changes at once. Try again in a moment.");
    }
    return wsk_page_say(desk->r, HTTP_SERVICE_UNAVAILABLE, "Dashboard",
                        "The registry cannot be read or written now. Try "
                        "again in a moment.");
}

static void begin_form(const desk_t *desk, const char *action, const char *key)
{
    ap_rputs("<form method=\"post\" action=\"dashboard\">", desk->r);
    wsk_page_guard(desk->r, desk->host);
    wsk_page_field(desk->r, "action", action);
    if (key) {
        wsk_page_field(desk->r, "site", key);
    }
}

/* What is asked for is confirmed in place, without a script. */
static void confirmed(const desk_t *desk, const char *action, const char *key,
                      const char *label, const char *what, const char *button)
{
    const char *class = strcmp(action, "disconnect") == 0 ? "danger" : "main";

    ap_rprintf(desk->r, "<details><summary class=\"%s\">%s</summary><p>%s</p>",
               class, label, what);
    begin_form(desk, action, key);
    ap_rprintf(desk->r, "<button class=\"%s\">%s</button></form></details>\n",
               class, button);
}

static const char *age(apr_pool_t *pool, int64_t s)
{
    const char *one = s < 5400 ? "minutes" : s < 129600 ? "hours" : "days";
    int64_t unit = s < 5400 ? 60 : s < 129600 ? 3600 : 86400;

    return s < 90 ? "just now"
                  : apr_psprintf(pool, "%" APR_INT64_T_FMT " %s ago",
                                 (apr_int64_t)((s + unit / 2) / unit), one);
}

/* Of the periods that are over: the one under way would look like an end. */
#define POINTS (WSK_PULSES - 1)

static uint32_t peak(const wsk_live_t *live)
{
    uint32_t most = 0, i;

    for (i = 0; i < POINTS; i++) {
        most = WSK_MAX(most, live->pulse[i]);
    }
    return most;
}

/* Ten minutes: points of a line, from 0 to 116 and from 30 to 2. */
static const char *points(apr_pool_t *pool, const wsk_live_t *live)
{
    const uint32_t most = WSK_MAX(peak(live), 1u);
    wsk_text_t t = { 0 };
    const char *text;
    uint32_t i;

    for (i = 0; i < POINTS; i++) {
        uint64_t y = 300 - 280 * (uint64_t)live->pulse[i] / most;

        wsk_text_fmt(&t, "%s%u,%u.%u", i ? " " : "", 2 * i, (unsigned)(y / 10),
                     (unsigned)(y % 10));
    }
    text = wsk_text_ok(&t) ? apr_pstrmemdup(pool, t.at, t.len) : "";
    wsk_text_free(&t);
    return text;
}

static void show_numbers(const desk_t *desk, const wsk_live_t *live)
{
    const char *line = points(desk->r->pool, live);

    ap_rprintf(desk->r,
               "<div class=\"nums\"><div><b data-n=\"connections\">%u</b>"
               "<small>of %u connections</small>"
               "<meter min=\"0\" max=\"%u\" value=\"%u\"></meter></div>\n"
               "<div><b data-n=\"minute\">%u</b>"
               "<small>messages, last minute</small></div>\n"
               "<div class=\"wide\"><svg class=\"spark\" role=\"img\" "
               "aria-label=\"Messages of the last ten minutes\" "
               "viewBox=\"0 0 116 30\" preserveAspectRatio=\"none\">"
               "<polygon points=\"0,30 %s 116,30\"/>"
               "<polyline points=\"%s\"/></svg>"
               "<small>last ten minutes, at most <span data-n=\"most\">%u"
               "</span> a minute</small></div></div>\n",
               live->connections, live->limits.connections,
               live->limits.connections, live->connections, live->minute, line,
               line, 6 * peak(live));
}

static void show_fault(const desk_t *desk, const wsk_live_t *live)
{
    if (!live->fault) {
        ap_rputs("<p class=\"fault\" hidden></p>\n", desk->r);
        return;
    }
    ap_rprintf(desk->r,
               "<p class=\"fault\">Last refusal, %s: %s \xe2\x80\x93 %s</p>\n",
               age(desk->r->pool, desk->now_s - live->fault_s), live->fault,
               live->fault_text);
}

static void show_details(const desk_t *desk, const wsk_registered_t *site,
                         const wsk_live_t *live)
{
    const wsk_limits_t *limits = &live->limits;
    char since[APR_RFC822_DATE_LEN];

    apr_rfc822_date(since, apr_time_from_sec(site->made_s));
    ap_rprintf(desk->r,
               "<details><summary>Limits and key</summary><dl>"
               "<dt>Site key</dt><dd><code>%s</code></dd>"
               "<dt>Connections</dt><dd>%u, and %u of one address</dd>"
               "<dt>Messages of the site</dt><dd>%u a second, burst %u</dd>"
               "<dt>Messages of browsers</dt><dd>%u a second, burst %u</dd>"
               "<dt>Largest message</dt><dd>%u KiB published, %u KiB sent</dd>"
               "<dt>Signature</dt><dd>version %u</dd>"
               "<dt>Since</dt><dd>%s</dd></dl></details>\n",
               site->key, limits->connections, limits->address_connections,
               limits->publish_rate, limits->publish_burst,
               limits->browser_rate, limits->browser_burst,
               limits->max_publish / 1024, limits->max_message / 1024,
               site->signature, since);
}

static bool is_live(const wsk_live_t *live)
{
    bool is = live->connections > 0;
    unsigned i;

    for (i = 0; i < WSK_PULSES; i++) {
        is |= live->pulse[i] > 0;
    }
    return is;
}

static void show_site(const desk_t *desk, const wsk_registered_t *site,
                      const wsk_live_t *live)
{
    request_rec *r = desk->r;
    const char *url = wsk_page_text(r, site->url);

    ap_rprintf(
        r,
        "<article data-site=\"%s\" data-now=\"%u\"><div class=\"head\">"
        "<h3>%s</h3><span class=\"state%s\">%s</span></div>"
        "<p class=\"url\"><a href=\"%s\" rel=\"noreferrer\">%s</a></p>\n",
        site->key, live->connections,
        site->name[0] ? wsk_page_text(r, site->name) : url,
        is_live(live) ? " on" : "", is_live(live) ? "Live" : "Quiet", url, url);
    show_numbers(desk, live);
    show_fault(desk, live);
    ap_rputs("<div class=\"acts\">", r);
    show_details(desk, site, live);
    confirmed(desk, "rotate", site->key, "New secrets",
              "The present ones stay good beside the new ones, until the next "
              "time.",
              "Make new secrets");
    confirmed(desk, "disconnect", site->key, "Disconnect",
              "Its visitors are cut off at once, and its secrets are void. "
              "Connecting it again brings back the same site key.",
              "Yes, disconnect");
    ap_rputs("</div></article>\n", r);
}

static void show_sites(const desk_t *desk, const apr_array_header_t *sites)
{
    const unsigned n = (unsigned)sites->nelts;
    wsk_live_t *live = apr_pcalloc(desk->r->pool, (n + 1) * sizeof *live);
    uint32_t connections = 0, minute = 0;
    unsigned i;

    for (i = 0; i < n; i++) {
        wsk_live_read(desk->host, APR_ARRAY_IDX(sites, i, wsk_registered_t).key,
                      apr_time_now(), &live[i]);
        connections += live[i].connections;
        minute += live[i].minute;
    }
    if (n) {
        ap_rprintf(
            desk->r,
            "<section class=\"sum\"><div><b>%u</b><small>%s</small></div>"
            "<div><b data-n=\"all-connections\">%u</b>"
            "<small>connections now</small></div>"
            "<div><b data-n=\"all-minute\">%u</b>"
            "<small>messages a minute</small></div></section>\n",
            n, n == 1 ? "site" : "sites", connections, minute);
    }
    else {
        ap_rputs(
            "<section class=\"box\"><h3>No site is connected yet</h3>"
            "<p>In WordPress, open WordSocket and press Connect. The site "
            "asks for your approval here, and that is all.</p></section>\n",
            desk->r);
    }
    for (i = 0; i < n; i++) {
        show_site(desk, &APR_ARRAY_IDX(sites, i, wsk_registered_t), &live[i]);
    }
    ap_rputs("<section id=\"feed\" hidden><h2>As it happens</h2>"
             "<div class=\"box\"><p class=\"muted\" id=\"feed-state\">Visitors "
             "who come and go are listed here.</p>"
             "<ol id=\"log\" aria-live=\"off\"></ol></div></section>\n",
             desk->r);
}

static void show_key(const desk_t *desk, int64_t made_s)
{
    char when[APR_RFC822_DATE_LEN] = "";

    if (made_s) {
        apr_rfc822_date(when, apr_time_from_sec(made_s));
    }
    ap_rprintf(desk->r,
               "<h2>API key</h2>\n<section class=\"box\"><p>%s%s.</p>\n",
               made_s ? "Made on "
                      : "You have none. It connects sites that "
                        "cannot use the Connect button",
               when);
    confirmed(desk, "key", NULL, made_s ? "New API key" : "Make an API key",
              made_s ? "The present one is void then. Sites that are connected "
                       "stay."
                     : "It is shown once.",
              made_s ? "Replace it" : "Make it");
    ap_rputs("</section>\n", desk->r);
}

static int show(const desk_t *desk)
{
    apr_array_header_t *sites = NULL;
    int64_t made_s = 0;
    wsk_status_e rv = wsk_registry_key_made(desk->reg, desk->r->user, &made_s);

    /* What is listed is what is in force, also after a death on the way. */
    rv = rv == WSK_OK ? wsk_fill(desk->host->service, NULL, NULL) : rv;
    rv = rv == WSK_OK ? wsk_live_sites(desk->r, desk->reg, &sites) : rv;
    if (rv != WSK_OK) {
        return failed(desk, rv);
    }
    wsk_page_begin(desk->r, HTTP_OK, "Your sites", NULL, WSK_PAGE_LIVE);
    show_sites(desk, sites);
    show_key(desk, made_s);
    wsk_page_script(desk->r, wsk_assets_live);
    return wsk_page_end(desk->r);
}

/* What was asked for. */

static void end_once(const desk_t *desk)
{
    ap_rputs("<p>This is shown once. Copy it now.</p></div>\n"
             "<p><a href=\"dashboard\">Back to the dashboard</a></p>\n",
             desk->r);
}

static int make_key(const desk_t *desk)
{
    char key[WSK_REGISTRY_SECRET + 1], hash[WSK_REGISTRY_SECRET + 1];
    wsk_status_e rv = WSK_EBROKEN;

    if (wsk_service_random(key) && wsk_service_hash(key, hash)) {
        rv = wsk_registry_set_key(desk->reg, desk->r->user, hash, desk->now_s);
    }
    if (rv != WSK_OK) {
        return failed(desk, rv);
    }
    wsk_page_begin(desk->r, HTTP_OK, "Your API key", NULL, WSK_PAGE_STILL);
    ap_rprintf(desk->r,
               "<div class=\"box once\"><p><code id=\"api-key\">%s</code></p>"
               "\n",
               key);
    OPENSSL_cleanse(key, sizeof key);
    end_once(desk);
    return wsk_page_end(desk->r);
}

static int not_yours(const desk_t *desk)
{
    return wsk_page_say(desk->r, HTTP_NOT_FOUND, "Dashboard",
                        "You have no such site.");
}

static int show_secrets(const desk_t *desk, const wsk_registered_t *site,
                        bool told)
{
    wsk_page_begin(desk->r, HTTP_OK, "New secrets", NULL, WSK_PAGE_STILL);
    ap_rprintf(desk->r,
               "<div class=\"box\"><p>For %s. Put them into its wp-config.php:"
               "</p>\n<dl>"
               "<dt>WPSIGNAL_SITE_KEY</dt><dd><code>%s</code></dd>"
               "<dt>WPSIGNAL_SITE_SECRET</dt><dd><code>%s</code></dd>"
               "<dt>WPSIGNAL_JWT_SECRET</dt><dd><code>%s</code></dd></dl>\n",
               wsk_page_text(desk->r, site->url), site->key, site->publish[0],
               site->jwt[0]);
    if (!told) {
        ap_rputs("<p>The relay is busy, and takes them in a moment. Until then "
                 "the present ones are good.</p>\n",
                 desk->r);
    }
    end_once(desk);
    return wsk_page_end(desk->r);
}

/* Once they are on disk they are shown, whatever happens: nobody could read them
 * again. */
static int rotate(const desk_t *desk, const char *key)
{
    wsk_secrets_new_t made;
    wsk_registered_t site;
    wsk_status_e rv = WSK_EBROKEN;
    int status;

    if (wsk_service_secrets(&made, 1)) {
        rv = wsk_registry_rotate(desk->reg, desk->r->user, key, &made.fresh,
                                 desk->now_s, &site);
    }
    OPENSSL_cleanse(&made, sizeof made);
    if (rv != WSK_OK) {
        return rv == WSK_ENOTFOUND ? not_yours(desk) : failed(desk, rv);
    }
    rv = wsk_fill_surely(desk->host->service, key);
    status = show_secrets(desk, &site, rv == WSK_OK);
    OPENSSL_cleanse(&site, sizeof site);
    return status;
}

/* Whether it is theirs, and gone already. */
static bool is_gone(const desk_t *desk, const char *key)
{
    wsk_registered_t site = { .archived = false };
    bool gone = wsk_registry_find(desk->reg, key, &site) == WSK_OK
                && site.archived && strcmp(site.owner, desk->r->user) == 0;

    OPENSSL_cleanse(&site, sizeof site);
    return gone;
}

static int disconnect(const desk_t *desk, const char *key)
{
    const wsk_owner_t owner = { desk->r->user, NULL };
    wsk_status_e rv = wsk_registry_disconnect(desk->reg, key, &owner,
                                              desk->now_s);

    if (rv == WSK_ENOTFOUND && !is_gone(desk, key)) {
        return not_yours(desk);
    }
    /* Also where it was archived by somebody who died on the way. */
    if (rv == WSK_OK || rv == WSK_ENOTFOUND) {
        rv = wsk_fill_surely(desk->host->service, key);
    }
    if (rv != WSK_OK) {
        return failed(desk, rv);
    }
    return wsk_page_redirect(desk->r, "dashboard");
}

static int act(desk_t *desk)
{
    request_rec *r = desk->r;
    char *form;
    int status = wsk_page_form(r, desk->host, &form);
    const char *action, *key;

    if (status != DECLINED) {
        return status;
    }
    desk->now_s = apr_time_sec(apr_time_now());
    action = wsk_form_value(r->pool, form, "action");
    key = wsk_form_value(r->pool, form, "site");
    if (action && strcmp(action, "key") == 0) {
        return make_key(desk);
    }
    if (action && key && strcmp(action, "rotate") == 0) {
        return rotate(desk, key);
    }
    if (action && key && strcmp(action, "disconnect") == 0) {
        return disconnect(desk, key);
    }
    return wsk_page_say(r, HTTP_BAD_REQUEST, "Dashboard",
                        "Not a form of this page.");
}

int wsk_handle_dashboard(request_rec *r, wsk_request_t *wr)
{
    desk_t desk = { .r = r,
                    .host = wr->host,
                    .now_s = apr_time_sec(r->request_time) };
    int status = wsk_page_user(r, wr->host);

    if (status != DECLINED) {
        return status;
    }
    desk.reg = wsk_service_open(wr->host);
    if (!desk.reg) {
        return failed(&desk, WSK_EAGAIN);
    }
    return r->method_number == M_POST ? act(&desk) : show(&desk);
}
