/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whoever dies in a log: what is appended is there, whole and once, or not at
 * all.
 */
#include "repair_fixture.h"

/* The batch is there or not at all; tried again, it is there once; nobody
 * else's bytes are other ones. */
static const char *batch_once(wsk_segment_t *seg)
{
    const wsk_cursor_t head = store_head(seg, site, log_kind);
    const bool there = head.seq == start.seq + BATCH;
    wsk_cursor_t at = start, first = { 0, 0 };
    wsk_status_e rv;

    if (!there && head.seq != start.seq) {
        return "a part of the batch came into force";
    }
    if (whole(seg) != NULL) {
        return whole(seg);
    }
    rv = wsk_log_append(seg, site, log_kind, batch, BATCH, &once, NOON, &first);
    if (rv != (there ? WSK_EDUP : WSK_OK)) {
        return "a second try is not told the truth";
    }
    if (first.seq != start.seq + 1 || first.epoch != start.epoch) {
        return "the batch has another number than was said";
    }
    if (store_drain(seg, site, log_kind, &at) != BATCH) {
        return "the batch cannot be read, whole and once";
    }
    return whole(seg);
}

static void append_plain(wsk_segment_t *seg)
{
    death_t death = { "the first append of a site", append_batch, batch_once };

    log_kind = WSK_LOG_TEXT;
    start = store_head(seg, site, log_kind);
    make_batch(start.seq + 1);
    deaths_try(&death, seg);
}

static void append_evicting(wsk_segment_t *seg)
{
    death_t death = { "an append that evicts over the limits", append_batch,
                      batch_once };
    unsigned i;

    log_kind = WSK_LOG_TEXT;
    for (i = 1; i <= 12; i++) {
        store_append(seg, site, log_kind, "room", 3900, i, NOON);
    }
    start = store_head(seg, site, log_kind);
    make_batch(start.seq + 1);
    deaths_try(&death, seg);
}

static void append_binary(wsk_segment_t *seg)
{
    death_t death = { "a binary append", append_batch, batch_once };

    log_kind = WSK_LOG_BINARY;
    start = store_head(seg, site, log_kind);
    make_batch(start.seq + 1);
    deaths_try(&death, seg);
}

/* Appends that only fit if what is the site's own goes. */
static void append_starving(void)
{
    wsk_segment_t *seg = store_new(2, 2, 4, 8);
    death_t death = { "an append without a free page", append_batch,
                      batch_once };
    const uint32_t mine = store_site(seg, 0, 1 << 20, 1000);
    const uint32_t others = store_site(seg, 1, 1 << 20, 1000);
    wsk_cursor_t at;
    unsigned i;

    for (i = 1; i <= 12; i++) {
        store_append(seg, mine, WSK_LOG_TEXT, "room", 5000, i, NOON);
        store_append(seg, others, WSK_LOG_TEXT, "room", 5000, i, NOON);
    }
    site = mine;
    log_kind = WSK_LOG_TEXT;
    start = store_head(seg, site, log_kind);
    make_batch(start.seq + 1);
    at = store_head(seg, others, log_kind);
    at.seq -= 6;
    deaths_try(&death, seg);
    is_int(store_drain(seg, others, log_kind, &at), 6,
           "none of it at the cost of another site");
    store_end(seg);
}

static void tidy_late(wsk_segment_t *seg)
{
    unsigned i;

    for (i = 0; i < 8; i++) {
        wsk_log_tidy(seg, NOON + 3600 * SECOND);
    }
}

static const char *tidied(wsk_segment_t *seg)
{
    const wsk_cursor_t head = store_head(seg, site, WSK_LOG_TEXT);
    wsk_pages_t pages;

    if (head.seq != start.seq || head.epoch != start.epoch) {
        return "tidying changed the head";
    }
    if (whole(seg) != NULL) {
        return whole(seg);
    }
    tidy_late(seg);
    wsk_segment_pages(seg, &pages);
    return pages.free == pages.total ? whole(seg) : "a page is lost";
}

static void tidy(wsk_segment_t *seg)
{
    death_t death = { "tidying", tidy_late, tidied };

    append_batch(seg);
    start = store_head(seg, site, WSK_LOG_TEXT);
    deaths_try(&death, seg);
}

/* The repairer dies too. */
static void look(wsk_segment_t *seg)
{
    wsk_pages_t pages;

    store_head(seg, site, WSK_LOG_TEXT);
    wsk_segment_pages(seg, &pages);
}

static void repair_dying(int dead_at)
{
    wsk_segment_t *seg = store_new(2, 2, 4, 12);
    death_t first = { "", append_batch, batch_once };
    death_t death = { "repairing", look, batch_once };
    unsigned i;

    site = store_site(seg, 0, 20000, 1000);
    log_kind = WSK_LOG_TEXT;
    for (i = 1; i <= 7; i++) {
        store_append(seg, site, log_kind, "room", 3000, i, NOON);
    }
    start = store_head(seg, site, log_kind);
    make_batch(start.seq + 1);
    if (deaths_leave(&first, seg, dead_at)) {
        note("an append that died its death number %d", dead_at);
        deaths_try(&death, seg);
    }
    store_end(seg);
}

/* What dying cannot do, a stray write can. */
static void damage(wsk_segment_t *seg)
{
    const wsk_cursor_t head = store_head(seg, site, WSK_LOG_TEXT);
    wsk_cursor_t at = head, oldest;
    wsk_state_t *state = wsk_state_of(&seg->sites[site]);
    pid_t pid = fork();

    if (pid == 0) {
        wsk_lock_take(&seg->sites[site].lock);
        memset(wsk_page_bytes(seg, state->log[0].first), 0xee, 100);
        kill(getpid(), SIGKILL);
    }
    waitpid(pid, NULL, 0);
    is_int(
        store_append(seg, site, WSK_LOG_TEXT, "room", 50, head.seq + 1, NOON),
        WSK_OK, "a site whose log was written over takes records again");
    store_whole(seg, "and is whole");
    is_int(store_drain(seg, site, WSK_LOG_TEXT, &at), -1,
           "who reads on is told that it is another log");
    ok(at.epoch != head.epoch && at.epoch <= WSK_EPOCH_MASK,
       "under another epoch");
    is_int(store_drain(seg, site, WSK_LOG_TEXT, &at), 1,
           "and from there can read all that is kept");
    at = head;
    is_int(wsk_log_since(seg, site, &at, NULL, 0, NOON, &oldest), WSK_EGAP,
           "a client is told of the gap");
    is_int((intmax_t)wsk_segment_counter(seg, WSK_C_logs_reset), 1,
           "a log that started anew is counted");
    is_int((intmax_t)wsk_segment_counter(seg, WSK_C_repairs), 1,
           "so is the repair");
}

/* Numbers that cannot be believed are not counted on. */
static void wild_numbers(wsk_segment_t *seg)
{
    wsk_state_t *state;
    wsk_cursor_t heads[WSK_LOG_COUNT];
    wsk_cursor_t at;
    uint64_t i;
    pid_t pid;

    for (i = 1; i <= 3; i++) {
        store_append(seg, site, WSK_LOG_TEXT, "room", 50 * i, i, NOON);
    }
    wsk_log_listen(seg, site, 0, heads);
    state = wsk_state_of(&seg->sites[site]);
    pid = fork();
    if (pid == 0) {
        wsk_lock_take(&seg->sites[site].lock);
        state->log[WSK_LOG_TEXT].head = UINT64_MAX - 1;
        kill(getpid(), SIGKILL);
    }
    waitpid(pid, NULL, 0);
    for (i = 1; i <= 3; i++) {
        store_append(seg, site, WSK_LOG_TEXT, "room", 500, i, NOON);
    }
    is_int((intmax_t)store_head(seg, site, WSK_LOG_TEXT).seq, 3,
           "a log whose number went wild counts from one");
    at = store_head(seg, site, WSK_LOG_TEXT);
    at.seq = 0;
    is_int(store_drain(seg, site, WSK_LOG_TEXT, &at), 3,
           "what comes is read, not what was");
    is_int(
        (intmax_t)atomic_load(&wsk_cell_of(seg, 0, site)->read[WSK_LOG_TEXT]),
        0, "and kept for who listens");
    store_whole(seg, "all is whole");
}

/* Every call an act makes was made once, so that no step is the linker's. */
static void warm_up(wsk_segment_t *seg)
{
    make_batch(1);
    log_kind = WSK_LOG_TEXT;
    append_batch(seg);
    log_kind = WSK_LOG_BINARY;
    append_batch(seg);
    append_batch(seg);
    tidy_late(seg);
    look(seg);
}

int main(void)
{
    static with_fn *const each[] = { append_plain, append_evicting,
                                     append_binary, tidy };
    wsk_segment_t *seg;
    size_t i;

    with_segment(warm_up);
    for (i = 0; i < WSK_COUNT_OF(each); i++) {
        with_segment(each[i]);
    }
    append_starving();
    for (i = 10; i < 300; i += 20) {
        repair_dying((int)i);
    }
    seg = store_new(4, 4, 4, 12);
    site = store_site(seg, 0, 1 << 20, 1000);
    store_append(seg, site, WSK_LOG_TEXT, "room", 50, 1, NOON);
    damage(seg);
    store_end(seg);
    with_segment(wild_numbers);
    return done_testing();
}
