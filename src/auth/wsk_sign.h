/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_sign -- signed requests.
 *
 * Version 1 is the hex HMAC-SHA256 over body, ".", and the text of the time
 * stamp (PROTOCOL.md, "Publish"). Version 2 is "v2=" and the hex
 * HMAC-SHA256 over seven lines: "v2", method, path below the base, key, time
 * stamp, nonce, and the hex SHA-256 of the body. No text is signed alike by
 * both, since what version 1 signs ends in a dot and digits.
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
#define WSK_SIGN_NONCE_MAX 128

/** Up to two live secrets, newest first; len 0 is none. */
typedef struct wsk_secrets_t {
    wsk_slice_t at[2];
} wsk_secrets_t;

typedef enum wsk_sign_e {
    WSK_SIGN_OK = 0,
    WSK_SIGN_BAD, /* signature wrong, missing or not hex: invalid_signature */
    WSK_SIGN_CLOCK, /* right, but its time is out of the window: stale_timestamp */
    WSK_SIGN_NOMEM /* the library failed: nothing is known of the signature */
} wsk_sign_e;

/**
 * @param ts      the X-WP-Signal-Ts text: 1 to 16 decimal digits, or BAD
 * @param sign    the X-WP-Signal-Sign text: 64 hex digits of either case
 * @param now_ms  Unix time; the window's both ends belong to it
 * @param mac     receives the signature's bytes when OK: what makes this
 *                request itself, for the replay table; may be NULL
 * @return BAD only where all secrets were tried
 */
wsk_sign_e wsk_sign_v1(const wsk_secrets_t *secrets, wsk_slice_t body,
                       wsk_slice_t ts, wsk_slice_t sign, int64_t now_ms,
                       uint8_t mac[WSK_MAC_LEN]);

/** What a request of version 2 says of itself; lent. */
typedef struct wsk_signed_t {
    wsk_slice_t method;
    wsk_slice_t path;  /* below the base, with its "/" */
    wsk_slice_t key;   /* the X-WordSocket-Key text */
    wsk_slice_t ts;    /* -Timestamp: 1 to 16 decimal digits, or BAD */
    wsk_slice_t nonce; /* -Nonce: 1 to 128 visible ASCII characters, or BAD */
    wsk_slice_t sign;  /* -Signature: "v2=" and 64 hex digits of either case */
    wsk_slice_t body;
} wsk_signed_t;

/**
 * @param mac     as for version 1
 * @param secret  receives the index of the secret that was right, when OK; may
 *                be NULL
 */
wsk_sign_e wsk_sign_v2(const wsk_secrets_t *secrets,
                       const wsk_signed_t *request, int64_t now_ms,
                       uint8_t mac[WSK_MAC_LEN], unsigned *secret);

/** What a nonce is remembered by: 16 bytes of its SHA-256.
 *  @return false if the library failed */
bool wsk_sign_nonce(uint8_t name[16], wsk_slice_t nonce);

#endif
