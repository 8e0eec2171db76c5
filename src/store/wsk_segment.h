/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_segment -- the mapping that all children share: header, slots, sites,
 * address table, pages.
 *
 * Layout, each part 64-aligned, offsets from the start, never pointers:
 *
 *   header   magic, layout version, total size, counts, offsets of the parts,
 *            boot secret, marks, host lock, free list, host counts, counters of
 *            slots that are gone
 *   slots    [nslots]  life lock, pid, generation, kind, state, dirty words,
 *            counters
 *   sites    [nsites]  lock, identity, secrets, limits, two logs, listener
 *            mask, rate buckets, counters
 *   matrix   [nslots][nsites]  connections of a slot at a site, and the
 *            position to which its hub has read each log
 *   addrs    [naddrs]  hash table: connections by site, address and slot
 *   users    [nsites]  accounts: name, connections and rates of all their sites
 *   pages    [npages]  16 KiB each, 16 KiB-aligned within the mapping
 *
 * Promise   Works wherever it is mapped. Any process may die at any
 *           instruction: the next to take the lock sees it (robust mutexes),
 *           repairs what the lock guards, and counts it. wsk_segment_check()
 *           proves the whole.
 * Locks     Order: a site's lock, then the host lock. The life lock of a slot
 *           is held by its loop thread for as long as it lives, and only ever
 *           tried by others. Nothing is called out to under a lock but the
 *           lending visitors that say so; nothing allocates under one.
 * Owner     The memory is the caller's (an anonymous shared mapping made before
 *           the first fork). A wsk_segment_t is a view of it, one per process,
 *           copied by fork.
 * Not here  The mapping itself, eventfds, pids' life beyond the locks (hooks).
 */
#ifndef WSK_SEGMENT_H
#define WSK_SEGMENT_H

#include "core/wsk.h"
#include "core/wsk_counters.h"

#define WSK_PAGE_BYTES 16384
#define WSK_SEGMENT_MAGIC UINT64_C(0x31306b6f736b6f77)
#define WSK_LAYOUT_VERSION 1
#define WSK_SLOTS_MAX 1024
#define WSK_SITES_MAX 16384
#define WSK_SERVICES_MAX 64 /* registries of a server */

typedef struct wsk_segment_t wsk_segment_t;

typedef struct wsk_segment_spec_t {
    uint64_t bytes;      /* of the whole mapping */
    uint32_t slots;      /* 1 to WSK_SLOTS_MAX */
    uint32_t sites;      /* 1 to WSK_SITES_MAX */
    uint32_t addresses;  /* entries of the address table, a power of two */
    uint32_t site_pages; /* reserved for every enabled site; at least 2 */
} wsk_segment_spec_t;

/** The least bytes that hold the spec's tables and `site_pages` for one site.
 */
uint64_t wsk_segment_least(const wsk_segment_spec_t *spec);

/**
 * Turn raw zeroed memory into an empty segment and open it.
 * @param mem     lent for the life of the view; 64-aligned
 * @param random  32 bytes of randomness for the boot secret
 * @return a view (malloc'ed), or NULL: no memory, or spec and bytes do not fit
 */
wsk_segment_t *wsk_segment_format(void *mem, const wsk_segment_spec_t *spec,
                                  const uint8_t random[32]);

/** What this build takes a segment to look like: another one with another number
 *  must not touch it. */
uint32_t wsk_segment_shapes(void);

/** Open a segment somebody formatted. NULL if magic, version, size or an offset
 *  is not what it must be; nothing is written. */
wsk_segment_t *wsk_segment_open(void *mem, uint64_t bytes);

/** Free the view, not the memory. */
void wsk_segment_close(wsk_segment_t *seg);

/** The spec it was formatted with. */
const wsk_segment_spec_t *wsk_segment_spec(const wsk_segment_t *seg);

/** 32 bytes, the same for everybody as long as the segment lives. */
const uint8_t *wsk_segment_secret(const wsk_segment_t *seg);

/** Host-wide words written by the parent, read by loops; any thread. */
typedef enum wsk_mark_e {
    WSK_MARK_RELOAD, /* newest generation that a graceful reload makes way for:
                      * children of one before it are being replaced */
    WSK_MARK_READ,   /* newest generation whose configuration is in force */
    WSK_MARK_LEAVE,  /* counted up on stop: who is here then goes at once */
    WSK_MARK_HOST_CONNECTIONS, /* the cap, WordSocketMaxConnections */
    WSK_MARK_KEEPERS,       /* so many at most keep TLS connections; 0: none */
    WSK_MARK_KEEPER_AGE_MS, /* and so long */
    WSK_MARK_REFUSED_FILES, /* site files that a reload found broken */
    WSK_MARK_SERVICES,      /* one of each registry: hooks/wsk_fill */
    WSK_MARK_SERVICES_OF = WSK_MARK_SERVICES + WSK_SERVICES_MAX, /* whose */
    WSK_MARK_COUNT = WSK_MARK_SERVICES_OF + WSK_SERVICES_MAX
} wsk_mark_e;
void wsk_segment_mark(wsk_segment_t *seg, wsk_mark_e mark, uint64_t value);
uint64_t wsk_segment_marked(const wsk_segment_t *seg, wsk_mark_e mark);

typedef struct wsk_pages_t {
    uint32_t total, free, reserved; /* reserved: promised, not yet taken */
} wsk_pages_t;
void wsk_segment_pages(wsk_segment_t *seg, wsk_pages_t *out);

/** Host connections now, over all slots. */
uint32_t wsk_segment_connections(const wsk_segment_t *seg);

/** A counter, summed over live slots and those that are gone. */
uint64_t wsk_segment_counter(const wsk_segment_t *seg, wsk_counter_e which);

/**
 * Prove that the whole hangs together: every page is free or in exactly one
 * chain, counts agree with chains and matrix, hash tables find everything, logs
 * parse and their sequence has no hole. Takes the locks, one after another, and
 * goes through all pages once for every site; for tests and `?check`.
 * @param pwhy  a static text when broken
 * @return WSK_OK or WSK_EBROKEN
 */
wsk_status_e wsk_segment_check(wsk_segment_t *seg, const char **pwhy);

#endif
