/* SPDX-License-Identifier: Apache-2.0 */
#include "hooks/wsk_host.h"

#include <openssl/crypto.h>

static apr_status_t forget(void *keys)
{
    OPENSSL_cleanse(keys, sizeof(wsk_host_keys_t));
    return APR_SUCCESS;
}

/* A host without a directive of ours has httpd's one copy for all of them, but
 * its keys must be its own. */
static wsk_host_t *own_conf(server_rec *v, apr_pool_t *pconf)
{
    wsk_host_t *host = apr_pmemdup(pconf, wsk_conf_of(v), sizeof *host);

    ap_set_module_config(v->module_config, &wordsocket_module, host);
    return host;
}

static void derive_one(server_rec *v, const wsk_hostkey_t *key,
                       apr_pool_t *pconf, apr_pool_t *ptemp)
{
    wsk_host_t *host = own_conf(v, pconf);
    wsk_vhost_t vhost;
    const char *why = wsk_vhost_tag(v, host, &vhost, host->keys.tag, ptemp);
    unsigned i;

    if (why) {
        wsk_vhost_warn(v, why, ptemp);
        return;
    }
    apr_pool_cleanup_register(pconf, &host->keys, forget,
                              apr_pool_cleanup_null);
    host->keys.uid = vhost.uid;
    host->keys.n = key->n;
    for (i = 0; i < key->n; i++) {
        wsk_derive_vhost(host->keys.at[i], key->at[i], &vhost);
    }
}

/* Hosts by their tag; of those that share one, the first. */
static apr_hash_t *hosts_by_tag(server_rec *s, apr_pool_t *pool)
{
    apr_hash_t *hosts = apr_hash_make(pool);

    for (; s; s = s->next) {
        const wsk_host_t *host = wsk_conf_of(s);

        if (*host->keys.tag
            && !apr_hash_get(hosts, host->keys.tag, APR_HASH_KEY_STRING)) {
            apr_hash_set(hosts, host->keys.tag, APR_HASH_KEY_STRING, host);
        }
    }
    return hosts;
}

void wsk_host_stop(server_rec *s)
{
    for (; s; s = s->next) {
        wsk_conf_of(s)->keys.n = 0;
    }
}

const char *wsk_host_keys(server_rec *s, apr_pool_t *pconf, apr_pool_t *ptemp)
{
    const char *file = wsk_conf_of(s)->set.host_key, *error, *one;
    wsk_hostkey_t key = { .n = 0 };
    server_rec *v;

    wsk_process.hosts = NULL;
    if (!file) {
        return NULL;
    }
    wsk_vhosts_warn(s, ptemp);
    error = wsk_hostkey_read(file, true, ptemp, &key);
    if (error) {
        key.n = 0;
    }
    one = wsk_ledger_open(file, s->process, ptemp, &wsk_process.ledger);
    error = error ? error : one;
    for (v = s; v; v = v->next) {
        if (wsk_conf_of(v)->set.enabled) {
            derive_one(v, &key, pconf, ptemp);
        }
    }
    wsk_process.hosts = hosts_by_tag(s, pconf);
    one = wsk_budgets_make(s, pconf, ptemp);
    error = error ? error : one;
    if (error) {
        wsk_host_stop(s);
    }
    OPENSSL_cleanse(&key, sizeof key);
    return error;
}

bool wsk_host_spec(const wsk_host_t *host, const char *home,
                   uint64_t generation, wsk_site_spec_t *out)
{
    const wsk_slice_t at = { home, strlen(home) };
    bool done;
    unsigned i;

    *out = (wsk_site_spec_t){ .signature = 2, .generation = generation };
    wsk_settings_limits(&host->set, &out->limits);
    wsk_owner_name(host->keys.uid, out->user);
    apr_cpystrn(out->url, home, sizeof out->url);
    done = host->keys.n > 0 && wsk_derive_site_key(out->key, host->keys.tag, at)
           && wsk_site_id(out->site_id,
                          (wsk_slice_t){ out->key, strlen(out->key) });
    for (i = 0; i < host->keys.n && done; i++) {
        done = wsk_derive_secret(out->publish.at[i], host->keys.at[i],
                                 "publish", at, generation)
               && wsk_derive_secret(out->jwt.at[i], host->keys.at[i], "token",
                                    at, generation);
    }
    return done;
}

wsk_status_e wsk_host_put(const wsk_site_spec_t *spec, uint64_t stamp,
                          uint32_t *psite)
{
    return wsk_sites_put(spec, stamp, psite);
}

/* A revoked site is known, so that its generations go on from where they were. */
static void put_revoked(wsk_site_spec_t *spec, uint64_t stamp)
{
    const wsk_slice_t key = { spec->key, strlen(spec->key) };
    uint32_t site;

    OPENSSL_cleanse(&spec->publish, sizeof spec->publish);
    OPENSSL_cleanse(&spec->jwt, sizeof spec->jwt);
    if (wsk_site_by_key(wsk_process.seg, key, &site) != WSK_OK) {
        wsk_host_put(spec, stamp, &site);
    }
    wsk_site_revoke(wsk_process.seg, site, spec->generation);
}

static const char *put_one(const wsk_host_t *host,
                           const wsk_ledger_entry_t *entry, uint64_t stamp,
                           bool *punreserved)
{
    const char *error = NULL;
    wsk_site_spec_t spec;
    uint32_t site;

    if (!wsk_host_spec(host, entry->home, entry->generation, &spec)) {
        error = "WordSocketHostKey: the keys of a site cannot be derived";
    }
    else if (!entry->on) {
        put_revoked(&spec, stamp);
    }
    else if (wsk_host_put(&spec, stamp, &site) == WSK_EFULL) {
        *punreserved = true;
    }
    OPENSSL_cleanse(&spec, sizeof spec);
    return error;
}

/* What was connected, said again as it is. */
static void keep_sites(apr_hash_t *hosts, uint64_t stamp)
{
    const uint32_t known = wsk_site_count(wsk_process.seg);
    wsk_site_state_e state;
    wsk_site_spec_t spec;
    uint32_t i, site;

    for (i = 0; i < known; i++) {
        if (wsk_site_read(wsk_process.seg, i, &spec, &state) == WSK_OK
            && state == WSK_SITE_ON && spec.generation != 0
            && apr_hash_get(hosts, spec.key + 1, WSK_TAG_LEN)) {
            wsk_host_put(&spec, stamp, &site);
        }
    }
    OPENSSL_cleanse(&spec, sizeof spec);
}

static const char *load_book(apr_hash_t *hosts, const wsk_book_t *book,
                             uint64_t stamp, bool *punreserved)
{
    apr_hash_index_t *at = apr_hash_first(book->pool, book->sites);
    const char *error = NULL;

    for (; at && !error; at = apr_hash_next(at)) {
        const wsk_ledger_entry_t *entry = apr_hash_this_val(at);
        const wsk_host_t *host = apr_hash_get(hosts, entry->tag,
                                              APR_HASH_KEY_STRING);

        if (host) {
            error = put_one(host, entry, stamp, punreserved);
        }
    }
    return error;
}

const char *wsk_host_sites(server_rec *s, apr_pool_t *ptemp,
                           const wsk_host_load_t *how, bool *punreserved)
{
    apr_hash_t *hosts = wsk_process.hosts;
    wsk_book_t *book = wsk_book_make(ptemp);
    const char *error;

    if (!wsk_conf_of(s)->set.host_key) {
        return NULL;
    }
    if (how->keep) {
        keep_sites(hosts, how->stamp);
        return NULL;
    }
    error = wsk_recall(s, hosts, how->settle, book);
    return error ? error : load_book(hosts, book, how->stamp, punreserved);
}

/* Tags of the hosts that are on. */
static apr_hash_t *tags_of(server_rec *s, apr_pool_t *ptemp)
{
    apr_hash_t *tags = apr_hash_make(ptemp);

    for (; s; s = s->next) {
        const wsk_host_t *host = wsk_conf_of(s);
        char *tag = apr_palloc(ptemp, WSK_TAG_LEN + 1);
        wsk_vhost_t vhost;

        if (host->set.enabled && !wsk_vhost_tag(s, host, &vhost, tag, ptemp)) {
            apr_hash_set(tags, tag, APR_HASH_KEY_STRING, host);
        }
    }
    return tags;
}

/* Those of hosts there are; another's take no place. */
static uint32_t count_served(const wsk_book_t *book, apr_hash_t *tags)
{
    apr_hash_index_t *at = apr_hash_first(book->pool, book->sites);
    uint32_t n = 0;

    for (; at; at = apr_hash_next(at)) {
        const wsk_ledger_entry_t *entry = apr_hash_this_val(at);

        n += apr_hash_get(tags, entry->tag, APR_HASH_KEY_STRING) != NULL;
    }
    return n;
}

const char *wsk_host_check(server_rec *s, apr_pool_t *ptemp, uint32_t *pcount)
{
    const char *file = wsk_conf_of(s)->set.host_key, *error;
    wsk_book_t *book = wsk_book_make(ptemp);
    wsk_hostkey_t key;
    apr_hash_t *tags;

    if (!file) {
        return NULL;
    }
    error = wsk_hostkey_read(file, false, ptemp, &key);
    OPENSSL_cleanse(&key, sizeof key);
    if (!error) {
        error = wsk_ledger_read(NULL, file, book);
    }
    if (!error) {
        tags = tags_of(s, ptemp);
        wsk_book_prune(book, tags, wsk_host_clock(apr_time_now()));
        *pcount += apr_hash_count(tags) + count_served(book, tags);
    }
    return error;
}

uint64_t wsk_host_clock(apr_time_t now)
{
    return (uint64_t)(apr_time_sec(now) / 60);
}

uint64_t wsk_host_generation(const char *site_key, apr_time_t now,
                             uint64_t *plast, bool *pon)
{
    const wsk_slice_t key = { site_key, strlen(site_key) };
    wsk_site_state_e state = WSK_SITE_OFF;
    wsk_site_spec_t spec = { .generation = 0 };
    uint64_t clock = wsk_host_clock(now);
    uint32_t site;

    if (wsk_site_by_key(wsk_process.seg, key, &site) == WSK_OK) {
        wsk_site_read(wsk_process.seg, site, &spec, &state);
    }
    *plast = spec.generation;
    OPENSSL_cleanse(&spec, sizeof spec);
    *pon = state == WSK_SITE_ON;
    return *pon ? *plast : WSK_MAX(*plast + 1, clock);
}

bool wsk_home_ok(const char *home)
{
    size_t len = strlen(home), i;
    const char *host = strncmp(home, "https://", 8) == 0  ? home + 8
                       : strncmp(home, "http://", 7) == 0 ? home + 7
                                                          : NULL;

    if (!host || !*host || *host == '/' || len > WSK_HOME_MAX
        || home[len - 1] == '/') {
        return false;
    }
    for (i = 0; i < len; i++) {
        if (home[i] <= ' ' || home[i] >= 127 || strchr("\"\\?#<>", home[i])) {
            return false;
        }
    }
    return true;
}
