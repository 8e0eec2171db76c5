/* SPDX-License-Identifier: Apache-2.0 */
#include "hub/wsk_channels.h"

#include "tap.h"

#include <stdlib.h>

static const uint8_t key[WSK_HASH_KEY] = { 4, 8, 15, 16, 23, 42 };

static wsk_slice_t named(char *out, unsigned n)
{
    wsk_slice_t name = { out, (size_t)snprintf(out, 32, "channel-%u", n) };

    return name;
}

static void one(void)
{
    wsk_channels_t all = { .key = key };
    const wsk_slice_t name = { "posts", 5 }, other = { "post", 4 };
    char longest[WSK_CHANNEL_MAX + 1];
    wsk_slice_t edge = { longest, WSK_CHANNEL_MAX };
    wsk_channel_t *ch;

    memset(longest, 'x', sizeof(longest));
    ok(wsk_channels_find(&all, name) == NULL, "an empty table finds nothing");
    ch = wsk_channels_get(&all, name);
    ok(ch != NULL && ch->count == 0, "a channel is made when asked for");
    ok(wsk_channels_get(&all, name) == ch, "once");
    ok(wsk_channels_find(&all, name) == ch, "and found");
    ok(wsk_channels_find(&all, other) == NULL, "its beginning is another name");
    wsk_channels_sweep(&all, ch);
    ok(wsk_channels_find(&all, name) == NULL && all.count == 0,
       "nobody on it: it goes");
    ok(wsk_channels_get(&all, edge) != NULL, "the longest name has room");
    edge.len++;
    ok(wsk_channels_get(&all, edge) == NULL, "a longer one is refused");
    wsk_channels_clear(&all);
    is_int(all.count, 0, "clear leaves none");
}

static void many(void)
{
    enum { MANY = 5000 };
    static wsk_channel_t *made[MANY];
    wsk_channels_t all = { .key = key };
    unsigned wrong = 0, i, deepest = 0;
    char text[32];

    for (i = 0; i < MANY; i++) {
        made[i] = wsk_channels_get(&all, named(text, i));
    }
    is_int(all.count, MANY, "thousands fit");
    for (i = 0; i < MANY; i++) {
        wrong += wsk_channels_find(&all, named(text, i)) != made[i];
    }
    is_int(wrong, 0, "each is found where it was made, however the table grew");
    for (i = 0; i <= all.mask; i++) {
        const wsk_channel_t *ch = all.buckets[i];
        unsigned depth = 0;

        for (; ch != NULL; ch = ch->next) {
            depth++;
        }
        deepest = WSK_MAX(deepest, depth);
    }
    ok(deepest < 12, "no bucket is long (the longest has %u)", deepest);
    for (i = 0; i < MANY; i += 2) {
        wsk_channels_sweep(&all, made[i]);
    }
    for (i = 0; i < MANY; i++) {
        wrong += (wsk_channels_find(&all, named(text, i)) != NULL) != i % 2;
    }
    is_int(wrong, 0, "who is dropped takes no other along");
    wsk_channels_clear(&all);
}

static void members(void)
{
    enum { MANY = 100 };
    static wsk_member_t m[MANY];
    static wsk_sub_t subs[MANY];
    wsk_channels_t all = { .key = key };
    const wsk_slice_t name = { "posts", 5 };
    wsk_channel_t *ch = wsk_channels_get(&all, name);
    unsigned wrong = 0, i, k;

    for (i = 0; i < MANY; i++) {
        m[i].subs = &subs[i];
        m[i].nsubs = 1;
        wrong += !wsk_channels_enter(ch, &m[i], &subs[i]);
    }
    is_int(ch->count, MANY, "a hundred are on it");
    for (i = 0; i + 1 < MANY; i++) {
        const unsigned goes = (i * 37) % MANY;

        m[goes].nsubs = 0;
        wsk_channels_part(&all, &subs[goes]);
        for (k = 0; k < MANY; k++) {
            wrong += m[k].nsubs == 1
                     && ch->members[wsk_channels_at(&subs[k])] != &m[k];
        }
    }
    is_int(wrong, 0, "whoever leaves, all others know their place");
    is_int(ch->count, 1, "one is left");
    ok(ch->cap < MANY, "and the room of the others is given back");
    for (k = 0; m[k].nsubs == 0; k++) {
    }
    m[k].nsubs = 0;
    wsk_channels_part(&all, &subs[k]);
    ok(wsk_channels_find(&all, name) == NULL,
       "a channel goes with its last member");
    wsk_channels_clear(&all);
}

/* Every idle connection pays for the room its channels have to spare. */
static void room(void)
{
    enum { MANY = 20000 };
    static wsk_member_t m[MANY];
    static wsk_sub_t subs[MANY];
    wsk_channels_t all = { .key = key };
    const wsk_slice_t name = { "posts", 5 };
    wsk_channel_t *ch = wsk_channels_get(&all, name);
    unsigned wrong = 0, moved = 0, cap = 0, i;

    for (i = 0; i < MANY; i++) {
        m[i].subs = &subs[i];
        m[i].nsubs = 1;
        wrong += !wsk_channels_enter(ch, &m[i], &subs[i]);
        wrong += ch->cap > 16 && ch->cap > ch->count + ch->count / 4;
        moved += ch->cap != cap ? ch->count : 0;
        cap = ch->cap;
    }
    is_int(wrong, 0, "who grows has never more than a quarter to spare");
    ok(moved < 6u * MANY, "and is moved a few times (%u)", moved / MANY);
    for (i = MANY, moved = 0; i > 1; i--) {
        m[i - 1].nsubs = 0;
        wsk_channels_part(&all, &subs[i - 1]);
        wrong += ch->cap > 16 && ch->cap > 2 * ch->count;
        moved += ch->cap != cap ? ch->count : 0;
        cap = ch->cap;
    }
    is_int(wrong, 0, "who shrinks has never more than half to spare");
    ok(moved < 6u * MANY, "nor is moved more often (%u)", moved / MANY);
    m[0].nsubs = 0;
    wsk_channels_part(&all, &subs[0]);
    wsk_channels_clear(&all);
}

int main(void)
{
    one();
    many();
    members();
    room();
    return done_testing();
}
