/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_store_int -- what lies in the segment, for the files of this room only.
 *
 * Two ways keep everything whole when a process dies at any instruction; the
 * picture is in docs/internals/segment.md:
 *
 *   flip   what a site says (wsk_said_t) and where its logs begin and end
 *          (wsk_state_t) are there twice. The copy not in force is written, and
 *          one store of its index puts it in force.
 *   truth  what the host lock guards has one place that counts: the owner of a
 *          page, the reservation of a site, a used entry of the address table,
 *          the number of sites. Everything else follows from it, and is made
 *          from it anew after a death.
 */
#ifndef WSK_STORE_INT_H
#define WSK_STORE_INT_H

#include <pthread.h>
#include <stdatomic.h>

#include "core/wsk_hash.h"
#include "store/wsk_ends.h"
#include "store/wsk_feed.h"
#include "store/wsk_lock.h"
#include "store/wsk_offer.h"
#include "store/wsk_presence.h"

_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2 && ATOMIC_INT_LOCK_FREE == 2,
               "atomics in the mapping must not hide a lock");

#define WSK_MASK_WORDS (WSK_SLOTS_MAX / 64)
#define WSK_EPOCH_MASK ((UINT64_C(1) << 48) - 1)
/* Newest records whose place is known without a walk. */
#define WSK_RECENT 16
#define WSK_PULSE_MARKS 61

typedef _Atomic uint64_t wsk_word_t;
typedef _Atomic uint32_t wsk_half_t;

typedef enum wsk_page_kind_e {
    WSK_PAGE_TEXT = WSK_LOG_TEXT,
    WSK_PAGE_BINARY = WSK_LOG_BINARY,
    WSK_PAGE_PRESENCE = WSK_LOG_PRESENCE,
    WSK_PAGE_ONCE,
    WSK_PAGE_MEMBERS
} wsk_page_kind_e;

/* What is known of a page; the page itself is payload only. Pages are named by
 * number + 1 wherever 0 means none. */
typedef struct wsk_page_t {
    uint32_t owner; /* site + 1, 0: free. Truth; host lock */
    uint32_t kind;
    uint32_t next;
    uint32_t first_at;  /* logs: offset of the first record beginning here */
    uint64_t first_seq; /* and its number, 0: none. Replay: the newest until */
    uint32_t mark;      /* scratch of whoever walks all of a site's pages */
    uint32_t unused;
} wsk_page_t;

/* A log of a site. Records lie from (first, first_at) to (last, last_at). */
typedef struct wsk_log_state_t {
    uint64_t epoch;
    uint64_t head;    /* number of the newest record ever */
    uint64_t oldest;  /* of the oldest kept; head + 1: none kept */
    uint64_t bytes;   /* of all kept, with their headers */
    uint64_t largest; /* bytes of the largest since the log was empty */
    uint32_t first, first_at;
    uint32_t last, last_at;
    uint32_t pages;
    uint32_t unused;
} wsk_log_state_t;

/* Remembered requests: full pages, but the last, which has `used` entries. */
typedef struct wsk_once_state_t {
    uint32_t first, last;
    uint32_t pages;
    uint32_t used;
} wsk_once_state_t;

/* Who is present: pages from the first on, and how far they are used. */
typedef struct wsk_members_state_t {
    uint32_t page[WSK_PRESENCE_PAGES];
    uint16_t used[WSK_PRESENCE_PAGES];
} wsk_members_state_t;

typedef struct wsk_state_t {
    wsk_log_state_t log[WSK_LOG_COUNT];
    wsk_once_state_t once;
    wsk_members_state_t members;
} wsk_state_t;

typedef struct wsk_said_t {
    wsk_site_spec_t spec;
    uint32_t state; /* wsk_site_state_e */
    uint32_t retired;
    uint64_t revoked; /* the newest generation that is not to come again */
} wsk_said_t;

/* A token bucket as the time at which it is full again. */
typedef struct wsk_bucket_t {
    int64_t full_ns;
    int64_t seen_ns;
    int64_t interval_ns; /* of a token, as counted in full_ns */
} wsk_bucket_t;

/* The same in one word that is taken without a lock: the nanosecond at which it is
 * full again. */
typedef wsk_word_t wsk_purse_at_t;

/* Who sends without a connection. */
typedef struct wsk_caller_purse_t {
    uint64_t who;
    wsk_purse_at_t full_at;
} wsk_caller_purse_t;

/* What a site allows its user; read without a lock. */
typedef struct wsk_shared_pace_t {
    wsk_half_t rate, burst;
} wsk_shared_pace_t;

/* An account whose sites share limits. Truth is which sites name it; the host
 * lock guards all but the purses. */
typedef struct wsk_user_t {
    char name[WSK_USER_NAME_MAX + 1]; /* a free one's is that of before */
    uint32_t sites;                   /* that name it; 0: free */
    wsk_half_t connections;
    wsk_shared_pace_t paces[2]; /* by wsk_rate_e: the largest of its sites' */
    wsk_purse_at_t purses[2];
} wsk_user_t;

/* A hint, right if seq is what is looked for and kept. */
typedef struct wsk_place_t {
    uint64_t seq;
    uint32_t page, at;
} wsk_place_t;

typedef struct wsk_site_t {
    /* Fixed before the site can be found. */
    char key[WSK_KEY_MAX + 1];
    char site_id[WSK_HEX256 + 1];

    /* Site lock. */
    _Alignas(64) pthread_mutex_t lock;
    wsk_half_t said_now; /* which of said[] is in force */
    wsk_half_t state_now;
    wsk_said_t said[2];
    wsk_state_t state[2];
    uint64_t trace[WSK_LOG_TRACES];  /* newest that was evicted */
    uint64_t newest[WSK_LOG_TRACES]; /* newest ever, or a later one */
    wsk_place_t recent[WSK_LOG_COUNT][WSK_RECENT];
    uint64_t resets;
    wsk_bucket_t buckets[2];
    wsk_caller_purse_t callers[WSK_CALLERS];

    /* No lock. */
    wsk_word_t version;
    wsk_word_t stamp;
    _Atomic int64_t polled_us; /* when binary frames were last polled for */
    wsk_word_t listeners[WSK_MASK_WORDS];
    wsk_word_t counters[WSK_C_COUNT];
    wsk_half_t present; /* members, or more; written under the lock */
    wsk_half_t leased;  /* of them, those by a lease */
    wsk_word_t fault;   /* what was refused last, and when: wsk_pulse */
    wsk_word_t pulse_at;
    wsk_half_t pulse[WSK_PULSE_MARKS];

#ifdef WSK_TEST_LAYOUT /* as another version may have it */
    uint64_t another;
#endif

    /* Host lock; pages and connections are read without. */
    uint32_t reserved; /* truth */
    wsk_half_t user;   /* number + 1, 0: none. Truth; read without */
    wsk_shared_pace_t user_paces[2];
    wsk_half_t pages;
    wsk_half_t connections;
} wsk_site_t;

typedef struct wsk_slot_t {
    pthread_mutex_t life;
    _Atomic int32_t pid;
    wsk_half_t generation;
    wsk_half_t kind;
    wsk_half_t state;
    wsk_half_t connections; /* host lock */
    wsk_half_t term;        /* changed under the host lock */
    _Atomic int64_t since_us;
    wsk_half_t offered;            /* offers ever made: their names */
    wsk_word_t offers[WSK_OFFERS]; /* wsk_offer */
    wsk_word_t counters[WSK_C_COUNT];
    _Alignas(64) wsk_half_t told;
    wsk_word_t dirty[]; /* a bit for every site */
} wsk_slot_t;

/* A slot at a site. */
typedef struct wsk_cell_t {
    wsk_half_t connections; /* host lock */
    uint32_t unused;
    wsk_word_t read[WSK_LOG_COUNT]; /* everything up to this was read */
} wsk_cell_t;

/* Connections of one address at a site through a slot; host lock. */
typedef struct wsk_addr_t {
    uint64_t address;
    uint32_t site;
    uint32_t slot;
    uint32_t count; /* 0: free. Truth */
    uint32_t next;  /* entry + 1, in its chain or the free list */
} wsk_addr_t;

/* A stream of the dashboard; host lock. */
typedef struct wsk_feed_t {
    uint64_t who;
    uint32_t slot; /* + 1; 0: free. Truth */
    uint32_t unused;
} wsk_feed_t;

typedef struct wsk_header_t {
    wsk_word_t magic; /* written last */
    uint32_t layout;
    uint32_t shapes; /* sizes of the structs, as this build has them */
    wsk_segment_spec_t spec;
    uint64_t slots_at, sites_at, matrix_at, index_at, addrs_at, chains_at;
    uint64_t users_at;
    uint64_t table_at, pages_at; /* what is known of the pages; the pages */
    uint32_t npages;
    uint32_t index_size; /* entries of each of the two indexes */
    uint8_t secret[32];
    wsk_word_t marks[WSK_MARK_COUNT];
    wsk_word_t gone[WSK_C_COUNT]; /* counters of slots that are gone */
    wsk_half_t tidy_next;
    wsk_half_t nsites; /* truth */

    _Alignas(64) pthread_mutex_t lock;
    uint32_t free_first, free_count;
    uint32_t promised; /* reserved by sites and not taken yet */
    uint32_t addr_free;
    wsk_half_t connections;
    wsk_half_t nfeeds;
    wsk_feed_t feeds[WSK_FEEDS_MAX];
    wsk_half_t ends_count;
    uint32_t ends_from;
    wsk_end_t ends[WSK_ENDS];
} wsk_header_t;

/* A view; pointers of this process. */
struct wsk_segment_t {
    uint8_t *base;
    wsk_header_t *header;
    wsk_segment_spec_t spec;
    uint8_t *slots;
    size_t slot_bytes;
    wsk_site_t *sites;
    wsk_cell_t *matrix;
    wsk_half_t *index[2]; /* by key, by site_id: site + 1 */
    uint32_t index_size;
    wsk_addr_t *addrs;
    uint32_t *chains;
    wsk_user_t *users; /* as many as sites */
    wsk_page_t *table;
    uint8_t *pages;
    uint32_t npages;
};

static inline wsk_slot_t *wsk_slot_of(const wsk_segment_t *seg, unsigned slot)
{
    return (wsk_slot_t *)(void *)(seg->slots + slot * seg->slot_bytes);
}

static inline wsk_cell_t *wsk_cell_of(const wsk_segment_t *seg, unsigned slot,
                                      uint32_t site)
{
    return &seg->matrix[(size_t)slot * seg->spec.sites + site];
}

/* Whether a number read from the segment is that of a page. */
static inline bool wsk_page_known(const wsk_segment_t *seg, uint32_t page)
{
    return page - 1 < seg->npages;
}

/* Which of the slots word * 64 and up listen to the site. */
static inline uint64_t wsk_listeners_of(const wsk_segment_t *seg,
                                        const wsk_site_t *site, unsigned word)
{
    const unsigned slots = seg->spec.slots - word * 64;
    const uint64_t mask = atomic_load(&site->listeners[word]);

    return slots < 64 ? mask & ((UINT64_C(1) << slots) - 1) : mask;
}

/* A page that is known to be one: number + 1, as kept. */
static inline wsk_page_t *wsk_page_of(const wsk_segment_t *seg, uint32_t page)
{
    return &seg->table[page - 1];
}

static inline uint8_t *wsk_page_bytes(const wsk_segment_t *seg, uint32_t page)
{
    return seg->pages + (size_t)(page - 1) * WSK_PAGE_BYTES;
}

static inline const wsk_said_t *wsk_said_of(const wsk_site_t *site)
{
    return &site->said[atomic_load_explicit(&site->said_now,
                                            memory_order_relaxed)
                       & 1];
}

static inline wsk_state_t *wsk_state_of(wsk_site_t *site)
{
    return &site->state[atomic_load_explicit(&site->state_now,
                                             memory_order_relaxed)
                        & 1];
}

/* What was stored before is in memory before what is stored after: all that a
 * dying process can still upset is the compiler's order. */
static inline void wsk_settle(void)
{
    atomic_signal_fence(memory_order_seq_cst);
}

/* Put a state in force, all of it at once. Site lock. */
static inline void wsk_state_put(wsk_site_t *site, const wsk_state_t *state)
{
    const uint32_t other = !(
        atomic_load_explicit(&site->state_now, memory_order_relaxed) & 1);

    site->state[other] = *state;
    wsk_settle();
    atomic_store_explicit(&site->state_now, other, memory_order_release);
    wsk_settle();
}

/* Count for the host. */
static inline void wsk_host_count(wsk_segment_t *seg, wsk_counter_e which,
                                  uint64_t n)
{
    atomic_fetch_add_explicit(&seg->header->gone[which], n,
                              memory_order_relaxed);
}

/* Overwrite a secret; not optimised away. */
static inline void wsk_wipe(void *bytes, size_t len)
{
    volatile uint8_t *at = bytes;

    while (len > 0) {
        *at++ = 0;
        len--;
    }
}

static inline uint32_t wsk_sites_known(const wsk_segment_t *seg)
{
    const uint32_t n = atomic_load_explicit(&seg->header->nsites,
                                            memory_order_acquire);

    return n < seg->spec.sites ? n : seg->spec.sites;
}

static inline bool wsk_site_known(const wsk_segment_t *seg, uint32_t site)
{
    return site < wsk_sites_known(seg);
}

#endif
