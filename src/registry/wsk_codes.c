/* SPDX-License-Identifier: Apache-2.0 */
/* The codes by which a site is connected with one click. */
#include "registry/wsk_registry_int.h"

/* Who comes too late is told so for this long; then the code is not known. */
#define CODE_KEPT_S 600

wsk_status_e wsk_registry_offer(wsk_registry_t *reg, const char *user,
                                const wsk_offer_t *offer, int64_t now_s)
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
        rv = wsk_any(wsk_database_run(db, "DELETE FROM code WHERE until <= ?1",
                                      "i", now_s - CODE_KEPT_S));
    }
    if (rv == WSK_OK) {
        rv = wsk_database_run(db,
                              "INSERT OR REPLACE INTO code"
                              " (hash, account, url, name, callback, until)"
                              " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                              "tittti", offer->hash, id, offer->url,
                              offer->name, offer->callback, offer->until_s);
    }
    return wsk_database_end(db, rv);
}

/* Whether it is worth while to write, which others wait for. */
static wsk_status_e known(wsk_database_t *db, const char *hash)
{
    sqlite3_stmt *row;
    wsk_status_e rv = wsk_database_look(db);

    if (rv != WSK_OK) {
        return rv;
    }
    rv = wsk_database_ask(db, &row, "SELECT 1 FROM code WHERE hash = ?1", "t",
                          hash);
    sqlite3_finalize(row);
    return wsk_database_seen(db, rv);
}

wsk_status_e wsk_registry_redeem(wsk_registry_t *reg, const char *hash,
                                 const char *url, const wsk_fresh_t *fresh,
                                 uint32_t most, int64_t now_s,
                                 wsk_registered_t *out)
{
    wsk_database_t *db = wsk_database_of(reg);
    char of_url[WSK_REGISTRY_URL + 1], name[WSK_REGISTRY_NAME + 1];
    wsk_status_e rv = known(db, hash);
    sqlite3_stmt *row;
    int64_t id = 0;

    rv = rv == WSK_OK ? wsk_database_begin(db) : rv;
    if (rv != WSK_OK) {
        return rv;
    }
    rv = wsk_database_ask(db, &row,
                          "SELECT account, url, name, until > ?2 FROM code"
                          " WHERE hash = ?1 AND url = coalesce(?3, url)"
                          " AND (claimed <= ?4 OR claimed > ?2)",
                          "titi", hash, now_s, url,
                          now_s - WSK_REGISTRY_CLAIM_S);
    if (rv == WSK_OK) {
        id = sqlite3_column_int64(row, 0);
        wsk_database_text(row, 1, of_url, sizeof(of_url));
        wsk_database_text(row, 2, name, sizeof(name));
        rv = sqlite3_column_int(row, 3) ? WSK_OK : WSK_EGAP;
        sqlite3_finalize(row);
    }
    if (rv == WSK_OK) {
        rv = wsk_database_run(db,
                              "UPDATE code SET claimed = ?2 WHERE hash = ?1",
                              "ti", hash, now_s);
    }
    if (rv == WSK_OK) {
        rv = wsk_site_put_row(db, id, of_url, name, fresh, most, now_s, out);
    }
    return wsk_database_end(db, rv);
}

static wsk_status_e change(wsk_registry_t *reg, const char *sql,
                           const char *hash)
{
    wsk_database_t *db = wsk_database_of(reg);
    wsk_status_e rv = wsk_database_begin(db);

    return rv == WSK_OK ? wsk_database_end(
               db, wsk_any(wsk_database_run(db, sql, "t", hash)))
                        : rv;
}

wsk_status_e wsk_registry_redeemed(wsk_registry_t *reg, const char *hash)
{
    return change(reg, "DELETE FROM code WHERE hash = ?1", hash);
}

wsk_status_e wsk_registry_unredeemed(wsk_registry_t *reg, const char *hash)
{
    return change(reg, "UPDATE code SET claimed = 0 WHERE hash = ?1", hash);
}
