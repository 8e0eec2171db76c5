/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_host -- host mode: the host key, the sites that were connected, and what
 * a request may do with either. docs/internals/keys.md.
 *
 * Threads   wsk_hostkey_ and wsk_host_load in the parent, before children exist;
 *           the rest from any worker.
 */
#ifndef WSK_HOST_H
#define WSK_HOST_H

#include "hooks/wsk_ledger.h"

#include "auth/wsk_derive.h"

/* Live host keys: the newest, and the one before it. */
#define WSK_HOST_KEYS 2

typedef struct wsk_hostkey_t {
    uint8_t at[WSK_HOST_KEYS][WSK_HOST_KEY_LEN];
    unsigned n;
} wsk_hostkey_t;

/** Read the file of the host key, and make it if it is not there.
 *  @param make  false: only look; no file is no fault then
 *  @return NULL, or what is wrong with it */
const char *wsk_hostkey_read(const char *file, bool make, apr_pool_t *ptemp,
                             wsk_hostkey_t *out);

/** What the ledger says, without what is good for nothing.
 *  @param hosts  those there are, by tag
 *  @param settle  bring it together with the segment, and rewrite it if that is
 *                 more or much of it is outdated
 *  @return NULL, or what is wrong */
const char *wsk_recall(server_rec *s, apr_hash_t *hosts, bool settle,
                       wsk_book_t *book);

/** The tag of a host, and what it comes from.
 *  @return NULL, or why it can have no keys: then the tag is empty */
const char *wsk_vhost_tag(server_rec *v, const wsk_host_t *host,
                          wsk_vhost_t *vhost, char tag[WSK_TAG_LEN + 1],
                          apr_pool_t *ptemp);
void wsk_vhost_warn(server_rec *v, const char *why, apr_pool_t *ptemp);
/** Warn of what takes hosts' sites their isolation. */
void wsk_vhosts_warn(server_rec *s, apr_pool_t *ptemp);

/** Look at the files of host mode, make nothing. @param pcount  more by what is
 *  served, or may be. @return NULL, or what is wrong */
const char *wsk_host_check(server_rec *s, apr_pool_t *ptemp, uint32_t *pcount);

/** Keys of all hosts. @return NULL, or what is wrong: then hosts are told from
 *  each other, but have no keys to give out */
const char *wsk_host_keys(server_rec *s, apr_pool_t *pconf, apr_pool_t *ptemp);

typedef struct wsk_host_load_t {
    uint64_t stamp; /* see wsk_site_put */
    bool keep;   /* say again what is in the segment, do not read the ledger */
    bool settle; /* see wsk_recall */
} wsk_host_load_t;
/** Hand out no keys and connect nothing. */
void wsk_host_stop(server_rec *s);
/** Their sites, into the segment. @return NULL, or what is wrong */
const char *wsk_host_sites(server_rec *s, apr_pool_t *ptemp,
                           const wsk_host_load_t *how, bool *punreserved);

/** What the site of this home is, in this generation. @return false on failure
 */
bool wsk_host_spec(const wsk_host_t *host, const char *home,
                   uint64_t generation, wsk_site_spec_t *out);
/** Whether the site is known, or the host may have one more; in turn. */
typedef enum wsk_room_e {
    WSK_ROOM_YES,
    WSK_ROOM_HOST,  /* it has as many as WordSocketHostSites says */
    WSK_ROOM_OWNER, /* so have its owner's hosts, not counting first ones */
    WSK_ROOM_SERVER /* places are few, or used up */
} wsk_room_e;
wsk_room_e wsk_room_for(const wsk_host_t *host, const char *site_key,
                        apr_pool_t *pool);

/** What the hosts of an owner share, or one has whose owner nobody knows; once
 *  they have their tags. @return NULL, or what is wrong */
const char *wsk_budgets_make(server_rec *s, apr_pool_t *pconf,
                             apr_pool_t *ptemp);
/** Pay for a change of the ledger, in turn. @return false: too many of late */
bool wsk_budget_pay(const wsk_host_t *host, apr_time_t now);
/** Whether the log may have a line of this host again: one a minute. */
bool wsk_budget_may_say(const wsk_host_t *host, apr_time_t now);
/** Put it into the segment; see wsk_site_put. */
wsk_status_e wsk_host_put(const wsk_site_spec_t *spec, uint64_t stamp,
                          uint32_t *psite);
/** The generation that Connect may give out: the one in force (*pon), or else the
 *  next. @param plast  the newest there was; 0: none */
uint64_t wsk_host_generation(const char *site_key, apr_time_t now,
                             uint64_t *plast, bool *pon);
/** How far ahead of the clock a generation may be; so a site can be connected
 *  and disconnected a few times in a row, and not without end. */
#define WSK_GENERATIONS_AHEAD 10
uint64_t wsk_host_clock(apr_time_t now);

/** Whose process has the other end of a connection.
 *  @return uid, or -1: none on this machine, or the kernel does not say */
int64_t wsk_peer_uid(const conn_rec *c);

#endif
