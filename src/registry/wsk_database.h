/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_database -- a file of SQLite that several processes write to: opening,
 * migration, transactions, statements.
 *
 * Promise   What is read in a transaction is not changed before it ends, and
 *           commits have an order. After a commit the change survives the death
 *           of the process and of the machine; before it, nothing of it is
 *           left. Waiting has a bound, and so has who waits: when the file was
 *           somebody else's for as long as that, the next are told at once, for
 *           half that time.
 * Owner     A connection belongs to the process that opened it, never to one
 *           that was forked from it.
 * Threads   Any; a transaction holds the connection's mutex.
 * Errors    WSK_EAGAIN somebody else writes; WSK_EDUP a rule of the schema;
 *           WSK_ENOMEM; WSK_EBROKEN everything else, such as a damaged file.
 * Not here  What the tables mean: registry/wsk_registry.
 */
#ifndef WSK_DATABASE_H
#define WSK_DATABASE_H

#include <sqlite3.h>

#include "core/wsk.h"

#define WSK_DATABASE_WHY 200
#define WSK_DATABASE_WAITING 3 /* threads that wait long for their turn */

typedef struct wsk_database_t wsk_database_t;

/** What makes a file ours, and how it comes to its present form: step n leads
 *  from version n to n + 1. */
typedef struct wsk_schema_t {
    int32_t application; /* PRAGMA application_id */
    const char *const *steps;
    int nsteps;
} wsk_schema_t;

/**
 * Open the file, which must exist, though it may be empty; migrate it.
 * @param wait_ms  how long a transaction waits for others, at most
 * @param why      receives what is wrong, for the administrator
 * @return WSK_EINVAL for a file of something else, or of a later version
 */
wsk_status_e wsk_database_open(const char *file, int wait_ms,
                               const wsk_schema_t *schema, wsk_database_t **pdb,
                               char why[WSK_DATABASE_WHY]);
void wsk_database_close(wsk_database_t *db);

/** To write, alone. @return unless WSK_OK, no transaction has begun */
wsk_status_e wsk_database_begin(wsk_database_t *db);

/** To read, beside others who read; nothing may be written in it. */
wsk_status_e wsk_database_look(wsk_database_t *db);

/** Read all of the file, in a transaction. @return WSK_EBROKEN: damaged */
wsk_status_e wsk_database_check(wsk_database_t *db);

/** Commit if so_far is WSK_OK, roll back otherwise: nothing is locked after it.
 *  @return so_far, or why it could not be committed. After WSK_EBROKEN of a commit
 *          it may have been, and may not outlive the machine */
wsk_status_e wsk_database_end(wsk_database_t *db, wsk_status_e so_far);

/** End what has written nothing, which cannot fail. @return so_far */
wsk_status_e wsk_database_seen(wsk_database_t *db, wsk_status_e so_far);

/** Run a statement to its end. The arguments are bound in order: `t` of types
 *  is a const char * or NULL, `i` an int64_t.
 *  @return WSK_ENOTFOUND if it changed nothing */
wsk_status_e wsk_database_run(wsk_database_t *db, const char *sql,
                              const char *types, ...);

/** Ask for rows. After WSK_OK the statement stands at the first; it is the
 *  caller's to finalize.
 *  @return WSK_ENOTFOUND if there is none */
wsk_status_e wsk_database_ask(wsk_database_t *db, sqlite3_stmt **pstmt,
                              const char *sql, const char *types, ...);

/** @return WSK_OK at the next row, WSK_ENOTFOUND after the last */
wsk_status_e wsk_database_next(sqlite3_stmt *stmt);

/** Copy a text column, cut at size; NULL is the empty text. */
void wsk_database_text(sqlite3_stmt *stmt, int column, char *out, size_t size);

#endif
