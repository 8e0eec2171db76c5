/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_dump -- `apachectl -t -D DUMP_WORDSOCKET`: what is in force, host by host
 * and site by site; never a secret.
 */
#include "hooks/wsk_host.h"

#include "apr_file_io.h"

/* clang-format off */
static const struct {
    const char *name;
    size_t offset;
} limits[] = {
#define LIMIT(name) { #name, offsetof(wsk_limits_t, name) }
    LIMIT(connections),
    LIMIT(address_connections),
    LIMIT(publish_rate),
    LIMIT(publish_burst),
    LIMIT(browser_rate),
    LIMIT(browser_burst),
    LIMIT(connection_rate),
    LIMIT(connection_burst),
    LIMIT(max_message),
    LIMIT(max_publish),
    LIMIT(max_channels),
    LIMIT(max_channel_name),
    LIMIT(send_queue),
    LIMIT(history_messages),
    LIMIT(history_age_ms)
#undef LIMIT
};
/* clang-format on */

static void say_site(void *baton, const wsk_site_spec_t *spec)
{
    apr_file_t *out = baton;
    size_t i;

    apr_file_printf(out, "  site %s%s%s\n    history_bytes %" APR_UINT64_T_FMT,
                    spec->key, *spec->url ? " of " : "", spec->url,
                    (apr_uint64_t)spec->limits.history_bytes);
    for (i = 0; i < WSK_COUNT_OF(limits); i++) {
        const char *at = (const char *)&spec->limits + limits[i].offset;

        apr_file_printf(out, "%s%s %u", i % 4 == 3 ? "\n    " : ", ",
                        limits[i].name, *(const uint32_t *)(const void *)at);
    }
    apr_file_printf(out, "\n    signature %s\n",
                    spec->signature == 2 ? "2" : "1 or 2");
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
    unsigned i;

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
    for (i = 0; i < host->set.norigins; i++) {
        apr_file_printf(out, "  %-28s %s\n", "WordSocketAllowOrigin",
                        host->set.origins[i]);
    }
}

/* The sites of a host that its WordPress connected, from the ledger. */
static void say_connected(apr_file_t *out, apr_pool_t *ptemp, server_rec *v,
                          const apr_array_header_t *entries)
{
    const wsk_host_t *host = wsk_conf_of(v);
    const wsk_slice_t name = { v->server_hostname,
                               v->server_hostname ? strlen(v->server_hostname)
                                                  : 0 };
    const wsk_vhost_t vhost = { name, wsk_owner_of_host(v, ptemp),
                                (uint32_t)host->set.key_epoch };
    char tag[WSK_TAG_LEN + 1], key[WSK_KEY_MAX + 1];
    int i;

    if (!host->set.enabled || !wsk_derive_tag(tag, &vhost)) {
        return;
    }
    for (i = 0; i < entries->nelts; i++) {
        const wsk_ledger_entry_t *entry = APR_ARRAY_IDX(entries, i,
                                                        wsk_ledger_entry_t *);
        const wsk_slice_t home = { entry->home, strlen(entry->home) };

        if (entry->on && strcmp(entry->tag, tag) == 0
            && wsk_derive_site_key(key, tag, home)) {
            apr_file_printf(out,
                            "  site %s of %s\n    connected by its "
                            "WordPress\n",
                            key, entry->home);
        }
    }
}

/* What was connected in host mode, or an empty list. */
static const apr_array_header_t *connected(apr_file_t *out, apr_pool_t *ptemp,
                                           server_rec *s)
{
    apr_array_header_t *none = apr_array_make(ptemp, 1, sizeof(void *));
    apr_array_header_t *entries = none;
    const char *file = wsk_conf_of(s)->set.host_key, *error;

    error = file ? wsk_ledger_read(-1, file, ptemp, &entries) : NULL;
    if (error) {
        apr_file_printf(out, "  %s\n", error);
        return none;
    }
    return entries;
}

static void on_test_config(apr_pool_t *pconf, server_rec *s)
{
    apr_file_t *out = NULL;
    const apr_array_header_t *entries;
    apr_pool_t *ptemp;
    server_rec *v;

    if (!ap_exists_config_define("DUMP_WORDSOCKET")
        || apr_file_open_stdout(&out, pconf) != APR_SUCCESS) {
        return;
    }
    apr_pool_create(&ptemp, pconf);
    apr_file_printf(out, "WordSocket %s\nserver\n", WSK_VERSION);
    say_values(out, ptemp, wsk_conf_of(s), true);
    entries = connected(out, ptemp, s);
    for (v = s; v; v = v->next) {
        say_host(out, ptemp, v, v == s);
        wsk_sites_see(v, ptemp, say_site, out);
        say_connected(out, ptemp, v, entries);
    }
    apr_pool_destroy(ptemp);
}

void wsk_dump_register(apr_pool_t *pconf)
{
    (void)pconf;
    ap_hook_test_config(on_test_config, NULL, NULL, APR_HOOK_MIDDLE);
}
