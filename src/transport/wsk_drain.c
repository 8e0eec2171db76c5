/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Leaving: everybody is told when to come back, each at a time of its own, and
 * gets what was published until then.
 */
#include "transport/wsk_loop_int.h"

/* Of the drain, the part in which clients are told; the rest is theirs to
 * answer in. */
#define TELL_PART 60 /* per cent */
#define HURRY_MS 300
#define LATE_MS 1500   /* after the end, for a loop that was late itself */
#define RETURN_MS 2000 /* clients come back spread over this, or the drain */

void wsk_drain_begin(wsk_loop_t *l)
{
    int64_t ms = l->spec.drain_ms;

    l->draining = true;
    l->drain_from_ms = l->mono_ms;
    l->drain_until_ms = l->mono_ms + ms;
    l->drain_total = atomic_load(&l->connections);
    wsk_slot_stopping(l->spec.seg, l->slot);
}

static void tell(wsk_loop_t *l, wsk_conn_t *c)
{
    uint32_t spread = WSK_MAX((uint32_t)RETURN_MS, l->spec.drain_ms);

    c->told = true;
    if (wsk_turn_gone(l, c)) { /* nowhere to come back to */
        wsk_say_close(l, c, WSK_CLOSE_SITE, "site not found");
    }
    else if (c->kind == WSK_KIND_PUBLISHER
             && !wsk_publisher_check(l, c, wsk_turn_view(l, c->site))) {
        return;
    }
    else if (c->state == WSK_CONN_OPEN) {
        while (c->member.replaying && wsk_hub_replay(l->hub, &c->member)) {
        }
        wsk_loop_count(l, c, WSK_C_drained, 1);
        wsk_say_reconnect(l, c, 100 + (uint32_t)(wsk_loop_random(l) % spread));
        wsk_say_close(l, c, WSK_CLOSE_RESTART, "restarting");
    }
}

/* Tell `n` more, going round the timer wheel, which holds everybody. */
static void tell_some(wsk_loop_t *l, uint32_t n)
{
    uint32_t i;

    for (i = 0; i < WHEEL && n; i++) {
        wsk_conn_t *c = l->wheel[i], *next;

        for (; c && n; c = next) {
            next = c->timer_next;
            if (!c->told) {
                tell(l, c);
                l->drain_told++;
                n--;
            }
        }
    }
}

bool wsk_drain_step(wsk_loop_t *l)
{
    int64_t tell_ms = (l->drain_until_ms - l->drain_from_ms) * TELL_PART / 100;
    int64_t gone = l->mono_ms - l->drain_from_ms;
    uint32_t want = l->drain_total;

    if (atomic_load(&l->stop) == 2
        && l->drain_until_ms > l->mono_ms + HURRY_MS) {
        l->drain_until_ms = l->mono_ms + HURRY_MS;
        tell_ms = 0;
    }
    if (atomic_load(&l->stop) != 2 && gone < tell_ms) {
        want = (uint32_t)((uint64_t)l->drain_total * (uint64_t)gone
                          / (uint64_t)tell_ms);
        tell_some(l, want > l->drain_told ? want - l->drain_told : 0);
    }
    else {
        tell_some(l, UINT32_MAX);
    }
    if (atomic_load(&l->connections) == 0
        || l->mono_ms >= l->drain_until_ms + LATE_MS) {
        return true;
    }
    return l->mono_ms >= l->drain_until_ms && !l->active;
}
