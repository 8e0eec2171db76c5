/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_hub -- who in this process hears what.
 *
 * Promise   A member gets every record of its channels that was appended after
 *           it subscribed (or after its `since`), once and in order, or is told
 *           of the gap. Of presence it gets the list, and every change after it,
 *           once and in order, or the list again. A site that has no member here costs nothing. One call
 *           of wsk_hub_pump does a bounded amount of work.
 * Owner     The hub owns channels and sites; members are their owner's and must
 *           leave before they are freed.
 * Threads   The loop thread only.
 * Not here  Sockets, formats, rights, time.
 */
#ifndef WSK_HUB_H
#define WSK_HUB_H

#include "store/wsk_presence.h"

typedef struct wsk_hub_t wsk_hub_t;
typedef struct wsk_hub_site_t wsk_hub_site_t;
typedef struct wsk_channel_t wsk_channel_t;

/* A member has yet to be given the list of who is present. Every record has a
 * smaller number: those of a log count from 1, and a million a second for as
 * long as eight years do not come here. */
#define WSK_LIST_OWED ((UINT64_C(1) << WSK_SUB_BITS) - 1)
#define WSK_SUB_BITS 48

/** One member on one channel. */
typedef struct wsk_sub_t {
    wsk_channel_t *channel;
    /* records up to this number are not for it */
    uint64_t from : WSK_SUB_BITS;
    uint64_t at_low : 16; /* place in the channel's array */
    /* nor of presence up to this; WSK_LIST_OWED */
    uint64_t known : WSK_SUB_BITS;
    uint64_t at_high : 16;
} wsk_sub_t;
/* Every connection has some: three of them, in their one block, are 80 bytes to
 * the allocator; were each 8 larger, 112. */
_Static_assert(sizeof(wsk_sub_t) <= 24, "a subscription has grown");

/** Who listens: embedded in a connection. All zero before joining. */
typedef struct wsk_member_t {
    struct wsk_member_t *next, *prev; /* of the site */
    wsk_hub_site_t *site;
    wsk_sub_t *subs;
    uint64_t at; /* while replaying: seen up to here */
    /* Last, what a delivery looks at: its owner's part may go on there. */
    uint64_t id; /* what a record's sender is compared with */
    uint16_t nsubs, cap;
    bool replaying; /* catching up: live records wait for it */
    bool binary;    /* has to do with binary frames: a lost one matters */
    bool held;      /* came from another hub, and what it replays must stay */
} wsk_member_t;

/** One record on its way to many members; frames are made once per format by
 *  whoever needs them and freed by wsk_sink_ops_t.done. */
typedef struct wsk_delivery_t {
    const wsk_record_t *record;
    uint64_t epoch;
    wsk_log_e log;
    /* The sink's: */
    void *frames[6];
    uint32_t site, given; /* to how many of it, not counted yet */
} wsk_delivery_t;

/** What a member can be told. None of these may make a member leave at once:
 *  mark it and leave later. */
typedef struct wsk_sink_ops_t {
    void (*deliver)(void *baton, wsk_member_t *m, wsk_delivery_t *d);
    void (*done)(void *baton, wsk_delivery_t *d);
    void (*gap)(void *baton, wsk_member_t *m, const wsk_cursor_t *since,
                const wsk_cursor_t *oldest);
    /** Binary frames are gone that it may have needed. */
    void (*lost)(void *baton, wsk_member_t *m);
    /** Whether a replaying member can take more now. */
    bool (*room)(void *baton, wsk_member_t *m);
} wsk_sink_ops_t;

/** @return NULL without memory */
wsk_hub_t *wsk_hub_make(wsk_segment_t *seg, unsigned slot,
                        const wsk_sink_ops_t *ops, void *baton);
void wsk_hub_free(wsk_hub_t *hub);

/** @return WSK_OK, WSK_ENOMEM, WSK_ENOTFOUND: the site is off */
wsk_status_e wsk_hub_join(wsk_hub_t *hub, wsk_member_t *m, uint32_t site);
void wsk_hub_leave(wsk_hub_t *hub, wsk_member_t *m);

/** What a member has seen of the site's text log: where this process stands in
 *  it, or how far a replay has come. */
wsk_cursor_t wsk_hub_position(const wsk_member_t *m);
uint32_t wsk_hub_site_number(const wsk_member_t *m);

/**
 * Subscribe to bare names. Names it has already stay as they are.
 * @return WSK_OK, WSK_EFULL (more than max), WSK_ENOMEM; nothing of the list is
 *         kept then
 */
wsk_status_e wsk_hub_subscribe(wsk_hub_t *hub, wsk_member_t *m,
                               const wsk_slice_t *names, unsigned n,
                               unsigned max);

/**
 * Begin to replay what came after `since` on these names, which it has
 * subscribed to just now; a gap is told first. wsk_hub_replay goes on.
 * @return WSK_OK; WSK_ENOMEM: what it has seen elsewhere cannot be read here, and
 *         would come again. It is to be told to come back
 */
wsk_status_e wsk_hub_resume(wsk_hub_t *hub, wsk_member_t *m,
                            const wsk_cursor_t *since, const wsk_slice_t *names,
                            unsigned n, int64_t now_us);

/** @return whether it was subscribed */
bool wsk_hub_unsubscribe(wsk_hub_t *hub, wsk_member_t *m, wsk_slice_t name);
bool wsk_hub_has(const wsk_member_t *m, wsk_slice_t name);
wsk_slice_t wsk_hub_name(const wsk_sub_t *sub);

/** Give a member the lists of presence it is owed, as records, unless it is
 *  replaying: then they come when it has caught up. */
void wsk_hub_sync(wsk_hub_t *hub, wsk_member_t *m);

/** Members here on a channel of a site. */
unsigned wsk_hub_watchers(const wsk_hub_t *hub, uint32_t site,
                          wsk_slice_t channel);

/** Visit them; as wsk_hub_each. */
void wsk_hub_each_on(const wsk_hub_t *hub, uint32_t site, wsk_slice_t channel,
                     void (*visit)(void *baton, wsk_member_t *m), void *baton);

/** Replay a bounded piece. @return whether there is more and it has room */
bool wsk_hub_replay(wsk_hub_t *hub, wsk_member_t *m);

/** Deliver a bounded piece of what is new at a site, from all logs.
 *  @return whether there may be more */
bool wsk_hub_pump(wsk_hub_t *hub, uint32_t site);

/**
 * Sites where something could not be read for want of memory: it waits in its
 * log. In a while pump them, and sync and replay their members.
 * @return how many were written to `sites`; they are forgotten here
 */
unsigned wsk_hub_starved(wsk_hub_t *hub, uint32_t *sites, unsigned max);

/** Where a member stands, for another process's hub. */
typedef struct wsk_place_in_t {
    wsk_cursor_t at[WSK_LOG_COUNT]; /* its hub, in every log */
    bool replaying;
    uint64_t seen; /* the member, of the text log */
} wsk_place_in_t;

/** One of its channels there: the same fields as wsk_sub_t; what is larger than
 *  WSK_LIST_OWED is that, too. */
typedef struct wsk_sub_in_t {
    wsk_slice_t name;
    uint64_t from, known;
} wsk_sub_in_t;

void wsk_hub_place(const wsk_member_t *m, wsk_place_in_t *out);

/** A member to whom nothing was delivered since it stood at `place` of this hub
 *  goes on there, whatever was read meanwhile. */
void wsk_hub_return(wsk_hub_t *hub, wsk_member_t *m,
                    const wsk_place_in_t *place);

/**
 * Join, and go on where another hub stood: nothing of the three logs is missed
 * or comes twice. The other hub must stay where it was until this returns.
 * @param m     all zero, but for id and binary
 * @param subs  n different names
 * @return as wsk_hub_join; WSK_EINVAL: a name is there twice. Nothing is kept
 *         then, nor was anything delivered
 */
wsk_status_e wsk_hub_arrive(wsk_hub_t *hub, wsk_member_t *m, uint32_t site,
                            const wsk_place_in_t *place,
                            const wsk_sub_in_t *subs, unsigned n);

/** Members at a site here. */
unsigned wsk_hub_members(const wsk_hub_t *hub, uint32_t site);

typedef void wsk_hub_visit_fn(void *baton, wsk_member_t *m);
/** Visit all members at a site; visit may not make any of them leave. */
void wsk_hub_each(const wsk_hub_t *hub, uint32_t site, wsk_hub_visit_fn *visit,
                  void *baton);

#endif
