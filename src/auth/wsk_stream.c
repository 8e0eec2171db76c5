/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/wsk_stream.h"

#include <string.h>

#define SIGNED 8 /* time and random */
#define MAC 8

static bool sign(const wsk_stream_owner_t *owner, const uint8_t id[SIGNED],
                 uint8_t out[WSK_MAC_LEN])
{
    const wsk_slice_t parts[] = { { "stream", 6 },
                                  { (const char *)id, SIGNED },
                                  owner->site_id,
                                  owner->user_id };

    return wsk_mac(out, owner->secret, parts, WSK_COUNT_OF(parts));
}

bool wsk_stream_make(const wsk_stream_owner_t *owner, uint32_t until_s,
                     const uint8_t random[WSK_STREAM_RANDOM],
                     char out[WSK_STREAM_LEN + 1])
{
    uint8_t id[SIGNED + MAC], mac[WSK_MAC_LEN];
    bool made;
    int i;

    for (i = 0; i < 4; i++) {
        id[i] = (uint8_t)(until_s >> (24 - 8 * i));
    }
    memcpy(id + 4, random, WSK_STREAM_RANDOM);
    made = sign(owner, id, mac);
    memcpy(id + SIGNED, mac, MAC);
    wsk_hex(out, id, sizeof id);
    return made;
}

bool wsk_stream_check(const wsk_stream_owner_t *owner, wsk_slice_t text,
                      int64_t now_s, uint64_t *sender)
{
    uint8_t id[SIGNED + MAC], mac[WSK_MAC_LEN];
    uint32_t until = 0;
    int i;

    if (!wsk_unhex(id, sizeof id, text) || !sign(owner, id, mac)
        || !wsk_same(mac, id + SIGNED, MAC)) {
        return false;
    }
    for (i = 0; i < 4; i++) {
        until = until << 8 | id[i];
    }
    memcpy(sender, id + SIGNED, sizeof *sender);
    return until == 0 || (int64_t)until >= now_s;
}
