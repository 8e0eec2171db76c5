/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_chain -- records in a chain of pages: written, found, walked.
 *
 * A record is its head, the channel, the body and zeros up to a multiple of
 * eight; it begins where the one before ends and runs over page ends.
 *
 * Promise   Nothing here changes what is in force: writing goes behind
 *           (last, last_at) of a state that is a copy.
 *           A chain that is damaged leads nowhere (page 0), never out of the
 *           site's own pages: reading there gives zeros, writing does nothing.
 * Threads   The caller holds the site's lock.
 * Not here  Which records go (wsk_evict), taking pages (wsk_pages).
 */
#ifndef WSK_CHAIN_H
#define WSK_CHAIN_H

#include "store/wsk_store_int.h"

#define WSK_RECORD_MARK 0x5a

/* In front of every record. */
typedef struct wsk_record_head_t {
    uint64_t seq;
    int64_t time_us;
    uint64_t sender;
    uint32_t body;    /* bytes */
    uint16_t channel; /* bytes */
    uint8_t trace;    /* which of the site's traces is the channel's */
    uint8_t mark;     /* WSK_RECORD_MARK */
} wsk_record_head_t;

_Static_assert(sizeof(wsk_record_head_t) == 32, "records are 8-aligned");

/* Where reading or writing goes on. */
typedef struct wsk_spot_t {
    uint32_t page; /* number + 1; 0: nowhere */
    uint32_t at;   /* up to WSK_PAGE_BYTES */
} wsk_spot_t;

/** Bytes a record takes in a chain. */
uint64_t wsk_record_bytes(uint64_t channel, uint64_t body);

/** The trace of a channel. */
uint8_t wsk_record_trace(const wsk_segment_t *seg, wsk_slice_t channel);

/** Write a record behind the last one; the chain has room. Its number is
 *  log->head + 1. */
void wsk_chain_write(wsk_segment_t *seg, wsk_site_t *site, wsk_log_e which,
                     wsk_log_state_t *log, const wsk_record_t *record,
                     uint8_t trace, int64_t now_us);

/** The record of this number, which is kept; page 0 if it is not found. */
wsk_spot_t wsk_chain_find(const wsk_segment_t *seg, const wsk_site_t *site,
                          wsk_log_e which, const wsk_log_state_t *log,
                          uint64_t seq);

/** Copy the next n bytes and move on; NULL: only move on. */
void wsk_chain_copy(const wsk_segment_t *seg, wsk_spot_t *spot, void *to,
                    uint64_t n);

/** The next page of the same owner, 0: none. */
uint32_t wsk_chain_next(const wsk_segment_t *seg, uint32_t page);

/** Copy the head of a record and move on behind it.
 *  @return false: it is not that of the record `seq` */
bool wsk_chain_head(const wsk_segment_t *seg, wsk_spot_t *spot, uint64_t seq,
                    wsk_record_head_t *head);

/** Move on behind the record whose head was just read. */
void wsk_chain_skip(const wsk_segment_t *seg, wsk_spot_t *spot,
                    const wsk_record_head_t *head);

/** Prove that the log is whole, and mark its pages, none of which may have a
 *  mark yet.
 *  @param mend  make first_* of the pages anew
 *  @return NULL or what is wrong */
const char *wsk_chain_check(wsk_segment_t *seg, uint32_t site, wsk_log_e which,
                            const wsk_log_state_t *log, bool mend);

#endif
