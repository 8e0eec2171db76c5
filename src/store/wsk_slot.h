/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_slot -- a process's place in the segment: life, counters, wake-ups.
 *
 * Promise   Whoever dies, its slot comes back: the thread that claimed a slot
 *           holds its robust lock until it ends, so EOWNERDEAD tells anyone who
 *           tries it that the process is gone. Reaping takes back everything the
 *           slot stood for: listener bits, connections, addresses; its counters
 *           are added to those of the dead.
 * Threads   claim, release: the loop thread itself. take: the loop thread.
 *           Everything else: any thread.
 */
#ifndef WSK_SLOT_H
#define WSK_SLOT_H

#include "store/wsk_segment.h"

typedef enum wsk_slot_kind_e {
    WSK_SLOT_CHILD = 1,
    WSK_SLOT_KEEPER
} wsk_slot_kind_e;
typedef enum wsk_slot_state_e {
    WSK_SLOT_FREE = 0,
    WSK_SLOT_LIVE,
    WSK_SLOT_STOPPING
} wsk_slot_state_e;

/** What is known of a slot; a snapshot. */
typedef struct wsk_slot_info_t {
    int32_t pid;
    uint32_t generation;
    wsk_slot_kind_e kind;
    wsk_slot_state_e state;
    uint32_t connections;
    int64_t since_us; /* Unix time of the claim */
    uint64_t counters[WSK_C_COUNT];
} wsk_slot_info_t;

/** Claim a free slot, reaping a dead one if need be.
 *  @return its number, or -1 if all are taken by the living */
int wsk_slot_claim(wsk_segment_t *seg, wsk_slot_kind_e kind, int32_t pid,
                   uint32_t generation, int64_t now_us);

/** Give a slot back; everything it stood for is taken back first. */
void wsk_slot_release(wsk_segment_t *seg, unsigned slot);

/** A number that is another one each time a slot was given back or reaped. */
uint32_t wsk_slot_term(const wsk_segment_t *seg, unsigned slot);

void wsk_slot_stopping(wsk_segment_t *seg, unsigned slot);

/** @return false for a free slot */
bool wsk_slot_info(const wsk_segment_t *seg, unsigned slot,
                   wsk_slot_info_t *out);

/** Reap the slots of the dead. Cheap; a loop calls it twice a second.
 *  @return how many */
unsigned wsk_slot_sweep(wsk_segment_t *seg);

/** Whether a live, not stopping child of generation >= the given one is there,
 *  other than `but`. */
bool wsk_slot_successor(const wsk_segment_t *seg, unsigned but,
                        uint32_t generation);

/** Count for a slot and, unless site is WSK_NO_SITE, for a site. Any thread. */
#define WSK_NO_SITE UINT32_MAX
void wsk_count(wsk_segment_t *seg, unsigned slot, uint32_t site,
               wsk_counter_e which, uint64_t n);

/**
 * Wake-ups. Whoever appended calls ring: `wake` is called for each slot that
 * listens to the site and had not been told anything since it last took. It is
 * called without a lock.
 */
typedef void wsk_wake_fn(void *baton, unsigned slot);
void wsk_slot_ring(wsk_segment_t *seg, uint32_t site, wsk_wake_fn *wake,
                   void *baton);

/** Whether somebody has rung since the last wsk_slot_take. One load, no lock. */
bool wsk_slot_rung(const wsk_segment_t *seg, unsigned slot);

/** The sites that were rung for this slot since the last call, each once.
 *  @return how many were written to `sites`; if it equals cap, call again */
unsigned wsk_slot_take(wsk_segment_t *seg, unsigned slot, uint32_t *sites,
                       unsigned cap);

#endif
