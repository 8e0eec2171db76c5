/* SPDX-License-Identifier: Apache-2.0 */
#include "store/wsk_lock.h"

#include <errno.h>

bool wsk_lock_format(pthread_mutex_t *lock)
{
    pthread_mutexattr_t attr;
    bool formed;

    if (pthread_mutexattr_init(&attr) != 0) {
        return false;
    }
    formed = pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED) == 0
             && pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST) == 0
             && pthread_mutex_init(lock, &attr) == 0;
    pthread_mutexattr_destroy(&attr);
    return formed;
}

static wsk_lock_e said(int error)
{
    switch (error) {
    case 0:
        return WSK_LOCK_HELD;
    case EOWNERDEAD:
        return WSK_LOCK_DEAD;
    case EBUSY:
        return WSK_LOCK_BUSY;
    default:
        return WSK_LOCK_LOST;
    }
}

wsk_lock_e wsk_lock_take(pthread_mutex_t *lock)
{
    return said(pthread_mutex_lock(lock));
}

wsk_lock_e wsk_lock_try(pthread_mutex_t *lock)
{
    return said(pthread_mutex_trylock(lock));
}

void wsk_lock_mended(pthread_mutex_t *lock)
{
    pthread_mutex_consistent(lock);
}

void wsk_lock_give(pthread_mutex_t *lock)
{
    pthread_mutex_unlock(lock);
}
