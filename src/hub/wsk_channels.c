/* SPDX-License-Identifier: Apache-2.0 */
#include "hub/wsk_channels.h"

#include <stdlib.h>
#include <string.h>

#define BUCKETS_LEAST 8
#define FEW 16 /* members, for whom no room is spared */

static bool grow(wsk_channels_t *all)
{
    uint32_t size = all->buckets ? (all->mask + 1) * 2 : BUCKETS_LEAST, i;
    wsk_channel_t **wider = calloc(size, sizeof *wider), *ch;

    if (!wider) {
        return all->buckets != NULL; /* longer chains, still right */
    }
    for (i = 0; all->buckets && i <= all->mask; i++) {
        while ((ch = all->buckets[i]) != NULL) {
            all->buckets[i] = ch->next;
            ch->next = wider[ch->hash & (size - 1)];
            wider[ch->hash & (size - 1)] = ch;
        }
    }
    free(all->buckets);
    all->buckets = wider;
    all->mask = size - 1;
    return true;
}

static wsk_channel_t *look(const wsk_channels_t *all, wsk_slice_t name,
                           uint64_t hash)
{
    wsk_channel_t *ch = all->buckets ? all->buckets[hash & all->mask] : NULL;

    while (ch
           && (ch->hash != hash || ch->len != name.len
               || memcmp(ch->name, name.at, name.len) != 0)) {
        ch = ch->next;
    }
    return ch;
}

wsk_channel_t *wsk_channels_find(const wsk_channels_t *all, wsk_slice_t name)
{
    return look(all, name, wsk_hash(all->key, name.at, name.len));
}

wsk_channel_t *wsk_channels_get(wsk_channels_t *all, wsk_slice_t name)
{
    uint64_t hash = wsk_hash(all->key, name.at, name.len);
    wsk_channel_t *ch = look(all, name, hash);

    if (ch || name.len > WSK_CHANNEL_MAX) {
        return ch;
    }
    if ((!all->buckets || all->count > all->mask) && !grow(all)) {
        return NULL;
    }
    ch = malloc(sizeof *ch + name.len);
    if (!ch) {
        return NULL;
    }
    *ch = (wsk_channel_t){ .hash = hash, .len = (uint16_t)name.len };
    memcpy(ch->name, name.at, name.len);
    ch->next = all->buckets[hash & all->mask];
    all->buckets[hash & all->mask] = ch;
    all->count++;
    return ch;
}

static void stand_at(wsk_sub_t *sub, uint32_t at)
{
    sub->at_low = at & 0xffff;
    sub->at_high = at >> 16 & 0xffff;
}

/* A few double, many get a quarter more: an idle connection has a place in each
 * of its channels, and as much again would stand empty. */
static uint32_t wider_than(uint32_t cap)
{
    return cap < FEW ? WSK_MAX(cap * 2, 1u) : cap + cap / 4;
}

bool wsk_channels_enter(wsk_channel_t *ch, wsk_member_t *m, wsk_sub_t *sub)
{
    if (ch->count == ch->cap) {
        const uint32_t cap = wider_than(ch->cap);
        wsk_member_t **wider = realloc(ch->members, cap * sizeof *wider);

        if (!wider) {
            return false;
        }
        ch->members = wider;
        ch->cap = cap;
    }
    sub->channel = ch;
    stand_at(sub, ch->count);
    ch->members[ch->count++] = m;
    return true;
}

static void drop(wsk_channels_t *all, wsk_channel_t *ch)
{
    wsk_channel_t **link = &all->buckets[ch->hash & all->mask];

    while (*link != ch) {
        link = &(*link)->next;
    }
    *link = ch->next;
    all->count--;
    free(ch->members);
    free(ch);
}

/* When half stands empty, half of that goes: some is left to grow into, so that
 * who comes and goes does not move all others each time. */
static void shrink(wsk_channel_t *ch)
{
    const uint32_t cap = ch->cap - ch->cap / 4;
    wsk_member_t **less;

    if (ch->cap < FEW || ch->count > ch->cap / 2) {
        return;
    }
    less = realloc(ch->members, cap * sizeof *less);
    if (less) {
        ch->members = less;
        ch->cap = cap;
    }
}

void wsk_channels_part(wsk_channels_t *all, const wsk_sub_t *sub)
{
    wsk_channel_t *ch = sub->channel;
    const uint32_t at = wsk_channels_at(sub);
    wsk_member_t *last = ch->members[--ch->count];
    unsigned i;

    if (at != ch->count) {
        ch->members[at] = last;
        for (i = 0; i < last->nsubs; i++) {
            if (last->subs[i].channel == ch) {
                stand_at(&last->subs[i], at);
                break;
            }
        }
    }
    shrink(ch);
    wsk_channels_sweep(all, ch);
}

void wsk_channels_sweep(wsk_channels_t *all, wsk_channel_t *ch)
{
    if (!ch->count) {
        drop(all, ch);
    }
}

void wsk_channels_clear(wsk_channels_t *all)
{
    uint32_t i;

    for (i = 0; all->buckets && i <= all->mask; i++) {
        while (all->buckets[i]) {
            drop(all, all->buckets[i]);
        }
    }
    free(all->buckets);
    all->buckets = NULL;
    all->mask = all->count = 0;
}
