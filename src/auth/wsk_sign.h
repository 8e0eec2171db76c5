/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_sign -- signed requests, version 1: hex HMAC-SHA256 over body, ".", and
 * the text of the time stamp (PROTOCOL.md, "Publish").
 *
 * Promise   Never trusts a length it was not given; takes a signature that is
 *           not hex for a wrong one. Secrets are compared in constant time, all
 *           of them every time. An empty secret signs nothing, so a site
 *           without secrets accepts nothing.
 * Threads   Any; no state.
 * Not here  Remembering what was signed (store/wsk_replay).
 */
#ifndef WSK_SIGN_H
#define WSK_SIGN_H

#include "auth/wsk_mac.h"

#define WSK_SIGN_WINDOW_MS 60000

/** Up to two live secrets, newest first; len 0 is none. */
typedef struct wsk_secrets_t {
    wsk_slice_t at[2];
} wsk_secrets_t;

typedef enum wsk_sign_e {
    WSK_SIGN_OK = 0,
    WSK_SIGN_BAD, /* signature wrong, missing or not hex: invalid_signature */
    WSK_SIGN_CLOCK /* right, but its time is out of the window: stale_timestamp */
} wsk_sign_e;

/**
 * @param ts      the X-WP-Signal-Ts text: 1 to 16 decimal digits, or BAD
 * @param sign    the X-WP-Signal-Sign text: 64 hex digits of either case
 * @param now_ms  Unix time; the window's both ends belong to it
 * @param mac     receives the signature's bytes when OK: what makes this
 *                request itself, for the replay table; may be NULL
 * @return a failure of the library is BAD, too
 */
wsk_sign_e wsk_sign_v1(const wsk_secrets_t *secrets, wsk_slice_t body,
                       wsk_slice_t ts, wsk_slice_t sign, int64_t now_ms,
                       uint8_t mac[WSK_MAC_LEN]);

#endif
