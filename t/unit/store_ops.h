/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_ops -- bytes as a program for the store, run beside the model.
 *
 * The first byte says how many pages there are: enough, so that the model
 * knows everything, or so few that sites live on what is reserved for them.
 */
#ifndef WSK_STORE_OPS_H
#define WSK_STORE_OPS_H

#include "store_model.h"

typedef struct ops_t {
    const uint8_t *at, *end;
    wsk_segment_t *seg;
    model_t model;
    bool tight;
    uint32_t site[MODEL_SITES];
    wsk_cursor_t cursor[MODEL_SITES][MODEL_SLOTS][WSK_LOG_COUNT];
    const char *wrong;
} ops_t;

static unsigned ops_byte(ops_t *ops)
{
    return ops->at < ops->end ? *ops->at++ : 0;
}

static void ops_expect(ops_t *ops, bool is, const char *what)
{
    if (!is && ops->wrong == NULL) {
        ops->wrong = what;
    }
}

static void ops_put(ops_t *ops, unsigned number)
{
    wsk_site_spec_t spec;

    store_spec(&spec, number);
    spec.limits = ops->model.site[number].limits;
    wsk_site_put(ops->seg, &spec, 1, 0xabc + number, &ops->site[number]);
    ops->model.site[number].on = true;
}

static void ops_begin(ops_t *ops)
{
    unsigned i, j;
    wsk_site_spec_t spec;

    ops->tight = ops_byte(ops) % 2 != 0;
    ops->seg = store_new(MODEL_SLOTS, MODEL_SITES, 3, ops->tight ? 11 : 1200);
    ops->model.now_us = NOON;
    store_spec(&spec, 0);
    for (i = 0; i < MODEL_SITES; i++) {
        for (j = 0; j < WSK_LOG_COUNT; j++) {
            ops->model.site[i].log[j].oldest = 1;
        }
        for (j = 0; j < MODEL_SLOTS * WSK_LOG_COUNT; j++) {
            ops->cursor[i][j / WSK_LOG_COUNT][j % WSK_LOG_COUNT].epoch = 0xabc
                                                                         + i;
        }
        ops->model.site[i].limits = spec.limits;
        ops_put(ops, i);
    }
}

/* A repair takes a number of this log that nobody can read, so that everybody
 * asks for the lists: the model has no repairs. */
static void ops_repaired(const wsk_log_state_t *log, model_log_t *model)
{
    if (log->head > model->head && log->oldest == log->head + 1) {
        model->head = log->head;
        model->oldest = log->oldest;
    }
}

/* Where pages are few more may be evicted than the model says, never less. */
static void ops_learn(ops_t *ops, unsigned number)
{
    unsigned which;

    for (which = 0; which < WSK_LOG_COUNT; which++) {
        const wsk_log_state_t *log =
            &wsk_state_of(&ops->seg->sites[ops->site[number]])->log[which];
        model_log_t *model = &ops->model.site[number].log[which];

        if (which == WSK_LOG_PRESENCE) {
            ops_repaired(log, model);
        }
        ops_expect(ops, log->head == model->head, "heads differ");
        ops_expect(ops, log->oldest >= model->oldest, "too much is kept");
        ops_expect(ops, ops->tight || log->oldest == model->oldest,
                   "too much was evicted");
        while (model->oldest < log->oldest && model->oldest <= model->head) {
            model_drop(&ops->model.site[number], (wsk_log_e)which);
        }
    }
}

/* Records of one append. */
typedef struct ops_load_t {
    wsk_record_t records[4];
    uint32_t channel[4];
    unsigned n;
    uint64_t bytes;
} ops_load_t;

static void ops_load(ops_t *ops, unsigned number, wsk_log_e which,
                     ops_load_t *load)
{
    static const uint32_t lens[16] = { 0,     1,     7,     8,    100,  200,
                                       333,   900,   1500,  4000, 9000, 16352,
                                       16384, 20000, 33000, 50000 };
    static char bodies[4][50008];
    const uint64_t head = ops->model.site[number].log[which].head;
    model_record_t record;
    unsigned i;

    load->n = ops_byte(ops) % 4 + 1;
    load->bytes = 0;
    for (i = 0; i < load->n; i++) {
        const unsigned byte = ops_byte(ops);

        record.len = lens[byte % 16] + byte / 16 % 8;
        record.channel = byte / 16 % MODEL_CHANNELS;
        load->channel[i] = record.channel;
        load->bytes += model_bytes(&record);
        store_fill(bodies[i], record.len, head + 1 + i);
        load->records[i].channel = store_slice(model_channels[record.channel]);
        load->records[i].body.at = bodies[i];
        load->records[i].body.len = record.len;
        load->records[i].sender = head + i;
    }
}

/* What the answer to an append means for the model. */
static void ops_appended(ops_t *ops, unsigned number, wsk_log_e which,
                         const ops_load_t *load, wsk_status_e rv,
                         model_once_t *once, const wsk_cursor_t *first)
{
    model_site_t *site = &ops->model.site[number];
    const bool known = once != NULL && once->first != 0;
    unsigned i;

    if (rv == WSK_EDUP) {
        ops_expect(ops, known && first->seq == once->first,
                   "a duplicate of nothing");
        return;
    }
    ops_expect(ops,
               !known || ops->model.now_us > once->until_us
                   || rv == WSK_ENOTFOUND,
               "a request has its effect twice");
    ops_expect(ops, rv == WSK_OK || ops->tight || !site->on,
               "refused for no reason");
    ops_expect(ops, (rv == WSK_ENOTFOUND) == !site->on,
               "on and off are mistaken");
    if (rv == WSK_OK) {
        model_evict(&ops->model, number, which, load->bytes, load->n);
        ops_expect(ops, first->seq == site->log[which].head + 1,
                   "a wrong number");
        for (i = 0; i < load->n; i++) {
            model_append(&ops->model, number, which, load->channel[i],
                         (uint32_t)load->records[i].body.len);
        }
        if (once != NULL) {
            once->first = first->seq;
            once->until_us = ops->model.now_us + 60 * SECOND;
        }
    }
}

static void ops_append(ops_t *ops, unsigned number, wsk_log_e which,
                       bool with_once)
{
    model_site_t *site = &ops->model.site[number];
    const unsigned id = with_once ? ops_byte(ops) % MODEL_ONCE : 0;
    wsk_cursor_t first = { 0, 0 };
    wsk_status_e rv;
    wsk_once_t once;
    ops_load_t load;

    if (site->log[which].head + 4 >= MODEL_RECORDS) {
        return;
    }
    ops_load(ops, number, which, &load);
    store_once(&once, id, ops->model.now_us + 60 * SECOND);
    rv = wsk_log_append(ops->seg, ops->site[number], which, load.records,
                        load.n, with_once ? &once : NULL, ops->model.now_us,
                        &first);
    ops_appended(ops, number, which, &load, rv,
                 with_once ? &site->once[id] : NULL, &first);
    /* A refusal for want of pages may come after the limits were applied. */
    if (rv == WSK_EFULL || rv == WSK_EAGAIN) {
        ops_expect(ops, ops->tight, "there were pages");
    }
}

static void ops_check_record(ops_t *ops, unsigned number, wsk_log_e which,
                             const wsk_record_t *record, uint64_t seq)
{
    const model_record_t *is = &ops->model.site[number].log[which].at[seq];
    const wsk_slice_t channel = store_slice(model_channels[is->channel]);

    ops_expect(ops, record->seq == seq, "a wrong number is read");
    ops_expect(ops,
               record->body.len == is->len && store_same(record->body, seq),
               "a wrong body is read");
    ops_expect(ops,
               record->channel.len == channel.len
                   && memcmp(record->channel.at, channel.at, channel.len) == 0,
               "a wrong channel is read");
    ops_expect(ops, record->time_us == is->time_us && record->sender < seq,
               "a wrong head is read");
}

static void ops_read(ops_t *ops, unsigned number, wsk_log_e which,
                     wsk_cursor_t *cursor)
{
    static char buf[300000];
    const model_site_t *site = &ops->model.site[number];
    const model_log_t *log = &site->log[which];
    const size_t cap = ops_byte(ops) * UINT64_C(1100);
    const uint64_t from = cursor->seq;
    wsk_record_t records[8];
    wsk_status_e rv;
    unsigned n, i;

    rv = wsk_log_read(ops->seg, ops->site[number], which, cursor, buf, cap,
                      records, 8, &n);
    if (rv == WSK_EGAP) {
        ops_expect(ops, from + 1 < log->oldest || from > log->head,
                   "a gap where there is none");
        ops_expect(ops, cursor->seq == log->oldest - 1, "led to a wrong place");
        return;
    }
    ops_expect(ops, site->on == (rv != WSK_ENOTFOUND), "read while off");
    if (rv == WSK_OK) {
        ops_expect(ops, from + 1 >= log->oldest && from <= log->head,
                   "a gap that is not told");
        ops_expect(ops, (n == 0) == (from == log->head), "nothing is read");
        for (i = 0; i < n; i++) {
            ops_check_record(ops, number, which, &records[i], from + 1 + i);
        }
        ops_expect(ops, cursor->seq == from + n, "the cursor is wrong");
    }
    if (rv == WSK_EFULL) {
        ops_expect(ops, n > cap && n >= log->at[from + 1].len,
                   "it would have fit");
    }
}

static void ops_listen(ops_t *ops, unsigned number, unsigned slot)
{
    model_site_t *site = &ops->model.site[number];
    wsk_cursor_t *cursors = ops->cursor[number][slot];
    unsigned which;

    if (site->listens[slot]) {
        wsk_log_unlisten(ops->seg, ops->site[number], slot);
        site->listens[slot] = false;
        return;
    }
    if (wsk_log_listen(ops->seg, ops->site[number], slot, cursors) == WSK_OK) {
        site->listens[slot] = true;
        ops_learn(ops, number); /* it may have been repaired just now */
        for (which = 0; which < WSK_LOG_COUNT; which++) {
            site->read[slot][which] = site->log[which].head;
            ops_expect(ops, cursors[which].seq == site->log[which].head,
                       "listening begins at a wrong place");
        }
    }
}

/* A slot reads on and says so. */
static void ops_follow(ops_t *ops, unsigned number, unsigned slot,
                       wsk_log_e which)
{
    wsk_cursor_t *cursor = &ops->cursor[number][slot][which];

    ops_read(ops, number, which, cursor);
    if (ops->model.site[number].listens[slot]) {
        ops->model.site[number].read[slot][which] = cursor->seq;
        wsk_log_at(ops->seg, ops->site[number], slot, which, cursor->seq);
    }
}

static void ops_tidy(ops_t *ops)
{
    unsigned i, which;

    for (i = 0; i < MODEL_SITES; i++) {
        wsk_log_tidy(ops->seg, ops->model.now_us);
    }
    for (i = 0; i < MODEL_SITES; i++) {
        for (which = 0; which < WSK_LOG_COUNT; which++) {
            model_evict(&ops->model, i, (wsk_log_e)which, 0, 0);
        }
    }
}

/* Whether a gap must be told, from the model alone. */
static bool ops_gap(const model_site_t *site, uint64_t since, unsigned mask)
{
    const model_log_t *log = &site->log[WSK_LOG_TEXT];
    uint64_t seq;
    unsigned i;

    for (i = 0; i < MODEL_CHANNELS; i++) {
        if ((mask >> i & 1) != 0 && site->evicted[i] > since) {
            return true;
        }
    }
    for (seq = WSK_MAX(since + 1, log->oldest); seq <= log->head; seq++) {
        if (!model_history(site) && (mask >> log->at[seq].channel & 1) != 0) {
            return true;
        }
    }
    return since > log->head;
}

static void ops_since(ops_t *ops, unsigned number)
{
    model_site_t *site = &ops->model.site[number];
    model_log_t *log = &site->log[WSK_LOG_TEXT];
    const unsigned mask = ops_byte(ops) % (1u << MODEL_CHANNELS);
    wsk_cursor_t since, oldest = { 0, 0 };
    wsk_slice_t channels[MODEL_CHANNELS];
    wsk_status_e rv;
    unsigned i, n = 0;

    since.epoch = 0xabc + number;
    since.seq = log->head - WSK_MIN(log->head, ops_byte(ops) % 64)
                + (mask == 63);
    for (i = 0; i < MODEL_CHANNELS; i++) {
        if ((mask >> i & 1) != 0) {
            channels[n++] = store_slice(model_channels[i]);
        }
    }
    rv = wsk_log_since(ops->seg, ops->site[number], &since, channels, n,
                       ops->model.now_us, &oldest);
    if (!site->on) {
        ops_expect(ops, rv == WSK_ENOTFOUND, "asked while off");
        return;
    }
    model_evict(&ops->model, number, WSK_LOG_TEXT, 0, 0);
    ops_learn(ops, number);
    ops_expect(ops, (rv == WSK_EGAP) == ops_gap(site, since.seq, mask),
               rv == WSK_EGAP ? "a false gap" : "a silent gap");
    ops_expect(ops, oldest.seq + 1 >= log->oldest && oldest.seq <= log->head,
               "nothing can be read from there");
    ops_expect(ops, rv != WSK_OK || oldest.seq >= since.seq, "it goes back");
}

static void ops_switch(ops_t *ops, unsigned number)
{
    model_site_t *site = &ops->model.site[number];
    unsigned which;

    site->on = !site->on;
    wsk_site_switch(ops->seg, ops->site[number], site->on);
    for (which = 0; !site->on && which < WSK_LOG_COUNT; which++) {
        while (site->log[which].oldest <= site->log[which].head) {
            model_drop(site, (wsk_log_e)which);
        }
    }
}

static void ops_limits(ops_t *ops, unsigned number)
{
    static const uint32_t messages[] = { 0, 1, 5, 50, 1000 };
    static const uint32_t bytes[] = { 0, 1, 3000, 50000, 1 << 20 };
    wsk_limits_t *limits = &ops->model.site[number].limits;
    const unsigned byte = ops_byte(ops);

    limits->history_messages = messages[byte % 5];
    limits->history_bytes = bytes[byte / 5 % 5];
    limits->history_age_ms = byte / 25 % 4 == 0 ? 1000 : 600000;
    ops_put(ops, number);
}

static void ops_time(ops_t *ops)
{
    static const int64_t steps[] = { 1,           1000,        SECOND,
                                     59 * SECOND, 61 * SECOND, 601 * SECOND };

    ops->model.now_us += steps[ops_byte(ops) % WSK_COUNT_OF(steps)];
}

static void ops_step(ops_t *ops)
{
    const unsigned op = ops_byte(ops);
    const unsigned number = op / 16 % MODEL_SITES;
    const unsigned slot = op / 48 % MODEL_SLOTS;
    unsigned i;

    switch (op % 16) {
    case 0:
    case 1:
    case 2:
        ops_append(ops, number, WSK_LOG_TEXT, false);
        break;
    case 3:
    case 4:
        ops_append(ops, number, WSK_LOG_TEXT, true);
        break;
    case 5:
        ops_append(ops, number, WSK_LOG_BINARY, false);
        break;
    case 6:
    case 7:
    case 8:
        ops_follow(ops, number, slot, WSK_LOG_TEXT);
        break;
    case 9:
        ops_follow(ops, number, slot, WSK_LOG_BINARY);
        break;
    case 10:
        ops_listen(ops, number, slot);
        break;
    case 11:
        ops_time(ops);
        break;
    case 12:
        ops_tidy(ops);
        break;
    case 13:
        ops_since(ops, number);
        break;
    case 14:
        ops_limits(ops, number);
        break;
    default:
        if (op == 255) {
            ops_switch(ops, number);
        }
        break;
    }
    for (i = 0; i < MODEL_SITES; i++) {
        ops_learn(ops, i);
    }
}

/* @return NULL or what is wrong */
static const char *ops_run(const uint8_t *bytes, size_t len)
{
    static ops_t ops;
    const char *why = NULL;
    unsigned n = 0;

    memset(&ops, 0, sizeof(ops));
    ops.at = bytes;
    ops.end = bytes + len;
    ops_begin(&ops);
    while (ops.at < ops.end && ops.wrong == NULL) {
        ops_step(&ops);
        if (++n % 64 == 0 && wsk_segment_check(ops.seg, &why) != WSK_OK) {
            ops.wrong = why;
        }
    }
    if (ops.wrong == NULL && wsk_segment_check(ops.seg, &why) != WSK_OK) {
        ops.wrong = why;
    }
    store_end(ops.seg);
    return ops.wrong;
}

#endif
