/* SPDX-License-Identifier: Apache-2.0 */
#include "store/wsk_repair.h"

#include "deaths.h"

#define BATCH 3
#define BODY 200

/* Filled for the acts before they are tried. */
static uint32_t site;
static int slot;
static wsk_cursor_t start;
static char bodies[BATCH][BODY];
static wsk_record_t batch[BATCH];
static wsk_once_t once;
static wsk_log_e log_kind;
static wsk_site_spec_t other_spec;
static uint64_t version;

static const char *whole(wsk_segment_t *seg)
{
    const char *why = NULL;

    wsk_segment_check(seg, &why);
    return why;
}

static void make_batch(uint64_t first)
{
    unsigned i;

    for (i = 0; i < BATCH; i++) {
        store_fill(bodies[i], BODY, first + i);
        batch[i].channel = store_slice("room");
        batch[i].body.at = bodies[i];
        batch[i].body.len = BODY;
        batch[i].sender = 0;
    }
    store_once(&once, first, NOON + 60 * SECOND);
}

static void append_batch(wsk_segment_t *seg)
{
    wsk_cursor_t first;

    wsk_log_append(seg, site, log_kind, batch, BATCH, &once, NOON, &first);
}

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

static void put_other(wsk_segment_t *seg)
{
    uint32_t number;

    wsk_site_put(seg, &other_spec, 2, 0xe1, &number);
}

static bool same_spec(const wsk_site_spec_t *a, const wsk_site_spec_t *b)
{
    return strcmp(a->key, b->key) == 0 && strcmp(a->site_id, b->site_id) == 0
           && strcmp(a->publish.at[0], b->publish.at[0]) == 0
           && strcmp(a->jwt.at[0], b->jwt.at[0]) == 0
           && a->limits.connections == b->limits.connections;
}

static bool anywhere(const wsk_segment_t *seg, const char *text)
{
    return memmem(seg->base, seg->spec.bytes, text, strlen(text)) != NULL;
}

/* A new site is there or not; after a second try it is, with all it says. */
static const char *put_once(wsk_segment_t *seg)
{
    wsk_site_spec_t read;
    uint32_t number;

    if (whole(seg) != NULL) {
        return whole(seg);
    }
    if (wsk_site_put(seg, &other_spec, 2, 0xe1, &number) != WSK_OK
        || wsk_site_read(seg, number, &read, NULL) != WSK_OK
        || !same_spec(&read, &other_spec)) {
        return "a site cannot be put a second time";
    }
    if (wsk_site_by_id(seg, store_slice(other_spec.site_id), &number) != WSK_OK
        || store_append(seg, number, WSK_LOG_TEXT, "a", 9, 1, NOON) != WSK_OK) {
        return "a site cannot be used";
    }
    return wsk_site_count(seg) == 2 ? whole(seg) : "a site is there twice";
}

static void put_new(wsk_segment_t *seg)
{
    death_t death = { "a new site", put_other, put_once };

    store_spec(&other_spec, 77);
    deaths_try(&death, seg);
}

/* Either secret is in force, never a part of one; of the old one no byte is
 * left as soon as the change is through. */
static const char *rotated(wsk_segment_t *seg)
{
    wsk_site_spec_t old, read;
    uint32_t number;

    store_spec(&old, 0);
    if (wsk_site_read(seg, site, &read, NULL) != WSK_OK
        || (!same_spec(&read, &old) && !same_spec(&read, &other_spec))) {
        return "half a change is in force";
    }
    if (same_spec(&read, &other_spec)
        && wsk_site_version(seg, site) == version) {
        return "a change is in force and nobody is told";
    }
    if (whole(seg) != NULL) {
        return whole(seg);
    }
    wsk_site_put(seg, &other_spec, 2, 0xe1, &number);
    if (number != site || anywhere(seg, old.publish.at[0])
        || anywhere(seg, old.jwt.at[0])) {
        return "an old secret is still somewhere";
    }
    return anywhere(seg, other_spec.jwt.at[0]) ? NULL : "no secret is left";
}

static void put_changed(wsk_segment_t *seg)
{
    death_t death = { "a changed site", put_other, rotated };

    store_spec(&other_spec, 0);
    snprintf(other_spec.publish.at[0], sizeof(other_spec.publish.at[0]),
             "another one");
    snprintf(other_spec.jwt.at[0], sizeof(other_spec.jwt.at[0]), "and this");
    other_spec.limits.connections = 5;
    version = wsk_site_version(seg, site);
    deaths_try(&death, seg);
}

static void retire(wsk_segment_t *seg)
{
    wsk_site_retire(seg, 99);
}

static const char *retired(wsk_segment_t *seg)
{
    wsk_site_spec_t old;
    wsk_site_state_e state;
    wsk_pages_t pages;
    const char *why = whole(seg);

    store_spec(&old, 0);
    if (why != NULL) {
        return why;
    }
    retire(seg);
    if (wsk_site_read(seg, site, &old, &state) != WSK_OK
        || state != WSK_SITE_OFF || anywhere(seg, "publish secret")) {
        return "a retired site is not silent";
    }
    wsk_segment_pages(seg, &pages);
    return pages.free == pages.total && pages.reserved == 0
               ? whole(seg)
               : "a retired site keeps pages";
}

static void retire_site(wsk_segment_t *seg)
{
    death_t death = { "retiring a site", retire, retired };

    store_append(seg, site, WSK_LOG_TEXT, "room", 40000, 1, NOON);
    store_append(seg, site, WSK_LOG_BINARY, "room", 9000, 1, NOON);
    deaths_try(&death, seg);
}

static uint32_t connections_of(wsk_segment_t *seg)
{
    wsk_site_stats_t stats;

    wsk_site_stats(seg, site, &stats);
    return stats.connections;
}

static void admit_two(wsk_segment_t *seg)
{
    wsk_site_admit(seg, (unsigned)slot, site, 1234);
    wsk_site_admit(seg, (unsigned)slot, site, 99);
}

static const char *counted(wsk_segment_t *seg)
{
    const uint32_t n = connections_of(seg);
    uint32_t i;

    if (n < start.seq || n > start.seq + 2) {
        return "connections are miscounted";
    }
    if (whole(seg) != NULL) {
        return whole(seg);
    }
    for (i = 0; i < start.seq; i++) {
        wsk_site_leave(seg, (unsigned)slot, site, 1234);
    }
    return whole(seg);
}

static void admit_dying(wsk_segment_t *seg)
{
    death_t death = { "admission", admit_two, counted };

    start.seq = 3;
    wsk_site_admit(seg, (unsigned)slot, site, 1234);
    wsk_site_admit(seg, (unsigned)slot, site, 1234);
    wsk_site_admit(seg, (unsigned)slot, site, 1234);
    deaths_try(&death, seg);
}

static void leave_all(wsk_segment_t *seg)
{
    wsk_site_leave(seg, (unsigned)slot, site, 99);
    wsk_site_leave(seg, (unsigned)slot, site, 1234);
    wsk_site_leave(seg, (unsigned)slot, site, 1234);
}

static const char *left(wsk_segment_t *seg)
{
    return connections_of(seg) > start.seq ? "connections come from nowhere"
                                           : whole(seg);
}

static void leave_dying(wsk_segment_t *seg)
{
    death_t death = { "leaving", leave_all, left };

    wsk_site_admit(seg, (unsigned)slot, site, 1234);
    wsk_site_admit(seg, (unsigned)slot, site, 1234);
    wsk_site_admit(seg, (unsigned)slot, site, 99);
    start.seq = 3;
    deaths_try(&death, seg);
}

/* A child's whole life: claim, listen, admit, read, unlisten, release. */
static void live(wsk_segment_t *seg)
{
    const int own = wsk_slot_claim(seg, WSK_SLOT_CHILD, 42, 7, NOON);
    wsk_cursor_t heads[WSK_LOG_COUNT];

    if (own >= 0) {
        wsk_log_listen(seg, site, (unsigned)own, heads);
        wsk_site_admit(seg, (unsigned)own, site, 5);
        wsk_count(seg, (unsigned)own, site, WSK_C_opened_ws, 1);
        wsk_site_leave(seg, (unsigned)own, site, 5);
        wsk_site_admit(seg, (unsigned)own, site, 6);
        wsk_slot_release(seg, (unsigned)own);
    }
}

/* Every slot but the tester's can be had again, and nothing stands. */
static const char *reaped(wsk_segment_t *seg)
{
    const unsigned slots = seg->spec.slots;
    unsigned i, mine = 0;

    wsk_slot_sweep(seg);
    if (whole(seg) != NULL) {
        return whole(seg);
    }
    if (wsk_segment_connections(seg) != 0
        || atomic_load(&seg->sites[site].listeners[0]) != 0) {
        return "something stands for a slot that is gone";
    }
    while (wsk_slot_claim(seg, WSK_SLOT_CHILD, 1, 1, NOON) >= 0) {
        mine++;
    }
    for (i = 0; i < slots; i++) {
        if (i != (unsigned)slot) {
            wsk_slot_release(seg, i);
        }
    }
    return mine == slots - 1 ? whole(seg) : "a slot is lost";
}

static void live_dying(wsk_segment_t *seg)
{
    death_t death = { "a child's life", live, reaped };

    deaths_try(&death, seg);
}

/* Leave a slot as a dead child leaves it. */
static void die_living(wsk_segment_t *seg)
{
    wsk_cursor_t heads[WSK_LOG_COUNT];
    pid_t pid = fork();
    int own;

    if (pid == 0) {
        own = wsk_slot_claim(seg, WSK_SLOT_CHILD, 42, 7, NOON);
        wsk_log_listen(seg, site, (unsigned)own, heads);
        wsk_site_admit(seg, (unsigned)own, site, 5);
        wsk_site_admit(seg, (unsigned)own, site, 6);
        kill(getpid(), SIGKILL);
    }
    waitpid(pid, NULL, 0);
}

static void sweep(wsk_segment_t *seg)
{
    wsk_slot_sweep(seg);
}

static void sweep_dying(wsk_segment_t *seg)
{
    death_t death = { "reaping a slot", sweep, reaped };

    die_living(seg);
    is_int(wsk_segment_connections(seg), 2, "a dead child leaves connections");
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

typedef void with_fn(wsk_segment_t *seg);

static void with_segment(with_fn *fn)
{
    wsk_segment_t *seg = store_new(4, 4, 4, 12);

    site = store_site(seg, 0, 16 << 10, 20);
    slot = wsk_slot_claim(seg, WSK_SLOT_CHILD, getpid(), 1, NOON);
    fn(seg);
    wsk_slot_release(seg, (unsigned)slot);
    store_end(seg);
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
    store_spec(&other_spec, 9);
    put_other(seg);
    admit_two(seg);
    leave_all(seg);
    live(seg);
    die_living(seg);
    sweep(seg);
    look(seg);
    retire(seg);
}

int main(void)
{
    static with_fn *const each[] = {
        append_plain, append_evicting, append_binary, tidy,
        put_new,      put_changed,     retire_site,   admit_dying,
        leave_dying,  live_dying,      sweep_dying
    };
    size_t i;

    with_segment(warm_up);
    for (i = 0; i < WSK_COUNT_OF(each); i++) {
        with_segment(each[i]);
    }
    append_starving();
    for (i = 10; i < 300; i += 20) {
        repair_dying((int)i);
    }
    {
        wsk_segment_t *seg = store_new(4, 4, 4, 12);

        site = store_site(seg, 0, 1 << 20, 1000);
        store_append(seg, site, WSK_LOG_TEXT, "room", 50, 1, NOON);
        damage(seg);
        store_end(seg);
    }
    with_segment(wild_numbers);
    return done_testing();
}
