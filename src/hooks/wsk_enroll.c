/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_enroll -- the keys of a site into the environment of one request: the POST
 * by which its administrator's browser connects it. Nothing changes by it; that
 * takes a request signed with these keys (hooks/wsk_whoami).
 *
 * Of every other request, of every host, the variable is taken away.
 */
#include "hooks/wsk_host.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "apr_lib.h"
#include "hooks/wsk_compat.h"

#define VARIABLE "WORDSOCKET_ENROLL"
#define HANDED_HEADER "WordSocket-Enroll"
#define HOME_HEADER "X-WordSocket-Home"
#define ASKED_NOTE "wordsocket-asked"

static const char *const routes[] = { "/wpsignal/v1/enroll",
                                      "/wordsocket/v1/enroll" };

/* The variable's names: itself, and what redirects make of it. */
static int collect(void *names, const char *name, const char *value)
{
    (void)value;
    if (ap_strcasestr(name, VARIABLE)) {
        APR_ARRAY_PUSH((apr_array_header_t *)names, const char *) = name;
    }
    return 1;
}

static void take_away(request_rec *r)
{
    apr_array_header_t *names = apr_array_make(r->pool, 1, sizeof(char *));
    int i;

    apr_table_do(collect, names, r->subprocess_env, NULL);
    for (i = 0; i < names->nelts; i++) {
        apr_table_unset(r->subprocess_env,
                        APR_ARRAY_IDX(names, i, const char *));
    }
}

/* Headers become variables with HTTP_ before them. A plugin reads this one where
 * the other does not pass, and so no client's may. */
static int collect_twins(void *names, const char *name, const char *value)
{
    const char *a = name, *b = VARIABLE;

    (void)value;
    while (*a && *b
           && (apr_toupper(*a) == *b || (*b == '_' && !apr_isalnum(*a)))) {
        a++, b++;
    }
    if (!*a && !*b) {
        APR_ARRAY_PUSH((apr_array_header_t *)names, const char *) = name;
    }
    return 1;
}

static int on_request(request_rec *r)
{
    apr_array_header_t *names = apr_array_make(r->pool, 1, sizeof(char *));
    int i;

    apr_table_do(collect_twins, names, r->headers_in, NULL);
    for (i = 0; i < names->nelts; i++) {
        apr_table_unset(r->headers_in, APR_ARRAY_IDX(names, i, const char *));
    }
    return DECLINED;
}

/* What mod_dir and rules with [PT] write over. The path is in its final form
 * here, and nobody has changed it yet. */
static int note_asked(request_rec *r)
{
    if (r->method_number == M_POST && !r->prev && !r->main
        && *wsk_conf_of(r->server)->keys.tag) {
        apr_table_setn(r->notes, ASKED_NOTE, apr_pstrdup(r->pool, r->uri));
    }
    return DECLINED;
}

static bool ends_in(const char *text, size_t len, const char *end)
{
    size_t n = strlen(end);

    return len >= n && strncmp(text + len - n, end, n) == 0;
}

/* What comes before the route in the path that was asked for: the path of the
 * blog. @return false: another path */
static bool before_route(request_rec *first, const char *uri, size_t *plen)
{
    const char *asked = wsk_query(first, "rest_route");
    size_t len = strlen(uri), i;

    if (asked) {
        for (i = 0; i < WSK_COUNT_OF(routes); i++) {
            if (strcmp(asked, routes[i]) == 0) {
                break;
            }
        }
        if (i == WSK_COUNT_OF(routes)) {
            return false;
        }
        len -= ends_in(uri, len, "/index.php") ? strlen("index.php") : 0;
        *plen = len - 1;
        return len > 0 && uri[len - 1] == '/';
    }
    for (i = 0; i < WSK_COUNT_OF(routes); i++) {
        if (ends_in(uri, len, routes[i])) {
            len -= strlen(routes[i]);
            if (!ends_in(uri, len, "/wp-json")) {
                return false;
            }
            len -= strlen("/wp-json");
            len -= ends_in(uri, len, "/index.php") ? strlen("/index.php") : 0;
            *plen = len;
            return true;
        }
    }
    return false;
}

/* The blog that asks says what its home is. It can only be where the request
 * went, so a script elsewhere on the host has keys of its own, at best. */
static const char *home_of(request_rec *r, request_rec *first)
{
    const char *home = apr_table_get(r->headers_in, HOME_HEADER);
    const char *asked = apr_table_get(first->notes, ASKED_NOTE);
    const char *path;
    size_t len;

    if (!home || !asked || !wsk_home_ok(home)
        || !before_route(first, asked, &len)) {
        return NULL;
    }
    path = strchr(strstr(home, "://") + 3, '/');
    path = path ? path : "";
    return strlen(path) == len && strncmp(path, asked, len) == 0 ? home : NULL;
}

/* A front on this machine may come from the address that it goes to. */
static bool is_private(request_rec *r)
{
    const char *ip = r->connection->client_ip;

    return wsk_is_tls(r->connection) || strncmp(ip, "127.", 4) == 0
           || strcmp(ip, "::1") == 0 || strncmp(ip, "::ffff:127.", 11) == 0
           || strcmp(ip, r->connection->local_ip) == 0;
}

/* Mass hosting has another for each name; then the host is not one tenant's. */
static const char *root_of(request_rec *r)
{
    const core_server_config *core = ap_get_core_module_config(
        r->server->module_config);
    const char *root = ap_document_root(r);

    return root && core->ap_document_root
                   && strcmp(root, core->ap_document_root) == 0
               ? root
               : NULL;
}

static void warn_of_owner(request_rec *r, const wsk_host_t *host)
{
    if (wsk_budget_may_say(host, r->request_time)) {
        ap_log_rerror(APLOG_MARK, APLOG_WARNING, 0, r,
                      "WSK0510 no keys for %s: it belongs to another user than "
                      "the document root, and nobody says who owns the host; "
                      "chown one to the other, or use SuexecUserGroup",
                      r->filename);
    }
}

/* Where no module knows the owner, it is whose the document root is. */
static bool is_owners_file(request_rec *r, const wsk_host_t *host,
                           const char *script, const char *root)
{
    struct stat st, of_root;

    if (stat(script, &st) != 0 || !S_ISREG(st.st_mode)
        || stat(root, &of_root) != 0) {
        return false;
    }
    if (host->keys.uid >= 0) {
        return (int64_t)st.st_uid == host->keys.uid;
    }
    if (st.st_uid != of_root.st_uid) {
        warn_of_owner(r, host);
    }
    return st.st_uid == of_root.st_uid;
}

/* Whether the script that gets the variable is the site owner's index.php. */
static bool is_owners_script(request_rec *r, const wsk_host_t *host)
{
    const char *of_host = root_of(r);
    char *script, *root;
    size_t len;
    bool is;

    if (wsk_owner_of_request(r) != host->keys.uid || !of_host || !r->filename
        || r->filename[0] != '/'
        || !ends_in(r->filename, strlen(r->filename), "/index.php")) {
        return false;
    }
    script = realpath(r->filename, NULL);
    root = realpath(of_host, NULL);
    len = root ? strlen(root) : 0;
    len -= len && root[len - 1] == '/';
    is = script && root && strncmp(script, root, len) == 0 && script[len] == '/'
         && is_owners_file(r, host, script, root);
    free(script);
    free(root);
    return is;
}

static bool deliver(request_rec *r, const wsk_host_t *host, const char *home)
{
    wsk_site_spec_t spec;
    json_t *says;
    char *text = NULL;
    uint64_t generation, last;
    bool on;

    if (!wsk_host_spec(host, home, 0, &spec)) {
        return false;
    }
    generation = wsk_host_generation(spec.key, r->request_time, &last, &on);
    if (wsk_host_spec(host, home, generation, &spec)) {
        says = json_pack(
            "{s:i, s:s, s:s, s:s, s:s, s:s, s:i, s:I}", "v", 1, "home", home,
            "path", host->set.path, "site_key", spec.key, "publish_secret",
            spec.publish.at[0], "jwt_secret", spec.jwt.at[0], "signature",
            (int)spec.signature, "generation", (json_int_t)generation);
        text = says ? json_dumps(says, JSON_COMPACT) : NULL;
        json_decref(says);
    }
    OPENSSL_cleanse(&spec, sizeof spec);
    if (text) {
        apr_table_set(r->subprocess_env, VARIABLE, text);
        if (host->set.enroll_header) {
            apr_table_set(r->headers_in, HANDED_HEADER, text);
        }
        OPENSSL_cleanse(text, strlen(text));
        free(text);
    }
    return text != NULL;
}

/* The last fixup: nothing changes the request between here and PHP. */
static int on_fixups(request_rec *r)
{
    const wsk_host_t *host = wsk_conf_of(r->server);
    request_rec *first = r;
    const char *home;

    take_away(r);
    while (first->prev) {
        first = first->prev;
    }
    if (!*host->keys.tag || !host->set.enabled || !wsk_process.loop || r->main
        || first->main || r->method_number != M_POST
        || first->method_number != M_POST || !is_private(r)) {
        return DECLINED;
    }
    home = home_of(r, first);
    if (home && is_owners_script(r, host) && deliver(r, host, home)) {
        apr_table_setn(r->err_headers_out, "Cache-Control", "no-store");
    }
    return DECLINED;
}

void wsk_enroll_register(apr_pool_t *pconf)
{
    (void)pconf;
    ap_hook_post_read_request(on_request, NULL, NULL, APR_HOOK_REALLY_FIRST);
    ap_hook_translate_name(note_asked, NULL, NULL, APR_HOOK_REALLY_FIRST);
    ap_hook_fixups(on_fixups, NULL, NULL, APR_HOOK_REALLY_LAST);
}
