/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_caller -- who is asking: token, site of this host, channels, cursor,
 * stream id.
 */
#include "hooks/wsk_live.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "auth/wsk_channel.h"
#include "auth/wsk_derive.h"
#include "core/wsk_hash.h"

#define LEASE_S 30

unsigned wsk_slot_now(void)
{
    return wsk_process.loop ? wsk_loop_slot(wsk_process.loop) : UINT_MAX;
}

uint64_t wsk_address_of(request_rec *r)
{
    const char *ip = r->useragent_ip;

    return wsk_hash(wsk_segment_secret(wsk_process.seg), ip, strlen(ip));
}

static wsk_slice_t slice(const char *text)
{
    return (wsk_slice_t){ text, text ? strlen(text) : 0 };
}

static wsk_token_e refused(wsk_token_e why, uint32_t site)
{
    wsk_count(wsk_process.seg, wsk_slot_now(), site, WSK_C_refused_token, 1);
    return why;
}

bool wsk_serves(const wsk_host_t *host, uint32_t site,
                const wsk_site_spec_t *spec)
{
    return wsk_conf_serves(host, site) || wsk_service_serves(host, site)
           || (spec->generation != 0
               && wsk_derive_is_of(host->keys.tag, spec->key));
}

wsk_token_e wsk_caller_read(request_rec *r, const wsk_request_t *wr,
                            const char *token, wsk_caller_t *who)
{
    char site_id[WSK_HEX256 + 1];
    wsk_secrets_t secrets;
    wsk_token_e rv;
    int i;

    if (!token) {
        return refused(WSK_TOKEN_MALFORMED, WSK_NO_SITE);
    }
    rv = wsk_token_peek(slice(token), site_id);
    if (rv != WSK_TOKEN_OK) {
        return refused(rv, WSK_NO_SITE);
    }
    if (wsk_site_by_id(wsk_process.seg, slice(site_id), &who->site) != WSK_OK
        || wsk_site_read(wsk_process.seg, who->site, &who->spec, &who->state)
               != WSK_OK
        || who->spec.jwt.at[0][0] == '\0'
        || !wsk_serves(wr->host, who->site, &who->spec)) {
        who->state = WSK_SITE_EMPTY; /* not here, or not any more */
        return refused(wsk_service_unsure(wr->host) ? WSK_TOKEN_NOMEM
                                                    : WSK_TOKEN_SITE,
                       WSK_NO_SITE);
    }
    for (i = 0; i < 2; i++) {
        secrets.at[i] = slice(who->spec.jwt.at[i]);
    }
    rv = wsk_token_verify(slice(token), slice(who->spec.key), &secrets,
                          apr_time_sec(r->request_time), &who->claims);
    if (rv != WSK_TOKEN_OK && rv != WSK_TOKEN_NOMEM) {
        wsk_live_refused(who->site, WSK_R_invalid_token);
    }
    return rv == WSK_TOKEN_OK ? rv : refused(rv, who->site);
}

uint64_t wsk_caller_hash(request_rec *r, const wsk_caller_t *who)
{
    const uint64_t from[2] = {
        wsk_address_of(r), wsk_inbox_user(wsk_process.seg, who->claims.user_id)
    };

    return wsk_hash(wsk_segment_secret(wsk_process.seg), from, sizeof from);
}

void wsk_caller_done(wsk_caller_t *who)
{
    wsk_grant_unref(who->claims.grant);
    OPENSSL_cleanse(who, sizeof *who);
}

wsk_slice_t *wsk_channels_asked(request_rec *r, const wsk_caller_t *who,
                                unsigned *pn, unsigned *prefused)
{
    const char *list = wsk_query(r, "channels");
    const wsk_limits_t *limits = &who->spec.limits;
    wsk_slice_t *names = apr_palloc(r->pool, sizeof *names
                                                 * (limits->max_channels + 1u));
    unsigned n = 0, refusals = 0;

    while (list && *list && n + refusals <= 4u * limits->max_channels) {
        wsk_slice_t given = { list, strcspn(list, ",") };
        wsk_slice_t bare = wsk_channel_bare(given, who->spec.site_id);
        unsigned i;

        list += given.len + (list[given.len] == ',');
        for (i = 0; i < n; i++) {
            if (names[i].len == bare.len
                && memcmp(names[i].at, bare.at, bare.len) == 0) {
                break;
            }
        }
        if (i < n) {
            continue;
        }
        if (n < limits->max_channels
            && wsk_channel_valid(bare, limits->max_channel_name)
            && wsk_grant_may_read(who->claims.grant, who->spec.site_id, bare,
                                  given)) {
            names[n++] = bare;
        }
        else {
            refusals++;
        }
    }
    wsk_count(wsk_process.seg, wsk_slot_now(), who->site, WSK_C_browser_refused,
              refusals > 0);
    *pn = n;
    *prefused = refusals;
    return names;
}

bool wsk_since_asked(request_rec *r, wsk_cursor_t *since)
{
    const char *text = apr_table_get(r->headers_in, "Last-Event-ID");

    if (!text || !*text) {
        text = wsk_query(r, "since");
    }
    *since = (wsk_cursor_t){ 0, 0 };
    if (!text || !*text) {
        return false;
    }
    /* What is not an id of ours is a place nobody knows: a gap. */
    wsk_cursor_parse(slice(text), since);
    return true;
}

static wsk_stream_owner_t owner(const wsk_caller_t *who)
{
    return (wsk_stream_owner_t){
        { (const char *)wsk_segment_secret(wsk_process.seg), 32 },
        slice(who->spec.site_id),
        slice(who->claims.user_id)
    };
}

static void make(const wsk_caller_t *who, bool lease,
                 const uint8_t random[WSK_STREAM_RANDOM],
                 char out[WSK_STREAM_LEN + 1])
{
    wsk_stream_owner_t of = owner(who);
    apr_time_t until = apr_time_sec(apr_time_now()) + LEASE_S;

    if (!wsk_stream_make(&of, lease ? (uint32_t)until : 0, random, out)) {
        memset(out, '0', WSK_STREAM_LEN); /* will not be accepted */
        out[WSK_STREAM_LEN] = '\0';
    }
}

void wsk_caller_stream(const wsk_caller_t *who, bool lease,
                       char out[WSK_STREAM_LEN + 1])
{
    uint8_t random[WSK_STREAM_RANDOM];

    if (RAND_bytes(random, sizeof random) != 1) {
        memset(out, '0', WSK_STREAM_LEN); /* will not be accepted */
        out[WSK_STREAM_LEN] = '\0';
        return;
    }
    make(who, lease, random, out);
}

/* Of an accepted id: its time, and what stays the same when it is renewed. */
static void parts_of(const char *stream, uint32_t *until, uint32_t *random)
{
    char hex[9] = "";

    memcpy(hex, stream, 8);
    *until = (uint32_t)strtoul(hex, NULL, 16);
    memcpy(hex, stream + 8, 8);
    *random = (uint32_t)strtoul(hex, NULL, 16);
}

/* Who it is for as long as its lease is renewed. */
static uint64_t leased(const wsk_caller_t *who, uint32_t random)
{
    return wsk_roster_member(
        wsk_process.seg, wsk_inbox_user(wsk_process.seg, who->claims.user_id),
        (uint64_t)random << 1 | 1);
}

bool wsk_caller_sends(const wsk_caller_t *who, const char *stream,
                      uint64_t *sender)
{
    wsk_stream_owner_t of = owner(who);
    uint32_t until, random;

    if (!wsk_stream_check(&of, slice(stream), apr_time_sec(apr_time_now()),
                          sender)) {
        return false;
    }
    parts_of(stream, &until, &random);
    if (until) {
        *sender = leased(who, random);
    }
    return true;
}

wsk_present_t wsk_caller_present(const wsk_caller_t *who, const char *stream,
                                 uint64_t sender)
{
    wsk_present_t as = { .slot = WSK_PRESENCE_LEASED,
                         .until_us = apr_time_now()
                                     + apr_time_from_sec(LEASE_S),
                         .channels = who->spec.limits.max_channels };
    uint32_t until, random;

    parts_of(stream, &until, &random);
    as.member = until ? leased(who, random)
                      : wsk_roster_member(wsk_process.seg, sender, 0);
    return as;
}

void wsk_caller_renew(request_rec *r, const wsk_caller_t *who,
                      char out[WSK_STREAM_LEN + 1])
{
    const char *old = wsk_query(r, "stream");
    uint8_t bytes[WSK_STREAM_RANDOM];
    uint32_t until = 0, random = 0;
    uint64_t sender;
    wsk_present_t as;
    int i;

    if (old && wsk_caller_sends(who, old, &sender)) {
        parts_of(old, &until, &random);
    }
    if (!until) {
        wsk_caller_stream(who, true, out);
        return;
    }
    as = wsk_caller_present(who, old, sender);
    wsk_presence_renew(wsk_process.seg, who->site, as.member, as.until_us);
    if (until > apr_time_sec(apr_time_now()) + LEASE_S / 2) {
        apr_cpystrn(out, old, WSK_STREAM_LEN + 1);
        return;
    }
    for (i = 0; i < WSK_STREAM_RANDOM; i++) {
        bytes[i] = (uint8_t)(random >> (24 - 8 * i));
    }
    make(who, true, bytes, out);
}
