/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_registry -- the accounts of service mode, their API keys and sites, and
 * the codes by which a site is connected with one click; on disk.
 *
 * Promise   An account and a URL have one site, with one key; the same URL in
 *           another account is another site. What was answered WSK_OK is on
 *           disk, whole. API keys and codes are kept as hashes only.
 * Bounds    An account has, connected and archived, at most WSK_REGISTRY_SPARE
 *           keys more than it may have sites connected: from there on a new URL
 *           takes the key of its site that was archived first, which is
 *           forgotten. So nobody fills the relay with keys. And an account
 *           changes things so often: WSK_REGISTRY_RATE and _BURST for each 100
 *           sites that it may have.
 * Threads   Any, in the process that opened it; waits for the disk, and for
 *           other processes within a bound, so never on the loop.
 * Errors    As wsk_database, and WSK_ENOTFOUND, WSK_EFULL as listed; WSK_ERATE of
 *           all that change something but wsk_registry_disconnect.
 * Not here  Making and hashing secrets, the clock: the caller's.
 */
#ifndef WSK_REGISTRY_H
#define WSK_REGISTRY_H

#include "core/wsk.h"

#define WSK_REGISTRY_WHY 200
#define WSK_REGISTRY_KEY 32    /* hex digits of a site key */
#define WSK_REGISTRY_SECRET 64 /* of a secret, an API key, a hash */
#define WSK_REGISTRY_URL 255
#define WSK_REGISTRY_NAME 200
#define WSK_REGISTRY_USER 255
#define WSK_REGISTRY_SPARE 28
#define WSK_REGISTRY_RATE 10   /* changes a second */
#define WSK_REGISTRY_BURST 300 /* and at once */

typedef struct wsk_registry_t wsk_registry_t;

typedef struct wsk_registered_t {
    char key[WSK_REGISTRY_KEY + 1];
    char publish[2][WSK_REGISTRY_SECRET + 1]; /* newest first; may be empty */
    char jwt[2][WSK_REGISTRY_SECRET + 1];
    char url[WSK_REGISTRY_URL + 1];
    char name[WSK_REGISTRY_NAME + 1];
    char owner[WSK_REGISTRY_USER + 1]; /* the account's user */
    uint32_t signature;                /* 1 or 2: what it was connected for */
    bool archived;                     /* disconnected: without secrets */
    int64_t made_s;
    uint64_t times; /* it was disconnected */
} wsk_registered_t;

/** Whose account: by its user or by the hash of its API key, the other NULL. */
typedef struct wsk_owner_t {
    const char *user;
    const char *key_hash;
} wsk_owner_t;

/** Random texts the caller has made, and what a site is connected for. */
typedef struct wsk_fresh_t {
    const char *key; /* used for a site that is new */
    const char *publish, *jwt;
    uint32_t signature; /* 1 or 2; not for wsk_registry_rotate */
} wsk_fresh_t;

/** @param file  must exist; may be empty. @param why  receives what is wrong */
wsk_status_e wsk_registry_open(const char *file, int wait_ms,
                               wsk_registry_t **preg,
                               char why[WSK_REGISTRY_WHY]);
void wsk_registry_close(wsk_registry_t *reg);

/** Give the user's account this API key in place of any other; makes the
 *  account. */
wsk_status_e wsk_registry_set_key(wsk_registry_t *reg, const char *user,
                                  const char *hash, int64_t now_s);

/** When the user's API key was made, 0: there is none. */
wsk_status_e wsk_registry_key_made(wsk_registry_t *reg, const char *user,
                                   int64_t *pmade_s);

/**
 * Connect a site, or connect it again: it keeps its key and gets new secrets.
 * @param most  sites an account may have connected, unless its own row says
 * @return WSK_ENOTFOUND no account has this API key; WSK_EFULL
 */
wsk_status_e wsk_registry_connect(wsk_registry_t *reg, const wsk_owner_t *owner,
                                  const char *url, const char *name,
                                  const wsk_fresh_t *fresh, uint32_t most,
                                  int64_t now_s, wsk_registered_t *out);

/** A code with which the site at this URL is connected for the user, once. */
typedef struct wsk_offer_t {
    const char *hash;
    const char *url, *name;
    const char *callback; /* the host the code was sent to */
    int64_t until_s;
} wsk_offer_t;
wsk_status_e wsk_registry_offer(wsk_registry_t *reg, const char *user,
                                const wsk_offer_t *offer, int64_t now_s);

/** Connect by a code. It is nobody else's then for WSK_REGISTRY_CLAIM_S, and
 *  either used up with wsk_registry_redeemed, or good again: at once with
 *  wsk_registry_unredeemed.
 *  @param url  the site the code must be for, or NULL
 *  @return WSK_ENOTFOUND no such code, used, of another site; WSK_EGAP too old,
 *          for ten minutes; WSK_EFULL */
#define WSK_REGISTRY_CLAIM_S 10
wsk_status_e wsk_registry_redeem(wsk_registry_t *reg, const char *hash,
                                 const char *url, const wsk_fresh_t *fresh,
                                 uint32_t most, int64_t now_s,
                                 wsk_registered_t *out);

wsk_status_e wsk_registry_redeemed(wsk_registry_t *reg, const char *hash);
wsk_status_e wsk_registry_unredeemed(wsk_registry_t *reg, const char *hash);

/** Whether the owner could connect one more; WSK_EFULL says no.
 *  @param out  receives the owner's oldest site that is connected, if there is
 *              one; without secrets */
wsk_status_e wsk_registry_room(wsk_registry_t *reg, const wsk_owner_t *owner,
                               const char *url, uint32_t most,
                               wsk_registered_t *out);

/** Archive a site of this owner, or of any with NULL: it keeps its key and
 *  loses its secrets.
 *  @return WSK_ENOTFOUND not there, not connected, or not theirs */
wsk_status_e wsk_registry_disconnect(wsk_registry_t *reg, const char *key,
                                     const wsk_owner_t *owner, int64_t now_s);

/** Who disconnects without being the user: by what the caller finds to be the
 *  site's secret, or by an API key. */
typedef struct wsk_leaver_t {
    bool (*knows)(void *baton, const wsk_registered_t *site);
    void *baton;
    const char *key_hash; /* or NULL */
} wsk_leaver_t;
/** @return WSK_ENOTFOUND not there or not connected; WSK_EINVAL neither is
 *          right; WSK_ECLASH no account has this API key */
wsk_status_e wsk_registry_leave(wsk_registry_t *reg, const char *key,
                                const wsk_leaver_t *who, int64_t now_s);

/** New secrets; the present ones stay good beside them, older ones do not. */
wsk_status_e wsk_registry_rotate(wsk_registry_t *reg, const char *user,
                                 const char *key, const wsk_fresh_t *fresh,
                                 int64_t now_s, wsk_registered_t *out);

/** One site, archived or not. */
wsk_status_e wsk_registry_find(wsk_registry_t *reg, const char *key,
                               wsk_registered_t *out);

/** The sites of one user that are connected, by URL. */
typedef void wsk_registry_fn(void *baton, const wsk_registered_t *site);
wsk_status_e wsk_registry_list(wsk_registry_t *reg, const char *user,
                               wsk_registry_fn *each, void *baton);

/** Who copies the sites elsewhere. Every change of one has a serial number, the
 *  last one's being the highest. */
typedef struct wsk_visitor_t {
    /* last: of all changes. whole: receives whether all of the file is to be
     * checked before. @return those after this are visited */
    int64_t (*begin)(void *baton, int64_t last, bool *whole);
    wsk_registry_fn *each; /* a site, archived or not, as it is now */
    void (*end)(void *baton);
} wsk_visitor_t;

/** No process commits a change from begin to end: what is copied is there in the
 *  order of commits. After an error there is no end.
 *  @return WSK_EBROKEN also for a file that is damaged */
wsk_status_e wsk_registry_visit(wsk_registry_t *reg,
                                const wsk_visitor_t *visitor, void *baton);

#endif
