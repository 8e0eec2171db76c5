/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_fill -- what a registry says into the segment, change by change.
 *
 * The segment notes for each registry, in one word, the last change it was told
 * and the configuration under which it was told; 0 is a registry it was told
 * nothing of. What has that number or less is
 * not read again; so a child that starts, or the one after another that died
 * between commit and segment, brings what is missing and nothing else. A child of
 * a later configuration, which may have other limits, tells everything once. One
 * of an earlier puts only what it was asked for and leaves the word, so that the
 * next of the present puts it again.
 */
#include "hooks/wsk_service.h"

#include <poll.h>

#include "http_main.h"

#include "auth/wsk_mac.h"

#define TRIES 3
#define PAUSE_MS 600

typedef struct filling_t {
    const wsk_service_t *service;
    const char *key;
    bool current, key_lost;
    wsk_status_e fault;
    bool *seen; /* by number; when all is put anew */
    int64_t last;
    wsk_filled_t done;
} filling_t;

/* A configuration, whether somebody found no place, a serial number. */
#define LOAD_AT 40
#define LOST (UINT64_C(1) << 39)
#define SERIAL(word) ((int64_t)((word) & (LOST - 1)))

static wsk_mark_e mark_of(const wsk_service_t *service)
{
    return (wsk_mark_e)(WSK_MARK_SERVICES + service->number);
}

static wsk_slice_t slice(const char *text)
{
    return (wsk_slice_t){ text, strlen(text) };
}

static void drop(uint32_t number)
{
    uint64_t version = wsk_site_version(wsk_process.seg, number);

    wsk_site_drop(wsk_process.seg, number);
    if (wsk_site_version(wsk_process.seg, number) != version) {
        wsk_bell_ring(wsk_process.bell, wsk_process.seg, number);
    }
}

/* The sites of an account are one user's. Its name may be longer than there is
 * room for, but no two may become one. */
static void name_user(char out[WSK_USER_NAME_MAX + 1], const char *account)
{
    const wsk_slice_t whole = slice(account);
    char hex[2 * WSK_MAC_LEN + 1];
    uint8_t hash[WSK_MAC_LEN];

    if (whole.len <= WSK_USER_NAME_MAX - sizeof "account:" + 1) {
        apr_snprintf(out, WSK_USER_NAME_MAX + 1, "account:%s", account);
    }
    else if (wsk_sha256(hash, &whole, 1)) {
        wsk_hex(hex, hash, sizeof hash);
        apr_snprintf(out, WSK_USER_NAME_MAX + 1, "account:%.48s", hex);
    }
}

static uint32_t put(filling_t *fill, const wsk_registered_t *site)
{
    wsk_site_spec_t spec = { .signature = site->signature };
    wsk_status_e rv;
    uint32_t number;
    int i;

    wsk_settings_limits(fill->service->set, &spec.limits);
    apr_cpystrn(spec.key, site->key, sizeof spec.key);
    apr_cpystrn(spec.url, site->url, sizeof spec.url);
    for (i = 0; i < 2; i++) {
        apr_cpystrn(spec.publish.at[i], site->publish[i],
                    sizeof spec.publish.at[i]);
        apr_cpystrn(spec.jwt.at[i], site->jwt[i], sizeof spec.jwt.at[i]);
    }
    wsk_site_id(spec.site_id, slice(spec.key));
    name_user(spec.user, site->owner);
    spec.incarnation = site->times;
    rv = wsk_sites_put(&spec, fill->service->stamp, &number);
    OPENSSL_cleanse(&spec, sizeof spec);
    if (number == WSK_NO_SITE && (rv == WSK_EFULL || rv == WSK_EINVAL)) {
        fill->done.lost++;
    }
    else if (number == WSK_NO_SITE) {
        fill->fault = rv;
    }
    fill->done.unreserved += number != WSK_NO_SITE && rv == WSK_EFULL;
    return number;
}

/* One that left and came back before anybody was told of either leaves now:
 * nothing and nobody of before stays. */
static void leave_first(const filling_t *fill, const wsk_registered_t *site)
{
    wsk_site_spec_t spec;
    uint32_t number;

    if (wsk_site_by_key(wsk_process.seg, slice(site->key), &number) == WSK_OK
        && wsk_site_stamp(wsk_process.seg, number) == fill->service->stamp
        && wsk_site_read(wsk_process.seg, number, &spec, NULL) == WSK_OK) {
        if (site->archived || spec.incarnation != site->times) {
            drop(number);
        }
        OPENSSL_cleanse(&spec, sizeof spec);
    }
}

static int64_t begin(void *baton, int64_t last, bool *whole)
{
    filling_t *fill = baton;
    const wsk_service_t *service = fill->service;
    const uint64_t word = wsk_segment_marked(wsk_process.seg, mark_of(service));
    const uint64_t load = word >> LOAD_AT;
    const int64_t told = load == service->load && !(word & LOST) ? SERIAL(word)
                                                                 : 0;

    fill->last = last;
    fill->current = load <= service->load;
    *whole = load < service->load; /* as long as nobody has under this one */
    if (!fill->current) {
        return fill->key ? 0 : last;
    }
    if (told == 0 || told > last) { /* or an older registry came back */
        fill->seen = calloc(wsk_segment_spec(wsk_process.seg)->sites,
                            sizeof *fill->seen);
        fill->fault = fill->seen ? WSK_OK : WSK_ENOMEM;
        return fill->seen ? 0 : last;
    }
    return told;
}

static void each(void *baton, const wsk_registered_t *site)
{
    filling_t *fill = baton;
    uint32_t number = WSK_NO_SITE;
    bool asked = fill->key && strcmp(site->key, fill->key) == 0;

    if (!fill->current && !asked) {
        return;
    }
    fill->done.changes++;
    leave_first(fill, site);
    if (!site->archived) {
        number = put(fill, site);
        fill->key_lost |= asked && number == WSK_NO_SITE;
    }
    if (fill->seen && number != WSK_NO_SITE) {
        fill->seen[number] = true;
    }
}

/* Who found no place is tried again by the next. */
static void end(void *baton)
{
    filling_t *fill = baton;
    const uint32_t known = wsk_site_count(wsk_process.seg);
    uint32_t i;

    if (fill->fault != WSK_OK) {
        return;
    }
    for (i = 0; fill->seen && i < known; i++) {
        if (!fill->seen[i]
            && wsk_site_stamp(wsk_process.seg, i) == fill->service->stamp) {
            drop(i);
        }
    }
    if (fill->current) {
        wsk_segment_mark(wsk_process.seg, mark_of(fill->service),
                         fill->service->load << LOAD_AT
                             | (fill->done.lost ? LOST : 0)
                             | (uint64_t)fill->last);
    }
}

/* As at the start of httpd, for sites of files. */
static void warn(const filling_t *fill)
{
    static _Atomic int64_t said_us;

    if (fill->done.unreserved && wsk_service_may_say(&said_us)) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, ap_server_conf,
                     "WSK0301 the pages promised to every site do not fit "
                     "WordSocketSharedMemory; give it more");
    }
}

wsk_status_e wsk_fill_from(wsk_service_t *service, wsk_registry_t *reg,
                           const char *key, wsk_filled_t *done)
{
    static const wsk_visitor_t visitor = { begin, each, end };
    filling_t fill = { .service = service, .key = key };
    wsk_status_e rv;

    atomic_store(&service->behind, false);
    rv = wsk_registry_visit(reg, &visitor, &fill);
    free(fill.seen);
    rv = rv == WSK_OK ? fill.fault : rv;
    if (rv != WSK_OK) {
        atomic_store(&service->behind, true);
    }
    warn(&fill);
    if (done) {
        *done = fill.done;
    }
    return rv == WSK_OK && fill.key_lost ? WSK_EFULL : rv;
}

wsk_status_e wsk_fill(wsk_service_t *service, const char *key,
                      wsk_filled_t *done)
{
    wsk_status_e rv = wsk_fill_from(service, atomic_load(&service->reg), key,
                                    done);

    if (atomic_load(&service->behind)) {
        wsk_opener_ring();
    }
    return rv;
}

/* What was committed and is not in force is in nobody's hands: worth a wait. */
wsk_status_e wsk_fill_surely(wsk_service_t *service, const char *key)
{
    wsk_status_e rv = wsk_fill(service, key, NULL);
    int tries;

    for (tries = 1; rv != WSK_OK && rv != WSK_EFULL && tries < TRIES; tries++) {
        poll(NULL, 0, PAUSE_MS);
        rv = wsk_fill(service, key, NULL);
    }
    return rv;
}

bool wsk_fill_told(wsk_service_t *service)
{
    const uint64_t word = wsk_segment_marked(wsk_process.seg, mark_of(service));

    return word != 0 && !(word & LOST);
}
