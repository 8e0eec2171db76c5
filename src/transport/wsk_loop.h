/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_loop -- the thread of a process that holds its connections.
 *
 * Promise   Sites are served in turn, each with a bounded piece of work, so one
 *           site's crowd does not hold up another's message. Nothing on the loop
 *           blocks. After wsk_loop_stop every client that can go on in another
 *           process does, every other is told, and the thread ends within the
 *           drain.
 * Owner     wsk_loop_start makes it; wsk_loop_free after wsk_loop_done.
 * Threads   start, free: the child's main thread. give, stop: any. The rest of
 *           the transport room runs on the loop thread.
 */
#ifndef WSK_LOOP_H
#define WSK_LOOP_H

#include "transport/wsk_conn.h"
#include "transport/wsk_lifeline.h"

typedef struct wsk_loop_t wsk_loop_t;

/** One connection's end, for the log. */
typedef struct wsk_session_end_t {
    const char *site_key;
    const char *kind;
    unsigned code; /* close code, 0 for none */
    int64_t lived_ms;
    uint64_t bytes_in, bytes_out;
} wsk_session_end_t;

typedef enum wsk_heirs_e {
    WSK_HEIRS_MAY_COME,
    WSK_HEIRS_NO_PLACE, /* before somebody has gone */
    WSK_HEIRS_RUN
} wsk_heirs_e;

typedef struct wsk_loop_spec_t {
    wsk_segment_t *seg;
    wsk_bell_t bell; /* by slot */
    const int *door; /* two ends of a SEQPACKET pair: hand over by [0], take
                      * by [1]; NULL: nobody is handed over */
    uint32_t generation;
    int32_t pid, parent;     /* parent 0: its end is not watched for */
    uint32_t drain_ms;       /* at most this, when a successor is there */
    uint32_t wait_ms;        /* for one, when the configuration is read, */
    uint32_t hold_ms;        /* and where there is no place for it yet */
    bool unsure;             /* a stop that was not to hurry may have been to */
    wsk_lifeline_t lifeline; /* of it; stays open as long as the loop */
    bool is_keeper;          /* this is one */
    /** What is known of children of a later generation; any thread; or NULL. */
    wsk_heirs_e (*heirs)(uint32_t generation);
    uint32_t max_connections; /* of this process: its descriptors' worth */
    void (*ended)(void *baton, const wsk_session_end_t *end);
    void *baton;
} wsk_loop_spec_t;

/** @return NULL: no memory, no descriptor, no thread, or no slot is free */
wsk_loop_t *wsk_loop_start(const wsk_loop_spec_t *spec);

unsigned wsk_loop_slot(const wsk_loop_t *loop);

/** Whether it can take one more now: not stopping, and below its ceiling. */
bool wsk_loop_has_room(const wsk_loop_t *loop);

/** Its ceiling if it is reached, else 0. */
uint32_t wsk_loop_full_at(const wsk_loop_t *loop);

/** Takes the connection, whatever happens. */
void wsk_loop_give(wsk_loop_t *loop, wsk_conn_t *c);

/** Begin to leave; hurry: at once. May be called again to hurry. Async-signal
 *  safe. */
void wsk_loop_stop(wsk_loop_t *loop, bool hurry);

/** No other thread is at work in this process any more, and none begins: it may be
 *  copied. Any thread. */
void wsk_loop_alone(wsk_loop_t *loop);

bool wsk_loop_done(const wsk_loop_t *loop);

/** Join the thread and free. */
void wsk_loop_free(wsk_loop_t *loop);

/**
 * The connection of a publish socket.
 * @param secret    which of the two was proved
 * @param max_body  bytes of a body that the host allows; the site may allow less
 * @return NULL without memory
 */
wsk_conn_t *wsk_publisher_make(const wsk_site_spec_t *spec, unsigned secret,
                               uint32_t max_body);
/** Join the thread only: for a process that ends now, some other thread of which
 *  may still ask for the slot, or for room. */
void wsk_loop_join(wsk_loop_t *loop);

#endif
