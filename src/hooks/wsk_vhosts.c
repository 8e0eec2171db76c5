/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_vhosts -- which hosts can have keys of their own, and what of the
 * configuration makes one host of several tenants. Said when httpd starts.
 */
#include "hooks/wsk_host.h"

static const char *where(const server_rec *v, apr_pool_t *ptemp)
{
    return v->defn_name ? apr_psprintf(ptemp, " (%s:%u)", v->defn_name,
                                       v->defn_line_number)
                        : "";
}

const char *wsk_vhost_tag(server_rec *v, const wsk_host_t *host,
                          wsk_vhost_t *vhost, char tag[WSK_TAG_LEN + 1],
                          apr_pool_t *ptemp)
{
    const char *name = v->server_hostname ? v->server_hostname : "";

    *tag = '\0';
    *vhost = (wsk_vhost_t){ { name, strlen(name) },
                            wsk_owner_of_host(v, ptemp),
                            (uint32_t)host->set.key_epoch };
    /* httpd looks it up then, or makes one up, and it may be another's. */
    if (host->named != v) {
        return "it has no ServerName; give it one";
    }
    if (host->set.publisher_user && vhost->uid < 0) {
        return "WordSocketPublisherUser is on, and nobody says who owns it; "
               "SuexecUserGroup would";
    }
    return wsk_derive_tag(tag, vhost)
               ? NULL
               : "its ServerName is none to make keys of";
}

void wsk_vhost_warn(server_rec *v, const char *why, apr_pool_t *ptemp)
{
    ap_log_error(APLOG_MARK, APLOG_WARNING, 0, v,
                 "WSK0509 no keys of host mode for the host %s%s: %s",
                 v->server_hostname ? v->server_hostname : "", where(v, ptemp),
                 why);
}

/* Code in httpd's own processes is in the memory that the keys are in. */
static void warn_of_code(server_rec *s)
{
    static const struct {
        const char *module, *runs;
    } inside[] = { { "mod_php.c", "PHP" },       { "mod_php7.c", "PHP" },
                   { "mod_php8.c", "PHP" },      { "mod_perl.c", "Perl" },
                   { "mod_python.c", "Python" }, { "mod_wsgi.c", "Python" } };
    size_t i;

    for (i = 0; i < WSK_COUNT_OF(inside); i++) {
        if (ap_find_linked_module(inside[i].module)) {
            ap_log_error(APLOG_MARK, APLOG_WARNING, 0, s,
                         "WSK0504 %s may run inside of httpd (%s), where every "
                         "script can read the keys of every site; run it in "
                         "processes of its own, such as PHP-FPM",
                         inside[i].runs, inside[i].module);
        }
    }
}

static const server_rec *host_at(const server_rec *s, const char *file,
                                 int line)
{
    const server_rec *v;

    for (v = s->next; v; v = v->next) {
        if (v->defn_name && strcmp(v->defn_name, file) == 0
            && (int)v->defn_line_number == line) {
            return v;
        }
    }
    return s;
}

/* Its document root is another for each name that is asked for. */
static bool is_mass_hosting(const ap_directive_t *at)
{
    return ap_cstr_casecmpn(at->directive, "VirtualDocumentRoot", 19) == 0
           || ap_cstr_casecmpn(at->directive, "VirtualScriptAlias", 18) == 0;
}

static void warn_of_mass_hosting(server_rec *s, const ap_directive_t *at,
                                 const server_rec *v)
{
    for (; at; at = at->next) {
        const server_rec *in = v;

        if (ap_cstr_casecmp(at->directive, "<VirtualHost") == 0) {
            in = host_at(s, at->filename, at->line_num);
        }
        if (is_mass_hosting(at) && wsk_conf_of((server_rec *)in)->set.enabled) {
            ap_log_error(APLOG_MARK, APLOG_WARNING, 0, s,
                         "WSK0508 %s (%s:%d) makes one host of many folders: "
                         "no keys of host mode for what is in them; give each "
                         "tenant a <VirtualHost>",
                         at->directive, at->filename, at->line_num);
        }
        warn_of_mass_hosting(s, at->first_child, in);
    }
}

/* All names are one tenant's then, as those of a multisite are. */
static void note_wildcards(server_rec *v, apr_pool_t *ptemp)
{
    if (v->wild_names && v->wild_names->nelts > 0) {
        ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, v,
                     "WSK0508 the host %s%s answers for names by ServerAlias "
                     "%s: whoever has a folder at one of them must be the one "
                     "who has all",
                     v->server_hostname, where(v, ptemp),
                     APR_ARRAY_IDX(v->wild_names, 0, const char *));
    }
}

void wsk_vhosts_warn(server_rec *s, apr_pool_t *ptemp)
{
    server_rec *v;

    warn_of_code(s);
    warn_of_mass_hosting(s, ap_conftree, s);
    for (v = s; v; v = v->next) {
        if (wsk_conf_of(v)->set.enabled) {
            note_wildcards(v, ptemp);
        }
    }
}
