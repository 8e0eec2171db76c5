/* SPDX-License-Identifier: Apache-2.0 */
#include "store/wsk_ends.h"

#include "store_fixture.h"

static wsk_end_t end_of(unsigned n)
{
    return (wsk_end_t){ .site = n % 2,
                        .kind = n % 3,
                        .code = 1000 + n,
                        .lived_ms = n,
                        .bytes_in = n,
                        .bytes_out = 2 * n };
}

static void put(wsk_segment_t *seg, unsigned from, unsigned to)
{
    for (; from < to; from++) {
        const wsk_end_t end = end_of(from);

        wsk_ends_put(seg, 0, &end);
    }
}

/* @return how many came, from the given one on, in order */
static unsigned taken(wsk_segment_t *seg, unsigned from, unsigned most)
{
    wsk_end_t end;
    unsigned n = 0;

    while (n < most && wsk_ends_take(seg, &end)) {
        const wsk_end_t want = end_of(from + n);

        if (end.code != want.code || end.site != want.site
            || end.kind != want.kind || end.lived_ms != want.lived_ms
            || end.bytes_in != want.bytes_in
            || end.bytes_out != want.bytes_out) {
            return 0;
        }
        n++;
    }
    return n;
}

static void once_and_in_order(void)
{
    wsk_segment_t *seg = store_new(2, 2, 2, 4);
    unsigned round, right = 0;

    is_int(taken(seg, 0, 1), 0, "none waits at first");
    for (round = 0; round < 10; round++) {
        put(seg, 100 * round, 100 * round + 100);
        right += taken(seg, 100 * round, 1000);
    }
    is_int(right, 1000, "each is taken once, in order, all round the ring");
    store_end(seg);
}

static void too_many(void)
{
    wsk_segment_t *seg = store_new(2, 2, 2, 4);

    put(seg, 0, WSK_ENDS + 7);
    is_int((intmax_t)wsk_segment_counter(seg, WSK_C_unlogged), 7,
           "one too many is counted");
    is_int(taken(seg, 0, 1000), WSK_ENDS, "the others wait");
    put(seg, 5, 6);
    is_int(taken(seg, 5, 1000), 1, "then there is room again");
    store_end(seg);
}

/* Whoever died while it held the lock left anything. */
static void nonsense(void)
{
    wsk_segment_t *seg = store_new(2, 2, 2, 4);
    wsk_end_t end;

    atomic_store(&seg->header->ends_count, UINT32_MAX);
    seg->header->ends_from = UINT32_MAX;
    ok(!wsk_ends_take(seg, &end), "a count that cannot be is none");
    put(seg, 1, 3);
    is_int(taken(seg, 1, 1000), 2, "and those after it come");
    store_end(seg);
}

int main(void)
{
    once_and_in_order();
    too_many();
    nonsense();
    return done_testing();
}
