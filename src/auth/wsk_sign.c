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
 * about which, nor about how much of the signature. */
static bool any_secret_made(const uint8_t *given, const wsk_secrets_t *secrets,
                            wsk_slice_t body, wsk_slice_t ts)
{
    const wsk_slice_t parts[] = { body, { ".", 1 }, ts };
    uint8_t right[WSK_MAC_LEN];
    bool made = false;
    size_t i;

    for (i = 0; i < WSK_COUNT_OF(secrets->at); i++) {
        const bool live = wsk_mac(right, secrets->at[i], parts,
                                  WSK_COUNT_OF(parts));
        const bool same = wsk_same(right, given, WSK_MAC_LEN);

        made |= live & same;
    }
    return made;
}

wsk_sign_e wsk_sign_v1(const wsk_secrets_t *secrets, wsk_slice_t body,
                       wsk_slice_t ts, wsk_slice_t sign, int64_t now_ms,
                       uint8_t mac[WSK_MAC_LEN])
{
    uint8_t given[WSK_MAC_LEN];
    int64_t then_ms;

    if (!read_ts(&then_ms, ts) || !wsk_unhex(given, WSK_MAC_LEN, sign)
        || !any_secret_made(given, secrets, body, ts)) {
        return WSK_SIGN_BAD;
    }
    if (then_ms < now_ms - WSK_SIGN_WINDOW_MS
        || then_ms > now_ms + WSK_SIGN_WINDOW_MS) {
        return WSK_SIGN_CLOCK;
    }
    if (mac != NULL) {
        memcpy(mac, given, WSK_MAC_LEN);
    }
    return WSK_SIGN_OK;
}
