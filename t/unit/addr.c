/* SPDX-License-Identifier: Apache-2.0 */
#include "store/wsk_addr.h"

#include "store_fixture.h"

static const char *why_not(wsk_segment_t *seg)
{
    return wsk_addr_check(seg);
}

static void counts(void)
{
    wsk_segment_t *seg = store_new(4, 4, 2, 8);
    const uint32_t a = store_site(seg, 1, 1000, 10);
    const uint32_t b = store_site(seg, 2, 1000, 10);

    wsk_addr_add(seg, 0, a, 77);
    wsk_addr_add(seg, 0, a, 77);
    wsk_addr_add(seg, 3, a, 77);
    wsk_addr_add(seg, 3, a, 78);
    wsk_addr_add(seg, 3, b, 77);
    is_int(wsk_addr_count(seg, a, 77), 3, "an address counts over all slots");
    is_int(wsk_addr_count(seg, b, 77), 1, "at each site alone");
    is_int(wsk_addr_count(seg, a, 79), 0, "who is not here counts nothing");
    is_int(atomic_load(&seg->sites[a].connections), 4, "sites add up");
    is_int(atomic_load(&wsk_slot_of(seg, 3)->connections), 3, "slots add up");
    is_int((intmax_t)wsk_segment_connections(seg), 5, "the host adds up");
    is_str(why_not(seg), NULL, "and the check agrees");
    is_int(wsk_addr_remove(seg, 1, a, 77), WSK_ENOTFOUND,
           "what is not there cannot leave");
    is_int(wsk_addr_remove(seg, 0, a, 77), WSK_OK, "one leaves");
    is_int(wsk_addr_count(seg, a, 77), 2, "and is gone");
    wsk_addr_reap(seg, 3);
    is_int(wsk_addr_count(seg, a, 77), 1,
           "a slot that is reaped takes its own");
    is_int((intmax_t)wsk_segment_connections(seg), 1, "and nothing else");
    is_str(why_not(seg), NULL, "the check agrees again");
    store_end(seg);
}

static void bounds(void)
{
    wsk_segment_t *seg = store_new(4, 4, 2, 8);
    const uint32_t a = store_site(seg, 1, 1000, 10);
    uint64_t i;
    int added = 0;

    for (i = 0; i < 100; i++) {
        added += wsk_addr_add(seg, 0, a, i) == WSK_OK;
    }
    is_int(added, 64, "the table is bounded");
    is_int(wsk_addr_add(seg, 0, a, 5), WSK_OK,
           "an address that is in it still counts");
    wsk_addr_remove(seg, 0, a, 7);
    is_int(wsk_addr_add(seg, 0, a, 1000), WSK_OK, "and who leaves makes room");
    is_str(why_not(seg), NULL, "a full table is whole");
    store_end(seg);
}

/* Random comings and goings against a table of counts; chains meet, entries in
 * their middle go. */
static void against_a_model(void)
{
    static uint32_t model[4][2][24];
    wsk_segment_t *seg = store_new(4, 2, 2, 8);
    uint32_t sites[2], wrong = 0, i, sum, s;
    unsigned seed = 20240601;

    sites[0] = store_site(seg, 1, 1000, 10);
    sites[1] = store_site(seg, 2, 1000, 10);
    for (i = 0; i < 20000; i++) {
        const unsigned slot = (unsigned)rand_r(&seed) % 4;
        const unsigned site = (unsigned)rand_r(&seed) % 2;
        const unsigned address = (unsigned)rand_r(&seed) % 24;
        uint32_t *of = &model[slot][site][address];

        if (rand_r(&seed) % 2 == 0) {
            *of += wsk_addr_add(seg, slot, sites[site], address) == WSK_OK;
        }
        else if (*of > 0) {
            wrong += wsk_addr_remove(seg, slot, sites[site], address) != WSK_OK;
            (*of)--;
        }
        if (rand_r(&seed) % 1000 == 0) {
            wsk_addr_reap(seg, slot);
            memset(model[slot], 0, sizeof(model[slot]));
        }
        if (rand_r(&seed) % 100 == 0) {
            wsk_addr_mend(seg);
        }
        for (sum = 0, s = 0; s < 4; s++) {
            sum += model[s][site][address];
        }
        wrong += wsk_addr_count(seg, sites[site], address) != sum;
        if (i % 64 == 0) {
            wrong += why_not(seg) != NULL;
        }
    }
    is_int(wrong, 0, "20000 random comings and goings are counted right");
    store_end(seg);
}

static void damage(void)
{
    wsk_segment_t *seg = store_new(4, 2, 2, 8);
    const uint32_t a = store_site(seg, 1, 1000, 10);

    wsk_addr_add(seg, 0, a, 1);
    wsk_addr_add(seg, 1, a, 2);
    seg->addrs[0].count += 5;
    ok(why_not(seg) != NULL, "a wrong count is seen");
    wsk_addr_mend(seg);
    is_str(why_not(seg), NULL, "and believed when sums are made anew");
    seg->addrs[1].slot = 900;
    ok(why_not(seg) != NULL, "an entry of a slot that is none is seen");
    wsk_addr_mend(seg);
    is_str(why_not(seg), NULL, "and dropped");
    seg->header->addr_free = 0;
    ok(why_not(seg) != NULL, "lost entries are seen");
    wsk_addr_mend(seg);
    atomic_fetch_add(&seg->header->connections, 1);
    ok(why_not(seg) != NULL, "a host that counts wrong is seen");
    wsk_addr_mend(seg);
    is_str(why_not(seg), NULL, "all is whole in the end");
    store_end(seg);
}

/* What is counted through one slot, then through another. */
static void moves(void)
{
    wsk_segment_t *seg = store_new(4, 4, 2, 8);
    const uint32_t a = store_site(seg, 1, 1000, 10);
    uint64_t i;

    wsk_addr_add(seg, 0, a, 77);
    wsk_addr_add(seg, 0, a, 77);
    is_int(wsk_addr_move(seg, 0, 2, a, 77), WSK_OK, "one of two moves");
    is_int(wsk_addr_count(seg, a, 77), 2, "the address has as many");
    is_int(atomic_load(&wsk_slot_of(seg, 0)->connections), 1, "one slot less");
    is_int(atomic_load(&wsk_slot_of(seg, 2)->connections), 1, "the other more");
    is_str(why_not(seg), NULL, "and all adds up");
    is_int(wsk_addr_move(seg, 0, 2, a, 77), WSK_OK, "the other moves");
    is_int(wsk_addr_move(seg, 0, 2, a, 77), WSK_ENOTFOUND, "no third does");
    is_int(wsk_addr_move(seg, 2, 2, a, 77), WSK_OK, "to itself is nothing");
    is_str(why_not(seg), NULL, "and all adds up still");
    for (i = 0; i < 63; i++) {
        wsk_addr_add(seg, 1, a, i);
    }
    is_int(wsk_addr_move(seg, 2, 3, a, 77), WSK_EFULL,
           "where the table is full one of two cannot");
    is_int(atomic_load(&wsk_slot_of(seg, 2)->connections), 2, "and stays");
    is_int(wsk_addr_move(seg, 1, 3, a, 5), WSK_OK, "but one that is alone can");
    is_int(wsk_addr_remove(seg, 1, a, 5), WSK_ENOTFOUND, "and has moved");
    is_str(why_not(seg), NULL, "a full table adds up");
    wsk_addr_reap(seg, 1);
    wsk_addr_reap(seg, 2);
    is_int((intmax_t)wsk_segment_connections(seg), 1, "reaping finds all");
    store_end(seg);
}

int main(void)
{
    counts();
    moves();
    bounds();
    against_a_model();
    damage();
    return done_testing();
}
