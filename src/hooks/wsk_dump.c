/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_dump -- `apachectl -t -D DUMP_WORDSOCKET`: what is in force, host by host
 * and site by site; never a secret.
 */
#include "hooks/wsk_host.h"

#include <stdlib.h>

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

static int by_home(const void *a, const void *b)
{
    const wsk_ledger_entry_t *const *one = a, *const *other = b;

    return strcmp((*one)->home, (*other)->home);
}

static apr_array_header_t *sites_of(const wsk_book_t *book, const char *tag)
{
    apr_array_header_t *sites = apr_array_make(book->pool, 4, sizeof(void *));
    apr_hash_index_t *at = apr_hash_first(book->pool, book->sites);

    for (; at; at = apr_hash_next(at)) {
        wsk_ledger_entry_t *entry = apr_hash_this_val(at);

        if (strcmp(entry->tag, tag) == 0) {
            APR_ARRAY_PUSH(sites, wsk_ledger_entry_t *) = entry;
        }
    }
    qsort(sites->elts, (size_t)sites->nelts, sizeof(void *), by_home);
    return sites;
}

static void say_connected(apr_file_t *out, const wsk_host_t *host,
                          const wsk_ledger_entry_t *entry)
{
    const wsk_slice_t home = { entry->home, strlen(entry->home) };
    wsk_site_spec_t spec = { .signature = 2 };

    if (!entry->on || !wsk_derive_site_key(spec.key, entry->tag, home)) {
        return;
    }
    wsk_settings_limits(&host->set, &spec.limits);
    apr_cpystrn(spec.url, entry->home, sizeof spec.url);
    say_site(out, &spec);
    apr_file_printf(out, "    generation %" APR_UINT64_T_FMT "\n",
                    (apr_uint64_t)entry->generation);
}

/* What keys of host mode follow from, and who was connected by them. */
static void say_host_mode(apr_file_t *out, apr_pool_t *ptemp, server_rec *v,
                          const wsk_book_t *book)
{
    const wsk_host_t *host = wsk_conf_of(v);
    char tag[WSK_TAG_LEN + 1];
    apr_array_header_t *sites;
    wsk_vhost_t vhost;
    const char *why;
    int i;

    why = wsk_vhost_tag(v, host, &vhost, tag, ptemp);
    apr_file_printf(out, "  %-28s %s%s\n", "keys of host mode",
                    why ? "none: " : tag, why ? why : "");
    sites = sites_of(book, tag);
    for (i = 0; i < sites->nelts; i++) {
        say_connected(out, host, APR_ARRAY_IDX(sites, i, wsk_ledger_entry_t *));
    }
}

static void say_owner(apr_file_t *out, apr_pool_t *ptemp, server_rec *v)
{
    int64_t uid = wsk_owner_of_host(v, ptemp);

    apr_file_printf(out, "  %-28s ", "owner");
    if (uid < 0) {
        apr_file_printf(out, "not known\n");
    }
    else {
        apr_file_printf(out, "uid %" APR_INT64_T_FMT "\n", (apr_int64_t)uid);
    }
}

static void say_host(apr_file_t *out, apr_pool_t *ptemp, server_rec *s,
                     bool main, const wsk_book_t *book)
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
    say_owner(out, ptemp, s);
    say_values(out, ptemp, host, false);
    if (book) {
        say_host_mode(out, ptemp, s, book);
    }
}

/* @return NULL: no host mode, or it cannot be read, which the test says */
static wsk_book_t *book_of(server_rec *s, apr_pool_t *ptemp)
{
    const char *file = wsk_conf_of(s)->set.host_key;
    wsk_book_t *book = wsk_book_make(ptemp);

    return file && !wsk_ledger_read(NULL, file, book) ? book : NULL;
}

static void on_test_config(apr_pool_t *pconf, server_rec *s)
{
    apr_file_t *out = NULL;
    const wsk_book_t *book;
    apr_pool_t *ptemp;
    server_rec *v;

    if (!ap_exists_config_define("DUMP_WORDSOCKET")
        || apr_file_open_stdout(&out, pconf) != APR_SUCCESS) {
        return;
    }
    apr_pool_create(&ptemp, pconf);
    apr_file_printf(out, "WordSocket %s\nserver\n", WSK_VERSION);
    say_values(out, ptemp, wsk_conf_of(s), true);
    book = book_of(s, ptemp);
    for (v = s; v; v = v->next) {
        say_host(out, ptemp, v, v == s, book);
        wsk_sites_see(v, ptemp, say_site, out);
    }
    apr_pool_destroy(ptemp);
}

void wsk_dump_register(apr_pool_t *pconf)
{
    (void)pconf;
    ap_hook_test_config(on_test_config, NULL, NULL, APR_HOOK_MIDDLE);
}
