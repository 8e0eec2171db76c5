/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_dump -- `apachectl -t -D DUMP_WORDSOCKET`: what is in force, host by host
 * and site by site; never a secret.
 */
#include "hooks/wsk_hooks.h"

#include "apr_file_io.h"

static void say_site(void *baton, const wsk_site_spec_t *spec)
{
    const struct {
        const char *name;
        apr_uint64_t value;
    } limits[] = {
#define X(type, name, whose) { #name, spec->limits.name },
        WSK_LIMITS(X)
#undef X
    };
    apr_file_t *out = baton;
    size_t i;

    apr_file_printf(out, "  site %s%s%s", spec->key, *spec->url ? " of " : "",
                    spec->url);
    for (i = 0; i < WSK_COUNT_OF(limits); i++) {
        apr_file_printf(out, "%s%s %" APR_UINT64_T_FMT, i % 4 ? ", " : "\n    ",
                        limits[i].name, limits[i].value);
    }
    apr_file_printf(out, "\n    signature %s\n",
                    spec->signature == 2 ? "2" : "1 or 2");
    if (*spec->user) {
        apr_file_printf(out, "    user %s\n", spec->user);
    }
}

static void say_values(apr_file_t *out, apr_pool_t *ptemp,
                       const wsk_host_t *host, bool of_server)
{
    const char *name, *value;
    bool server;
    unsigned i;

    for (i = 0; (value = wsk_conf_value(ptemp, host, i, &name, &server)); i++) {
        if (server == of_server) {
            apr_file_printf(out, "  %-28s %s\n", name, value);
        }
    }
}

static void say_host(apr_file_t *out, apr_pool_t *ptemp, server_rec *s,
                     bool main)
{
    const wsk_host_t *host = wsk_conf_of(s);

    if (!host->set.enabled) {
        return;
    }
    apr_file_printf(out, "%s %s", main ? "main server" : "virtual host",
                    s->server_hostname ? s->server_hostname : "(no name)");
    if (!main && s->addrs) {
        apr_file_printf(out, ", %s:%u", s->addrs->virthost,
                        (unsigned)s->addrs->host_port);
    }
    if (s->defn_name) {
        apr_file_printf(out, " (%s:%u)", s->defn_name, s->defn_line_number);
    }
    apr_file_printf(out, "\n");
    say_values(out, ptemp, host, false);
}

static void on_test_config(apr_pool_t *pconf, server_rec *s)
{
    apr_file_t *out = NULL;
    apr_pool_t *ptemp;
    server_rec *v;

    if (!ap_exists_config_define("DUMP_WORDSOCKET")
        || apr_file_open_stdout(&out, pconf) != APR_SUCCESS) {
        return;
    }
    apr_pool_create(&ptemp, pconf);
    apr_file_printf(out, "WordSocket %s\nserver\n", WSK_VERSION);
    say_values(out, ptemp, wsk_conf_of(s), true);
    for (v = s; v; v = v->next) {
        say_host(out, ptemp, v, v == s);
        wsk_sites_see(v, ptemp, say_site, out);
    }
    apr_pool_destroy(ptemp);
}

void wsk_dump_register(apr_pool_t *pconf)
{
    (void)pconf;
    ap_hook_test_config(on_test_config, NULL, NULL, APR_HOOK_MIDDLE);
}
