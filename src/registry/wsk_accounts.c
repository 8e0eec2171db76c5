/* SPDX-License-Identifier: Apache-2.0 */
/* Accounts, their API keys, and how often they change things. */
#include "registry/wsk_registry_int.h"

wsk_status_e wsk_account(wsk_database_t *db, const wsk_owner_t *owner,
                         int64_t *pid)
{
    sqlite3_stmt *row;
    wsk_status_e rv = wsk_database_ask(
        db, &row, "SELECT id FROM account WHERE user = ?1 OR key_hash = ?2",
        "tt", owner->user, owner->key_hash);

    if (rv == WSK_OK) {
        *pid = sqlite3_column_int64(row, 0);
        sqlite3_finalize(row);
    }
    return rv;
}

wsk_status_e wsk_account_make(wsk_database_t *db, const char *user,
                              int64_t now_s, int64_t *pid)
{
    const wsk_owner_t owner = { user, NULL };
    wsk_status_e rv = WSK_EINVAL;

    if (wsk_fits(user, WSK_REGISTRY_USER)) {
        rv = wsk_any(wsk_database_run(
            db, "INSERT OR IGNORE INTO account (user, made) VALUES (?1, ?2)",
            "ti", user, now_s));
    }
    return rv == WSK_OK ? wsk_account(db, &owner, pid) : rv;
}

/* What an account has spent is paid by time; a debt that is larger than can be
 * is of a clock that was set back. */
#define US INT64_C(1000000)
#define DEBT_MAX_US (US * WSK_REGISTRY_BURST / WSK_REGISTRY_RATE)
#define SITES_USUAL 100

wsk_status_e wsk_account_spend(wsk_database_t *db, int64_t id, int64_t now_s)
{
    const int64_t now_us = US * now_s;
    sqlite3_stmt *row;
    int64_t paid_us = 0, price_us = 0;
    wsk_status_e rv = wsk_database_ask(
        db, &row, "SELECT due, coalesce(most, ?2) FROM account WHERE id = ?1",
        "ii", id, (int64_t)SITES_USUAL);

    if (rv != WSK_OK) {
        return rv;
    }
    paid_us = sqlite3_column_int64(row, 0);
    price_us = US * SITES_USUAL / WSK_REGISTRY_RATE
               / WSK_MAX(sqlite3_column_int64(row, 1), SITES_USUAL);
    sqlite3_finalize(row);
    if (paid_us < now_us || paid_us > now_us + DEBT_MAX_US) {
        paid_us = now_us;
    }
    if (paid_us + price_us > now_us + DEBT_MAX_US) {
        return WSK_ERATE;
    }
    return wsk_database_run(db, "UPDATE account SET due = ?2 WHERE id = ?1",
                            "ii", id, paid_us + price_us);
}

wsk_status_e wsk_registry_set_key(wsk_registry_t *reg, const char *user,
                                  const char *hash, int64_t now_s)
{
    wsk_database_t *db = wsk_database_of(reg);
    wsk_status_e rv = wsk_database_begin(db);
    int64_t id = 0;

    if (rv != WSK_OK) {
        return rv;
    }
    rv = wsk_account_make(db, user, now_s, &id);
    rv = rv == WSK_OK ? wsk_account_spend(db, id, now_s) : rv;
    if (rv == WSK_OK) {
        rv = wsk_database_run(
            db, "UPDATE account SET key_hash = ?2, key_made = ?3 WHERE id = ?1",
            "iti", id, hash, now_s);
    }
    return wsk_database_end(db, rv);
}

wsk_status_e wsk_registry_key_made(wsk_registry_t *reg, const char *user,
                                   int64_t *pmade_s)
{
    wsk_database_t *db = wsk_database_of(reg);
    wsk_status_e rv = wsk_database_look(db);
    sqlite3_stmt *row;

    *pmade_s = 0;
    if (rv != WSK_OK) {
        return rv;
    }
    rv = wsk_database_ask(
        db, &row, "SELECT key_made FROM account WHERE user = ?1", "t", user);
    if (rv == WSK_OK) {
        *pmade_s = sqlite3_column_int64(row, 0);
        sqlite3_finalize(row);
    }
    return wsk_database_seen(db, wsk_any(rv));
}
