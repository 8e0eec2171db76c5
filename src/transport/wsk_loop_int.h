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
#include "transport/wsk_loop.h"

#define INPUT 16384 /* bytes of one read */
#define WHEEL 64    /* seconds; a timer beyond comes round again */
#define SLICE 64    /* sockets written for a site before the next one's turn */
#define REPLAY_ROOM 65536
#define CLOSE_WAIT_S 3   /* for the peer's answer to our Close */
#define STALL_S 30       /* nothing could be written for so long */
#define EXPIRY_SLACK_S 2 /* design: closed within 5 s after exp */

/** A site as this loop sees it. */
typedef struct site_view_t {
    struct site_view_t *next_active;
    uint64_t version;
    uint64_t looked; /* the version at which its connections were looked at */
    uint32_t number;
    bool active, rung;
    uint32_t waiting; /* in the list of this turn */
    uint32_t owed;    /* of them, those who had waited when the log was read */
    wsk_site_state_e state;
    wsk_site_spec_t spec;
    wsk_conn_t *turn, **turn_tail;
} site_view_t;

struct wsk_loop_t {
    wsk_loop_spec_t spec;
    pthread_t thread;
    int epoll, kick;
    unsigned slot;
    wsk_hub_t *hub;
    wsk_grant_table_t *grants;
    site_view_t **views; /* by site number */
    site_view_t *active, **active_tail;
    wsk_conn_t *wheel[WHEEL];
    wsk_conn_t *dead;
    uint32_t now_s;
    int64_t now_us; /* Unix time */
    int64_t mono_ms;
    uint64_t next_id, random;
    uint8_t *buf;
    /* drain */
    bool draining;
    int64_t drain_from_ms, drain_until_ms;
    uint32_t drain_total, drain_told;
    /* any thread: */
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
/* What the thread is made of; wsk_loop_start and wsk_loop_free go round it. */
wsk_loop_t *wsk_loop_make(const wsk_loop_spec_t *spec);
/** Take a slot. @return false: none is free, or no memory */
bool wsk_loop_enter(wsk_loop_t *l, const wsk_now_t *now);
/** One turn: what the poll has told, then timers, sites and the dead.
 *  @return whether the drain is over */
bool wsk_loop_step(wsk_loop_t *l, const struct epoll_event *events, int n,
                   const wsk_now_t *now);
/** End every connection and give the slot back. */
void wsk_loop_leave(wsk_loop_t *l);
void wsk_loop_dispose(wsk_loop_t *l);

/* wsk_life.c: a connection from its coming to its end */
void wsk_life_begin(wsk_loop_t *l, wsk_conn_t *c);
void wsk_life_read(wsk_loop_t *l, wsk_conn_t *c);
void wsk_life_write(wsk_loop_t *l, wsk_conn_t *c);
void wsk_life_kill(wsk_loop_t *l, wsk_conn_t *c);
void wsk_life_bury(wsk_loop_t *l);

/* wsk_turn.c: whose turn it is */
site_view_t *wsk_turn_view(wsk_loop_t *l, uint32_t site);
void wsk_turn_ring(wsk_loop_t *l, uint32_t site);
/** Whether its site is off, or what it came with was revoked. */
bool wsk_turn_gone(wsk_loop_t *l, const wsk_conn_t *c);
/** Write what is queued when its site has its turn. */
void wsk_turn_write(wsk_loop_t *l, wsk_conn_t *c);
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

/* wsk_message.c: a client's JSON */
void wsk_message_text(wsk_loop_t *l, wsk_conn_t *c, const char *json,
                      size_t len);
void wsk_message_binary(wsk_loop_t *l, wsk_conn_t *c, const uint8_t *bytes,
                        size_t len);

/* wsk_say.c: what we say */
void wsk_say_text(wsk_loop_t *l, wsk_conn_t *c, wsk_text_t *t);
void wsk_say_frame(wsk_loop_t *l, wsk_conn_t *c, wsk_opcode_e op,
                   const void *bytes, size_t len);
void wsk_say_event(wsk_loop_t *l, wsk_conn_t *c, const wsk_sse_event_t *ev);
void wsk_say_error(wsk_loop_t *l, wsk_conn_t *c, wsk_answer_e answer,
                   const wsk_text_t *extra);
void wsk_say_ping(wsk_loop_t *l, wsk_conn_t *c);
void wsk_say_reconnect(wsk_loop_t *l, wsk_conn_t *c, uint32_t in_ms);
/** Close: Close frame or end of stream after what is queued. */
void wsk_say_close(wsk_loop_t *l, wsk_conn_t *c, unsigned code,
                   const char *reason);

/* wsk_timers.c */
void wsk_timers_tick(wsk_loop_t *l, wsk_conn_t *c);
/** Close who is at a site that went off or revoked its keys; each second. */
void wsk_timers_look(wsk_loop_t *l);

/* wsk_drain.c */
void wsk_drain_begin(wsk_loop_t *l);
/** @return whether all is over */
bool wsk_drain_step(wsk_loop_t *l);

#endif
