/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_inbox -- what browsers send: the same door for a socket and for /send.
 *
 * Promise   Rights, rates and limits are those of the site now; nothing is
 *           appended that was refused.
 * Threads   Any.
 */
#ifndef WSK_INBOX_H
#define WSK_INBOX_H

#include "auth/wsk_grant.h"
#include "store/wsk_presence.h"
#include "transport/wsk_text.h"

/** Eventfds by slot, to wake loops with; set before the children start. */
typedef struct wsk_bell_t {
    const int *fds;
} wsk_bell_t;
void wsk_bell_ring(wsk_bell_t bell, wsk_segment_t *seg, uint32_t site);

/* clang-format off */
/* name, what the client reads, HTTP status over /send */
#define WSK_ANSWERS(X) \
X( ok,                "",                                               200) \
X( bad_message,       "not a message this server knows",                400) \
X( channel_forbidden, "the token does not allow these channels",        403) \
X( publish_forbidden, "the token does not allow to send there",         403) \
X( invalid_channel,   "not a channel name",                             400) \
X( too_many_channels, "more channels than a connection may have",       400) \
X( too_large,         "longer than this site allows",                   413) \
X( rate_limited,      "too many messages; try again later",             429) \
X( unavailable,       "the server has no room for it now; try again",   503) \
X( presence_full,     "no more presences fit; leave some, or try later", 503) \
X( unauthorized,      "the token is not valid here",                    401)
/* clang-format on */

typedef enum wsk_answer_e {
#define X(name, text, status) WSK_A_##name,
    WSK_ANSWERS(X)
#undef X
        WSK_A_COUNT
} wsk_answer_e;

const char *wsk_answer_name(wsk_answer_e answer);
const char *wsk_answer_text(wsk_answer_e answer);
int wsk_answer_status(wsk_answer_e answer);

/** A connection's own token bucket, in thousandths of a message. */
typedef struct wsk_purse_t {
    int64_t at_us;
    uint32_t milli;
} wsk_purse_t;
bool wsk_purse_take(wsk_purse_t *p, uint32_t rate, uint32_t burst,
                    int64_t now_us);

/**
 * Read what a browser sent. Any JSON that JavaScript writes is JSON here:
 * numbers beyond 64 bits, and texts with NUL.
 * @param pvalue  receives an owned value, or NULL
 * @return ok, bad_message, or unavailable: there is no memory to tell
 */
wsk_answer_e wsk_inbox_parse(json_t **pvalue, const char *bytes, size_t len);

/** Whose bound was reached, and when there is room again. */
typedef struct wsk_limited_t {
    wsk_quota_e quota;
    uint32_t wait_ms;
} wsk_limited_t;

/** Who sends; everything is lent for one call. */
typedef struct wsk_sender_t {
    wsk_segment_t *seg;
    wsk_bell_t bell;
    unsigned slot;
    uint32_t site;
    const wsk_site_spec_t *spec;
    const wsk_grant_t *grant;
    uint64_t id;           /* for binary frames: does not get it back */
    wsk_present_t present; /* as who it enters channels */
    wsk_purse_t *purse;    /* of its connection, or NULL: */
    uint64_t caller;       /* a keyed hash of who has none */
    wsk_limited_t limited; /* filled when rate_limited */
    int64_t now_us;
} wsk_sender_t;

/** The number by which others know who is present: of a stream of /send its id,
 *  of a connection two numbers that it shares with no other. */
uint64_t wsk_roster_member(const wsk_segment_t *seg, uint64_t id,
                           uint64_t more);

/** What the relay says of presence (the body of a record of WSK_LOG_PRESENCE, or
 *  of wsk_presence_list) or of its counts (WSK_ROSTER_COUNTS, with the body of
 *  wsk_roster_counts_body), as a message without an id. */
#define WSK_ROSTER_COUNTS "wps:connections"
void wsk_roster_text(wsk_text_t *t, const wsk_record_t *record, bool with_type);
void wsk_roster_counts_body(wsk_text_t *t, uint32_t now, uint32_t most);

/** A user of a token, as a connection remembers it. */
uint64_t wsk_inbox_user(const wsk_segment_t *seg, const char *user_id);

/** A secret, as a connection remembers with which its token was made; never 0. */
uint64_t wsk_inbox_proof(const wsk_segment_t *seg, const char *secret);

/** A parsed `message`. @param id receives its number when ok */
wsk_answer_e wsk_inbox_message(wsk_sender_t *from, json_t *msg,
                               wsk_cursor_t *id);

/** A parsed `presence`: enter with a state, or leave. */
wsk_answer_e wsk_inbox_presence(wsk_sender_t *from, json_t *msg);

/** A binary frame: length, channel, payload (PROTOCOL.md, "Binary frames").
 *  The frame is forwarded byte for byte. */
wsk_answer_e wsk_inbox_binary(wsk_sender_t *from, const uint8_t *bytes,
                              size_t len);

#endif
