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

#include "hooks/wsk_hooks.h"

#include "auth/wsk_derive.h"

/* Live host keys: the newest, and the one before it. */
#define WSK_HOST_KEYS 2
#define WSK_HOME_MAX 255

typedef struct wsk_hostkey_t {
    uint8_t at[WSK_HOST_KEYS][WSK_HOST_KEY_LEN];
    unsigned n;
} wsk_hostkey_t;

/** Read the file of the host key, and make it if it is not there.
 *  @param make  false: only look; no file is no fault then
 *  @return NULL, or what is wrong with it */
const char *wsk_hostkey_read(const char *file, bool make, apr_pool_t *ptemp,
                             wsk_hostkey_t *out);

/** A site as the ledger knows it. */
typedef struct wsk_ledger_entry_t {
    char tag[WSK_TAG_LEN + 1];
    char home[WSK_HOME_MAX + 1];
    uint64_t generation;
    bool on; /* false: revoked */
} wsk_ledger_entry_t;

/** The ledger beside the host key, open in this process and its children: made
 *  at the first call, and rewritten without what is outdated.
 *  @return NULL, or what is wrong */
const char *wsk_ledger_open(const char *host_key, process_rec *process,
                            apr_pool_t *ptemp, int *pfd);
/** The newest entry of every site.
 *  @param fd  -1: open the file for the moment, if there is one */
const char *wsk_ledger_read(int fd, const char *host_key, apr_pool_t *ptemp,
                            apr_array_header_t **pentries);
/** @return false: it is not on the disk */
bool wsk_ledger_append(int fd, const wsk_ledger_entry_t *entry);

/** Look at the files of host mode, make nothing. @param pcount  more by what is
 *  served, or may be. @return NULL, or what is wrong */
const char *wsk_host_check(server_rec *s, apr_pool_t *ptemp, uint32_t *pcount);

/** Keys of all hosts. @return NULL, or what is wrong: then hosts are told from
 *  each other, but have no keys to give out */
const char *wsk_host_keys(server_rec *s, apr_pool_t *pconf, apr_pool_t *ptemp);

typedef struct wsk_host_load_t {
    uint64_t stamp; /* see wsk_site_put */
    bool keep; /* say again what is in the segment, do not read the ledger */
} wsk_host_load_t;
/** Their sites, into the segment. @return NULL, or what is wrong */
const char *wsk_host_sites(server_rec *s, apr_pool_t *ptemp,
                           const wsk_host_load_t *how, bool *punreserved);

/** What the site of this home is, in this generation. @return false on failure
 */
bool wsk_host_spec(const wsk_host_t *host, const char *home,
                   uint64_t generation, wsk_site_spec_t *out);
/** Whether the site is known, or the host may have one more. */
bool wsk_host_room(const wsk_host_t *host, const char *site_key);
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

/** Who the owner of a host is, by the modules that know (mod_suexec).
 *  @return uid, or -1; -2 for a user's own directory (/~user) */
int64_t wsk_host_owner(const request_rec *r);

/** Whose process has the other end of a connection.
 *  @return uid, or -1: none on this machine, or the kernel does not say */
int64_t wsk_peer_uid(const conn_rec *c);

/** Whether a text is a home URL as it is taken. */
bool wsk_home_ok(const char *home);

#endif
