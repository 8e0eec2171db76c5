/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/wsk_conf.h"

#include "ap_config.h"
#include "apr_strings.h"
#include "http_core.h"

#include "conf/wsk_written.h"
#include "conf/wsk_units.h"

#define UNSET INT64_MIN
#define HISTORY_BYTES WSK_KB(256)
#define HISTORY_MESSAGES 1000
#define HISTORY_AGE_MS 600000
#define PUBLISH_RATE 50
#define KEEPERS 16
#define KEEPER_AGE_MS 3600000
#define PUBLISH_BURST 200

extern module AP_MODULE_DECLARE_DATA wordsocket_module;

typedef struct row_t {
    size_t offset; /* of the field in wsk_settings_t */
    wsk_unit_e kind;
    int64_t initial, least, most;
} row_t;

static const row_t rows[] = {
#define X(field, name, kind, initial, least, most, help) \
    { offsetof(wsk_settings_t, field), WSK_UNIT_##kind, initial, least, most },
    WSK_DIRECTIVES(X)
#undef X
};

static const char *const names[] = {
#define X(field, name, ...) name,
    WSK_DIRECTIVES(X)
#undef X
};

enum {
#define X(field, ...) ROW_##field,
    WSK_DIRECTIVES(X)
#undef X
};

static int64_t *field_of(wsk_settings_t *set, const row_t *row)
{
    return (int64_t *)(void *)((char *)set + row->offset);
}

/* Fields of directives with several values. */
static const struct {
    size_t offset;
    int64_t initial;
} others[] = { { offsetof(wsk_settings_t, history_bytes), HISTORY_BYTES },
               { offsetof(wsk_settings_t, history_messages), HISTORY_MESSAGES },
               { offsetof(wsk_settings_t, history_age_ms), HISTORY_AGE_MS },
               { offsetof(wsk_settings_t, publish_rate), PUBLISH_RATE },
               { offsetof(wsk_settings_t, publish_burst), PUBLISH_BURST },
               { offsetof(wsk_settings_t, user_publish_rate),
                 WSK_USER_PART *PUBLISH_RATE },
               { offsetof(wsk_settings_t, user_publish_burst),
                 WSK_USER_PART *PUBLISH_BURST },
               { offsetof(wsk_settings_t, keepers), KEEPERS },
               { offsetof(wsk_settings_t, keeper_age_ms), KEEPER_AGE_MS } };

static int64_t *other_of(wsk_settings_t *set, size_t i)
{
    return (int64_t *)(void *)((char *)set + others[i].offset);
}

/* Directives of one text: paths and files. */
static const struct {
    const char *name;
    size_t offset;
    const char *initial;
    bool server; /* holds for the whole server */
    bool own;    /* a host's own, never inherited */
} texts[] = { { "WordSocketPath", offsetof(wsk_settings_t, path), "/wordsocket",
                false, false },
              { "WordSocketSiteFile", offsetof(wsk_settings_t, site_file), NULL,
                false, false },
              { "WordSocketHostKey", offsetof(wsk_settings_t, host_key), NULL,
                true, false },
              { "WordSocketRegistry", offsetof(wsk_settings_t, registry), NULL,
                false, true } };

static const char **text_of(wsk_settings_t *set, size_t i)
{
    return (const char **)(void *)((char *)set + texts[i].offset);
}

wsk_host_t *wsk_conf_of(server_rec *s)
{
    return ap_get_module_config(s->module_config, &wordsocket_module);
}

void *wsk_conf_create(apr_pool_t *pconf, server_rec *s)
{
    wsk_host_t *host = apr_pcalloc(pconf, sizeof *host);
    size_t i;

    (void)s;
    for (i = 0; i < WSK_COUNT_OF(rows); i++) {
        *field_of(&host->set, &rows[i]) = UNSET;
    }
    for (i = 0; i < WSK_COUNT_OF(others); i++) {
        *other_of(&host->set, i) = UNSET;
    }
    return host;
}

void *wsk_conf_merge(apr_pool_t *pconf, void *base, void *add)
{
    wsk_host_t *host = apr_pmemdup(pconf, add, sizeof *host);
    wsk_settings_t *from = &((wsk_host_t *)base)->set;
    size_t i;

    for (i = 0; i < WSK_COUNT_OF(rows); i++) {
        int64_t *value = field_of(&host->set, &rows[i]);

        *value = *value == UNSET ? *field_of(from, &rows[i]) : *value;
    }
    for (i = 0; i < WSK_COUNT_OF(others); i++) {
        int64_t *value = other_of(&host->set, i);

        *value = *value == UNSET ? *other_of(from, i) : *value;
    }
    for (i = 0; i < WSK_COUNT_OF(texts); i++) {
        const char **text = text_of(&host->set, i);

        if (!*text && !texts[i].own) {
            *text = *text_of(from, i);
        }
    }
    if (!host->set.origins) {
        host->set.origins = from->origins;
        host->set.norigins = from->norigins;
    }
    return host;
}

void wsk_conf_settle(wsk_host_t *host)
{
    size_t i;

    for (i = 0; i < WSK_COUNT_OF(rows); i++) {
        int64_t *value = field_of(&host->set, &rows[i]);

        *value = *value == UNSET ? rows[i].initial : *value;
    }
    for (i = 0; i < WSK_COUNT_OF(others); i++) {
        int64_t *value = other_of(&host->set, i);

        *value = *value == UNSET ? others[i].initial : *value;
    }
    for (i = 0; i < WSK_COUNT_OF(texts); i++) {
        const char **text = text_of(&host->set, i);

        *text = *text ? *text : texts[i].initial;
    }
}

bool wsk_conf_serves(const wsk_host_t *host, uint32_t site)
{
    unsigned i;

    for (i = 0; i < host->nsites; i++) {
        if (host->sites[i] == site) {
            return true;
        }
    }
    return false;
}

/* What holds for the whole server is not a host's to say. */
static bool server_only(const row_t *row)
{
    return row == &rows[ROW_shared_memory] || row == &rows[ROW_adopt]
           || row == &rows[ROW_max_connections];
}

const char *wsk_conf_value(apr_pool_t *pool, const wsk_host_t *host, unsigned i,
                           const char **name, bool *server)
{
    wsk_settings_t set = host->set;
    const char *text;

    *server = false;
    if (i < WSK_COUNT_OF(rows)) {
        *name = names[i];
        *server = server_only(&rows[i]);
        return wsk_unit_show(pool, rows[i].kind, *field_of(&set, &rows[i]));
    }
    i -= (unsigned)WSK_COUNT_OF(rows);
    if (i < WSK_COUNT_OF(texts)) {
        *name = texts[i].name;
        *server = texts[i].server;
        text = *text_of(&set, i);
        return text ? text : "(none)";
    }
    i -= (unsigned)WSK_COUNT_OF(texts);
    return wsk_written(pool, &set, i, name, server);
}

static const char *in_server_config(cmd_parms *cmd)
{
    return ap_check_cmd_context(cmd, NOT_IN_DIR_CONTEXT);
}

static const char *set_value(cmd_parms *cmd, const row_t *row, const char *arg,
                             int64_t *field)
{
    int64_t value = 0;

    if (!wsk_unit_parse(arg, row->kind, &value)) {
        return apr_psprintf(cmd->pool, "%s: cannot read '%s'", cmd->cmd->name,
                            arg);
    }
    if (value < row->least || value > row->most) {
        return apr_psprintf(cmd->pool, "%s: %s is outside %s to %s",
                            cmd->cmd->name, arg,
                            wsk_unit_show(cmd->pool, row->kind, row->least),
                            wsk_unit_show(cmd->pool, row->kind, row->most));
    }
    *field = value;
    return NULL;
}

static const char *set_number(cmd_parms *cmd, void *unused, const char *arg)
{
    const row_t *row = cmd->info;
    const char *error = in_server_config(cmd);

    (void)unused;
    if (!error && server_only(row)) {
        error = ap_check_cmd_context(cmd, GLOBAL_ONLY);
    }
    return error ? error
                 : set_value(cmd, row, arg,
                             field_of(&wsk_conf_of(cmd->server)->set, row));
}

static const char *set_history(cmd_parms *cmd, void *unused, const char *bytes,
                               const char *messages, const char *age)
{
    static const row_t size = { 0, WSK_UNIT_BYTES, 0, WSK_KB(1), WSK_MB(1024) };
    static const row_t count = { 0, WSK_UNIT_COUNT, 0, 1, 10000000 };
    static const row_t time = { 0, WSK_UNIT_MSEC, 0, 1000, 7 * 86400000LL };
    wsk_settings_t *set = &wsk_conf_of(cmd->server)->set;
    const char *error = in_server_config(cmd);

    (void)unused;
    if (error) {
        return error;
    }
    if (strcasecmp(bytes, "off") == 0) {
        set->history_bytes = 0;
        return messages ? "WordSocketHistory: nothing follows Off" : NULL;
    }
    error = set_value(cmd, &size, bytes, &set->history_bytes);
    if (!error && messages) {
        error = set_value(cmd, &count, messages, &set->history_messages);
    }
    if (!error && age) {
        error = set_value(cmd, &time, age, &set->history_age_ms);
    }
    return error;
}

static const char *set_keepers(cmd_parms *cmd, void *unused, const char *count,
                               const char *age)
{
    static const row_t most = { 0, WSK_UNIT_COUNT, 0, 0, 64 };
    static const row_t time = { 0, WSK_UNIT_MSEC, 0, 1000, 7 * 86400000LL };
    wsk_settings_t *set = &wsk_conf_of(cmd->server)->set;
    const char *error = ap_check_cmd_context(cmd, GLOBAL_ONLY);

    (void)unused;
    if (!error) {
        error = set_value(cmd, &most, count, &set->keepers);
    }
    if (!error && age) {
        error = set_value(cmd, &time, age, &set->keeper_age_ms);
    }
    return error;
}

static const char *set_rates(cmd_parms *cmd, const char *given_rate,
                             const char *given_burst, int64_t *rate,
                             int64_t *burst)
{
    static const row_t count = { 0, WSK_UNIT_COUNT, 0, 0, 1000000 };
    const char *error = in_server_config(cmd);

    if (!error) {
        error = set_value(cmd, &count, given_rate, rate);
    }
    if (!error) {
        *burst = WSK_MAX(*rate, (int64_t)1);
        if (given_burst) {
            error = set_value(cmd, &count, given_burst, burst);
        }
    }
    return error;
}

static const char *set_rate(cmd_parms *cmd, void *unused, const char *rate,
                            const char *burst)
{
    wsk_settings_t *set = &wsk_conf_of(cmd->server)->set;

    (void)unused;
    return set_rates(cmd, rate, burst, &set->publish_rate, &set->publish_burst);
}

static const char *set_user(cmd_parms *cmd, void *unused, const char *rate,
                            const char *burst)
{
    wsk_settings_t *set = &wsk_conf_of(cmd->server)->set;

    (void)unused;
    return set_rates(cmd, rate, burst, &set->user_publish_rate,
                     &set->user_publish_burst);
}

static const char *set_path(cmd_parms *cmd, void *unused, const char *arg)
{
    size_t len = strlen(arg);
    const char *error = in_server_config(cmd);

    (void)unused;
    if (error) {
        return error;
    }
    if (arg[0] != '/' || len < 2 || arg[len - 1] == '/'
        || strpbrk(arg, "?#%\\ ") || strstr(arg, "//")) {
        return apr_psprintf(cmd->pool,
                            "%s: '%s' must begin with a slash and not end with "
                            "one, nor have two in a row",
                            cmd->cmd->name, arg);
    }
    wsk_conf_of(cmd->server)->set.path = arg;
    return NULL;
}

/* A path into *to, unless `error` says that the place is wrong already. */
static const char *take_path(cmd_parms *cmd, const char *error, const char *arg,
                             const char **to)
{
    const char *path = ap_server_root_relative(cmd->pool, arg);

    if (!error && !path) {
        error = apr_psprintf(cmd->pool, "%s: '%s' is not a path",
                             cmd->cmd->name, arg);
    }
    if (!error) {
        *to = path;
    }
    return error;
}

static const char *set_site_file(cmd_parms *cmd, void *unused, const char *arg)
{
    (void)unused;
    return take_path(cmd, in_server_config(cmd), arg,
                     &wsk_conf_of(cmd->server)->set.site_file);
}

/* Its pages belong to this host's origin, so it is no other host's. */
static const char *set_registry(cmd_parms *cmd, void *unused, const char *arg)
{
    const char *error = in_server_config(cmd);

    (void)unused;
    if (!error && !cmd->server->is_virtual) {
        error = "WordSocketRegistry: say it in a <VirtualHost> of its own";
    }
    return take_path(cmd, error, arg, &wsk_conf_of(cmd->server)->set.registry);
}

static const char *set_host_key(cmd_parms *cmd, void *unused, const char *arg)
{
    (void)unused;
    return take_path(cmd, ap_check_cmd_context(cmd, GLOBAL_ONLY), arg,
                     &wsk_conf_of(cmd->server)->set.host_key);
}

/* The core's directive; nobody tells later whether it was given. */
static const char *note_name(cmd_parms *cmd, void *unused, const char *arg)
{
    (void)unused;
    (void)arg;
    wsk_conf_of(cmd->server)->named = cmd->server;
    return NULL;
}

static const char *set_origins(cmd_parms *cmd, void *unused, int argc,
                               char *const argv[])
{
    wsk_settings_t *set = &wsk_conf_of(cmd->server)->set;
    const char **list = apr_pcalloc(cmd->pool,
                                    sizeof *list * (size_t)(argc + 1));
    const char *error = in_server_config(cmd);
    int i;

    (void)unused;
    for (i = 0; i < argc && !error; i++) {
        const char *host = strstr(argv[i], "://");

        if (!host || host == argv[i] || !host[3] || strchr(host + 3, '/')) {
            error = apr_psprintf(cmd->pool,
                                 "%s: '%s' is not an origin such "
                                 "as https://example.org",
                                 cmd->cmd->name, argv[i]);
        }
        list[i] = argv[i];
    }
    if (!error && argc == 0) {
        error = "WordSocketAllowOrigin: name at least one origin";
    }
    if (!error) {
        set->origins = list;
        set->norigins = (unsigned)argc;
    }
    return error;
}

const command_rec wsk_conf_cmds[] = {
#define X(field, name, kind, initial, least, most, help) \
    AP_INIT_TAKE1(name, set_number, (void *)(uintptr_t)&rows[ROW_##field], \
                  RSRC_CONF, help),
    WSK_DIRECTIVES(X)
#undef X
        AP_INIT_TAKE1("ServerName", note_name, NULL, RSRC_CONF,
                      "as the core has it; noted for host mode"),
    AP_INIT_TAKE123("WordSocketHistory", set_history, NULL, RSRC_CONF,
                    "what a client can catch up on, per site: bytes, "
                    "messages, age; or Off"),
    AP_INIT_TAKE12("WordSocketKeepers", set_keepers, NULL, RSRC_CONF,
                   "processes that go on with TLS connections after a reload, "
                   "at most; and how old each may become"),
    AP_INIT_TAKE12("WordSocketPublishRate", set_rate, NULL, RSRC_CONF,
                   "signed messages a second of one site, and the burst"),
    AP_INIT_TAKE12("WordSocketUserPublishRate", set_user, NULL, RSRC_CONF,
                   "signed messages a second of all sites of one user "
                   "together, and the burst"),
    AP_INIT_TAKE1("WordSocketPath", set_path, NULL, RSRC_CONF,
                  "the path everything is served under"),
    AP_INIT_TAKE1("WordSocketSiteFile", set_site_file, NULL, RSRC_CONF,
                  "a file with the sites of this host, in JSON"),
    AP_INIT_TAKE1("WordSocketHostKey", set_host_key, NULL, RSRC_CONF,
                  "the file of the key that sites' keys are derived from"),
    AP_INIT_TAKE1("WordSocketRegistry", set_registry, NULL, RSRC_CONF,
                  "service mode: the file with the accounts and sites of this "
                  "relay"),
    AP_INIT_TAKE_ARGV("WordSocketAllowOrigin", set_origins, NULL, RSRC_CONF,
                      "web origins that may connect; any if not given"),
    { NULL, { NULL }, NULL, 0, NO_ARGS, NULL }
};
