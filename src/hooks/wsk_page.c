/* SPDX-License-Identifier: Apache-2.0 */
#include "hooks/wsk_page.h"

#include <openssl/rand.h>

#include "auth/wsk_mac.h"
#include "hooks/wsk_assets.h"
#include "hooks/wsk_service.h"

#define FORM_MAX 16384
#define NONCE "wordsocket-nonce"
#define DAY_S 86400

static const char *nonce(request_rec *r)
{
    const char *have = apr_table_get(r->notes, NONCE);
    uint8_t bytes[16];
    char *text;

    if (have) {
        return have;
    }
    text = apr_pcalloc(r->pool, 2 * sizeof bytes + 1);
    if (RAND_bytes(bytes, sizeof bytes) == 1) {
        wsk_hex(text, bytes, sizeof bytes);
    }
    apr_table_setn(r->notes, NONCE, text);
    return text;
}

static void no_store(request_rec *r)
{
    apr_table_setn(r->headers_out, "Cache-Control", "no-store");
    apr_table_setn(r->headers_out, "X-Content-Type-Options", "nosniff");
    apr_table_setn(r->headers_out, "Referrer-Policy", "strict-origin");
}

const char *wsk_page_text(request_rec *r, const char *text)
{
    return ap_escape_html(r->pool, text);
}

/* A policy cannot name an address of IPv6: then its scheme. */
static const char *source(apr_pool_t *preq, const char *origin)
{
    return origin && strchr(origin, '[')
               ? apr_pstrmemdup(preq, origin, strcspn(origin, ":") + 1)
               : origin;
}

static const char *policy(request_rec *r, const char *origin,
                          wsk_page_kind_e kind)
{
    const char *script = kind == WSK_PAGE_STILL
                             ? ""
                             : apr_psprintf(r->pool, "script-src 'nonce-%s'; ",
                                            nonce(r));

    return apr_psprintf(
        r->pool,
        "default-src 'none'; style-src 'nonce-%s'; %s%s"
        "base-uri 'none'; frame-ancestors 'none'; "
        "form-action %s%s%s",
        nonce(r), script, kind == WSK_PAGE_LIVE ? "connect-src 'self'; " : "",
        kind == WSK_PAGE_LEAVES ? "" : "'self'",
        origin && kind != WSK_PAGE_LEAVES ? " " : "", origin ? origin : "");
}

static void put_lines(request_rec *r, const char *const *lines)
{
    while (*lines) {
        ap_rputs(*lines++, r);
    }
}

void wsk_page_begin(request_rec *r, int status, const char *title,
                    const char *origin, wsk_page_kind_e kind)
{
    r->status = status;
    no_store(r);
    apr_table_setn(r->headers_out, "X-Frame-Options", "DENY");
    apr_table_setn(r->headers_out, "Content-Security-Policy",
                   policy(r, source(r->pool, origin), kind));
    ap_set_content_type(r, "text/html; charset=utf-8");
    ap_rprintf(r,
               "<!doctype html>\n<html lang=\"en\"><head>"
               "<meta charset=\"utf-8\">"
               "<meta name=\"viewport\" "
               "content=\"width=device-width, initial-scale=1\">"
               "<title>%s - WordSocket</title><style nonce=\"%s\">\n",
               wsk_page_text(r, title), nonce(r));
    put_lines(r, wsk_assets_style);
    ap_rputs("</style></head>\n<body>\n<header class=\"top\"><div>"
             "<span class=\"brand\">WordSocket relay</span>",
             r);
    if (r->user) {
        ap_rprintf(r, "<span class=\"who\">Signed in as %s</span>",
                   wsk_page_text(r, r->user));
    }
    ap_rprintf(r, "</div></header>\n<main>\n<h1>%s</h1>\n",
               wsk_page_text(r, title));
}

void wsk_page_script(request_rec *r, const char *const *lines)
{
    ap_rprintf(r, "<script nonce=\"%s\">\n", nonce(r));
    put_lines(r, lines);
    ap_rputs("</script>\n", r);
}

int wsk_page_end(request_rec *r)
{
    ap_rputs("</main>\n</body></html>\n", r);
    return OK;
}

void wsk_page_field(request_rec *r, const char *name, const char *value)
{
    ap_rprintf(r, "<input type=\"hidden\" name=\"%s\" value=\"%s\">", name,
               wsk_page_text(r, value));
}

int wsk_page_say(request_rec *r, int status, const char *title,
                 const char *text)
{
    wsk_page_begin(r, status, title, NULL, WSK_PAGE_STILL);
    ap_rprintf(r, "<p>%s</p>\n", wsk_page_text(r, text));
    return wsk_page_end(r);
}

int wsk_page_redirect(request_rec *r, const char *where)
{
    no_store(r);
    apr_table_setn(r->headers_out, "Location", where);
    r->status = HTTP_SEE_OTHER;
    ap_set_content_length(r, 0);
    return OK;
}

int wsk_page_user(request_rec *r, const wsk_host_t *host)
{
    if (r->user && *r->user) {
        return DECLINED;
    }
    wsk_page_begin(r, HTTP_FORBIDDEN, "Dashboard", NULL, WSK_PAGE_STILL);
    ap_rprintf(r,
               "<p>This page is for users that httpd knows, and httpd asks "
               "nobody for a password here. Its administrator adds to this "
               "virtual host, for example:</p>\n"
               "<pre>&lt;Location \"%s/dashboard\"&gt;\n"
               "    AuthType Basic\n"
               "    AuthName \"WordSocket\"\n"
               "    AuthUserFile conf/wordsocket.users\n"
               "    Require valid-user\n"
               "&lt;/Location&gt;</pre>\n",
               wsk_page_text(r, host->set.path));
    return wsk_page_end(r);
}

/* Forms. */

/* Users of one name may be others on another host, or in another registry. */
static bool guard_of(request_rec *r, const wsk_host_t *host, int64_t day,
                     char out[WSK_HEX256 + 1])
{
    const wsk_slice_t key = { (const char *)wsk_segment_secret(wsk_process.seg),
                              32 };
    const char *text = apr_psprintf(
        r->pool,
        "dashboard %" APR_INT64_T_FMT " %" APR_UINT64_T_FMT " %s:%u\n%s",
        (apr_int64_t)day, (apr_uint64_t)host->service->stamp,
        r->server->server_hostname, (unsigned)r->server->port, r->user);
    const wsk_slice_t part = { text, strlen(text) };
    uint8_t mac[WSK_MAC_LEN];

    if (!wsk_mac(mac, key, &part, 1)) {
        return false;
    }
    wsk_hex(out, mac, sizeof mac);
    return true;
}

static int64_t today(const request_rec *r)
{
    return apr_time_sec(r->request_time) / DAY_S;
}

void wsk_page_guard(request_rec *r, const wsk_host_t *host)
{
    char guard[WSK_HEX256 + 1];

    if (guard_of(r, host, today(r), guard)) {
        wsk_page_field(r, "guard", guard);
    }
}

/* As the browser knows it: a proxy in front may have changed the Host. */
static const char *our_name(request_rec *r)
{
    const char *name = apr_table_get(r->headers_in, "X-Forwarded-Host");

    name = name ? name : apr_table_get(r->headers_in, "Host");
    return name ? apr_pstrmemdup(r->pool, name, strcspn(name, ", ")) : "";
}

/* The scheme is not compared: TLS may end before us. */
static bool from_here(request_rec *r)
{
    const char *site = apr_table_get(r->headers_in, "Sec-Fetch-Site");
    const char *origin = apr_table_get(r->headers_in, "Origin");
    const char *host = origin ? strstr(origin, "://") : NULL;

    return (!site || strcmp(site, "same-origin") == 0)
           && (!origin || (host && strcasecmp(host + 3, our_name(r)) == 0));
}

/* Good today and tomorrow. */
static bool is_ours(request_rec *r, const wsk_host_t *host, const char *form)
{
    const char *given = wsk_form_value(r->pool, form, "guard");
    char guard[WSK_HEX256 + 1];
    bool is = false;
    int i;

    if (!given || strlen(given) != WSK_HEX256 || !from_here(r)) {
        return false;
    }
    for (i = 0; i < 2; i++) {
        is |= guard_of(r, host, today(r) - i, guard)
              && wsk_same(guard, given, WSK_HEX256);
    }
    return is;
}

int wsk_page_form(request_rec *r, const wsk_host_t *host, char **pform)
{
    const char *type = apr_table_get(r->headers_in, "Content-Type");
    apr_size_t len;
    int status;

    *pform = NULL;
    if (!type
        || strncasecmp(type, "application/x-www-form-urlencoded", 33) != 0) {
        return wsk_page_say(r, HTTP_BAD_REQUEST, "Dashboard",
                            "Not a form of this page.");
    }
    status = wsk_body_read(r, FORM_MAX, pform, &len);
    if (!*pform) {
        return status;
    }
    if (!is_ours(r, host, *pform)) {
        return wsk_page_say(r, HTTP_FORBIDDEN, "Dashboard",
                            "This form is too old, or was not made for you. "
                            "Open the page again.");
    }
    return DECLINED;
}
