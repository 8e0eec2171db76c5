/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_lock -- a mutex between processes that tells when its owner died.
 *
 * Promise   WSK_LOCK_DEAD until somebody who got it calls wsk_lock_mended: a
 *           repairer that dies leaves it to the next one.
 * Threads   Any. Order and meaning: docs/internals/segment.md.
 * Not here  What is repaired (wsk_repair, wsk_pages).
 */
#ifndef WSK_LOCK_H
#define WSK_LOCK_H

#include <pthread.h>

#include "core/wsk.h"

typedef enum wsk_lock_e {
    WSK_LOCK_HELD, /* ours now */
    WSK_LOCK_DEAD, /* ours now, and what it guards may be half written */
    WSK_LOCK_BUSY, /* somebody living has it */
    WSK_LOCK_LOST  /* not a lock */
} wsk_lock_e;

/** Once, in memory nobody else sees yet. @return false: the system has none */
bool wsk_lock_format(pthread_mutex_t *lock);

wsk_lock_e wsk_lock_take(pthread_mutex_t *lock);
wsk_lock_e wsk_lock_try(pthread_mutex_t *lock);
void wsk_lock_mended(pthread_mutex_t *lock);
void wsk_lock_give(pthread_mutex_t *lock);

#endif
