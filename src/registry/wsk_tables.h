/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_tables -- the tables of the registry, and how they came about. For
 * wsk_registry.c only.
 */
#ifndef WSK_TABLES_H
#define WSK_TABLES_H

#include "registry/wsk_database.h"

#define WSK_TABLES_MARK 0x57534b52 /* WSKR, as application_id */

/* Of an account, beside those that it may have connected; see wsk_registry. */
#define WSK_TABLES_SPARE "28"

/* No row is ever taken away but by a step, so the highest number stays. */
#define WSK_TABLES_NEXT \
    " UPDATE site SET serial = (SELECT max(serial) + 1 FROM site)" \
    " WHERE key = NEW.key; "

/* A step that was released is never changed; a new one follows it. */
static const char *const wsk_tables_steps[] = {
    "CREATE TABLE account ("
    " id INTEGER PRIMARY KEY,"
    " user TEXT NOT NULL UNIQUE,"
    " key_hash TEXT UNIQUE,"
    " key_made INTEGER NOT NULL DEFAULT 0,"
    " most INTEGER," /* sites; NULL: as the caller says */
    " made INTEGER NOT NULL);"
    "CREATE TABLE site ("
    " key TEXT NOT NULL PRIMARY KEY,"
    " account INTEGER NOT NULL REFERENCES account,"
    " url TEXT NOT NULL,"
    " name TEXT NOT NULL,"
    " publish TEXT, publish_old TEXT, jwt TEXT, jwt_old TEXT,"
    " archived INTEGER NOT NULL DEFAULT 0," /* when; 0: it is connected */
    " made INTEGER NOT NULL,"
    " changed INTEGER NOT NULL,"
    " UNIQUE (account, url)) WITHOUT ROWID;"
    "CREATE TABLE code ("
    " hash TEXT NOT NULL PRIMARY KEY,"
    " account INTEGER NOT NULL REFERENCES account,"
    " url TEXT NOT NULL,"
    " name TEXT NOT NULL,"
    " callback TEXT NOT NULL,"
    " until INTEGER NOT NULL,"
    " UNIQUE (account, url)) WITHOUT ROWID;",
    "ALTER TABLE site ADD COLUMN signature INTEGER NOT NULL DEFAULT 1;"
    "ALTER TABLE site ADD COLUMN serial INTEGER NOT NULL DEFAULT 1;"
    "CREATE INDEX site_serial ON site (serial);"
    "CREATE TRIGGER site_came AFTER INSERT ON site BEGIN" WSK_TABLES_NEXT "END;"
    "CREATE TRIGGER site_changed AFTER UPDATE OF name, publish, publish_old,"
    " jwt, jwt_old, archived, signature ON site BEGIN" WSK_TABLES_NEXT "END;",
    /* due: when all that the account has spent is paid, in microseconds;
     * claimed: when somebody began to redeem it; times: it was disconnected */
    "ALTER TABLE account ADD COLUMN due INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE code ADD COLUMN claimed INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE site ADD COLUMN times INTEGER NOT NULL DEFAULT 0;"
    "DELETE FROM site WHERE key IN (SELECT key FROM (SELECT key, row_number()"
    " OVER (PARTITION BY account ORDER BY archived DESC, key) AS n"
    " FROM site WHERE archived > 0) WHERE n > " WSK_TABLES_SPARE ");",
};
static const wsk_schema_t wsk_tables = { WSK_TABLES_MARK, wsk_tables_steps,
                                         (int)WSK_COUNT_OF(wsk_tables_steps) };

#endif
