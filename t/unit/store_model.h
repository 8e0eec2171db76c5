/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_model -- the rules of the log once more, without pages or processes.
 *
 * Promise   Says of every number whether it is kept, and of every channel
 *           whether something on it was evicted, from the rules in wsk_log.h
 *           alone. Where a site has no pages left it learns from the log how
 *           far that went, and only asks that it went no other way.
 */
#ifndef WSK_STORE_MODEL_H
#define WSK_STORE_MODEL_H

#include "store_fixture.h"

#define MODEL_SITES 3
#define MODEL_SLOTS 3
#define MODEL_CHANNELS 6
#define MODEL_RECORDS 4096
#define MODEL_ONCE 32

typedef struct model_record_t {
    uint32_t len;
    uint32_t channel;
    int64_t time_us;
} model_record_t;

typedef struct model_log_t {
    uint64_t head, oldest;
    model_record_t at[MODEL_RECORDS]; /* by number */
} model_log_t;

typedef struct model_once_t {
    uint64_t first;
    int64_t until_us;
} model_once_t;

typedef struct model_site_t {
    model_log_t log[WSK_LOG_COUNT];
    uint64_t evicted[MODEL_CHANNELS];
    model_once_t once[MODEL_ONCE];
    bool listens[MODEL_SLOTS];
    uint64_t read[MODEL_SLOTS][WSK_LOG_COUNT];
    wsk_limits_t limits;
    bool on;
} model_site_t;

typedef struct model_t {
    model_site_t site[MODEL_SITES];
    int64_t now_us;
} model_t;

static const char *const model_channels[MODEL_CHANNELS] = {
    "a", "events", "post:12", "woo:stock", "yjs:post/12", "seven"
};

static uint64_t model_bytes(const model_record_t *record)
{
    return (32 + strlen(model_channels[record->channel]) + record->len + 7) / 8
           * 8;
}

static bool model_history(const model_site_t *site)
{
    return site->limits.history_bytes != 0 && site->limits.history_messages != 0
           && site->limits.history_age_ms != 0;
}

static uint64_t model_kept_bytes(const model_log_t *log)
{
    uint64_t sum = 0, seq;

    for (seq = log->oldest; seq <= log->head; seq++) {
        sum += model_bytes(&log->at[seq]);
    }
    return sum;
}

static bool model_over(const model_t *model, const model_site_t *site,
                       wsk_log_e which, uint64_t bytes, uint64_t n)
{
    const model_log_t *log = &site->log[which];
    const int64_t age_us = model->now_us - log->at[log->oldest].time_us;

    return which == WSK_LOG_BINARY || !model_history(site)
           || bytes > site->limits.history_bytes
           || n > site->limits.history_messages
           || age_us >= (int64_t)site->limits.history_age_ms * 1000;
}

static uint64_t model_read_by_all(const model_site_t *site, wsk_log_e which)
{
    uint64_t least = UINT64_MAX;
    unsigned slot;

    for (slot = 0; slot < MODEL_SLOTS; slot++) {
        if (site->listens[slot]) {
            least = WSK_MIN(least, site->read[slot][which]);
        }
    }
    return least;
}

static void model_drop(model_site_t *site, wsk_log_e which)
{
    model_log_t *log = &site->log[which];

    if (which == WSK_LOG_TEXT) {
        site->evicted[log->at[log->oldest].channel] = log->oldest;
    }
    log->oldest++;
}

/* Evict as n records of so many bytes come. */
static void model_evict(model_t *model, unsigned number, wsk_log_e which,
                        uint64_t bytes, uint64_t n)
{
    model_site_t *site = &model->site[number];
    model_log_t *log = &site->log[which];
    uint64_t sum = model_kept_bytes(log) + bytes;
    const uint64_t backlog = which == WSK_LOG_BINARY
                                 ? (uint64_t)WSK_MB(4)
                                 : (uint64_t)WSK_LOG_BACKLOG
                                       + (model_history(site)
                                              ? site->limits.history_bytes
                                              : 0);

    while (log->oldest <= log->head
           && model_over(model, site, which, sum,
                         log->head + 1 - log->oldest + n)) {
        if (log->oldest > model_read_by_all(site, which) && sum <= backlog) {
            break;
        }
        sum -= model_bytes(&log->at[log->oldest]);
        model_drop(site, which);
    }
}

static void model_append(model_t *model, unsigned number, wsk_log_e which,
                         uint32_t channel, uint32_t len)
{
    model_log_t *log = &model->site[number].log[which];
    const model_record_t record = { len, channel, model->now_us };

    log->head++;
    log->at[log->head] = record;
}

#endif
