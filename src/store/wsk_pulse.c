/* SPDX-License-Identifier: Apache-2.0 */
#include "store/wsk_pulse.h"

#include "store/wsk_store_int.h"

/* Kept is, for the beginning of each period, how many there had been ever, in 32
 * bits: differences of two are right all the same. One place more than periods
 * that are told, since each has an end. */
_Static_assert(WSK_PULSES + 1 == WSK_PULSE_MARKS, "an end for each");

static uint32_t total(const wsk_site_t *site)
{
    static const wsk_counter_e in[] = { WSK_C_published,
                                        WSK_C_published_browser,
                                        WSK_C_published_binary };
    uint64_t sum = 0;
    size_t i;

    for (i = 0; i < WSK_COUNT_OF(in); i++) {
        sum += atomic_load_explicit(&site->counters[in[i]],
                                    memory_order_relaxed);
    }
    return (uint32_t)sum;
}

static wsk_half_t *mark_of(wsk_site_t *site, uint64_t period)
{
    return &site->pulse[period % WSK_PULSE_MARKS];
}

void wsk_pulse_note(wsk_segment_t *seg, uint32_t number, int64_t now_us)
{
    wsk_site_t *site = &seg->sites[number];
    const uint64_t period = (uint64_t)(now_us / WSK_PULSE_US);
    uint64_t last, at;
    uint32_t sum;

    if (!wsk_site_known(seg, number)) {
        return;
    }
    last = atomic_load(&site->pulse_at);
    if (period <= last
        || !atomic_compare_exchange_strong(&site->pulse_at, &last, period)) {
        return;
    }
    sum = total(site);
    at = period - last < WSK_PULSE_MARKS ? last + 1
                                         : period - WSK_PULSE_MARKS + 1;
    for (; at <= period; at++) {
        atomic_store_explicit(mark_of(site, at), sum, memory_order_relaxed);
    }
}

void wsk_pulse_read(const wsk_segment_t *seg, uint32_t number, int64_t now_us,
                    uint32_t out[WSK_PULSES])
{
    wsk_site_t *site = &seg->sites[number];
    const uint64_t now = (uint64_t)(now_us / WSK_PULSE_US);
    uint64_t last, period;
    uint32_t from, to, i;

    for (i = 0; i < WSK_PULSES; i++) {
        out[i] = 0;
    }
    if (!wsk_site_known(seg, number)) {
        return;
    }
    last = atomic_load(&site->pulse_at);
    for (i = 0; i < WSK_PULSES && last != 0; i++) {
        period = now - (WSK_PULSES - 1 - i);
        if (period > last || last - period >= WSK_PULSE_MARKS) {
            continue;
        }
        from = atomic_load_explicit(mark_of(site, period),
                                    memory_order_relaxed);
        to = period == last ? total(site)
                            : atomic_load_explicit(mark_of(site, period + 1),
                                                   memory_order_relaxed);
        out[i] = to - from <= INT32_MAX ? to - from : 0;
    }
}

void wsk_pulse_fault(wsk_segment_t *seg, uint32_t site, unsigned why,
                     int64_t now_s)
{
    if (wsk_site_known(seg, site)) {
        atomic_store_explicit(&seg->sites[site].fault,
                              (uint64_t)now_s << 8 | (why & 0xff),
                              memory_order_relaxed);
    }
}

unsigned wsk_pulse_faulted(const wsk_segment_t *seg, uint32_t site,
                           int64_t *pwhen_s)
{
    const uint64_t fault = wsk_site_known(seg, site) ? atomic_load_explicit(
                               &seg->sites[site].fault, memory_order_relaxed)
                                                     : 0;

    *pwhen_s = (int64_t)(fault >> 8);
    return (unsigned)(fault & 0xff);
}
