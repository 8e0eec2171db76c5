/* SPDX-License-Identifier: Apache-2.0 */
#include "store/wsk_chain.h"

#include "store_fixture.h"

static const wsk_log_state_t *log_of(wsk_segment_t *seg, uint32_t site)
{
    return &wsk_state_of(&seg->sites[site])->log[WSK_LOG_TEXT];
}

static const char *check(wsk_segment_t *seg, uint32_t site)
{
    const wsk_log_state_t *log = log_of(seg, site);
    uint32_t page;

    for (page = 1; page <= seg->npages; page++) {
        wsk_page_of(seg, page)->mark = 0;
    }
    return wsk_chain_check(seg, site, WSK_LOG_TEXT, log, false);
}

static void sizes(void)
{
    is_int((intmax_t)wsk_record_bytes(0, 0), 32, "an empty record has a head");
    is_int((intmax_t)wsk_record_bytes(1, 0), 40, "records are padded");
    is_int((intmax_t)wsk_record_bytes(3, 5), 40, "to eight bytes");
    ok(wsk_record_bytes(200, WSK_LOG_BODY_MAX) > (uint64_t)WSK_LOG_BODY_MAX,
       "nothing overflows at the largest");
}

/* Records of every length around the end of a page. */
static void over_page_ends(void)
{
    static char buf[WSK_PAGE_BYTES * 2];
    wsk_record_t record;
    unsigned wrong = 0, n;
    size_t len;

    for (len = WSK_PAGE_BYTES - 160; len < WSK_PAGE_BYTES + 8; len++) {
        wsk_segment_t *seg = store_new(1, 1, 4, 6);
        const uint32_t site = store_site(seg, 1, 1 << 20, 100);
        wsk_cursor_t at = store_head(seg, site, WSK_LOG_TEXT);

        store_append(seg, site, WSK_LOG_TEXT, "abc", len, 1, NOON);
        store_append(seg, site, WSK_LOG_TEXT, "abc", 5, 2, NOON);
        store_append(seg, site, WSK_LOG_TEXT, "abc", 16384, 3, NOON);
        wrong += check(seg, site) != NULL;
        wrong += wsk_log_read(seg, site, WSK_LOG_TEXT, &at, buf, sizeof(buf),
                              &record, 1, &n)
                     != WSK_OK
                 || record.body.len != len;
        wrong += store_drain(seg, site, WSK_LOG_TEXT, &at) != 2;
        store_end(seg);
    }
    is_int((intmax_t)wrong, 0, "a page may end at any byte of a record");
}

/* The hint for the newest ones and the walk for the others find the same. */
static void finding(void)
{
    wsk_segment_t *seg = store_new(1, 1, 4, 40);
    const uint32_t site = store_site(seg, 1, 1 << 20, 1000);
    wsk_site_t *at = &seg->sites[site];
    wsk_record_head_t head;
    wsk_spot_t hinted, walked;
    uint64_t seq;
    unsigned wrong = 0, hints = 0;

    for (seq = 1; seq <= 300; seq++) {
        store_append(seg, site, WSK_LOG_TEXT, "abc", (seq * 997) % 4000, seq,
                     NOON);
    }
    for (seq = log_of(seg, site)->oldest; seq <= 300; seq++) {
        wsk_place_t *place = &at->recent[WSK_LOG_TEXT][seq % WSK_RECENT];

        hints += place->seq == seq;
        hinted = wsk_chain_find(seg, at, WSK_LOG_TEXT, log_of(seg, site), seq);
        if (place->seq == seq) {
            place->seq = 0;
        }
        walked = wsk_chain_find(seg, at, WSK_LOG_TEXT, log_of(seg, site), seq);
        wsk_chain_copy(seg, &walked, &head, sizeof(head));
        wrong += head.seq != seq;
        wsk_chain_copy(seg, &hinted, &head, sizeof(head));
        wrong += head.seq != seq;
    }
    is_int((intmax_t)wrong, 0, "every record kept is found by its number");
    is_int((intmax_t)hints, WSK_RECENT, "the newest without a walk");
    store_end(seg);
}

typedef void spoil_fn(wsk_segment_t *seg, wsk_log_state_t *log);

static void spoil_mark(wsk_segment_t *seg, wsk_log_state_t *log)
{
    wsk_page_bytes(seg, log->first)[log->first_at + 31] = 0;
}

static void spoil_seq(wsk_segment_t *seg, wsk_log_state_t *log)
{
    wsk_page_bytes(seg, log->first)[log->first_at]++;
}

static void spoil_length(wsk_segment_t *seg, wsk_log_state_t *log)
{
    wsk_page_bytes(seg, log->first)[log->first_at + 26] = 0x7f;
}

static void spoil_owner(wsk_segment_t *seg, wsk_log_state_t *log)
{
    wsk_page_of(seg, log->last)->owner = 0;
}

static void spoil_next(wsk_segment_t *seg, wsk_log_state_t *log)
{
    wsk_page_of(seg, log->first)->next = log->first;
}

static void spoil_far(wsk_segment_t *seg, wsk_log_state_t *log)
{
    wsk_page_of(seg, log->first)->next = UINT32_MAX;
}

static void spoil_bytes(wsk_segment_t *seg, wsk_log_state_t *log)
{
    (void)seg;
    log->bytes += 8;
}

static void spoil_oldest(wsk_segment_t *seg, wsk_log_state_t *log)
{
    (void)seg;
    log->oldest--;
}

static void spoil_head(wsk_segment_t *seg, wsk_log_state_t *log)
{
    (void)seg;
    log->head++;
}

static void spoil_first(wsk_segment_t *seg, wsk_log_state_t *log)
{
    wsk_page_of(seg, log->last)->first_at += 8;
}

static void spoil_end(wsk_segment_t *seg, wsk_log_state_t *log)
{
    (void)seg;
    log->last_at = WSK_PAGE_BYTES + 8;
}

static void spoil_pages(wsk_segment_t *seg, wsk_log_state_t *log)
{
    (void)seg;
    log->pages = 0;
}

/* Nothing the memory can hold makes a check believe it or lose its way. */
static void damage(void)
{
    static const struct {
        const char *what;
        spoil_fn *spoil;
    } each[] = {
        { "a record's mark", spoil_mark },
        { "a record's number", spoil_seq },
        { "a record's length", spoil_length },
        { "a page's owner", spoil_owner },
        { "a chain that bites itself", spoil_next },
        { "a chain that leads away", spoil_far },
        { "a sum of bytes", spoil_bytes },
        { "the oldest number", spoil_oldest },
        { "the newest number", spoil_head },
        { "where a page's first record is", spoil_first },
        { "the end of a log", spoil_end },
        { "the number of pages", spoil_pages },
    };
    wsk_segment_t *seg = store_new(1, 1, 8, 8);
    const uint32_t site = store_site(seg, 1, 1 << 20, 1000);
    uint8_t *image = malloc(seg->spec.bytes);
    uint64_t i;
    size_t at;

    for (i = 1; i <= 15; i++) {
        store_append(seg, site, WSK_LOG_TEXT, "abc", 5000, i, NOON);
    }
    is_str(check(seg, site), NULL, "a log is whole");
    memcpy(image, seg->base, seg->spec.bytes);
    for (at = 0; at < WSK_COUNT_OF(each); at++) {
        each[at].spoil(seg, &wsk_state_of(&seg->sites[site])->log[0]);
        ok(check(seg, site) != NULL, "%s that is wrong is seen", each[at].what);
        memcpy(seg->base, image, seg->spec.bytes);
    }
    free(image);
    store_end(seg);
}

int main(void)
{
    sizes();
    over_page_ends();
    finding();
    damage();
    return done_testing();
}
