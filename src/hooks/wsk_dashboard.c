/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_dashboard -- GET and POST /dashboard: one's own sites and API key.
 */
#include "hooks/wsk_page.h"
#include "hooks/wsk_service.h"

typedef struct desk_t {
    request_rec *r;
    const wsk_host_t *host;
    wsk_registry_t *reg;
    int64_t now_s;
    unsigned nsites;
} desk_t;

static int failed(const desk_t *desk, wsk_status_e rv)
{
    wsk_service_failed(desk->r, rv);
    apr_table_setn(desk->r->headers_out, "Retry-After", "1");
    return wsk_page_say(desk->r, HTTP_SERVICE_UNAVAILABLE, "Dashboard",
                        "The registry cannot be read or written now. Try "
                        "again in a moment.");
}

static void begin_form(const desk_t *desk, const char *action, const char *key)
{
    ap_rprintf(desk->r, "<form method=\"post\" action=\"%s/dashboard\">",
               wsk_page_text(desk->r, desk->host->set.path));
    wsk_page_guard(desk->r);
    wsk_page_field(desk->r, "action", action);
    if (key) {
        wsk_page_field(desk->r, "site", key);
    }
}

/* What is asked for is confirmed in place, without a script. */
static void confirmed(const desk_t *desk, const char *action, const char *key,
                      const char *label, const char *what, const char *button)
{
    ap_rprintf(desk->r, "<details><summary>%s</summary><p>%s</p>", label, what);
    begin_form(desk, action, key);
    ap_rprintf(desk->r, "<button class=\"%s\">%s</button></form></details>\n",
               strcmp(action, "disconnect") == 0 ? "danger" : "main", button);
}

static void show_site(void *baton, const wsk_registered_t *site)
{
    desk_t *desk = baton;
    wsk_limits_t limits;
    wsk_site_stats_t stats = { 0 };
    uint32_t number;

    wsk_settings_limits(&desk->host->set, &limits);
    if (wsk_site_by_key(wsk_process.seg,
                        (wsk_slice_t){ site->key, strlen(site->key) }, &number)
        == WSK_OK) {
        wsk_site_stats(wsk_process.seg, number, &stats);
    }
    desk->nsites++;
    ap_rprintf(desk->r,
               "<article><h3>%s</h3><dl>"
               "<dt>URL</dt><dd>%s</dd>"
               "<dt>Site key</dt><dd><code>%s</code></dd>"
               "<dt>Connections</dt><dd>%u of %u</dd>"
               "<dt>Messages</dt><dd>%u a second, burst %u</dd></dl>\n",
               wsk_page_text(desk->r, site->name[0] ? site->name : site->url),
               wsk_page_text(desk->r, site->url), site->key, stats.connections,
               limits.connections, limits.publish_rate, limits.publish_burst);
    confirmed(desk, "rotate", site->key, "New secrets",
              "The present ones stay good beside the new ones, until the next "
              "time.",
              "Make new secrets");
    confirmed(desk, "disconnect", site->key, "Disconnect",
              "Its visitors are cut off at once, and its secrets are void. "
              "Connecting it again brings back the same site key.",
              "Yes, disconnect");
    ap_rputs("</article>\n", desk->r);
}

static void show_key(const desk_t *desk, int64_t made_s)
{
    char when[APR_RFC822_DATE_LEN] = "";

    if (made_s) {
        apr_rfc822_date(when, apr_time_from_sec(made_s));
    }
    ap_rprintf(desk->r,
               "<h2>API key</h2>\n<section class=\"box\"><p>%s%s</p>\n",
               made_s ? "Made on "
                      : "You have none. It connects sites that "
                        "cannot use the Connect button.",
               when);
    confirmed(desk, "key", NULL, made_s ? "New API key" : "Make an API key",
              made_s ? "The present one is void then. Sites that are connected "
                       "stay."
                     : "It is shown once.",
              made_s ? "Replace it" : "Make it");
    ap_rputs("</section>\n", desk->r);
}

/* Into memory first: a client that reads slowly must not hold the registry. */
typedef struct listing_t {
    apr_array_header_t *sites;
} listing_t;

static void note_site(void *baton, const wsk_registered_t *site)
{
    listing_t *list = baton;
    wsk_registered_t *kept = apr_array_push(list->sites);

    *kept = *site;
    OPENSSL_cleanse(kept->publish, sizeof kept->publish);
    OPENSSL_cleanse(kept->jwt, sizeof kept->jwt);
}

static int show(desk_t *desk)
{
    listing_t list = { apr_array_make(desk->r->pool, 8,
                                      sizeof(wsk_registered_t)) };
    int64_t made_s = 0;
    wsk_status_e rv = wsk_registry_key_made(desk->reg, desk->r->user, &made_s);
    int i;

    rv = rv == WSK_OK
             ? wsk_registry_list(desk->reg, desk->r->user, note_site, &list)
             : rv;
    if (rv != WSK_OK) {
        return failed(desk, rv);
    }
    wsk_page_begin(desk->r, HTTP_OK, "Dashboard", NULL, false);
    ap_rputs("<h2>Sites</h2>\n", desk->r);
    for (i = 0; i < list.sites->nelts; i++) {
        show_site(desk, &APR_ARRAY_IDX(list.sites, i, wsk_registered_t));
    }
    if (!desk->nsites) {
        ap_rputs("<p>None yet. In WordPress, open WordSocket and press "
                 "Connect.</p>\n",
                 desk->r);
    }
    show_key(desk, made_s);
    return wsk_page_end(desk->r);
}

/* What was asked for. */

static void end_once(const desk_t *desk)
{
    ap_rprintf(desk->r,
               "<p>This is shown once. Copy it now.</p>\n"
               "<p><a href=\"%s/dashboard\">Back to the dashboard</a></p>\n",
               wsk_page_text(desk->r, desk->host->set.path));
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
    wsk_page_begin(desk->r, HTTP_OK, "Your API key", NULL, false);
    ap_rprintf(desk->r, "<p><code id=\"api-key\">%s</code></p>\n", key);
    OPENSSL_cleanse(key, sizeof key);
    end_once(desk);
    return wsk_page_end(desk->r);
}

static int not_yours(const desk_t *desk)
{
    return wsk_page_say(desk->r, HTTP_NOT_FOUND, "Dashboard",
                        "You have no such site.");
}

static int rotate(const desk_t *desk, const char *key)
{
    wsk_secrets_new_t made;
    wsk_registered_t site;
    wsk_status_e rv = WSK_EBROKEN;

    if (wsk_service_secrets(&made, 1)) {
        rv = wsk_registry_rotate(desk->reg, desk->r->user, key, &made.fresh,
                                 desk->now_s, &site);
    }
    OPENSSL_cleanse(&made, sizeof made);
    if (rv == WSK_ENOTFOUND) {
        return not_yours(desk);
    }
    rv = rv == WSK_OK ? wsk_fill(desk->host->service, key, NULL) : rv;
    if (rv != WSK_OK) {
        return failed(desk, rv);
    }
    wsk_page_begin(desk->r, HTTP_OK, "New secrets", NULL, false);
    ap_rprintf(desk->r,
               "<p>For %s. Put them into its wp-config.php:</p>\n<dl>"
               "<dt>WPSIGNAL_SITE_KEY</dt><dd><code>%s</code></dd>"
               "<dt>WPSIGNAL_SITE_SECRET</dt><dd><code>%s</code></dd>"
               "<dt>WPSIGNAL_JWT_SECRET</dt><dd><code>%s</code></dd></dl>\n",
               wsk_page_text(desk->r, site.url), site.key, site.publish[0],
               site.jwt[0]);
    OPENSSL_cleanse(&site, sizeof site);
    end_once(desk);
    return wsk_page_end(desk->r);
}

static int disconnect(const desk_t *desk, const char *key)
{
    const wsk_owner_t owner = { desk->r->user, NULL };
    wsk_status_e rv = wsk_registry_disconnect(desk->reg, key, &owner,
                                              desk->now_s);

    if (rv == WSK_ENOTFOUND) {
        return not_yours(desk);
    }
    rv = rv == WSK_OK ? wsk_fill(desk->host->service, key, NULL) : rv;
    if (rv != WSK_OK) {
        return failed(desk, rv);
    }
    return wsk_page_redirect(
        desk->r,
        apr_pstrcat(desk->r->pool, desk->host->set.path, "/dashboard", NULL));
}

static int act(const desk_t *desk)
{
    request_rec *r = desk->r;
    char *form;
    int status = wsk_page_form(r, &form);
    const char *action, *key;

    if (status != DECLINED) {
        return status;
    }
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
    desk.reg = wsk_service_open(r, wr->host);
    if (!desk.reg) {
        return failed(&desk, WSK_EAGAIN);
    }
    return r->method_number == M_POST ? act(&desk) : show(&desk);
}
