/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_registry_int -- what the files of the registry share: sites, accounts and
 * codes have one each. All in a transaction that the caller has begun.
 */
#ifndef WSK_REGISTRY_INT_H
#define WSK_REGISTRY_INT_H

#include <string.h>

#include "registry/wsk_database.h"
#include "registry/wsk_registry.h"

static inline wsk_database_t *wsk_database_of(wsk_registry_t *reg)
{
    return (wsk_database_t *)reg;
}

/* Give a statement that changes nothing its peace. */
static inline wsk_status_e wsk_any(wsk_status_e rv)
{
    return rv == WSK_ENOTFOUND ? WSK_OK : rv;
}

static inline bool wsk_fits(const char *text, size_t most)
{
    size_t len = strnlen(text, most + 1);

    return len >= 1 && len <= most;
}

/* Overwrite secrets; not optimised away. */
static inline void wsk_forget(void *bytes, size_t len)
{
    volatile unsigned char *at = bytes;

    while (len-- > 0) {
        *at++ = 0;
    }
}

/* Find an account. */
wsk_status_e wsk_account(wsk_database_t *db, const wsk_owner_t *owner,
                         int64_t *pid);
/* Find a user's, or make it. */
wsk_status_e wsk_account_make(wsk_database_t *db, const char *user,
                              int64_t now_s, int64_t *pid);
/* For one change. @return WSK_ERATE: it has had enough */
wsk_status_e wsk_account_spend(wsk_database_t *db, int64_t id, int64_t now_s);

/* Connect the account's site of this URL; see wsk_registry_connect. */
wsk_status_e wsk_site_put_row(wsk_database_t *db, int64_t id, const char *url,
                              const char *name, const wsk_fresh_t *fresh,
                              uint32_t most, int64_t now_s,
                              wsk_registered_t *out);

#endif
