/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/wsk_sign.h"

#include <string.h>

#define TS_DIGITS 16 /* always fits 63 bits */

/* @return false unless the text is a time stamp */
static bool read_ts(int64_t *pms, wsk_slice_t ts)
{
    int64_t ms = 0;
    size_t i;

    if (ts.len == 0 || ts.len > TS_DIGITS) {
        return false;
    }
    for (i = 0; i < ts.len; i++) {
        if (ts.at[i] < '0' || ts.at[i] > '9') {
            return false;
        }
        ms = ms * 10 + (ts.at[i] - '0');
    }
    *pms = ms;
    return true;
}

/* Every secret is tried, whichever was right: how long it takes tells nothing
 * about which, nor about how much of the signature.
 * @param made  receives the index of one that was right */
static wsk_sign_e secret_that_made(int *made, const uint8_t *given,
                                   const wsk_secrets_t *secrets,
                                   const wsk_slice_t *parts, size_t nparts)
{
    uint8_t right[WSK_MAC_LEN];
    bool failed = false;
    size_t i;

    *made = -1;
    for (i = 0; i < WSK_COUNT_OF(secrets->at); i++) {
        const bool live = wsk_mac(right, secrets->at[i], parts, nparts);
        const bool same = wsk_same(right, given, WSK_MAC_LEN);

        *made = (live & same) ? (int)i : *made;
        failed |= !live && secrets->at[i].len > 0;
    }
    if (*made >= 0) {
        return WSK_SIGN_OK;
    }
    return failed ? WSK_SIGN_NOMEM : WSK_SIGN_BAD;
}

static bool in_window(int64_t then_ms, int64_t now_ms)
{
    return then_ms >= now_ms - WSK_SIGN_WINDOW_MS
           && then_ms <= now_ms + WSK_SIGN_WINDOW_MS;
}

wsk_sign_e wsk_sign_v1(const wsk_secrets_t *secrets, wsk_slice_t body,
                       wsk_slice_t ts, wsk_slice_t sign, int64_t now_ms,
                       uint8_t mac[WSK_MAC_LEN])
{
    const wsk_slice_t parts[] = { body, { ".", 1 }, ts };
    uint8_t given[WSK_MAC_LEN];
    int64_t then_ms;
    wsk_sign_e rv;
    int made;

    if (!read_ts(&then_ms, ts) || !wsk_unhex(given, WSK_MAC_LEN, sign)) {
        return WSK_SIGN_BAD;
    }
    rv = secret_that_made(&made, given, secrets, parts, WSK_COUNT_OF(parts));
    if (rv != WSK_SIGN_OK) {
        return rv;
    }
    if (!in_window(then_ms, now_ms)) {
        return WSK_SIGN_CLOCK;
    }
    if (mac != NULL) {
        memcpy(mac, given, WSK_MAC_LEN);
    }
    return WSK_SIGN_OK;
}

/* Nothing that could end a line. */
static bool is_nonce(wsk_slice_t nonce)
{
    size_t i;

    for (i = 0; i < nonce.len; i++) {
        if (nonce.at[i] < 0x21 || nonce.at[i] > 0x7e) {
            return false;
        }
    }
    return nonce.len >= 1 && nonce.len <= WSK_SIGN_NONCE_MAX;
}

static bool read_sign(uint8_t given[WSK_MAC_LEN], wsk_slice_t sign)
{
    if (sign.len < 3 || memcmp(sign.at, "v2=", 3) != 0) {
        return false;
    }
    return wsk_unhex(given, WSK_MAC_LEN,
                     (wsk_slice_t){ sign.at + 3, sign.len - 3 });
}

wsk_sign_e wsk_sign_v2(const wsk_secrets_t *secrets,
                       const wsk_signed_t *request, int64_t now_ms,
                       uint8_t mac[WSK_MAC_LEN], unsigned *secret)
{
    const wsk_slice_t line = { "\n", 1 };
    char body[2 * WSK_MAC_LEN + 1];
    const wsk_slice_t parts[] = { { "v2", 2 },
                                  line,
                                  request->method,
                                  line,
                                  request->path,
                                  line,
                                  request->key,
                                  line,
                                  request->ts,
                                  line,
                                  request->nonce,
                                  line,
                                  { body, 2 * WSK_MAC_LEN } };
    uint8_t given[WSK_MAC_LEN], hash[WSK_MAC_LEN];
    int64_t then_ms;
    wsk_sign_e rv;
    int made;

    if (!read_ts(&then_ms, request->ts) || !is_nonce(request->nonce)
        || !read_sign(given, request->sign)) {
        return WSK_SIGN_BAD;
    }
    if (!wsk_sha256(hash, &request->body, 1)) {
        return WSK_SIGN_NOMEM;
    }
    wsk_hex(body, hash, sizeof(hash));
    rv = secret_that_made(&made, given, secrets, parts, WSK_COUNT_OF(parts));
    if (rv != WSK_SIGN_OK) {
        return rv;
    }
    if (!in_window(then_ms, now_ms)) {
        return WSK_SIGN_CLOCK;
    }
    if (mac != NULL) {
        memcpy(mac, given, WSK_MAC_LEN);
    }
    if (secret != NULL) {
        *secret = (unsigned)made;
    }
    return WSK_SIGN_OK;
}

bool wsk_sign_nonce(uint8_t name[16], wsk_slice_t nonce)
{
    uint8_t hash[WSK_MAC_LEN];
    const bool done = wsk_sha256(hash, &nonce, 1);

    memcpy(name, hash, 16);
    return done;
}
