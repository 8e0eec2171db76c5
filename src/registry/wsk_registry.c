/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/wsk_registry.h"

#include <string.h>

#include "registry/wsk_registry_int.h"
#include "registry/wsk_tables.h"

_Static_assert(WSK_REGISTRY_WHY == WSK_DATABASE_WHY, "one buffer for both");
_Static_assert(sizeof WSK_TABLES_SPARE == 3 && WSK_REGISTRY_SPARE == 28,
               "one number for both");

#define SITES \
    "SELECT s.key, s.publish, s.publish_old, s.jwt, s.jwt_old, s.url, s.name," \
    " a.user, s.archived, s.made, s.signature, s.times" \
    " FROM site s JOIN account a ON a.id = s.account "

wsk_status_e wsk_registry_open(const char *file, int wait_ms,
                               wsk_registry_t **preg,
                               char why[WSK_REGISTRY_WHY])
{
    wsk_database_t *db;
    wsk_status_e rv = wsk_database_open(file, wait_ms, &wsk_tables, &db, why);

    *preg = (wsk_registry_t *)db;
    return rv;
}

void wsk_registry_close(wsk_registry_t *reg)
{
    wsk_database_close(wsk_database_of(reg));
}

static void read_site(sqlite3_stmt *row, wsk_registered_t *out)
{
    int i;

    memset(out, 0, sizeof(*out));
    wsk_database_text(row, 0, out->key, sizeof(out->key));
    for (i = 0; i < 2; i++) {
        wsk_database_text(row, 1 + i, out->publish[i], sizeof(out->publish[i]));
        wsk_database_text(row, 3 + i, out->jwt[i], sizeof(out->jwt[i]));
    }
    wsk_database_text(row, 5, out->url, sizeof(out->url));
    wsk_database_text(row, 6, out->name, sizeof(out->name));
    wsk_database_text(row, 7, out->owner, sizeof(out->owner));
    out->archived = sqlite3_column_int64(row, 8) != 0;
    out->made_s = sqlite3_column_int64(row, 9);
    out->signature = sqlite3_column_int(row, 10) == 2 ? 2 : 1;
    out->times = (uint64_t)sqlite3_column_int64(row, 11);
}

static wsk_status_e one(wsk_database_t *db, const char *key,
                        wsk_registered_t *out)
{
    sqlite3_stmt *row;
    wsk_status_e rv = wsk_database_ask(db, &row, SITES "WHERE s.key = ?1", "t",
                                       key);

    if (rv == WSK_OK) {
        read_site(row, out);
        sqlite3_finalize(row);
    }
    return rv;
}

static wsk_status_e key_at(wsk_database_t *db, int64_t id, const char *url,
                           char key[WSK_REGISTRY_KEY + 1], bool *pconnected)
{
    sqlite3_stmt *row;
    wsk_status_e rv = wsk_database_ask(
        db, &row,
        "SELECT key, archived = 0 FROM site WHERE account = ?1 AND url = ?2",
        "it", id, url);

    if (rv == WSK_OK) {
        wsk_database_text(row, 0, key, WSK_REGISTRY_KEY + 1);
        *pconnected = sqlite3_column_int(row, 1) != 0;
        sqlite3_finalize(row);
    }
    return rv;
}

static wsk_status_e room(wsk_database_t *db, int64_t id, uint32_t most)
{
    sqlite3_stmt *row;
    wsk_status_e rv = wsk_database_ask(
        db, &row,
        "SELECT (SELECT count(*) FROM site WHERE account = ?1 AND archived = 0)"
        " < coalesce(most, ?2) FROM account WHERE id = ?1",
        "ii", id, (int64_t)most);

    if (rv == WSK_OK) {
        rv = sqlite3_column_int(row, 0) ? WSK_OK : WSK_EFULL;
        sqlite3_finalize(row);
    }
    return rv;
}

/* The key for another URL of an account that has as many as it may: that of the
 * site that was archived first. @return WSK_ENOTFOUND: it may have a new one */
static wsk_status_e old_key(wsk_database_t *db, int64_t id, uint32_t most,
                            char key[WSK_REGISTRY_KEY + 1])
{
    sqlite3_stmt *row;
    wsk_status_e rv = wsk_database_ask(
        db, &row,
        "SELECT key FROM site WHERE account = ?1 AND archived > 0"
        " AND (SELECT count(*) FROM site WHERE account = ?1) >="
        " (SELECT coalesce(most, ?2) + ?3 FROM account WHERE id = ?1)"
        " ORDER BY archived, serial LIMIT 1",
        "iii", id, (int64_t)most, (int64_t)WSK_REGISTRY_SPARE);

    if (rv == WSK_OK) {
        wsk_database_text(row, 0, key, WSK_REGISTRY_KEY + 1);
        sqlite3_finalize(row);
        rv = wsk_database_run(db, "UPDATE site SET made = 0 WHERE key = ?1",
                              "t", key);
    }
    return rv;
}

static wsk_status_e renew(wsk_database_t *db, const char *key, const char *url,
                          const char *name, const wsk_fresh_t *fresh,
                          int64_t now_s)
{
    return wsk_database_run(
        db,
        "UPDATE site SET url = ?7, name = ?2, publish = ?3, publish_old = NULL,"
        " jwt = ?4, jwt_old = NULL, archived = 0, changed = ?5,"
        " made = CASE made WHEN 0 THEN ?5 ELSE made END,"
        " signature = ?6 WHERE key = ?1",
        "ttttiit", key, name, fresh->publish, fresh->jwt, now_s,
        (int64_t)fresh->signature, url);
}

wsk_status_e wsk_site_put_row(wsk_database_t *db, int64_t id, const char *url,
                              const char *name, const wsk_fresh_t *fresh,
                              uint32_t most, int64_t now_s,
                              wsk_registered_t *out)
{
    char key[WSK_REGISTRY_KEY + 1];
    bool connected = false;
    wsk_status_e rv = WSK_EINVAL, known;

    if (!wsk_fits(url, WSK_REGISTRY_URL)
        || strnlen(name, WSK_REGISTRY_NAME + 1) > WSK_REGISTRY_NAME) {
        return rv;
    }
    known = key_at(db, id, url, key, &connected);
    rv = wsk_any(known);
    rv = rv == WSK_OK && !connected ? room(db, id, most) : rv;
    rv = rv == WSK_OK ? wsk_account_spend(db, id, now_s) : rv;
    if (rv == WSK_OK && known != WSK_OK) {
        known = old_key(db, id, most, key);
        rv = wsk_any(known);
    }
    if (rv == WSK_OK && known == WSK_OK) {
        rv = renew(db, key, url, name, fresh, now_s);
    }
    else if (rv == WSK_OK) {
        rv = wsk_database_run(
            db,
            "INSERT INTO site (key, account, url, name, publish, jwt, made,"
            " changed, signature) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7, ?8)",
            "tittttii", fresh->key, id, url, name, fresh->publish, fresh->jwt,
            now_s, (int64_t)fresh->signature);
    }
    return rv == WSK_OK ? one(db, known == WSK_OK ? key : fresh->key, out) : rv;
}

wsk_status_e wsk_registry_connect(wsk_registry_t *reg, const wsk_owner_t *owner,
                                  const char *url, const char *name,
                                  const wsk_fresh_t *fresh, uint32_t most,
                                  int64_t now_s, wsk_registered_t *out)
{
    wsk_database_t *db = wsk_database_of(reg);
    wsk_status_e rv = wsk_database_begin(db);
    int64_t id = 0;

    if (rv != WSK_OK) {
        return rv;
    }
    rv = owner->user ? wsk_account_make(db, owner->user, now_s, &id)
                     : wsk_account(db, owner, &id);
    if (rv == WSK_OK) {
        rv = wsk_site_put_row(db, id, url, name, fresh, most, now_s, out);
    }
    return wsk_database_end(db, rv);
}

wsk_status_e wsk_registry_room(wsk_registry_t *reg, const wsk_owner_t *owner,
                               const char *url, uint32_t most,
                               wsk_registered_t *out)
{
    wsk_database_t *db = wsk_database_of(reg);
    char key[WSK_REGISTRY_KEY + 1];
    bool connected = false;
    sqlite3_stmt *row = NULL;
    int64_t id = 0;
    wsk_status_e rv = wsk_database_look(db);

    memset(out, 0, sizeof(*out));
    if (rv != WSK_OK) {
        return rv;
    }
    rv = wsk_account(db, owner, &id);
    if (rv == WSK_OK) {
        rv = wsk_any(key_at(db, id, url, key, &connected));
        rv = rv == WSK_OK && !connected ? room(db, id, most) : rv;
    }
    if (rv == WSK_EFULL
        && wsk_database_ask(db, &row,
                            SITES "WHERE s.account = ?1 AND s.archived = 0"
                                  " ORDER BY s.changed LIMIT 1",
                            "i", id)
               == WSK_OK) {
        read_site(row, out);
        wsk_forget(out->publish, sizeof(out->publish));
        wsk_forget(out->jwt, sizeof(out->jwt));
        sqlite3_finalize(row);
    }
    return wsk_database_seen(db, wsk_any(rv));
}

/* Of this account, 0: of any. */
static wsk_status_e archive(wsk_database_t *db, const char *key, int64_t id,
                            int64_t now_s)
{
    return wsk_database_run(
        db,
        "UPDATE site SET archived = ?3, changed = ?3, times = times + 1,"
        " publish = NULL, publish_old = NULL, jwt = NULL, jwt_old = NULL"
        " WHERE key = ?1 AND archived = 0 AND ?2 IN (0, account)",
        "tii", key, id, now_s);
}

wsk_status_e wsk_registry_disconnect(wsk_registry_t *reg, const char *key,
                                     const wsk_owner_t *owner, int64_t now_s)
{
    wsk_database_t *db = wsk_database_of(reg);
    wsk_status_e rv = wsk_database_begin(db);
    int64_t id = 0;

    if (rv != WSK_OK) {
        return rv;
    }
    if (owner) {
        rv = wsk_account(db, owner, &id);
    }
    return wsk_database_end(db,
                            rv == WSK_OK ? archive(db, key, id, now_s) : rv);
}

static wsk_status_e leave(wsk_database_t *db, const char *key,
                          const wsk_leaver_t *who, int64_t now_s)
{
    const wsk_owner_t owner = { NULL, who->key_hash };
    wsk_registered_t site;
    int64_t id = 0;
    wsk_status_e rv = one(db, key, &site);
    bool proved = rv == WSK_OK && !site.archived
                  && who->knows(who->baton, &site);

    if (rv == WSK_OK && site.archived) {
        rv = WSK_ENOTFOUND;
    }
    else if (rv == WSK_OK && !proved) {
        rv = WSK_EINVAL;
        if (who->key_hash) {
            rv = wsk_account(db, &owner, &id);
            rv = rv == WSK_ENOTFOUND ? WSK_ECLASH : rv;
        }
    }
    wsk_forget(&site, sizeof(site));
    if (rv == WSK_OK) {
        rv = archive(db, key, id, now_s);
        rv = rv == WSK_ENOTFOUND ? WSK_EINVAL : rv; /* another account's */
    }
    return rv;
}

wsk_status_e wsk_registry_leave(wsk_registry_t *reg, const char *key,
                                const wsk_leaver_t *who, int64_t now_s)
{
    wsk_database_t *db = wsk_database_of(reg);
    wsk_status_e rv = wsk_database_begin(db);

    return rv == WSK_OK ? wsk_database_end(db, leave(db, key, who, now_s)) : rv;
}

wsk_status_e wsk_registry_rotate(wsk_registry_t *reg, const char *user,
                                 const char *key, const wsk_fresh_t *fresh,
                                 int64_t now_s, wsk_registered_t *out)
{
    wsk_database_t *db = wsk_database_of(reg);
    const wsk_owner_t owner = { user, NULL };
    wsk_status_e rv = wsk_database_begin(db);
    int64_t id = 0;

    if (rv != WSK_OK) {
        return rv;
    }
    rv = wsk_account(db, &owner, &id);
    rv = rv == WSK_OK ? wsk_account_spend(db, id, now_s) : rv;
    if (rv == WSK_OK) {
        rv = wsk_database_run(
            db,
            "UPDATE site SET publish_old = publish, publish = ?3,"
            " jwt_old = jwt, jwt = ?4, changed = ?5"
            " WHERE key = ?1 AND archived = 0 AND account = ?2",
            "titti", key, id, fresh->publish, fresh->jwt, now_s);
    }
    if (rv == WSK_OK) {
        rv = one(db, key, out);
    }
    return wsk_database_end(db, rv);
}

wsk_status_e wsk_registry_find(wsk_registry_t *reg, const char *key,
                               wsk_registered_t *out)
{
    wsk_database_t *db = wsk_database_of(reg);
    wsk_status_e rv = wsk_database_look(db);

    return rv == WSK_OK ? wsk_database_seen(db, one(db, key, out)) : rv;
}

/* Many. */

/* In a transaction. */
static wsk_status_e walk(sqlite3_stmt *row, wsk_registry_fn *each, void *baton)
{
    wsk_registered_t site;
    wsk_status_e rv;

    do {
        read_site(row, &site);
        each(baton, &site);
        rv = wsk_database_next(row);
    } while (rv == WSK_OK);
    wsk_forget(&site, sizeof(site));
    sqlite3_finalize(row);
    return rv;
}

wsk_status_e wsk_registry_list(wsk_registry_t *reg, const char *user,
                               wsk_registry_fn *each, void *baton)
{
    wsk_database_t *db = wsk_database_of(reg);
    wsk_status_e rv = wsk_database_look(db);
    sqlite3_stmt *row;

    if (rv != WSK_OK) {
        return rv;
    }
    rv = wsk_database_ask(
        db, &row, SITES "WHERE a.user = ?1 AND s.archived = 0 ORDER BY s.url",
        "t", user);
    rv = rv == WSK_OK ? walk(row, each, baton) : rv;
    return wsk_database_seen(db, wsk_any(rv));
}

static wsk_status_e visit(wsk_database_t *db, const wsk_visitor_t *visitor,
                          void *baton)
{
    sqlite3_stmt *row;
    int64_t since = 0;
    bool whole = false;
    wsk_status_e rv = wsk_database_ask(
        db, &row, "SELECT coalesce(max(serial), 0) FROM site", "");

    if (rv != WSK_OK) {
        return rv;
    }
    since = visitor->begin(baton, sqlite3_column_int64(row, 0), &whole);
    sqlite3_finalize(row);
    rv = whole ? wsk_database_check(db) : WSK_OK;
    if (rv != WSK_OK) {
        return rv;
    }
    rv = wsk_database_ask(
        db, &row, SITES "WHERE s.serial > ?1 ORDER BY s.serial", "i", since);
    rv = wsk_any(rv == WSK_OK ? walk(row, visitor->each, baton) : rv);
    if (rv == WSK_OK) {
        visitor->end(baton);
    }
    return rv;
}

wsk_status_e wsk_registry_visit(wsk_registry_t *reg,
                                const wsk_visitor_t *visitor, void *baton)
{
    wsk_database_t *db = wsk_database_of(reg);
    wsk_status_e rv = wsk_database_begin(db);

    return rv == WSK_OK ? wsk_database_seen(db, visit(db, visitor, baton)) : rv;
}
