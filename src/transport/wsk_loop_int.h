/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_loop_int -- what the files of the loop share. Loop thread only, but for
 * the fields marked.
 */
#ifndef WSK_LOOP_INT_H
#define WSK_LOOP_INT_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/epoll.h>

#include "proto/wsk_sse.h"
#include "store/wsk_ends.h"
#include "store/wsk_offer.h"
#include "transport/wsk_loop.h"
#include "transport/wsk_parcel.h"

#define LOOP_INPUT 16384 /* bytes of one read, at most */
#define LOOP_GRAIN 4     /* so often it may be halved, */
#define LOOP_QUICK 16    /* and is doubled after so many that were no work */
#define LOOP_WHEEL 64    /* seconds; a timer beyond comes round again */
#define LOOP_EVENTS 256  /* that the poll names at once */
#define LOOP_SLICE \
    64              /* sockets written for a site before the next one's turn */
#define LOOP_BIT 16 /* of them, before who has rung meanwhile is asked for */
#define LOOP_TURN_BYTES 262144 /* so much, too */
#define LOOP_READ_BYTES 262144 /* read of a site's sockets in one turn, */
#define LOOP_READ_US 100       /* and worked on: tokens, subscriptions */
#define LOOP_REPLAY_ROOM 65536
#define LOOP_CLOSE_WAIT_S 3   /* for the peer's answer to our Close */
#define LOOP_STALL_S 30       /* nothing could be written for so long */
#define LOOP_EXPIRY_SLACK_S 2 /* PROTOCOL.md says within 5 s */

/* An echo has no site, and so no limits of one. */
#define LOOP_ECHO_PING_S 20
#define LOOP_ECHO_IDLE_S 60

/** What was read in which turn, and how long that took. */
typedef struct intake_t {
    uint32_t turn;
    bool hidden;    /* something the poll does not see was read */
    uint32_t grain; /* what is sent is much work: reads are halved so often */
    uint32_t quick; /* whole reads in a row that were none */
    uint64_t bytes;
    int64_t us;      /* without the connection that is read of now, */
    int64_t from_us; /* since when that is, */
    int64_t at_us;   /* and when its last read was worked off */
} intake_t;

/** A site as this loop sees it. */
typedef struct site_view_t {
    struct site_view_t *next_active;
    uint64_t version;
    uint64_t looked; /* the version at which its connections were looked at */
    uint32_t number;
    bool active, rung;
    uint32_t waiting; /* in the list of this turn */
    uint32_t owed;    /* of them, those who had waited when the log was read */
    uint32_t offers;  /* connections on offer: the log is not read meanwhile */
    int64_t rest_ms;  /* since when it was not read for that; 0: it was */
    intake_t intake;
    wsk_site_state_e state;
    wsk_site_spec_t spec;
    wsk_conn_t *turn, **turn_tail;
    wsk_publisher_t *publishers;      /* its open publish sockets */
    struct site_view_t *next_counted; /* somebody is on wps:connections */
    bool counted;
    uint32_t told, told_most; /* connections, and their cap */
} site_view_t;

/** A connection that was offered to another process. */
typedef struct given_t {
    wsk_conn_t *conn;
    wsk_offer_t offer;
    wsk_place_in_t place; /* of the member, if it is one */
    size_t bytes;
    int64_t at_ms;
} given_t;

/** The place last told, and its frame, which says nothing but that: it is for all
 *  who stand there, of whatever site. */
typedef struct wsk_place_said_t {
    wsk_cursor_t at;
    wsk_slab_t *slab; /* or NULL; owned */
} wsk_place_said_t;

/** How far a loop is that leaves. */
typedef enum phase_e {
    PHASE_STAY,
    PHASE_WAIT, /* for a successor; everything goes on */
    PHASE_HAND, /* over who can go, and tell the others */
    PHASE_TELL  /* everybody who is left */
} phase_e;

struct wsk_loop_t {
    wsk_loop_spec_t spec;
    pthread_t thread;
    bool joined;
    int epoll, kick;
    unsigned slot;
    wsk_hub_t *hub;
    wsk_grant_table_t *grants;
    site_view_t **views; /* by site number */
    site_view_t *active, **fresh_tail, **active_tail;
    site_view_t *counted;
    int64_t count_ms;   /* when connections are looked at next */
    int64_t sweep_ms;   /* and slots */
    int64_t starved_ms; /* and what waits for memory */
    wsk_conn_t *wheel[LOOP_WHEEL];
    wsk_conn_t *dead;
    uint32_t now_s;
    int64_t now_us; /* Unix time */
    int64_t mono_ms;
    uint64_t random;
    uint32_t next_id;
    uint8_t *buf;
    uint32_t turn;
    uint64_t looked_at;         /* connections, when their site had changed */
    intake_t echoes;            /* they have no site */
    wsk_place_said_t places[2]; /* a socket's ping, a stream's event */
    /* drain */
    bool draining;
    phase_e phase;
    int64_t wait_from_ms; /* since when it leaves */
    int64_t ready_ms;     /* when it was seen that a successor may come, */
    int64_t strangers_ms; /* and that children came that are none */
    int64_t moved_ms;     /* when somebody went over last */
    given_t given[WSK_OFFERS];
    unsigned ngiven;
    size_t given_bytes;
    bool listens; /* at the door */
    int64_t drain_from_ms, drain_until_ms;
    uint32_t drain_total, drain_told;
    bool keeps;       /* TLS connections are to go on in a keeper */
    int64_t alone_ms; /* when the last request was seen to be served */
    /* of a keeper */
    int64_t born_ms, keep_look_ms;
    int64_t in_force_ms; /* when no reload was seen to be under way last */
    uint64_t leave_mark; /* when the loop began; then all of ours stay */
    /* any thread: */
    _Atomic bool alone;
    _Atomic uint32_t connections;
    _Atomic int stop;     /* 0, 1 graceful, 2 hurry */
    _Atomic int state;    /* 0 starting, 1 running, 2 failed, 3 done */
    pthread_mutex_t lock; /* guards incoming */
    wsk_conn_t *incoming;
};

/** Both clocks at the beginning of a turn. */
typedef struct wsk_now_t {
    int64_t unix_us;
    int64_t mono_ms;
} wsk_now_t;

extern const wsk_sink_ops_t wsk_sink_ops;

/* wsk_loop.c */
void wsk_loop_count(wsk_loop_t *l, const wsk_conn_t *c, wsk_counter_e which,
                    uint64_t n);
uint64_t wsk_loop_random(wsk_loop_t *l);
/** The number of a connection: no other has it, in whatever process it comes to
 *  be. */
uint64_t wsk_loop_id(wsk_loop_t *l);
/* What the thread is made of; wsk_loop_start and wsk_loop_free go round it. */
wsk_loop_t *wsk_loop_make(const wsk_loop_spec_t *spec);
/** Take a slot. @return false: none is free, or no memory */
bool wsk_loop_enter(wsk_loop_t *l, const wsk_now_t *now);
/** One turn: what the poll has told, then timers, sites and the dead.
 *  @return whether the drain is over */
bool wsk_loop_step(wsk_loop_t *l, const struct epoll_event *events, int n,
                   const wsk_now_t *now);
wsk_now_t wsk_loop_clocks(void);
/** Turns until the drain is over. */
void wsk_loop_run(wsk_loop_t *l);
/** End every connection and give the slot back. */
void wsk_loop_leave(wsk_loop_t *l);
void wsk_loop_dispose(wsk_loop_t *l);

/* wsk_life.c: a connection from its coming to its end */
void wsk_life_begin(wsk_loop_t *l, wsk_conn_t *c);
void wsk_life_read(wsk_loop_t *l, wsk_conn_t *c);
/** Some of what the poll does not see: what came with the request, and the rest of
 *  a TLS record. It goes on in the connection's turns. */
void wsk_life_hidden(wsk_loop_t *l, wsk_conn_t *c);
void wsk_life_write(wsk_loop_t *l, wsk_conn_t *c, wsk_sent_t *sent);
void wsk_life_kill(wsk_loop_t *l, wsk_conn_t *c);
void wsk_life_bury(wsk_loop_t *l);
/** Log the end of a connection, or have it logged. */
void wsk_life_log(wsk_loop_t *l, const wsk_end_t *end);

/* wsk_turn.c: whose turn it is */
site_view_t *wsk_turn_view(wsk_loop_t *l, uint32_t site);
void wsk_turn_ring(wsk_loop_t *l, uint32_t site);
/** What has changed of the sites that were not rung. */
void wsk_turn_look(wsk_loop_t *l);
void wsk_turn_starved(wsk_loop_t *l);
/* Take what was rung, whether the bell was heard or not. */
void wsk_turn_take(wsk_loop_t *l);
/** Whether its site is off, or what it came with was revoked. */
bool wsk_turn_gone(wsk_loop_t *l, const wsk_conn_t *c);
/** Write what is queued when its site has its turn. */
void wsk_turn_write(wsk_loop_t *l, wsk_conn_t *c);
/** The same for one whose socket had been full, and is not any more. */
void wsk_turn_writable(wsk_loop_t *l, wsk_conn_t *c);
/** Read, unless its site has had its share in this turn: then the poll names it
 *  again in the next. */
void wsk_turn_read(wsk_loop_t *l, wsk_conn_t *c);
/** Read what no poll names. Of each site the first is read in each turn, whatever
 *  the others of it have used up; who calls lines the rest up again. */
void wsk_turn_read_hidden(wsk_loop_t *l, wsk_conn_t *c);
/** Between reads: whether its site may be read of once more in this turn. */
bool wsk_turn_has_time(wsk_loop_t *l, const wsk_conn_t *c);
/** @return how many bytes it may read at once */
size_t wsk_turn_piece(wsk_loop_t *l, const wsk_conn_t *c);
/** After a read of so many bytes, and the work on them: the next piece is smaller
 *  if that took long, larger if many whole pieces took no time. */
void wsk_turn_worked(wsk_loop_t *l, const wsk_conn_t *c, size_t bytes);
/** Count what was written for a site. */
void wsk_turn_sent(wsk_loop_t *l, uint32_t site, const wsk_sent_t *sent);
/** Its log may be read again. */
void wsk_turn_resume(wsk_loop_t *l, site_view_t *v);
void wsk_turn_serve(wsk_loop_t *l);

/* wsk_wheel.c: every connection has one timer */
void wsk_wheel_set(wsk_loop_t *l, wsk_conn_t *c, uint32_t due_s);
void wsk_wheel_drop(wsk_conn_t *c);
/** Tick for every second that has passed. */
void wsk_wheel_turn(wsk_loop_t *l);

/* wsk_session.c: what a connection's bytes mean */
void wsk_session_begin(wsk_loop_t *l, wsk_conn_t *c);
void wsk_session_input(wsk_loop_t *l, wsk_conn_t *c, uint8_t *bytes,
                       size_t len);
/* As wsk_hub_resume; it has its turn. @return false: it is closed, to come back */
bool wsk_session_resume(wsk_loop_t *l, wsk_conn_t *c, const wsk_cursor_t *since,
                        const wsk_slice_t *names, unsigned n);

/* wsk_message.c: a client's JSON */
void wsk_message_text(wsk_loop_t *l, wsk_conn_t *c, const char *json,
                      size_t len);
void wsk_message_binary(wsk_loop_t *l, wsk_conn_t *c, const uint8_t *bytes,
                        size_t len);

/* wsk_publisher.c: a publish socket */
/** Among those of its site, until it is killed. */
void wsk_publisher_enter(wsk_conn_t *c, site_view_t *v);
void wsk_publisher_leave(wsk_conn_t *c);
void wsk_publisher_frame(wsk_loop_t *l, wsk_conn_t *c, wsk_opcode_e op,
                         const uint8_t *bytes, size_t len);
/** Whether its secret is one of the site's. */
bool wsk_publisher_proved(const wsk_conn_t *c, const site_view_t *v);
/** Close it if its site is off or its secret is not live any more.
 *  @return whether it goes on */
bool wsk_publisher_check(wsk_loop_t *l, wsk_conn_t *c, const site_view_t *v);
/** The largest frame that is read: some that are too large are still told so,
 *  rather than the socket closed. */
uint64_t wsk_publisher_frame_max(const wsk_conn_t *c);
/* wsk_roster.c: who is there, and how many */
#define WSK_COUNT_MS 250 /* how often a count is told at most */
/** As who a connection enters channels. */
wsk_present_t wsk_roster_present(const wsk_loop_t *l, const wsk_conn_t *c);
/** Out of all channels now. */
void wsk_roster_leave(wsk_loop_t *l, wsk_conn_t *c);
/** The message for a record of presence, or one of `wps:connections`. */
/** A list for a channel on which only the relay speaks. */
bool wsk_roster_hidden(const wsk_record_t *record);
/** Lists, and the count, for what was subscribed just now. */
void wsk_roster_begin(wsk_loop_t *l, wsk_conn_t *c, const wsk_slice_t *fresh,
                      unsigned n);
/** Every second: leases. */
void wsk_roster_tick(wsk_loop_t *l);
/** Take back the slots of the dead, and ring for what they have left; log what
 *  keepers cannot. */
#define WSK_SWEEP_MS 500
void wsk_roster_sweep(wsk_loop_t *l);
/** Tell the counts that have changed, a few times a second. */
void wsk_roster_counts(wsk_loop_t *l);

/* wsk_say.c: what we say */
void wsk_say_text(wsk_loop_t *l, wsk_conn_t *c, wsk_text_t *t);
void wsk_say_frame(wsk_loop_t *l, wsk_conn_t *c, wsk_opcode_e op,
                   const void *bytes, size_t len);
/** What many are sent: made once. @return with one reference, or NULL without
 *  memory, or if the text has failed */
wsk_slab_t *wsk_say_frame_slab(wsk_opcode_e op, const void *bytes, size_t len);
wsk_slab_t *wsk_say_text_slab(const wsk_text_t *t);
wsk_slab_t *wsk_say_event_slab(const wsk_sse_event_t *ev);
void wsk_say_event(wsk_loop_t *l, wsk_conn_t *c, const wsk_sse_event_t *ev);
void wsk_say_error(wsk_loop_t *l, wsk_conn_t *c, wsk_answer_e answer,
                   const wsk_text_t *extra);
void wsk_say_limited(wsk_loop_t *l, wsk_conn_t *c, const wsk_limited_t *by,
                     const wsk_text_t *extra);
/** The first event of a stream: it is subscribed, and this is its id. */
void wsk_say_open(wsk_loop_t *l, wsk_conn_t *c, wsk_slice_t stream);
/** Where it is: a ping to a socket, to an event stream an event that has only an
 *  id. */
void wsk_say_place(wsk_loop_t *l, wsk_conn_t *c);
void wsk_say_ping(wsk_loop_t *l, wsk_conn_t *c);
void wsk_say_reconnect(wsk_loop_t *l, wsk_conn_t *c, uint32_t in_ms);
/** Close: Close frame or end of stream after what is queued. */
void wsk_say_close(wsk_loop_t *l, wsk_conn_t *c, unsigned code,
                   const char *reason);

/* wsk_timers.c */
/** From now on nothing could be written. */
void wsk_timers_blocked(wsk_loop_t *l, wsk_conn_t *c);
void wsk_timers_tick(wsk_loop_t *l, wsk_conn_t *c);
/** Close who is at a site that went off or revoked its keys. */
void wsk_timers_site_off(wsk_loop_t *l, uint32_t site);

/* wsk_hand.c: from process to process */
/** Whether it has to be told to reconnect: no other process can have it. */
bool wsk_hand_stays(const wsk_conn_t *c);
/** Offer one that does not stay.
 *  @param full  set if there is no room for any other now
 *  @return false: not now, or `stays` is set */
bool wsk_hand_offer(wsk_loop_t *l, wsk_conn_t *c, bool *full);
/** Look what became of the offers. */
void wsk_hand_settle(wsk_loop_t *l);
/** Take back what nobody holds yet: to stay, or to be offered again. */
void wsk_hand_withdraw(wsk_loop_t *l, bool stay);
/** The end: what is held by others then is theirs. */
void wsk_hand_abandon(wsk_loop_t *l);
/** Listen at the door, or not. */
void wsk_hand_listen(wsk_loop_t *l, bool want);
/** Take some of what lies there. */
void wsk_hand_take(wsk_loop_t *l);

/** Into hub, poll and counts, for one who was counted at the slot `from`; it is
 *  written nothing yet. @return WSK_OFFER_TAKEN: the connection is the loop's; else
 *  nothing is left of it here, and the descriptor stays the caller's */
wsk_offer_e wsk_hand_bring_in(wsk_loop_t *l, wsk_parcel_t *parcel, int fd,
                              unsigned from);
/** Now it is ours alone: what is queued, what it missed, what it sent. */
void wsk_hand_begin(wsk_loop_t *l, wsk_conn_t *c);
/** Whether the secret its token was made with is still one of its site's. */
bool wsk_hand_proved(const wsk_loop_t *l, const wsk_conn_t *c,
                     const site_view_t *v);

/* wsk_keep.c: in a copy of the process */
/** Whether it is for a keeper. */
bool wsk_keep_may(const wsk_loop_t *l, const wsk_conn_t *c);
/** Fork, and leave all of those to the copy. Those who are still here then could
 *  not be kept, and are to be told. */
void wsk_keep_fork(wsk_loop_t *l);
/** What a keeper looks at in every turn. @return whether nobody is left */
bool wsk_keep_step(wsk_loop_t *l);

/* wsk_drain.c */
void wsk_drain_begin(wsk_loop_t *l);
/** @return whether all is over */
bool wsk_drain_step(wsk_loop_t *l);

#endif
