/* SPDX-License-Identifier: Apache-2.0 */
#include "store/wsk_log.h"

#include "store_ops.h"

#include <signal.h>

static void what_is_read(void)
{
    static char large[2 << 20];
    static char buf[3 << 20];
    wsk_segment_t *seg = store_new(2, 4, 4, 300);
    const uint32_t site = store_site(seg, 1, 8 << 20, 1000);
    wsk_record_t in[3] = {
        { { "events", 6 }, { "", 0 }, 5, 0, 0 },
        { { "", 0 }, { "a\0b", 3 }, 0, 0, 0 },
        { { "yjs:post/1", 10 }, { large, sizeof(large) }, 9, 0, 0 },
    };
    wsk_record_t out[4];
    wsk_cursor_t first, at = store_head(seg, site, WSK_LOG_TEXT);
    unsigned n;

    store_fill(large, sizeof(large), 3);
    is_int(wsk_log_append(seg, site, WSK_LOG_TEXT, in, 3, NULL, NOON, &first),
           WSK_OK, "three records, one of 2 MiB");
    ok(first.seq == 1 && first.epoch == 0xe001, "the first is number one");
    is_int(wsk_log_read(seg, site, WSK_LOG_TEXT, &at, buf, sizeof(buf), out, 4,
                        &n),
           WSK_OK, "are read");
    is_int((intmax_t)n, 3, "all three");
    ok(out[0].channel.len == 6 && memcmp(out[0].channel.at, "events", 6) == 0
           && out[0].body.len == 0 && out[0].sender == 5 && out[0].seq == 1
           && out[0].time_us == NOON,
       "with channel, sender, number and time");
    ok(out[1].channel.len == 0 && out[1].body.len == 3
           && memcmp(out[1].body.at, "a\0b", 3) == 0,
       "whatever bytes they are");
    ok(store_same(out[2].body, 3) && out[2].body.len == sizeof(large),
       "however many");
    is_int((intmax_t)at.seq, 3, "the cursor stands behind them");
    is_int(wsk_log_read(seg, site, WSK_LOG_TEXT, &at, buf, sizeof(buf), out, 4,
                        &n),
           WSK_OK, "then there is nothing");
    is_int((intmax_t)n, 0, "and that is no fault");
    store_end(seg);
}

static void bounded_reads(void)
{
    wsk_segment_t *seg = store_new(2, 4, 4, 40);
    const uint32_t site = store_site(seg, 1, 1 << 20, 1000);
    wsk_cursor_t start = store_head(seg, site, WSK_LOG_TEXT), at = start;
    wsk_record_t out[10];
    char buf[250];
    unsigned n;
    uint64_t i;

    for (i = 1; i <= 10; i++) {
        store_append(seg, site, WSK_LOG_TEXT, "abc", 97, i, NOON);
    }
    wsk_log_read(seg, site, WSK_LOG_TEXT, &at, buf, sizeof(buf), out, 10, &n);
    is_int((intmax_t)n, 2, "as many are read as the buffer holds whole");
    is_int((intmax_t)at.seq, 2, "and no more");
    wsk_log_read(seg, site, WSK_LOG_TEXT, &at, buf, sizeof(buf), out, 1, &n);
    is_int((intmax_t)n, 1, "or as many as were asked for");
    is_int(wsk_log_read(seg, site, WSK_LOG_TEXT, &at, buf, 99, out, 10, &n),
           WSK_EFULL, "a buffer too small for one is told");
    is_int((intmax_t)n, 100, "how many bytes it takes");
    is_int((intmax_t)at.seq, 3, "and nothing is skipped");
    is_int(wsk_log_read(seg, site, WSK_LOG_TEXT, &at, buf, 100, out, 10, &n),
           WSK_OK, "exactly so many are enough");
    is_int(wsk_log_read(seg, site, WSK_LOG_TEXT, &at, buf, 100, out, 0, &n),
           WSK_OK, "who wants none gets none");
    is_int((intmax_t)n, 0, "none");
    store_end(seg);
}

static void gaps(void)
{
    wsk_segment_t *seg = store_new(2, 4, 4, 40);
    const uint32_t site = store_site(seg, 1, 1 << 20, 5);
    wsk_cursor_t start = store_head(seg, site, WSK_LOG_TEXT), at = start;
    wsk_slice_t quiet = { "quiet", 5 }, busy = { "busy", 4 };
    wsk_cursor_t oldest;
    wsk_record_t record;
    unsigned n;
    uint64_t i;

    store_append(seg, site, WSK_LOG_TEXT, "quiet", 10, 1, NOON);
    for (i = 2; i <= 20; i++) {
        store_append(seg, site, WSK_LOG_TEXT, "busy", 10, i, NOON);
    }
    is_int(store_drain(seg, site, WSK_LOG_TEXT, &at), -1, "a reader is lapped");
    is_int((intmax_t)at.seq, 15, "and led to the oldest that is kept");
    is_int(store_drain(seg, site, WSK_LOG_TEXT, &at), 5, "from there it reads");
    at.seq = 21;
    is_int(
        wsk_log_read(seg, site, WSK_LOG_TEXT, &at, &record, 0, &record, 1, &n),
        WSK_EGAP, "a number of the future is a gap");
    is_int((intmax_t)at.seq, 15, "that leads back");
    at.seq = 20;
    at.epoch++;
    is_int(store_drain(seg, site, WSK_LOG_TEXT, &at), -1,
           "so is another epoch");
    ok(at.epoch == start.epoch && at.seq == 15, "and leads back too");
    is_int(wsk_log_since(seg, site, &start, &quiet, 1, NOON, &oldest), WSK_EGAP,
           "who missed something on a channel is told");
    is_int((intmax_t)oldest.seq, 15, "and where it goes on");
    start.seq = 1;
    is_int(wsk_log_since(seg, site, &start, &quiet, 1, NOON, &oldest), WSK_OK,
           "who missed nothing on its channels is not");
    is_int((intmax_t)oldest.seq, 20, "and is led past what is others'");
    is_int(wsk_log_since(seg, site, &start, &busy, 1, NOON, &oldest), WSK_EGAP,
           "on another channel it would be");
    start.seq = 17;
    is_int(wsk_log_since(seg, site, &start, &busy, 1, NOON, &oldest), WSK_OK,
           "all that is kept can be given");
    is_int((intmax_t)oldest.seq, 17, "from there on");
    is_int(wsk_log_since(seg, site, &start, &busy, 1, NOON + 600 * SECOND,
                         &oldest),
           WSK_EGAP, "until it is too old");
    start.seq = 21;
    is_int(wsk_log_since(seg, site, &start, NULL, 0, NOON, &oldest), WSK_EGAP,
           "the future is a gap");
    start.seq = 20;
    is_int(wsk_log_since(seg, site, &start, NULL, 0, NOON, &oldest), WSK_OK,
           "the present is not");
    store_end(seg);
}

static void refusals(void)
{
    static char body[(16 << 20) + 8];
    wsk_segment_t *seg = store_new(2, 4, 4, 40);
    const uint32_t site = store_site(seg, 1, 1 << 20, 1000);
    wsk_record_t in[101];
    wsk_cursor_t first, head;
    unsigned i;

    memset(in, 0, sizeof(in));
    for (i = 0; i < 101; i++) {
        in[i].channel = store_slice("a");
        in[i].body = store_slice("b");
    }
#define APPEND(n) \
    wsk_log_append(seg, site, WSK_LOG_TEXT, in, n, NULL, NOON, &first)
    is_int(APPEND(0), WSK_EINVAL, "nothing cannot be appended");
    is_int(APPEND(101), WSK_EINVAL, "nor more than a hundred at once");
    is_int(APPEND(100), WSK_OK, "a hundred can");
    in[3].channel.at = body;
    in[3].channel.len = WSK_CHANNEL_MAX + 1;
    is_int(APPEND(5), WSK_EINVAL, "nor a channel name too long");
    in[3].channel.len = WSK_CHANNEL_MAX;
    is_int(APPEND(5), WSK_OK, "a longest one can");
    in[4].body.at = body;
    in[4].body.len = WSK_LOG_BODY_MAX + 1;
    is_int(APPEND(5), WSK_EINVAL, "nor a body too long");
    head = store_head(seg, site, WSK_LOG_TEXT);
    in[4].body.len = WSK_LOG_BODY_MAX;
    is_int(APPEND(5), WSK_EFULL, "what no page is there for is refused");
    is_int((intmax_t)store_head(seg, site, WSK_LOG_TEXT).seq,
           (intmax_t)head.seq, "all or none");
    ok(wsk_segment_check(seg, NULL) == WSK_OK
           && wsk_state_of(&seg->sites[site])->log[0].oldest == 1,
       "and nothing had to go for what could never fit");
    is_int(wsk_log_append(seg, 3, WSK_LOG_TEXT, in, 1, NULL, NOON, &first),
           WSK_ENOTFOUND, "no site takes nothing");
    is_int(wsk_log_head(seg, 3, WSK_LOG_TEXT, &first), WSK_ENOTFOUND,
           "and has no head");
#undef APPEND
    store_end(seg);
}

/* A flood at one site, and what the other keeps. */
static void isolation(void)
{
    wsk_segment_t *seg = store_new(2, 4, 5, 60);
    const uint32_t a = store_site(seg, 1, 64 << 20, 1000000);
    const uint32_t b = store_site(seg, 2, 64 << 20, 1000000);
    wsk_cursor_t at = store_head(seg, b, WSK_LOG_TEXT);
    wsk_pages_t pages;
    uint64_t i;
    unsigned wrong = 0;

    for (i = 1; i <= 20; i++) {
        store_append(seg, b, WSK_LOG_TEXT, "a", 3000, i, NOON);
    }
    for (i = 1; i <= 2000; i++) {
        wrong += store_append(seg, a, WSK_LOG_TEXT, "a", 3000, i, NOON)
                 != WSK_OK;
        wrong += store_append(seg, a, WSK_LOG_BINARY, "a", 9000, i, NOON)
                 != WSK_OK;
    }
    is_int((intmax_t)wrong, 0, "a flood has room: its own oldest go");
    is_int(store_drain(seg, b, WSK_LOG_TEXT, &at), 20,
           "nothing of another site went");
    wsk_segment_pages(seg, &pages);
    ok(pages.free >= 1 && pages.free == pages.reserved,
       "what is left free is promised to it");
    is_int(store_append(seg, b, WSK_LOG_TEXT, "a", 16000, 21, NOON), WSK_OK,
           "and there when it comes");
    store_whole(seg, "a flood leaves all whole");
    store_end(seg);
}

static void random_programs(void)
{
    static uint8_t program[4000];
    const char *wrong = NULL;
    unsigned seed, state;
    size_t i;

    for (seed = 1; seed <= 40 && wrong == NULL; seed++) {
        state = seed;
        for (i = 0; i < sizeof(program); i++) {
            program[i] = (uint8_t)(rand_r(&state) >> 7);
        }
        program[0] = (uint8_t)seed;
        wrong = ops_run(program, sizeof(program));
    }
    ok(wrong == NULL, "40 random programs do what the model does%s%s",
       wrong != NULL ? ": " : "", wrong != NULL ? wrong : "");
    if (wrong != NULL) {
        note("seed %u", seed - 1);
    }
}

/* Writers that are killed all the time, and one that is not. Each record says
 * whose it is, and its count there. They wait where the reader would be lapped:
 * that is tested above. */
#define WRITERS 3
#define STEADY 4000

static bool far_ahead(wsk_segment_t *seg)
{
    return store_head(seg, 0, WSK_LOG_TEXT).seq
           > atomic_load(&wsk_cell_of(seg, 0, 0)->read[WSK_LOG_TEXT]) + 10000;
}

static void write_on(wsk_segment_t *seg, uint64_t writer, uint64_t count)
{
    uint64_t body[8] = { writer, count, 0, 0, 0, 0, 0, 0 };
    const wsk_record_t record = {
        { "abc", 3 }, { (char *)body, 16 + (writer + count) % 7 * 8 }, 0, 0, 0
    };
    wsk_cursor_t first;

    wsk_log_append(seg, 0, WSK_LOG_TEXT, &record, 1, NULL, NOON, &first);
}

static pid_t start_writer(wsk_segment_t *seg, uint64_t writer, uint64_t n)
{
    const pid_t pid = fork();
    uint64_t i;

    if (pid == 0) {
        for (i = 1; i <= n; i++) {
            write_on(seg, writer, i);
            while (i % 8 == 0 && far_ahead(seg)) {
                usleep(200);
            }
        }
        _exit(0);
    }
    return pid;
}

/* Every writer's counts follow each other; @return false if not */
static bool in_order(const wsk_record_t *record, uint64_t *last)
{
    uint64_t body[2];

    memcpy(body, record->body.at, sizeof(body));
    if (body[0] > 5000 || (body[1] != last[body[0]] + 1)
        || record->body.len != 16 + (body[0] + body[1]) % 7 * 8) {
        return false;
    }
    last[body[0]] = body[1];
    return true;
}

static unsigned read_all(wsk_segment_t *seg, wsk_cursor_t *at, uint64_t *last,
                         bool *fine)
{
    static char buf[65536];
    wsk_record_t out[64];
    unsigned n = 0, i, total = 0;

    do {
        const uint64_t from = at->seq;

        *fine = *fine
                && wsk_log_read(seg, 0, WSK_LOG_TEXT, at, buf, sizeof(buf), out,
                                64, &n)
                       == WSK_OK;
        for (i = 0; *fine && i < n; i++) {
            *fine = out[i].seq == from + 1 + i && in_order(&out[i], last);
        }
        total += n;
    } while (*fine && n > 0);
    wsk_log_at(seg, 0, 0, WSK_LOG_TEXT, at->seq);
    return total;
}

/* Kill one of the writers, start another in its place. */
static void replace(wsk_segment_t *seg, pid_t *pid, uint64_t writer)
{
    kill(*pid, SIGKILL);
    waitpid(*pid, NULL, 0);
    *pid = start_writer(seg, writer, UINT64_MAX);
}

static void killed_writers(void)
{
    static uint64_t last[5001];
    wsk_segment_t *seg = store_new(2, 2, 4, 400);
    wsk_cursor_t heads[WSK_LOG_COUNT];
    pid_t pids[WRITERS], steady;
    uint64_t writer = 1, total = 0;
    unsigned i, seed = 99;
    bool fine = true;

    store_site(seg, 1, 4 << 20, 100000);
    wsk_log_listen(seg, 0, 0, heads);
    steady = start_writer(seg, 0, STEADY);
    for (i = 0; i < WRITERS; i++) {
        pids[i] = start_writer(seg, writer++, UINT64_MAX);
    }
    for (i = 0; i < 400 && fine; i++) {
        usleep((unsigned)rand_r(&seed) % 500);
        replace(seg, &pids[i % WRITERS], writer++);
        total += read_all(seg, &heads[WSK_LOG_TEXT], last, &fine);
    }
    for (i = 0; i < WRITERS; i++) {
        kill(pids[i], SIGKILL);
        waitpid(pids[i], NULL, 0);
    }
    while (waitpid(steady, NULL, WNOHANG) == 0) {
        total += read_all(seg, &heads[WSK_LOG_TEXT], last, &fine);
    }
    total += read_all(seg, &heads[WSK_LOG_TEXT], last, &fine);
    ok(fine, "400 writers killed: what is read is in order, whole, and once");
    is_int((intmax_t)last[0], STEADY, "nothing of who was not killed is lost");
    ok(total > STEADY, "%u records in all, %u repairs", (unsigned)total,
       (unsigned)wsk_segment_counter(seg, WSK_C_repairs));
    is_int((intmax_t)wsk_segment_counter(seg, WSK_C_logs_reset), 0,
           "no log had to start anew");
    store_whole(seg, "and all is whole");
    store_end(seg);
}

int main(void)
{
    alarm(240);
    what_is_read();
    bounded_reads();
    gaps();
    refusals();
    isolation();
    random_programs();
    killed_writers();
    return done_testing();
}
