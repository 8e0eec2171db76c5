/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_route -- requests under our path, before logs, rewrite rules and
 * .htaccess see them.
 */
#include "hooks/wsk_hooks.h"

#include "scoreboard.h"

#include "hooks/wsk_compat.h"
#include "proto/wsk_query.h"

#define WELL_KNOWN "/.well-known/wordsocket"

#define METHODS_GET (1u << M_GET)
#define METHODS_POST (1u << M_POST)
#define METHODS_BOTH (METHODS_GET | METHODS_POST)

/* As the columns of WSK_ENDPOINTS. */
typedef enum where_e { ON_NONE, ON_ANY, ON_ECHO, ON_KEYS, ON_RELAY } where_e;
enum { IS_DONE, IS_STAYS };

static const struct {
    const char *name, *path;
    int (*handle)(request_rec *, wsk_request_t *);
    unsigned methods;
    where_e where;
    bool stays;
} endpoints[] = { { "", "", NULL, 0, ON_NONE, false },
/* clang-format off */
#define X(name, path, methods, where, becomes) \
    { #name, path, wsk_handle_##name, METHODS_##methods, ON_##where, \
      IS_##becomes == IS_STAYS },
                  /* clang-format on */
                  WSK_ENDPOINTS(X)
#undef X
};

const char *wsk_endpoint_path(wsk_endpoint_e endpoint)
{
    return endpoints[endpoint].path;
}

const char *wsk_endpoint_name(wsk_endpoint_e endpoint)
{
    return endpoints[endpoint].name;
}

wsk_request_t *wsk_request_of(request_rec *r)
{
    return ap_get_module_config(r->request_config, &wordsocket_module);
}

static wsk_endpoint_e endpoint_of(const char *rest)
{
    int i;

    for (i = 1; i < WSK_EP_COUNT; i++) {
        if (strcmp(rest, endpoints[i].path) == 0) {
            return (wsk_endpoint_e)i;
        }
    }
    return *rest ? WSK_EP_unknown : WSK_EP_base;
}

/* The part of the path below the base, or NULL; the well-known address is the
 * base by another name. */
static const char *below_base(const wsk_host_t *host, const char *uri)
{
    size_t len = strlen(host->set.path);

    if (!host->set.enabled || !uri) {
        return NULL;
    }
    if (strcmp(uri, WELL_KNOWN) == 0) {
        return "/";
    }
    if (strncmp(uri, host->set.path, len) != 0
        || (uri[len] != '/' && uri[len] != '\0')) {
        return NULL;
    }
    return uri + len;
}

static char *without_token(apr_pool_t *preq, const char *text)
{
    char *out = apr_pstrdup(preq, text);

    wsk_query_cut(out, "token");
    return out;
}

static void cut_token(request_rec *r, wsk_request_t *wr)
{
    const char *token = wsk_query(r, "token");

    if (!r->args || !strstr(r->args, "token=")) {
        return;
    }
    wr->token = token;
    r->unparsed_uri = without_token(r->pool, r->unparsed_uri);
    r->the_request = without_token(r->pool, r->the_request);
    r->args = without_token(r->pool, apr_pstrcat(r->pool, "?", r->args, NULL));
    r->args = *r->args ? r->args + 1 : NULL;
    r->parsed_uri.query = r->args;
}

static int on_request(request_rec *r)
{
    wsk_host_t *host = wsk_conf_of(r->server);
    /* httpd itself comes to the path only after this hook. */
    const char *rest = below_base(host, wsk_path_of(r));
    wsk_request_t *wr;

    if (!rest) {
        return DECLINED;
    }
    wr = apr_pcalloc(r->pool, sizeof *wr);
    wr->host = host;
    wr->endpoint = endpoint_of(rest);
    ap_set_module_config(r->request_config, &wordsocket_module, wr);
    cut_token(r, wr);
    return DECLINED;
}

/* What httpd refuses or gives up before that hook is logged all the same, and
 * stands on the status page by now. */
static int on_log(request_rec *r)
{
    const wsk_host_t *host = wsk_conf_of(r->server);
    wsk_request_t unseen = { 0 };

    if (!wsk_request_of(r) && host->set.enabled && r->the_request
        && strstr(r->the_request, host->set.path)
        && strstr(r->the_request, "token=")) {
        r->the_request = without_token(r->pool, r->the_request);
        cut_token(r, &unseen);
        ap_update_child_status(r->connection->sbh, SERVER_BUSY_LOG, r);
    }
    return DECLINED;
}

/* Before mod_rewrite's rules of the host. */
static int on_translate(request_rec *r)
{
    if (!wsk_request_of(r)) {
        return DECLINED;
    }
    r->filename = apr_pstrcat(r->pool, "wordsocket:", r->uri, NULL);
    r->finfo.filetype = APR_NOFILE;
    return OK;
}

/* No directory walk, so no .htaccess; <Location> is applied again after. */
static int on_map(request_rec *r)
{
    return wsk_request_of(r) ? OK : DECLINED;
}

static int on_type(request_rec *r)
{
    if (!wsk_request_of(r)) {
        return DECLINED;
    }
    r->handler = "wordsocket";
    return OK;
}

const char *wsk_form_value(apr_pool_t *preq, const char *form, const char *name)
{
    wsk_slice_t args = { form, form ? strlen(form) : 0 };
    wsk_slice_t found = wsk_query_find(args, name);
    char *value, *plus;

    if (!found.at) {
        return NULL;
    }
    value = apr_pstrmemdup(preq, found.at, found.len);
    for (plus = value; (plus = strchr(plus, '+')) != NULL; plus++) {
        *plus = ' ';
    }
    /* Only a broken or NUL escape is refused; %2F is data here. */
    return ap_unescape_url_keep2f(value, 1) == HTTP_BAD_REQUEST ? NULL : value;
}

const char *wsk_query(request_rec *r, const char *name)
{
    return wsk_form_value(r->pool, r->args, name);
}

static int preflight(request_rec *r, const wsk_request_t *wr)
{
    if (!wsk_allow_origin(r, wr->host)) {
        return wsk_refuse(r, WSK_R_origin_forbidden, 0);
    }
    apr_table_setn(r->headers_out, "Access-Control-Allow-Methods", "GET, POST");
    apr_table_setn(r->headers_out, "Access-Control-Allow-Headers",
                   "Authorization, Content-Type, Last-Event-ID, "
                   "X-WordSocket-Stream");
    apr_table_setn(r->headers_out, "Access-Control-Max-Age", "600");
    apr_table_setn(r->headers_out, "Cache-Control", "no-store");
    r->status = HTTP_NO_CONTENT;
    return OK;
}

int wsk_handle_healthz(request_rec *r, wsk_request_t *wr)
{
    (void)wr;
    return wsk_answer(r, HTTP_OK, "{\"status\":\"ok\"}");
}

/* A connection that is taken over has no place for a body: its bytes would be
 * taken for frames. */
static bool has_unwanted_body(request_rec *r, wsk_endpoint_e endpoint)
{
    const char *length = apr_table_get(r->headers_in, "Content-Length");

    return endpoints[endpoint].stays
           && (apr_table_get(r->headers_in, "Transfer-Encoding")
               || (length && apr_atoi64(length) != 0));
}

bool wsk_endpoint_served(const wsk_host_t *host, wsk_endpoint_e endpoint)
{
    switch (endpoints[endpoint].where) {
    case ON_ANY:
        return true;
    case ON_ECHO:
        return host->set.echo;
    case ON_KEYS:
        return *host->keys.tag != '\0';
    case ON_RELAY:
        return host->service != NULL;
    default:
        return false;
    }
}

static int handle(request_rec *r, wsk_request_t *wr)
{
    const wsk_endpoint_e endpoint = wr->endpoint;
    const unsigned methods = endpoints[endpoint].methods;

    if (r->method_number == M_OPTIONS
        && endpoints[endpoint].where != ON_RELAY) {
        return wsk_process.loop ? preflight(r, wr)
                                : wsk_refuse(r, WSK_R_unavailable, 1);
    }
    if (!wsk_endpoint_served(wr->host, endpoint)) {
        return wsk_refuse(r, WSK_R_not_found, 0);
    }
    if (r->method_number >= 32 || !(methods & (1u << r->method_number))) {
        apr_table_setn(r->headers_out, "Allow",
                       apr_pstrcat(r->pool,
                                   methods & METHODS_GET ? "GET, " : "",
                                   methods & METHODS_POST ? "POST, " : "",
                                   "OPTIONS", NULL));
        return wsk_refuse(r, WSK_R_method_not_allowed, 0);
    }
    if (!wsk_process.loop) {
        return wsk_refuse(r, WSK_R_unavailable, 1);
    }
    if (has_unwanted_body(r, endpoint)) {
        return wsk_refuse(r, WSK_R_invalid_request, 0);
    }
    return endpoints[endpoint].handle(r, wr);
}

static int on_handle(request_rec *r)
{
    wsk_request_t *wr = wsk_request_of(r);

    if (!wr || !r->handler || strcmp(r->handler, "wordsocket") != 0) {
        return DECLINED; /* also a tenant's SetHandler */
    }
    return handle(r, wr);
}

void wsk_route_register(apr_pool_t *pconf)
{
    (void)pconf;
    ap_hook_post_read_request(on_request, NULL, NULL, APR_HOOK_REALLY_FIRST);
    ap_hook_log_transaction(on_log, NULL, NULL, APR_HOOK_REALLY_FIRST);
    ap_hook_translate_name(on_translate, NULL, NULL, APR_HOOK_REALLY_FIRST);
    ap_hook_map_to_storage(on_map, NULL, NULL, APR_HOOK_REALLY_FIRST);
    ap_hook_type_checker(on_type, NULL, NULL, APR_HOOK_REALLY_FIRST);
    ap_hook_handler(on_handle, NULL, NULL, APR_HOOK_REALLY_FIRST);
}
