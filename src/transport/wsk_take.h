/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_take -- what publishers send: the same door for POST /publish and for a
 * publish socket, once it is known who sends.
 *
 * Promise   In this order: rate, JSON, channels, then "seen before?" together
 *           with the append. Nothing is appended or remembered that was refused;
 *           a list is taken as a whole. Everything is counted here. Bounded by
 *           the length of the body; blocks on the site's lock only.
 * Threads   Any.
 */
#ifndef WSK_TAKE_H
#define WSK_TAKE_H

#include "transport/wsk_inbox.h"

#define WSK_TAKE_MAX 100 /* messages of a list */

/* clang-format off */
/* name, HTTP status, text */
#define WSK_TAKE_REFUSALS(X) \
X( nonce_reused,       401, "another request had this nonce") \
X( invalid_json,       400, "the body is not the JSON this endpoint takes") \
X( invalid_channel,    400, "not a channel name") \
X( not_found,          404, "nothing is served at this path") \
X( too_large,          413, "the body is larger than this site allows") \
X( rate_limited,       429, "too many messages; try again later") \
X( unavailable,        503, "the server cannot take this now; try again")
/* clang-format on */

typedef enum wsk_take_e {
    WSK_TAKE_ok,
#define X(name, status, text) WSK_TAKE_##name,
    WSK_TAKE_REFUSALS(X)
#undef X
        WSK_TAKE_COUNT
} wsk_take_e;

/** Who sends; everything is lent for one call. */
typedef struct wsk_taker_t {
    wsk_segment_t *seg;
    wsk_bell_t bell;
    unsigned slot;
    uint32_t site;
    const wsk_site_spec_t *spec;
    const wsk_once_t *once; /* of the request; NULL: it cannot come again */
    int64_t now_us;
} wsk_taker_t;

/** When what was refused may be sent again, and by whose bound it was. */
typedef struct wsk_again_t {
    unsigned retry_s; /* 0: not at all */
    wsk_quota_e quota;
} wsk_again_t;

/**
 * Take the body of a publish: one message, or a list of up to 100.
 * @param answer   receives the JSON of the answer, also of a refusal
 * @param again   all zero; filled when refused
 */
wsk_take_e wsk_take(const wsk_taker_t *by, wsk_slice_t body, wsk_text_t *answer,
                    wsk_again_t *again);

/** `{"ok":false,"error":..,"message":..}`, and `"retry":seconds` unless 0. */
void wsk_take_refusal(wsk_text_t *t, wsk_take_e why, const wsk_again_t *again);

#endif
