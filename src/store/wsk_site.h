/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_site -- the tenants: identity, secrets, limits, admission and rates.
 *
 * Promise   A site keeps its number as long as the segment lives. Secrets and
 *           limits changed in one process are in force in all at the next call.
 * Threads   Any; takes the site's lock, admission also the host lock.
 * Errors    wsk_status_e as listed; a repair along the way is counted, not
 *           told.
 */
#ifndef WSK_SITE_H
#define WSK_SITE_H

#include "core/wsk_quota.h"
#include "store/wsk_slot.h"

/* Longest name of a user. */
#define WSK_USER_NAME_MAX 63

/**
 * What a site may use. Zero means none, not unlimited. Site files may say those
 * of SITE, all others are the host's; the dump shows both.
 */
/* clang-format off */
#define WSK_LIMITS(X) \
X( uint64_t, history_bytes,        SITE) /* 0: history is off */ \
X( uint32_t, history_messages,     SITE) \
X( uint32_t, history_age_ms,       SITE) \
X( uint32_t, connections,          SITE) /* of the site */ \
X( uint32_t, address_connections,  SITE) /* of one client address at the site */ \
X( uint32_t, user_connections,     SITE) /* of all sites of its user together */ \
X( uint32_t, publish_rate,         SITE) /* signed messages a second */ \
X( uint32_t, publish_burst,        SITE) \
X( uint32_t, user_publish_rate,    SITE) /* of all sites of its user together */ \
X( uint32_t, user_publish_burst,   SITE) \
X( uint32_t, browser_rate,         SITE) /* browser messages a second, whole site */ \
X( uint32_t, browser_burst,        SITE) \
X( uint32_t, user_browser_rate,    SITE) /* of all sites of its user together */ \
X( uint32_t, user_browser_burst,   SITE) \
X( uint32_t, connection_rate,      SITE) /* browser messages a second, one connection */ \
X( uint32_t, connection_burst,     SITE) \
X( uint32_t, max_message,          SITE) /* bytes of a client's message */ \
X( uint32_t, max_publish,          SITE) /* bytes of a publish body */ \
X( uint32_t, max_channels,         SITE) /* of a connection */ \
X( uint32_t, max_channel_name,     HOST) /* bytes */ \
X( uint32_t, send_queue,           SITE) /* unsent bytes of a connection */ \
X( uint32_t, ping_ms,              HOST) \
X( uint32_t, idle_ms,              HOST)
/* clang-format on */
typedef struct wsk_limits_t {
#define X(type, name, whose) type name;
    WSK_LIMITS(X)
#undef X
} wsk_limits_t;

/** Up to two live secrets of a kind, newest first; an empty text is none. */
typedef struct wsk_secret_pair_t {
    char at[2][WSK_SECRET_MAX + 1];
} wsk_secret_pair_t;

/** Everything said about a site from outside. */
typedef struct wsk_site_spec_t {
    char key[WSK_KEY_MAX + 1];
    char site_id[WSK_HEX256 + 1]; /* given by the caller: auth derives it */
    char url[256];
    char user[WSK_USER_NAME_MAX + 1]; /* whose account it is; "": nobody's */
    wsk_secret_pair_t publish;
    wsk_secret_pair_t jwt;
    uint32_t signature;   /* 1 or 2 */
    uint64_t generation;  /* of host mode's secrets; 0: given by hand */
    uint64_t incarnation; /* of another than theirs no connection stays */
    wsk_limits_t limits;
} wsk_site_spec_t;

typedef enum wsk_site_state_e {
    WSK_SITE_EMPTY = 0,
    WSK_SITE_ON,
    WSK_SITE_OFF /* known, refuses everything: 4003 */
} wsk_site_state_e;

/**
 * Add a site or change the one with this key. New ones get `epoch` for their
 * first log.
 * @param stamp  noted with the site; see wsk_site_retire
 * @param psite  receives its number
 * @return WSK_OK; WSK_EFULL no place in the table, or the reserved pages do not
 *         fit: then the site works without a reservation if *psite was set;
 *         WSK_EINVAL also for a generation that is revoked, or older than the
 *         one in force
 */
wsk_status_e wsk_site_put(wsk_segment_t *seg, const wsk_site_spec_t *spec,
                          uint64_t stamp, uint64_t epoch, uint32_t *psite);

/** Retire every site whose stamp is none of these: what the configuration no
 *  longer names. They are switched off and lose their secrets; their pages are
 *  given back, their number stays theirs. */
void wsk_site_retire(wsk_segment_t *seg, const uint64_t *stamps,
                     unsigned nstamps);

/** Retire one. @return WSK_OK, also if it was; WSK_ENOTFOUND */
wsk_status_e wsk_site_drop(wsk_segment_t *seg, uint32_t site);

/** The stamp it was last put with; 0 for an empty number. No lock. */
uint64_t wsk_site_stamp(const wsk_segment_t *seg, uint32_t site);

/** Switch a site of host mode off for good: neither this generation nor an
 *  earlier one can be put again. A later one stays in force. */
wsk_status_e wsk_site_revoke(wsk_segment_t *seg, uint32_t site,
                             uint64_t generation);

/** The newest generation that was revoked; 0: none. */
uint64_t wsk_site_revoked(wsk_segment_t *seg, uint32_t site);

/** Switch one off or on again. */
wsk_status_e wsk_site_switch(wsk_segment_t *seg, uint32_t site, bool on);

/** By key or by site_id, in constant expected time. Sites that are off are found
 *  too. @return WSK_OK or WSK_ENOTFOUND */
wsk_status_e wsk_site_by_key(wsk_segment_t *seg, wsk_slice_t key,
                             uint32_t *psite);
wsk_status_e wsk_site_by_id(wsk_segment_t *seg, wsk_slice_t site_id,
                            uint32_t *psite);

/** Copy what is said of a site; *state may be NULL.
 *  @return WSK_OK, WSK_ENOTFOUND for an empty number */
wsk_status_e wsk_site_read(wsk_segment_t *seg, uint32_t site,
                           wsk_site_spec_t *out, wsk_site_state_e *state);

/** A number that changes with everything wsk_site_read would answer; no lock. */
uint64_t wsk_site_version(const wsk_segment_t *seg, uint32_t site);

typedef struct wsk_site_stats_t {
    uint32_t connections;
    uint32_t pages;
    uint64_t epoch, head, oldest; /* of the log; oldest > head: empty */
    uint64_t bytes;               /* of records kept */
    uint64_t counters[WSK_C_COUNT];
} wsk_site_stats_t;
wsk_status_e wsk_site_stats(wsk_segment_t *seg, uint32_t site,
                            wsk_site_stats_t *out);

/** Connections of a site now; no lock. */
uint32_t wsk_site_connections(const wsk_segment_t *seg, uint32_t site);

/** The key of a site, "" for an empty number; no lock. */
const char *wsk_site_key(const wsk_segment_t *seg, uint32_t site);

/** A counter of a site now; no lock. */
uint64_t wsk_site_counter(const wsk_segment_t *seg, uint32_t site,
                          wsk_counter_e which);

/** Numbers in use are 0 <= n < this; for lists. */
uint32_t wsk_site_count(const wsk_segment_t *seg);

/* Admission. */

typedef enum wsk_admit_e {
    WSK_ADMIT_OK = 0,
    WSK_ADMIT_OFF,  /* the site is off */
    WSK_ADMIT_HOST, /* WSK_MARK_HOST_CONNECTIONS reached, or the address
                          table is full */
    WSK_ADMIT_USER,
    WSK_ADMIT_SITE,
    WSK_ADMIT_ADDRESS
} wsk_admit_e;

/** Count one connection in, atomically with the test of all caps.
 *  @param address  a hash of the client's address, keyed by the boot secret
 *  @param term     receives the slot's, for wsk_site_leave; or NULL */
wsk_admit_e wsk_site_admit(wsk_segment_t *seg, unsigned slot, uint32_t site,
                           uint64_t address, uint32_t *term);

/** Count it out; exactly once for each admission. If the slot was given back
 *  since, it was counted out then, and nothing is done. */
void wsk_site_leave(wsk_segment_t *seg, unsigned slot, uint32_t term,
                    uint32_t site, uint64_t address);

/**
 * Count one over that was admitted through another slot: no cap is asked, and
 * nobody sees a change. If that slot was given back since, it is counted in.
 * @param term  receives that of `to`
 * @return WSK_OK; WSK_EFULL: there is no entry for it, nothing changed
 */
wsk_status_e wsk_site_move(wsk_segment_t *seg, unsigned from,
                           uint32_t from_term, unsigned to, uint32_t site,
                           uint64_t address, uint32_t *term);

/* Rates: token buckets; the time is an argument and may jump. */

typedef enum wsk_rate_e { WSK_RATE_PUBLISH, WSK_RATE_BROWSER } wsk_rate_e;

/** Take n tokens of the site, and as many of its user if it has one; all or
 *  none.
 *  @param by  receives whose bound it is, if any; or NULL
 *  @return 0, or the milliseconds after which it may succeed (at least 1) */
uint32_t wsk_site_rate(wsk_segment_t *seg, uint32_t site, wsk_rate_e which,
                       uint32_t n, int64_t now_us, wsk_quota_e *by);

/** Take one of connection_rate for a caller who has no connection. A site
 *  knows the purses of the last WSK_CALLERS that are not full again.
 *  @param caller  a keyed hash
 *  @return as wsk_site_rate */
#define WSK_CALLERS 32
uint32_t wsk_site_rate_caller(wsk_segment_t *seg, uint32_t site,
                              uint64_t caller, int64_t now_us);

/* Users: whose sites share limits. One that has no sites is forgotten. */

typedef struct wsk_user_info_t {
    char name[WSK_USER_NAME_MAX + 1];
    uint32_t sites, connections;
} wsk_user_info_t;
/** @param number  below wsk_segment_spec's sites
 *  @return false: there is none of this number */
bool wsk_user_info(wsk_segment_t *seg, uint32_t number, wsk_user_info_t *out);

#endif
