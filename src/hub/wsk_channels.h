/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_channels -- a site's channels in this process: name to members.
 *
 * Promise   Constant expected time; a channel exists while somebody is on it.
 *           Names are hashed with a key of the process, so that no client can
 *           choose collisions.
 * Threads   The loop thread only.
 */
#ifndef WSK_CHANNELS_H
#define WSK_CHANNELS_H

#include "core/wsk_hash.h"
#include "hub/wsk_hub.h"

struct wsk_channel_t {
    wsk_channel_t *next; /* in its bucket */
    uint64_t hash;
    wsk_member_t **members;
    uint32_t count, cap;
    uint16_t len;
    char name[];
};

typedef struct wsk_channels_t {
    wsk_channel_t **buckets;
    uint32_t mask, count;
    const uint8_t *key; /* WSK_HASH_KEY bytes, lent */
} wsk_channels_t;

/** Where a sub's member stands in its channel. */
static inline uint32_t wsk_channels_at(const wsk_sub_t *sub)
{
    return (uint32_t)sub->at_high << 16 | sub->at_low;
}

wsk_channel_t *wsk_channels_find(const wsk_channels_t *all, wsk_slice_t name);

/** Find or make. @return NULL without memory */
wsk_channel_t *wsk_channels_get(wsk_channels_t *all, wsk_slice_t name);

/** Put m on, by a sub of its own. @return false without memory */
bool wsk_channels_enter(wsk_channel_t *ch, wsk_member_t *m, wsk_sub_t *sub);

/** Take out whose sub this is, or was a copy of; the channel goes with its last
 *  member. */
void wsk_channels_part(wsk_channels_t *all, const wsk_sub_t *sub);

/** Drop one that nobody is on, for when entering failed. */
void wsk_channels_sweep(wsk_channels_t *all, wsk_channel_t *ch);

void wsk_channels_clear(wsk_channels_t *all);

#endif
