/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_hub_int -- what the files of the hub share.
 */
#ifndef WSK_HUB_INT_H
#define WSK_HUB_INT_H

#include "hub/wsk_channels.h"

/* Records and bytes one read takes out of a log: the bound on the work of a
 * turn, and what is written to a socket at once at most. */
#define HUB_BATCH 64
#define HUB_SCRATCH 65536
/* Deliveries after which a piece of the live stream ends, between two records:
 * what is left of it is read again. Enough for a list of 8 to 5,000 sockets,
 * which then leaves in one write for each; one record can be for as many. */
#define HUB_OFFERS 40960

struct wsk_hub_site_t {
    uint32_t number;
    uint32_t members;
    uint32_t held;  /* members that replay what must stay: */
    uint64_t floor; /* what lies behind this */
    bool starved;   /* something could not be read for want of memory */
    wsk_member_t *first;
    wsk_channels_t channels;
    wsk_cursor_t at[WSK_LOG_COUNT];
};

struct wsk_hub_t {
    wsk_segment_t *seg;
    unsigned slot;
    const wsk_sink_ops_t *ops;
    void *baton;
    wsk_hub_site_t **sites; /* by number; NULL where nobody is */
    char *scratch;
    size_t scratch_cap;
    bool starved; /* one of the sites is */
    uint32_t fed; /* the last that wsk_hub_starved has looked at */
    wsk_record_t records[HUB_BATCH];
};

/** Make the scratch as large as this. @return false: the site is starved */
bool wsk_hub_widen(wsk_hub_t *hub, wsk_hub_site_t *site, size_t need);

/** Read after a cursor into the scratch, making it larger for one large record.
 *  The same returns as wsk_log_read, and WSK_ENOMEM: the site is starved. */
wsk_status_e wsk_hub_read(wsk_hub_t *hub, wsk_hub_site_t *site, wsk_log_e log,
                          wsk_cursor_t *cursor, unsigned *pn);

/** Tell one member that records between `since` and `oldest` are gone, if any
 *  of them may have been on its channels. */
void wsk_hub_gap(wsk_hub_t *hub, wsk_member_t *m, const wsk_cursor_t *since,
                 const wsk_cursor_t *oldest);

/** wsk_arrive.c: what it replays need not stay any more. */
void wsk_hub_release(wsk_hub_t *hub, wsk_member_t *m);

/** wsk_watch.c: one change of presence to those who have the list before it
 *  (@return to how many of a channel); everybody gets the list, since changes were lost. */
uint32_t wsk_watch_change(wsk_hub_t *hub, wsk_hub_site_t *site,
                          const wsk_record_t *record);
void wsk_watch_lost(wsk_hub_t *hub, wsk_hub_site_t *site);

/** A large record must not leave its size behind for good. */
void wsk_hub_trim(wsk_hub_t *hub);

/** The number of a record as a sub holds it; the largest is WSK_LIST_OWED. */
static inline uint64_t wsk_hub_number(uint64_t seq)
{
    return WSK_MIN(seq, WSK_LIST_OWED) & WSK_LIST_OWED;
}

/** Its sub on this channel, or NULL. */
wsk_sub_t *wsk_hub_sub(const wsk_member_t *m, wsk_slice_t name);

#endif
