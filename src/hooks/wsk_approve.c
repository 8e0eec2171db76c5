/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_approve -- GET and POST /dashboard/connect: a site asks to be connected,
 * its owner says yes or no (wire document, section 3.6).
 *
 * The browser is sent to the callback only after the callback was found to lie
 * below the site's own URL: until then every fault is a page here. On a host that
 * many share another path is somebody else's.
 */
#include "hooks/wsk_page.h"
#include "hooks/wsk_service.h"

#define CODE_LIFE_S 60
#define STATE_MAX 256

typedef struct asked_t {
    request_rec *r;
    const wsk_host_t *host;
    const char *state, *callback, *name;
    char site[WSK_URL_MAX + 1];
    char origin[WSK_URL_MAX + 1];
} asked_t;

/* @return NULL, or what is wrong */
static const char *read_asked(asked_t *ask, const char *form)
{
    apr_pool_t *pool = ask->r->pool;
    const char *site = wsk_form_value(pool, form, "site_url");

    ask->state = wsk_form_value(pool, form, "state");
    ask->callback = wsk_form_value(pool, form, "callback_url");
    ask->name = wsk_service_name(pool, wsk_form_value(pool, form, "site_name"));
    if (!ask->state || !*ask->state || strlen(ask->state) > STATE_MAX) {
        return "The request has no state. Begin again in WordPress.";
    }
    if (!site || !wsk_url_site(site, ask->site)) {
        return "The site's URL must be http or https, a host and a path.";
    }
    if (!ask->callback || !wsk_url_origin(ask->callback, ask->origin)
        || !wsk_url_below(ask->site, ask->callback)) {
        return "The answer would go to another place than the site. Nothing "
               "was connected. Begin again in WordPress, on the screen "
               "WordSocket of the site itself, or connect it by API key.";
    }
    if (!wsk_url_private(ask->origin)) {
        return "The site must have https, or secrets could be read on their "
               "way. Nothing was connected.";
    }
    return NULL;
}

static int back(const asked_t *ask, const char *error, const char *message)
{
    apr_pool_t *pool = ask->r->pool;

    return wsk_page_redirect(
        ask->r,
        apr_pstrcat(pool, ask->callback, strchr(ask->callback, '?') ? "&" : "?",
                    "wps_error=", error, message ? "&wps_message=" : "",
                    message ? ap_escape_urlencoded(pool, message) : "", NULL));
}

static int refuse(const asked_t *ask, wsk_refusal_e why)
{
    return back(ask, wsk_refusal_name(why), wsk_refusal_text(why));
}

static int ask_user(const asked_t *ask)
{
    request_rec *r = ask->r;

    wsk_page_begin(r, HTTP_OK, "Connect a site", ask->origin, WSK_PAGE_STILL);
    ap_rprintf(r,
               "<p>This site asks to be connected to your account. Approve "
               "only if you have just pressed Connect there.</p>\n"
               "<section class=\"box\"><dl>"
               "<dt>Site</dt><dd>%s</dd><dt>URL</dt><dd>%s</dd>"
               "<dt>Account</dt><dd>%s</dd>"
               "<dt>Answer goes to</dt><dd>%s</dd></dl>\n"
               "<form method=\"post\" action=\"connect\">",
               wsk_page_text(r, ask->name), wsk_page_text(r, ask->site),
               wsk_page_text(r, r->user), wsk_page_text(r, ask->callback));
    wsk_page_guard(r, ask->host);
    wsk_page_field(r, "state", ask->state);
    wsk_page_field(r, "callback_url", ask->callback);
    wsk_page_field(r, "site_url", ask->site);
    wsk_page_field(r, "site_name", ask->name);
    ap_rputs("<button class=\"main\" name=\"decision\" value=\"approve\">"
             "Approve</button> "
             "<button name=\"decision\" value=\"cancel\">Cancel</button>"
             "</form></section>\n",
             r);
    return wsk_page_end(r);
}

static int send_code(const asked_t *ask, const char *code)
{
    static const char *const submit[] = {
        "document.getElementById('back').submit()\n", NULL
    };
    request_rec *r = ask->r;

    wsk_page_begin(r, HTTP_OK, "Connecting", ask->origin, WSK_PAGE_LEAVES);
    ap_rprintf(r, "<form method=\"post\" action=\"%s\" id=\"back\">",
               wsk_page_text(r, ask->callback));
    wsk_page_field(r, "wps_state", ask->state);
    wsk_page_field(r, "wps_code", code);
    ap_rprintf(r,
               "<p>Going back to %s.</p><button class=\"main\">Continue"
               "</button></form>\n",
               wsk_url_host(ask->origin));
    wsk_page_script(r, submit);
    return wsk_page_end(r);
}

static int approve(const asked_t *ask, wsk_registry_t *reg)
{
    char code[WSK_REGISTRY_SECRET + 1], hash[WSK_REGISTRY_SECRET + 1];
    const wsk_owner_t owner = { ask->r->user, NULL };
    int64_t now_s = apr_time_sec(apr_time_now());
    const wsk_offer_t offer = { .hash = hash,
                                .url = ask->site,
                                .name = ask->name,
                                .callback = wsk_url_host(ask->origin),
                                .until_s = now_s + CODE_LIFE_S };
    wsk_registered_t oldest = { .url = "" };
    wsk_status_e rv = WSK_EBROKEN;
    int status;

    if (wsk_service_random(code) && wsk_service_hash(code, hash)) {
        rv = wsk_registry_room(reg, &owner, ask->site, WSK_ACCOUNT_SITES,
                               &oldest);
    }
    if (rv == WSK_EFULL) {
        return back(ask, wsk_refusal_name(WSK_R_site_limit_reached),
                    apr_pstrcat(ask->r->pool,
                                "This account has as many sites as it may. "
                                "Disconnect one",
                                *oldest.url ? ", such as " : ".", oldest.url,
                                NULL));
    }
    rv = rv == WSK_OK ? wsk_registry_offer(reg, ask->r->user, &offer, now_s)
                      : rv;
    if (rv == WSK_ERATE) {
        return back(ask, wsk_refusal_name(WSK_R_rate_limited),
                    WSK_SERVICE_RATE);
    }
    if (rv != WSK_OK) {
        wsk_service_failed(ask->r, rv);
        return refuse(ask, WSK_R_unavailable);
    }
    status = send_code(ask, code);
    OPENSSL_cleanse(code, sizeof code);
    return status;
}

int wsk_handle_approve(request_rec *r, wsk_request_t *wr)
{
    asked_t ask = { .r = r, .host = wr->host };
    const char *wrong, *decision;
    wsk_registry_t *reg;
    char *form = r->args;
    int status = wsk_page_user(r, wr->host);

    if (status == DECLINED && r->method_number == M_POST) {
        status = wsk_page_form(r, wr->host, &form);
    }
    if (status != DECLINED) {
        return status;
    }
    wrong = read_asked(&ask, form);
    if (wrong) {
        return wsk_page_say(r, HTTP_BAD_REQUEST, "Connect a site", wrong);
    }
    if (r->method_number == M_GET) {
        return ask_user(&ask);
    }
    decision = wsk_form_value(r->pool, form, "decision");
    if (!decision || strcmp(decision, "approve") != 0) {
        return back(&ask, "cancelled", NULL);
    }
    reg = wsk_service_open(wr->host);
    return reg ? approve(&ask, reg) : refuse(&ask, WSK_R_unavailable);
}
