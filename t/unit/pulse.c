/* SPDX-License-Identifier: Apache-2.0 */
#include "store/wsk_pulse.h"

#include "store_fixture.h"

#include <limits.h>

static uint32_t now[WSK_PULSES];
static wsk_segment_t *seg;
static uint32_t site;

static void messages(uint64_t n)
{
    wsk_count(seg, UINT_MAX, site, WSK_C_published, n);
}

static uint32_t sum(void)
{
    uint32_t all = 0, i;

    for (i = 0; i < WSK_PULSES; i++) {
        all += now[i];
    }
    return all;
}

static void rates(void)
{
    const int64_t t = NOON;

    messages(1000);
    wsk_pulse_read(seg, site, t, now);
    is_int(sum(), 0, "nothing is told of the time before anybody looked");
    wsk_pulse_note(seg, site, t);
    wsk_pulse_read(seg, site, t, now);
    is_int(sum(), 0, "what came before that is in no period");
    messages(3);
    wsk_count(seg, UINT_MAX, site, WSK_C_published_browser, 2);
    wsk_count(seg, UINT_MAX, site, WSK_C_published_binary, 1);
    wsk_count(seg, UINT_MAX, site, WSK_C_delivered, 9);
    wsk_pulse_note(seg, site, t + SECOND);
    wsk_pulse_read(seg, site, t + SECOND, now);
    is_int(now[WSK_PULSES - 1], 6, "what comes in counts at once, of any kind");
    wsk_pulse_note(seg, site, t + WSK_PULSE_US);
    messages(4);
    wsk_pulse_read(seg, site, t + WSK_PULSE_US, now);
    is_int(now[WSK_PULSES - 2], 6, "a period ends");
    is_int(now[WSK_PULSES - 1], 4, "and another begins");
    wsk_pulse_note(seg, site, t + 5 * WSK_PULSE_US);
    wsk_pulse_read(seg, site, t + 5 * WSK_PULSE_US, now);
    is_int(now[WSK_PULSES - 5] * 10 + now[WSK_PULSES - 4], 40,
           "where nobody looked for a while, it came in the first of it");
    is_int(sum(), 10, "and only once");
    wsk_pulse_read(seg, site, t + 8 * WSK_PULSE_US, now);
    is_int(sum(), 10, "a reader need not wait for one who notes");
    is_int(now[WSK_PULSES - 9], 6, "to see time pass");
    wsk_pulse_note(seg, site, t + 59 * WSK_PULSE_US);
    wsk_pulse_read(seg, site, t + 59 * WSK_PULSE_US, now);
    is_int(now[0], 6, "ten minutes are kept");
    wsk_pulse_read(seg, site, t + 60 * WSK_PULSE_US, now);
    is_int(now[0], 4, "and no more");
    wsk_pulse_note(seg, site, t + 5000 * WSK_PULSE_US);
    wsk_pulse_read(seg, site, t + 5000 * WSK_PULSE_US, now);
    is_int(sum(), 0, "after a long silence all is quiet");
    wsk_pulse_note(seg, site, t);
    messages(1);
    wsk_pulse_read(seg, site, t + 5000 * WSK_PULSE_US, now);
    is_int(sum(), 1, "a clock that goes back spoils nothing");
    wsk_pulse_note(seg, 99, t);
    wsk_pulse_read(seg, 99, t, now);
    is_int(sum(), 0, "nor does a number of no site");
}

static void wrapping(void)
{
    const int64_t t = NOON + 9000 * WSK_PULSE_US;

    messages(UINT32_MAX - 100);
    wsk_pulse_note(seg, site, t);
    messages(500000);
    wsk_pulse_note(seg, site, t + WSK_PULSE_US);
    wsk_pulse_read(seg, site, t + WSK_PULSE_US, now);
    is_int(now[WSK_PULSES - 2], 500000, "four thousand million are no bound");
}

static void faults(void)
{
    int64_t when = 1;

    is_int(wsk_pulse_faulted(seg, site, &when), 0, "nothing was refused yet");
    wsk_pulse_fault(seg, site, 7, 1700000000);
    wsk_pulse_fault(seg, site, 255, 1700000009);
    is_int(wsk_pulse_faulted(seg, site, &when), 255, "the last refusal");
    is_int(when, 1700000009, "and when");
    wsk_pulse_fault(seg, 99, 7, 5);
    is_int(wsk_pulse_faulted(seg, 99, &when), 0, "of no site, none");
}

int main(void)
{
    seg = store_new(1, 2, 2, 8);
    site = store_site(seg, 1, 1000, 10);
    rates();
    wrapping();
    faults();
    store_end(seg);
    return done_testing();
}
