/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A segment that somebody else's wild store has damaged: whoever works on the
 * site neither crashes nor hangs, the site comes back, and others are left alone.
 */
#include "store_fixture.h"

#include "store/wsk_work.h"

#define WILD UINT32_C(0x7ffffff0)
#define GOES 120

static uint32_t site, other;
static int slot;

static wsk_log_state_t *text(wsk_segment_t *seg)
{
    return &wsk_state_of(&seg->sites[site])->log[WSK_LOG_TEXT];
}

static wsk_once_state_t *once_state(wsk_segment_t *seg)
{
    return &wsk_state_of(&seg->sites[site])->once;
}

#define SPOIL(name, what) \
    static void name(wsk_segment_t *seg) \
    { \
        what; \
    }
/* clang-format off */
SPOIL(first_wild, text(seg)->first = WILD)
SPOIL(first_none, text(seg)->first = 0)
SPOIL(last_wild, text(seg)->last = WILD)
SPOIL(first_at, text(seg)->first_at = WILD)
SPOIL(last_at, text(seg)->last_at = WILD)
SPOIL(pages_many, text(seg)->pages = WILD)
SPOIL(pages_few, text(seg)->pages = 1)
SPOIL(oldest_zero, text(seg)->oldest = 0)
SPOIL(oldest_early, text(seg)->oldest -= 3)
SPOIL(head_wild, text(seg)->head = UINT64_MAX)
SPOIL(next_wild, wsk_page_of(seg, text(seg)->first)->next = WILD)
SPOIL(next_none, wsk_page_of(seg, text(seg)->first)->next = 0)
SPOIL(next_self, wsk_page_of(seg, text(seg)->first)->next = text(seg)->first)
SPOIL(next_other, wsk_page_of(seg, text(seg)->first)->next
          = wsk_state_of(&seg->sites[other])->log[WSK_LOG_TEXT].first)
SPOIL(begins_wild, wsk_page_of(seg, text(seg)->last)->first_at = WILD)
SPOIL(body_long, memset(wsk_page_bytes(seg, text(seg)->first)
          + text(seg)->first_at + 24, 0xff, 4))
SPOIL(all_ones, memset(wsk_page_bytes(seg, text(seg)->first), 0xff,
          WSK_PAGE_BYTES))
SPOIL(hint_wild, memset(seg->sites[site].recent, 0x7f,
          sizeof(seg->sites[site].recent)))
SPOIL(hint_page, for (unsigned i = 0; i < WSK_RECENT; i++)
          seg->sites[site].recent[0][i].page = WILD)
SPOIL(once_wild, once_state(seg)->first = WILD)
SPOIL(once_last, once_state(seg)->last = WILD)
SPOIL(once_used, once_state(seg)->used = WILD)
SPOIL(once_many, once_state(seg)->pages = 3)
SPOIL(free_wild, seg->header->free_first = WILD)
SPOIL(free_none, seg->header->free_first = 0)
SPOIL(free_owned, seg->header->free_first
          = wsk_state_of(&seg->sites[other])->log[WSK_LOG_TEXT].first)
SPOIL(free_many, seg->header->free_count = WILD)
SPOIL(listen_all, memset(seg->sites[site].listeners, 0xff,
          sizeof(seg->sites[site].listeners)))
SPOIL(dirty_all, atomic_store(&wsk_slot_of(seg, 0)->dirty[0], UINT64_MAX))
SPOIL(chains_wild, memset(seg->chains, 0x7f, seg->spec.addresses * 4))
SPOIL(chains_loop, for (unsigned i = 0; i < seg->spec.addresses; i++) {
          seg->chains[i] = 1;
          seg->addrs[i].next = i + 1;
      })
SPOIL(addr_free, seg->header->addr_free = WILD)
/* clang-format on */

static const struct {
    const char *what;
    void (*spoil)(wsk_segment_t *seg);
} each[] = {
#define ROW(name) \
    { \
#name, name \
    }
    ROW(first_wild),   ROW(first_none),  ROW(last_wild),   ROW(first_at),
    ROW(last_at),      ROW(pages_many),  ROW(pages_few),   ROW(oldest_zero),
    ROW(oldest_early), ROW(head_wild),   ROW(next_wild),   ROW(next_none),
    ROW(next_self),    ROW(next_other),  ROW(begins_wild), ROW(body_long),
    ROW(all_ones),     ROW(hint_wild),   ROW(hint_page),   ROW(once_wild),
    ROW(once_last),    ROW(once_used),   ROW(once_many),   ROW(free_wild),
    ROW(free_none),    ROW(free_owned),  ROW(free_many),   ROW(listen_all),
    ROW(dirty_all),    ROW(chains_wild), ROW(chains_loop), ROW(addr_free),
#undef ROW
};

static void wake(void *baton, unsigned which)
{
    *(unsigned *)baton |= which >= 2;
}

static unsigned ring_and_take(wsk_segment_t *seg)
{
    uint32_t sites[64];
    unsigned wrong = 0, n;

    wsk_slot_ring(seg, site, wake, &wrong);
    n = wsk_slot_take(seg, 0, sites, 64);
    while (n > 0) {
        wrong |= sites[--n] >= seg->spec.sites;
    }
    return wrong;
}

/* All that processes do. @return 0, or bits of what went wrong */
static int work(wsk_segment_t *seg)
{
    static char buf[1 << 20];
    static wsk_record_t records[64];
    const wsk_slice_t name = { "abc", 3 };
    wsk_cursor_t at = { 0xe001, 1 }, oldest, from;
    wsk_record_t record = { { "abc", 3 }, { buf, 3000 }, 0, 0, 0 };
    wsk_once_t once;
    unsigned n, i;
    uint32_t term = 0;
    int wrong = 0;

    for (from = at, i = 0; i < GOES; i++) {
        wsk_log_read(seg, site, WSK_LOG_TEXT, &from, buf, sizeof(buf), records,
                     3, &n);
    }
    wsk_log_since(seg, site, &at, &name, 1, NOON, &oldest);
    for (i = 0; i < GOES; i++) {
        store_once(&once, 1000 + i, NOON + SECOND);
        wrong |= wsk_log_append(seg, site, WSK_LOG_TEXT, &record, 1, &once,
                                NOON, &from)
                 != WSK_OK;
    }
    wrong |= 2 * (int)ring_and_take(seg);
    wrong |= 4 * (wsk_site_admit(seg, 0, site, 77, &term) != WSK_ADMIT_OK);
    wsk_site_leave(seg, 0, term, site, 77);
    for (i = 0; i < 8; i++) {
        wsk_log_tidy(seg, NOON + i * 1000 * SECOND);
    }
    return wrong;
}

/* Another process works, so that a crash or a hang is its own. */
static void ends_well(wsk_segment_t *seg, const char *what)
{
    int status = 0;
    pid_t pid;

    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        alarm(10);
        _exit(work(seg));
    }
    waitpid(pid, &status, 0);
    ok(WIFEXITED(status) && WEXITSTATUS(status) == 0,
       "%s: work goes on (status %d)", what, status);
}

static void fill(wsk_segment_t *seg)
{
    wsk_cursor_t heads[WSK_LOG_COUNT], first;
    const wsk_record_t rec = { { "abc", 3 }, { "body", 4 }, 0, 0, 0 };
    wsk_once_t once;
    uint64_t i;

    site = store_site(seg, 1, 1 << 20, 1000);
    other = store_site(seg, 2, 1 << 20, 1000);
    slot = wsk_slot_claim(seg, WSK_SLOT_CHILD, 1, 1, NOON);
    wsk_log_listen(seg, site, (unsigned)slot, heads);
    store_once(&once, 1, NOON + SECOND);
    wsk_log_append(seg, site, WSK_LOG_TEXT, &rec, 1, &once, NOON, &first);
    for (i = 1; i <= 40; i++) {
        store_append(seg, site, WSK_LOG_TEXT, "abc", 1500, i, NOON);
        store_append(seg, other, WSK_LOG_TEXT, "abc", 400, i,
                     NOON + 10000 * SECOND);
    }
    wsk_site_admit(seg, (unsigned)slot, other, 5, NULL);
}

int main(void)
{
    wsk_segment_t *seg = store_new(2, 4, 4, 40);
    uint8_t *image = malloc(seg->spec.bytes);
    size_t i;

    fill(seg);
    store_whole(seg, "a segment in use is whole");
    memcpy(image, seg->base, seg->spec.bytes);
    for (i = 0; i < WSK_COUNT_OF(each); i++) {
        wsk_cursor_t at = { 0xe002, 0 };

        each[i].spoil(seg);
        ends_well(seg, each[i].what);
        is_int(store_drain(seg, other, WSK_LOG_TEXT, &at), 40,
               "the other site has all of its own");
        memcpy(seg->base, image, seg->spec.bytes);
    }
    free(image);
    store_end(seg);
    return done_testing();
}
