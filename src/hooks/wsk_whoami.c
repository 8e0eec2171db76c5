/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_whoami -- POST /site/whoami: a site of host mode proves that it has its
 * keys, which connects it, and is shown that this is who made them. POST
 * /site/disconnect revokes them.
 */
#include "hooks/wsk_host.h"

#define BODY_MAX 2048
#define CHALLENGE_MAX 128

typedef struct asked_t {
    const char *home, *challenge;
    uint64_t generation;
} asked_t;

static bool read_asked(const char *body, apr_size_t len, apr_pool_t *pool,
                       asked_t *out)
{
    json_t *root = json_loadb(body, len, JSON_REJECT_DUPLICATES, NULL);
    const char *home = json_string_value(json_object_get(root, "home"));
    json_t *challenge = json_object_get(root, "challenge");
    json_int_t generation = json_integer_value(
        json_object_get(root, "generation"));
    bool is = home && wsk_home_ok(home) && generation > 0
              && json_string_length(challenge) >= 16
              && json_string_length(challenge) <= CHALLENGE_MAX;

    if (is) {
        out->home = apr_pstrdup(pool, home);
        out->challenge = apr_pstrdup(pool, json_string_value(challenge));
        out->generation = (uint64_t)generation;
    }
    json_decref(root);
    return is;
}

static wsk_slice_t slice(const char *text)
{
    return (wsk_slice_t){ text ? text : "", text ? strlen(text) : 0 };
}

/* Whether the clock lets a site have this generation. */
static wsk_refusal_e against_clock(request_rec *r, const wsk_host_t *host,
                                   const wsk_site_spec_t *spec, uint64_t last)
{
    uint64_t most = wsk_host_clock(r->request_time) + WSK_GENERATIONS_AHEAD;

    if (spec->generation <= most) {
        return WSK_R_COUNT;
    }
    if (last > most && wsk_budget_may_say(host, r->request_time)) {
        ap_log_rerror(APLOG_MARK, APLOG_WARNING, 0, r,
                      "WSK0507 site %s was connected when the clock was ahead: "
                      "it can be again in %" APR_UINT64_T_FMT " minutes, or "
                      "with a higher WordSocketKeyEpoch",
                      spec->key, (apr_uint64_t)(last - most));
    }
    return WSK_R_rate_limited;
}

/* How these keys stand, as things are now. */
static wsk_refusal_e standing(request_rec *r, const wsk_host_t *host,
                              const wsk_site_spec_t *spec, bool *pconnects)
{
    uint64_t live, last;
    bool on;

    live = wsk_host_generation(spec->key, r->request_time, &last, &on);
    *pconnects = !on;
    if (on) {
        return spec->generation == live ? WSK_R_COUNT : WSK_R_site_revoked;
    }
    /* Between giving out keys and this a minute may have begun. */
    if (spec->generation <= last || spec->generation + 2 < live) {
        return WSK_R_site_revoked;
    }
    return against_clock(r, host, spec, last);
}

static wsk_refusal_e check(request_rec *r, const wsk_request_t *wr,
                           wsk_signer_t *by, wsk_slice_t body)
{
    const wsk_site_spec_t *spec = &by->spec;

    wsk_signer_named(r, by);
    if (by->key.len != strlen(spec->key)
        || memcmp(by->key.at, spec->key, by->key.len) != 0) {
        return WSK_R_unknown_site_key;
    }
    by->state = WSK_SITE_ON; /* as far as signatures go */
    return wsk_signer_check(r, wr, by, body);
}

static bool take_turn(request_rec *r)
{
    if (wsk_ledger_turn(wsk_process.ledger)) {
        return true;
    }
    ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r,
                  "WSK0501 a site could not be connected or disconnected: the "
                  "file beside the host key is in use for long");
    return false;
}

static wsk_refusal_e tell(request_rec *r, const wsk_site_spec_t *spec,
                          const wsk_host_t *host, bool on)
{
    wsk_ledger_entry_t entry = { .home = spec->url,
                                 .generation = spec->generation,
                                 .on = on };
    const char *error;

    if (!wsk_budget_pay(host, r->request_time)) {
        return WSK_R_rate_limited;
    }
    apr_cpystrn(entry.tag, host->keys.tag, sizeof entry.tag);
    error = wsk_ledger_append(wsk_process.ledger, &entry);
    if (error) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r,
                      "WSK0501 a site could not be connected or disconnected: "
                      "the file beside the host key %s",
                      error);
    }
    return error ? WSK_R_unavailable : WSK_R_COUNT;
}

static const struct {
    const char *log, *text;
} no_room[] = {
    [WSK_ROOM_HOST] = { "has as many sites as WordSocketHostSites allows; give "
                        "it more",
                        "this host has as many sites as it may; its "
                        "administrator gives it more by WordSocketHostSites" },
    [WSK_ROOM_OWNER] = { "is of an owner whose hosts have as many further "
                         "sites as WordSocketHostSites allows; give it more",
                         "the hosts of this owner have as many sites as they "
                         "may; their administrator gives them more by "
                         "WordSocketHostSites" },
    [WSK_ROOM_SERVER] = { "cannot have one more site: places are used up until "
                          "a full restart, which makes room",
                          "this relay has no place for one more site; its "
                          "administrator restarts httpd, which makes room" },
};

static wsk_refusal_e look_for_room(request_rec *r, const wsk_site_spec_t *spec,
                                   const wsk_host_t *host, const char **ptext)
{
    wsk_room_e room = wsk_room_for(host, spec->key, r->pool);

    if (room == WSK_ROOM_YES) {
        return WSK_R_COUNT;
    }
    *ptext = no_room[room].text;
    if (wsk_budget_may_say(host, r->request_time)) {
        ap_log_rerror(APLOG_MARK, APLOG_WARNING, 0, r, "WSK0506 the host %s %s",
                      r->server->server_hostname, no_room[room].log);
    }
    return WSK_R_site_limit_reached;
}

static wsk_refusal_e put(const wsk_site_spec_t *spec, apr_time_t now,
                         uint32_t *psite)
{
    wsk_status_e rv = wsk_host_put(spec, (uint64_t)now, psite);

    if (rv == WSK_EINVAL) {
        return WSK_R_site_revoked;
    }
    return *psite == WSK_NO_SITE || (rv != WSK_OK && rv != WSK_EFULL)
               ? WSK_R_unavailable
               : WSK_R_COUNT;
}

/* First the ledger: a reload in between finds the site there. */
static wsk_refusal_e connect_in_turn(request_rec *r,
                                     const wsk_site_spec_t *spec,
                                     const wsk_host_t *host, const char **ptext)
{
    uint32_t site = WSK_NO_SITE;
    bool connects;
    wsk_refusal_e why = standing(r, host, spec, &connects);

    if (why != WSK_R_COUNT || !connects) {
        return why; /* another was faster */
    }
    why = look_for_room(r, spec, host, ptext);
    if (why == WSK_R_COUNT) {
        why = tell(r, spec, host, true);
    }
    if (why == WSK_R_COUNT) {
        why = put(spec, r->request_time, &site);
    }
    if (why == WSK_R_COUNT) {
        wsk_bell_ring(wsk_process.bell, wsk_process.seg, site);
        ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r,
                      "WSK0502 site %s is connected: %s", spec->key, spec->url);
    }
    return why;
}

static wsk_refusal_e connect_site(request_rec *r, const wsk_site_spec_t *spec,
                                  const wsk_host_t *host, const char **ptext)
{
    bool connects;
    wsk_refusal_e why = standing(r, host, spec, &connects);

    if (why != WSK_R_COUNT || !connects) {
        return why;
    }
    if (!take_turn(r)) {
        return WSK_R_unavailable;
    }
    why = connect_in_turn(r, spec, host, ptext);
    wsk_ledger_done(wsk_process.ledger);
    return why;
}

/* By the secret that the request was signed with: the site may know no other. */
static int prove(request_rec *r, const wsk_signer_t *by, const char *challenge)
{
    const wsk_site_spec_t *spec = &by->spec;
    const wsk_slice_t parts[] = { slice("wordsocket-whoami-v1\n"),
                                  slice(challenge) };
    uint8_t mac[WSK_MAC_LEN];
    char hex[2 * WSK_MAC_LEN + 1];

    if (!wsk_mac(mac, slice(spec->publish.at[by->secret]), parts,
                 WSK_COUNT_OF(parts))) {
        return wsk_refuse(r, WSK_R_unavailable, 1);
    }
    wsk_hex(hex, mac, sizeof mac);
    return wsk_answer(
        r, HTTP_OK,
        apr_psprintf(r->pool,
                     "{\"ok\":true,\"site_key\":\"%s\","
                     "\"generation\":%" APR_UINT64_T_FMT ",\"proof\":\"%s\"}",
                     spec->key, (apr_uint64_t)spec->generation, hex));
}

static int refuse(request_rec *r, wsk_refusal_e why)
{
    return wsk_refuse(r, why, why == WSK_R_rate_limited ? 60 : 0);
}

int wsk_handle_whoami(request_rec *r, wsk_request_t *wr)
{
    wsk_refusal_e why = WSK_R_COUNT;
    wsk_signer_t by = { .site = WSK_NO_SITE };
    const char *text = NULL;
    asked_t asked;
    apr_size_t len = 0;
    char *body;
    int status = wsk_body_read(r, BODY_MAX, &body, &len);

    if (!body) {
        return status;
    }
    if (!read_asked(body, len, r->pool, &asked)) {
        return wsk_refuse(r, WSK_R_invalid_json, 0);
    }
    if (!wsk_host_spec(wr->host, asked.home, asked.generation, &by.spec)) {
        return wsk_refuse(r, WSK_R_unavailable, 1);
    }
    why = check(r, wr, &by, (wsk_slice_t){ body, len });
    if (why == WSK_R_COUNT) {
        why = connect_site(r, &by.spec, wr->host, &text);
    }
    status = why == WSK_R_COUNT ? prove(r, &by, asked.challenge)
             : text             ? wsk_refuse_as(r, why, text)
                                : refuse(r, why);
    OPENSSL_cleanse(&by, sizeof by);
    return status;
}

static bool is_disconnect(const char *body, apr_size_t len)
{
    json_t *root = json_loadb(body, len, JSON_REJECT_DUPLICATES, NULL);
    const char *action = json_string_value(json_object_get(root, "action"));
    bool is = action && strcmp(action, "disconnect") == 0;

    json_decref(root);
    return is;
}

/* Once for each generation: of copies of a request, one. */
static wsk_refusal_e disconnect_in_turn(request_rec *r, const wsk_host_t *host,
                                        const wsk_signer_t *by)
{
    uint64_t live, last;
    bool on;
    wsk_refusal_e why;

    live = wsk_host_generation(by->spec.key, r->request_time, &last, &on);
    if (!on || live != by->spec.generation) {
        return WSK_R_unknown_site_key;
    }
    why = tell(r, &by->spec, host, false);
    if (why == WSK_R_COUNT) {
        wsk_site_revoke(wsk_process.seg, by->site, by->spec.generation);
        wsk_bell_ring(wsk_process.bell, wsk_process.seg, by->site);
        ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r,
                      "WSK0503 site %s is disconnected: %s", by->spec.key,
                      by->spec.url);
    }
    return why;
}

/* A site of the site file is its administrator's to take out. */
static wsk_refusal_e disconnect(request_rec *r, const wsk_host_t *host,
                                const wsk_signer_t *by)
{
    wsk_refusal_e why;

    if (by->spec.generation == 0) {
        return WSK_R_not_found;
    }
    if (!take_turn(r)) {
        return WSK_R_unavailable;
    }
    why = disconnect_in_turn(r, host, by);
    wsk_ledger_done(wsk_process.ledger);
    return why;
}

int wsk_handle_disconnect(request_rec *r, wsk_request_t *wr)
{
    wsk_refusal_e why = WSK_R_unknown_site_key;
    wsk_signer_t by = { .site = WSK_NO_SITE };
    apr_size_t len = 0;
    char *body;
    int status = wsk_body_read(r, BODY_MAX, &body, &len);

    if (!body) {
        return status;
    }
    if (wsk_signer_find(r, wr, &by)) {
        why = wsk_signer_check(r, wr, &by, (wsk_slice_t){ body, len });
    }
    if (why == WSK_R_COUNT && !is_disconnect(body, len)) {
        why = WSK_R_invalid_json;
    }
    if (why == WSK_R_COUNT) {
        why = disconnect(r, wr->host, &by);
    }
    OPENSSL_cleanse(&by, sizeof by);
    return why == WSK_R_COUNT ? wsk_answer(r, HTTP_OK, "{\"ok\":true}")
                              : refuse(r, why);
}
