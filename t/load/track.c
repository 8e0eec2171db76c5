/* SPDX-License-Identifier: Apache-2.0 */
/* What arrived, held against what was published. Messages carry a mark,
 * "@@run.n.microseconds@@", which no JSON writer changes. */
#include "swarm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void track_cursor(subscriber_t *sub, const char *id)
{
    if (id[0] != '\0') {
        snprintf(sub->last_id, ID_MAX, "%s", id);
    }
}

static bool read_mark(const swarm_t *swarm, const char *bytes, size_t len,
                      unsigned *n, unsigned long long *sent_us)
{
    char run[24], text[64];
    const char *at, *end = bytes + len;
    size_t rest;

    snprintf(run, sizeof(run), "@@%s.", swarm->run);
    at = memmem(bytes, len, run, strlen(run));
    if (at == NULL) {
        return false;
    }
    at += strlen(run);
    rest = (size_t)(end - at) < sizeof(text) - 1 ? (size_t)(end - at)
                                                 : sizeof(text) - 1;
    memcpy(text, at, rest);
    text[rest] = '\0';
    return sscanf(text, "%u.%llu@@", n, sent_us) == 2
           && *n < (unsigned)swarm->opt.publishes;
}

static void keep_latency(tally_t *tally, uint64_t us)
{
    if (tally->latencies == tally->latency_cap) {
        tally->latency_cap = tally->latency_cap > 0 ? tally->latency_cap * 2
                                                    : 65536;
        tally->latency_us = need(
            realloc(tally->latency_us, sizeof(uint32_t) * tally->latency_cap));
    }
    tally->latency_us[tally->latencies++] = us > UINT32_MAX ? UINT32_MAX
                                                            : (uint32_t)us;
}

/* Ids of one log only grow. A new epoch begins anew. */
static void check_order(swarm_t *swarm, subscriber_t *sub, const char *id)
{
    const char *dash = strchr(id, '-');
    const uint64_t seq = dash != NULL ? strtoull(dash + 1, NULL, 10) : 0;
    const bool same_log = dash != NULL
                          && strncmp(id, sub->last_id, (size_t)(dash - id) + 1)
                                 == 0;

    if (dash == NULL || (same_log && seq <= sub->last_seq)) {
        swarm->tally.disorder++;
    }
    sub->last_seq = seq;
}

void track_message(swarm_t *swarm, subscriber_t *sub, const char *id,
                   const char *bytes, size_t len)
{
    tally_t *tally = &swarm->tally;
    unsigned n = 0;
    unsigned long long sent_us = 0;

    if (has_text(bytes, len, "\"event\":\"wps.")) {
        return; /* the relay's own */
    }
    if (!read_mark(swarm, bytes, len, &n, &sent_us)) {
        tally->foreign++;
        track_cursor(sub, id);
        return;
    }
    if ((sub->seen[n / 8] >> (n % 8)) & 1) {
        tally->duplicates++;
        return;
    }
    sub->seen[n / 8] |= (uint8_t)(1u << (n % 8));
    sub->got++;
    tally->delivered++;
    check_order(swarm, sub, id);
    /* With one lane the order of publishing is the order of the log. */
    if (swarm->opt.lanes == 1 && (int64_t)n < sub->last_n) {
        tally->disorder++;
    }
    sub->last_n = n;
    if (swarm->ids[n][0] == '\0') {
        snprintf(swarm->ids[n], ID_MAX, "%s", id);
    }
    else if (strcmp(swarm->ids[n], id) != 0) {
        tally->mismatched_ids++;
    }
    track_cursor(sub, id);
    keep_latency(tally, now_us() - sent_us);
}

int track_listeners(const swarm_t *swarm, int n)
{
    const int channels = swarm->opt.channels;

    return swarm->nsubs / channels
           + (n % channels < swarm->nsubs % channels ? 1 : 0);
}

uint64_t track_missing(const swarm_t *swarm)
{
    uint64_t expected = 0;
    int n;

    if (swarm->opt.echo_rounds > 0) {
        return 0;
    }
    for (n = 0; n < (int)swarm->tally.published; n++) {
        expected += (uint64_t)track_listeners(swarm, n);
    }
    return expected > swarm->tally.delivered ? expected - swarm->tally.delivered
                                             : 0;
}
