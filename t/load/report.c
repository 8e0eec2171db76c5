/* SPDX-License-Identifier: Apache-2.0 */
#include "swarm.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static int by_size(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return x < y ? -1 : x > y;
}

static uint32_t percentile(const tally_t *tally, double part)
{
    return tally->latencies == 0
               ? 0
               : tally->latency_us[(uint32_t)(part * (tally->latencies - 1))];
}

static void counts(const char *name, const uint32_t *count, int size)
{
    const char *comma = "";
    int i;

    printf(",\"%s\":{", name);
    for (i = 0; i < size; i++) {
        if (count[i] == 0) {
            continue;
        }
        if (count == NULL || (i != CODE_END && i != CODE_LOST)) {
            printf("%s\"%d\":%u", comma, i, count[i]);
        }
        else {
            printf("%s\"%s\":%u", comma, i == CODE_END ? "end" : "lost",
                   count[i]);
        }
        comma = ",";
    }
    putchar('}');
}

void report(const swarm_t *swarm)
{
    const tally_t *t = &swarm->tally;

    if (t->latencies > 0) {
        qsort(t->latency_us, t->latencies, sizeof(uint32_t), by_size);
    }
    printf("{\"event\":\"report\",\"subscribers\":%d,\"ready\":%d"
           ",\"ready_ms\":%" PRIu64 ",\"elapsed_ms\":%" PRIu64,
           swarm->nsubs, swarm->ready, t->ready_ms, now_ms() - swarm->begun_ms);
    printf(",\"published\":%u,\"publish_retries\":%u,\"publish_failures\":%u"
           ",\"publish_duplicates\":%u",
           t->published, t->publish_retries, t->publish_failures,
           t->publish_duplicates);
    printf(",\"delivered\":%" PRIu64 ",\"missing\":%" PRIu64
           ",\"duplicates\":%" PRIu64 ",\"disorder\":%" PRIu64
           ",\"mismatched_ids\":%" PRIu64 ",\"foreign\":%" PRIu64
           ",\"gaps\":%" PRIu64 ",\"malformed\":%" PRIu64,
           t->delivered, track_missing(swarm), t->duplicates, t->disorder,
           t->mismatched_ids, t->foreign, t->gaps, t->malformed);
    printf(",\"reconnects\":%" PRIu64 ",\"hints\":%" PRIu64
           ",\"refused\":%" PRIu64 ",\"pings\":%" PRIu64
           ",\"slowest_return_ms\":%" PRIu64,
           t->reconnects, t->hints, t->refused, t->pings, t->slowest_return_ms);
    printf(",\"echoes\":%" PRIu64 ",\"bad_echoes\":%" PRIu64, t->echoes,
           t->bad_echoes);
    printf(",\"latency_us\":{\"p50\":%u,\"p99\":%u,\"max\":%u}",
           percentile(t, 0.5), percentile(t, 0.99), percentile(t, 1));
    counts("codes", t->code, CODES_MAX);
    counts("refusals", t->refusal, 600);
    printf("}\n");
    fflush(stdout);
}
