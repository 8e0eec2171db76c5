/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_presence -- who is on which channel of a site, with what state.
 *
 * A member is one number (a connection, or a stream of /send) on one channel.
 * Members lie in pages of the site; what changes is told by records of the log
 * WSK_LOG_PRESENCE, appended under the same lock. docs/internals/presence.md is
 * the picture.
 *
 * Promise   The list of a channel and the place in the log belong together:
 *           list, and what follows that place, is the truth for ever. What could
 *           not be written to the log is a gap in it, after which readers ask
 *           for the list again. Whoever dies, its members leave with its slot.
 *           Bounded for each site by pages and members, for each member by
 *           channels and by the bytes of a state.
 * Threads   Any; takes the site's lock, pages also the host lock.
 */
#ifndef WSK_PRESENCE_H
#define WSK_PRESENCE_H

#include "store/wsk_log.h"

#define WSK_PRESENCE_PAGES 16
#define WSK_PRESENCE_MEMBERS 2000
#define WSK_PRESENCE_STATE 4096
/* Of all that one connection has entered. */
#define WSK_PRESENCE_SHARE 32768
/* A member that stands by its lease, not by a process. */
#define WSK_PRESENCE_LEASED UINT32_MAX

/** Who enters. */
typedef struct wsk_present_t {
    uint64_t member;
    uint32_t slot;     /* with which it leaves, or WSK_PRESENCE_LEASED */
    int64_t until_us;  /* when its lease ends */
    uint32_t channels; /* on so many at once */
} wsk_present_t;

/**
 * Enter a channel, or change the state there.
 * @return WSK_OK
 *         WSK_EDUP   it has this state already; the lease is renewed
 *         WSK_EFULL  a bound was reached, or the segment has no page left
 *         WSK_EINVAL the state is too long
 *         WSK_ENOTFOUND the site is off
 */
wsk_status_e wsk_presence_enter(wsk_segment_t *seg, uint32_t site,
                                const wsk_present_t *who, wsk_slice_t channel,
                                wsk_slice_t state, int64_t now_us);

/** Leave a channel; all of them if channel.at is NULL.
 *  @return how many it left */
unsigned wsk_presence_leave(wsk_segment_t *seg, uint32_t site, uint64_t member,
                            wsk_slice_t channel, int64_t now_us);

/** Everything entered by this slot leaves. */
void wsk_presence_reap(wsk_segment_t *seg, unsigned slot);

/** Whose lease is over leaves. @return how many */
unsigned wsk_presence_expire(wsk_segment_t *seg, uint32_t site, int64_t now_us);

/** Whether anybody is present at the site; no lock. */
bool wsk_presence_any(const wsk_segment_t *seg, uint32_t site);
bool wsk_presence_any_leased(const wsk_segment_t *seg, uint32_t site);

/**
 * The list of a channel, as the body of a record (wsk_presence_read).
 * @param at    receives the place in WSK_LOG_PRESENCE it belongs to
 * @param plen  its bytes; when WSK_EFULL, those it needs
 * @return WSK_OK, WSK_EFULL, WSK_ENOTFOUND
 */
wsk_status_e wsk_presence_list(wsk_segment_t *seg, uint32_t site,
                               wsk_slice_t channel, char *buf, size_t cap,
                               size_t *plen, wsk_cursor_t *at);

/** Channels of a member, one after the other in buf.
 *  @return how many were written to `names` */
unsigned wsk_presence_channels(wsk_segment_t *seg, uint32_t site,
                               uint64_t member, char *buf, size_t cap,
                               wsk_slice_t *names, unsigned max);

/** Members that stand by a lease, each once. @return how many, up to max */
unsigned wsk_presence_leased(wsk_segment_t *seg, uint32_t site,
                             uint64_t *members, unsigned max);

/** A leased member stays until then, if that is later. */
void wsk_presence_renew(wsk_segment_t *seg, uint32_t site, uint64_t member,
                        int64_t until_us);

/** From now on a leased member leaves with this slot. */
void wsk_presence_claim(wsk_segment_t *seg, uint32_t site, uint64_t member,
                        unsigned slot);

/** What it entered with one slot leaves with another. Nobody is told. */
void wsk_presence_move(wsk_segment_t *seg, uint32_t site, uint64_t member,
                       unsigned from, unsigned to);

/* What a record of the log says. */

typedef enum wsk_presence_e {
    WSK_PRESENCE_SYNC = 1, /* the whole list */
    WSK_PRESENCE_JOIN,     /* one member, new or changed */
    WSK_PRESENCE_LEFT      /* one member, without a state */
} wsk_presence_e;

/** @param rest  receives what wsk_presence_next takes apart
 *  @return 0: not a record of presence */
wsk_presence_e wsk_presence_read(wsk_slice_t body, wsk_slice_t *rest);

/** @return false: there is none left */
bool wsk_presence_next(wsk_slice_t *rest, uint64_t *member, wsk_slice_t *state);

#endif
