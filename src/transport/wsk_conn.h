/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_conn -- one client's connection, WebSocket or event stream, plain or TLS,
 * after httpd has let go of it.
 *
 * Promise   An idle one costs this struct, its subscriptions and, over TLS, an
 *           SSL object; what only the beginning needs, or a frame that is here in
 *           part, is allocated then. The send queue is bounded by the site's
 *           send_queue; who does not read is closed with a code it can resume
 *           after. Every state has a deadline.
 * Owner     Made by a worker (wsk_conn_make), then the loop's alone.
 * Threads   The loop thread, but for wsk_conn_make and wsk_conn_drop.
 * Travel    Everything that must survive a hand-over to another process is in
 *           here as plain data, or has a save/load of its own (decoder, grant);
 *           member.at and the hub's position are its cursor.
 */
#ifndef WSK_CONN_H
#define WSK_CONN_H

#include <openssl/ssl.h>

#include "auth/wsk_mac.h"
#include "auth/wsk_token.h"
#include "hub/wsk_hub.h"
#include "proto/wsk_frame.h"
#include "transport/wsk_inbox.h"
#include "transport/wsk_queue.h"

typedef enum wsk_kind_e {
    WSK_KIND_WS,
    WSK_KIND_SSE,
    WSK_KIND_ECHO,
    WSK_KIND_PUBLISHER
} wsk_kind_e;

typedef enum wsk_conn_state_e {
    WSK_CONN_OPEN,
    WSK_CONN_OFFERED, /* to another process; nobody touches it meanwhile */
    WSK_CONN_CLOSING, /* our Close is queued or sent; waiting for the peer */
    WSK_CONN_DEAD     /* to be freed at the end of the turn */
} wsk_conn_state_e;

/** What a publish socket has proved, and may send. */
typedef struct wsk_publisher_t {
    struct wsk_conn_t *conn;
    struct wsk_publisher_t *next, **link; /* of its site; no link: in no list */
    uint8_t mark[WSK_MAC_LEN];            /* SHA-256 of the secret */
    uint64_t version; /* of the site, when it was last live */
    uint32_t max_body;
} wsk_publisher_t;

/** What a connection has only at times: before it has begun, and while a frame or
 *  a message is here in part. */
typedef struct wsk_aside_t {
    wsk_frame_in_t in;
    uint8_t *early; /* input that came with the request, read first; owned */
    uint32_t early_len, early_at;
    wsk_slice_t *first; /* channels of an event stream, and its id behind them;
                         * one block, owned */
    uint16_t nfirst;
    bool has_since;
    wsk_cursor_t since;
} wsk_aside_t;

typedef struct wsk_conn_t {
    wsk_member_t member; /* first: the hub's members are connections */
    /* What a delivery needs stands together with what it needs of the member:
     * to fetch it from memory is most of what we add to the system's work. */
    struct wsk_conn_t *turn_next; /* to be written, or freed, this turn */
    wsk_queue_t out;
    SSL *ssl;
    int fd;
    uint32_t site;
    uint8_t kind, state;
    bool want_write : 1, in_turn : 1, told : 1, binary_events : 1, admitted : 1,
        shut : 1;
    bool feed : 1;    /* the dashboard's: `user` watches the site */
    bool opened : 1;  /* counted as opened */
    bool present : 1; /* may be on channels: leaves them in the end */
    bool deaf : 1;    /* not read until it has taken what is queued for it */
    bool stuck : 1;   /* TLS has to write before it reads on */
    bool hidden : 1;  /* part of a TLS record is read, which no poll names */
    bool stays : 1;   /* was offered to another process, which refused it */
    bool posted : 1;  /* a packet with its descriptor may still be on its way */
    bool sends : 1;   /* an event stream with a /send: that is of member.id */
    uint8_t bad_messages;
    uint16_t close_code;
    uint64_t bytes_out;
    wsk_aside_t *aside; /* or NULL; owned */
    uint32_t blocked_s; /* since when nothing could be written; 0: all is */
    /* The rest. */
    uint32_t sealed; /* of out.bytes, in a TLS record that is not written yet */
    struct wsk_conn_t *timer_next, **timer_link; /* in the wheel */
    union {
        wsk_grant_t *grant;         /* or NULL: of a feed, of an echo */
        wsk_publisher_t *publisher; /* of that kind; owned */
    };
    uint64_t generation;  /* of the site's keys it came with */
    uint64_t incarnation; /* of the site */
    uint64_t address;     /* hash, for admission */
    uint64_t user;        /* hash; a new token is of the same one */
    uint64_t proof;       /* of the secret its token was made with */
    int64_t exp_s;
    int64_t born_us;
    wsk_purse_t purse;
    uint64_t bytes_in;
    uint32_t term;    /* of the slot it was admitted through */
    uint32_t heard_s; /* loop seconds: when the peer was last heard */
    union {
        uint32_t ping_s; /* OPEN: when the next ping is due */
        uint32_t due_s;  /* CLOSING: its deadline */
    };
    uint32_t bad_since_s;
} wsk_conn_t;
/* There are as many as there are visitors. With the allocator's head it fills 256
 * bytes to the last, and one more would cost 16. */
_Static_assert(sizeof(wsk_conn_t) <= 248, "an idle connection has grown");

/** It is to be written next: fetch from memory meanwhile what that reads. */
static inline void wsk_conn_prefetch(const wsk_conn_t *c)
{
    wsk_prefetch(&c->member.id);
    wsk_prefetch(&c->out);
    wsk_prefetch(&c->blocked_s);
}

/** @return all zero but for kind and descriptor, or NULL */
wsk_conn_t *wsk_conn_make(wsk_kind_e kind);

/** Count it out of what it was admitted to. */
void wsk_conn_leave(const wsk_conn_t *c, wsk_segment_t *seg, unsigned slot);

/** Free what it owns, close the descriptor; SSL without a shutdown. */
void wsk_conn_drop(wsk_conn_t *c);

/** What a token gave it; NULL of a publisher too. */
static inline wsk_grant_t *wsk_conn_grant(const wsk_conn_t *c)
{
    return c->kind == WSK_KIND_PUBLISHER ? NULL : c->grant;
}

/** Its block aside, made if there is none. @return NULL without memory */
wsk_aside_t *wsk_conn_aside(wsk_conn_t *c);

/** Let go of that block if nothing is in it. */
void wsk_conn_tidy(wsk_conn_t *c);

/** Append to the input that came with the request.
 *  @return false without memory */
bool wsk_conn_keep_early(wsk_conn_t *c, const void *bytes, size_t len);

/** How much of that input has yet to be read. */
static inline size_t wsk_conn_early(const wsk_conn_t *c)
{
    return c->aside ? c->aside->early_len - c->aside->early_at : 0;
}

/** Its decoder, to look at. */
const wsk_frame_in_t *wsk_conn_decoder(const wsk_conn_t *c);

/** Decode input that was read, as wsk_frame_feed; what is not whole is kept aside
 *  for as long as it is open. After a fault nothing is kept. */
unsigned wsk_conn_decode(wsk_conn_t *c, const wsk_frame_limits_t *limits,
                         const wsk_frame_handler_t *to, void *baton,
                         uint8_t *bytes, size_t len);

/** Whether so much is queued that nothing more may be asked of us: who sends and
 *  does not read would have us keep all our answers. */
bool wsk_conn_full(const wsk_conn_t *c);

typedef enum wsk_io_e { WSK_IO_OK, WSK_IO_AGAIN, WSK_IO_GONE } wsk_io_e;

/** What was written, in how many calls: counted for many connections at once. */
typedef struct wsk_sent_t {
    uint64_t sends, bytes;
} wsk_sent_t;

/** Write what is queued, in as few calls as can be.
 *  @param sent  is added to; @return OK: all is written */
wsk_io_e wsk_conn_flush(wsk_conn_t *c, wsk_sent_t *sent);

/** Read once, what came with the request first. @param pn bytes read when OK */
wsk_io_e wsk_conn_read(wsk_conn_t *c, uint8_t *buf, size_t cap, size_t *pn);

/** The SSL object becomes ours alone: callbacks of mod_ssl go, its own BIO and
 *  modes come (reference: OpenSSL SSL_set_bio, SSL_set_mode). */
bool wsk_conn_own_ssl(wsk_conn_t *c);

#endif
