/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/wsk_database.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#define SOON_MS 100

struct wsk_database_t {
    sqlite3 *sql;
    sqlite3_stmt *rollback; /* made before, since it must not need memory */
    pthread_mutex_t lock;
    atomic_int waiting;            /* for the lock */
    _Atomic int64_t rest_until_ms; /* others have had the file for too long */
    int wait_ms;
    char fault[WSK_DATABASE_WHY]; /* found while it was opened */
};

/* A rollback journal that is cut, not deleted: it needs no right to create files
 * beside the registry, and no memory that is mapped from a file. Saying so reads
 * the file, and so rolls back what a dead process left, before it is in force:
 * the journal would be deleted, or, where that is not allowed, the file not open
 * for anybody again. Who locks for good overwrites it instead; the lock goes with
 * the next look at the file. */
static const char truncating[] = "PRAGMA locking_mode = EXCLUSIVE;"
                                 "PRAGMA journal_mode = TRUNCATE;"
                                 "PRAGMA locking_mode = NORMAL;"
                                 "SELECT count(*) FROM sqlite_master;";
static const char settings[] = "PRAGMA synchronous = FULL;"
                               "PRAGMA foreign_keys = ON;"
                               "PRAGMA secure_delete = ON;"
                               "PRAGMA trusted_schema = OFF;"
                               "PRAGMA temp_store = MEMORY;";

static wsk_status_e status_of(int rc)
{
    switch (rc & 0xff) {
    case SQLITE_OK:
    case SQLITE_DONE:
    case SQLITE_ROW:
        return WSK_OK;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return WSK_EAGAIN;
    case SQLITE_CONSTRAINT:
        return WSK_EDUP;
    case SQLITE_NOMEM:
        return WSK_ENOMEM;
    default:
        return WSK_EBROKEN;
    }
}

static wsk_status_e run_text(wsk_database_t *db, const char *sql)
{
    return status_of(sqlite3_exec(db->sql, sql, NULL, NULL, NULL));
}

static int64_t mono_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

static bool resting(wsk_database_t *db)
{
    return mono_ms() < atomic_load(&db->rest_until_ms);
}

static void rest(wsk_database_t *db)
{
    atomic_store(&db->rest_until_ms, mono_ms() + db->wait_ms / 2);
}

static bool lock_within(wsk_database_t *db, int ms)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += ms % 1000 * 1000000L;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000L;
    }
    return pthread_mutex_timedlock(&db->lock, &until) == 0;
}

/* In a crowd everybody's turn comes soon. Where it does not, the file is
 * somebody else's. */
static bool take(wsk_database_t *db)
{
    bool taken = lock_within(db, WSK_MIN(db->wait_ms, SOON_MS));

    if (!taken) {
        taken = atomic_fetch_add(&db->waiting, 1) < WSK_DATABASE_WAITING
                && lock_within(db, db->wait_ms);
        atomic_fetch_sub(&db->waiting, 1);
    }
    return taken;
}

static wsk_status_e begin(wsk_database_t *db, const char *how)
{
    wsk_status_e rv = WSK_EAGAIN;

    if (resting(db) || !take(db)) {
        return rv;
    }
    rv = resting(db) ? rv : run_text(db, how);
    if (rv == WSK_EAGAIN && !resting(db)) {
        rest(db);
    }
    if (rv != WSK_OK) {
        pthread_mutex_unlock(&db->lock);
    }
    return rv;
}

wsk_status_e wsk_database_begin(wsk_database_t *db)
{
    return begin(db, "BEGIN IMMEDIATE");
}

wsk_status_e wsk_database_look(wsk_database_t *db)
{
    return begin(db, "BEGIN");
}

wsk_status_e wsk_database_end(wsk_database_t *db, wsk_status_e so_far)
{
    return wsk_database_seen(db, so_far == WSK_OK ? run_text(db, "COMMIT")
                                                  : so_far);
}

wsk_status_e wsk_database_seen(wsk_database_t *db, wsk_status_e so_far)
{
    if (!sqlite3_get_autocommit(db->sql)) {
        sqlite3_step(db->rollback);
        sqlite3_reset(db->rollback);
    }
    if (so_far == WSK_EAGAIN) {
        rest(db);
    }
    pthread_mutex_unlock(&db->lock);
    return so_far;
}

static wsk_status_e bind(sqlite3_stmt *stmt, const char *types, va_list args)
{
    int rc = SQLITE_OK, i;

    for (i = 1; *types && rc == SQLITE_OK; types++, i++) {
        if (*types == 'i') {
            rc = sqlite3_bind_int64(stmt, i, va_arg(args, int64_t));
        }
        else {
            rc = sqlite3_bind_text(stmt, i, va_arg(args, const char *), -1,
                                   SQLITE_TRANSIENT);
        }
    }
    return status_of(rc);
}

static wsk_status_e start(wsk_database_t *db, sqlite3_stmt **pstmt,
                          const char *sql, const char *types, va_list args)
{
    wsk_status_e rv = status_of(
        sqlite3_prepare_v2(db->sql, sql, -1, pstmt, NULL));

    return rv == WSK_OK ? bind(*pstmt, types, args) : rv;
}

wsk_status_e wsk_database_run(wsk_database_t *db, const char *sql,
                              const char *types, ...)
{
    sqlite3_stmt *stmt = NULL;
    va_list args;
    wsk_status_e rv;

    va_start(args, types);
    rv = start(db, &stmt, sql, types, args);
    va_end(args);
    if (rv == WSK_OK) {
        rv = status_of(sqlite3_step(stmt));
    }
    if (rv == WSK_OK && sqlite3_changes(db->sql) == 0) {
        rv = WSK_ENOTFOUND;
    }
    sqlite3_finalize(stmt);
    return rv;
}

wsk_status_e wsk_database_next(sqlite3_stmt *stmt)
{
    int rc = sqlite3_step(stmt);

    return rc == SQLITE_DONE ? WSK_ENOTFOUND : status_of(rc);
}

wsk_status_e wsk_database_ask(wsk_database_t *db, sqlite3_stmt **pstmt,
                              const char *sql, const char *types, ...)
{
    va_list args;
    wsk_status_e rv;

    *pstmt = NULL;
    va_start(args, types);
    rv = start(db, pstmt, sql, types, args);
    va_end(args);
    if (rv == WSK_OK) {
        rv = wsk_database_next(*pstmt);
    }
    if (rv != WSK_OK) {
        sqlite3_finalize(*pstmt);
        *pstmt = NULL;
    }
    return rv;
}

void wsk_database_text(sqlite3_stmt *stmt, int column, char *out, size_t size)
{
    const char *text = (const char *)sqlite3_column_text(stmt, column);
    size_t len = text ? strnlen(text, size - 1) : 0;

    memcpy(out, text ? text : "", len);
    out[len] = '\0';
}

/* Opening. */

static wsk_status_e number(wsk_database_t *db, const char *sql, int64_t *out)
{
    sqlite3_stmt *stmt;
    wsk_status_e rv = wsk_database_ask(db, &stmt, sql, "");

    if (rv == WSK_OK) {
        *out = sqlite3_column_int64(stmt, 0);
        sqlite3_finalize(stmt);
    }
    return rv;
}

static wsk_status_e step(wsk_database_t *db, const wsk_schema_t *schema,
                         int64_t version)
{
    char mark[100];
    wsk_status_e rv = run_text(db, schema->steps[version]);

    snprintf(mark, sizeof(mark),
             "PRAGMA application_id = %d; PRAGMA user_version = %d;",
             (int)schema->application, (int)version + 1);
    return rv == WSK_OK ? run_text(db, mark) : rv;
}

/* In a transaction, since others may open the file at the same time. */
static wsk_status_e migrate(wsk_database_t *db, const wsk_schema_t *schema,
                            const char **pwhy)
{
    int64_t version = 0, application = 0, tables = 0;
    wsk_status_e rv = number(db, "PRAGMA user_version", &version);

    rv = rv == WSK_OK ? number(db, "PRAGMA application_id", &application) : rv;
    rv = rv == WSK_OK
             ? number(db, "SELECT count(*) FROM sqlite_master", &tables)
             : rv;
    if (rv == WSK_OK && application != schema->application
        && (application || version || tables)) {
        *pwhy = "a database of something else";
        return WSK_EINVAL;
    }
    if (rv == WSK_OK && (version < 0 || version > schema->nsteps)) {
        *pwhy = "made by a later version of the module";
        return WSK_EINVAL;
    }
    for (; rv == WSK_OK && version < schema->nsteps; version++) {
        rv = step(db, schema, version);
    }
    return rv;
}

wsk_status_e wsk_database_check(wsk_database_t *db)
{
    sqlite3_stmt *stmt;
    wsk_status_e rv = wsk_database_ask(db, &stmt, "PRAGMA integrity_check(1)",
                                       "");
    char said[8];

    if (rv == WSK_OK) {
        wsk_database_text(stmt, 0, said, sizeof(said));
        sqlite3_finalize(stmt);
        rv = strcmp(said, "ok") == 0 ? WSK_OK : WSK_EBROKEN;
    }
    return rv;
}

static void nap(void)
{
    static const struct timespec time = { 0, 5 * 1000000L };

    nanosleep(&time, NULL);
}

/* Of two that lock for good neither would give way: one after the other. Not on
 * the file itself, of which closing any descriptor would end SQLite's locks. */
static wsk_status_e cut_journal(wsk_database_t *db, const char *file)
{
    char *journal = sqlite3_mprintf("%s-journal", file);
    int fd = journal ? open(journal, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
    int waited_ms = 0;
    wsk_status_e rv = WSK_EAGAIN;

    sqlite3_free(journal);
    while (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0
           && waited_ms < db->wait_ms) {
        nap();
        waited_ms += 5;
    }
    if (waited_ms < db->wait_ms) {
        rv = run_text(db, truncating);
    }
    if (fd >= 0) {
        close(fd);
    }
    return rv;
}

static wsk_status_e set_up(wsk_database_t *db, const char *file,
                           const wsk_schema_t *schema, const char **pwhy)
{
    wsk_status_e rv = status_of(sqlite3_open_v2(
        file, &db->sql,
        SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE,
        NULL));

    if (rv == WSK_OK && sqlite3_db_readonly(db->sql, "main") == 1) {
        *pwhy = "it can be read, but not written";
        rv = WSK_EBROKEN; /* else it would be so until the process ends */
    }
    if (rv == WSK_OK) {
        sqlite3_extended_result_codes(db->sql, 1);
        sqlite3_busy_timeout(db->sql, db->wait_ms);
        rv = cut_journal(db, file);
    }
    if (rv == WSK_OK) {
        rv = run_text(db, settings);
    }
    if (rv == WSK_OK) {
        rv = status_of(
            sqlite3_prepare_v2(db->sql, "ROLLBACK", -1, &db->rollback, NULL));
    }
    if (rv == WSK_OK) {
        rv = wsk_database_begin(db);
        if (rv == WSK_OK) {
            rv = migrate(db, schema, pwhy);
            if (rv != WSK_OK && !*pwhy) {
                snprintf(db->fault, sizeof(db->fault), "%s",
                         sqlite3_errmsg(db->sql));
                *pwhy = db->fault;
            }
            rv = wsk_database_end(db, rv);
        }
    }
    if (rv != WSK_OK && !*pwhy) {
        *pwhy = db->sql ? sqlite3_errmsg(db->sql) : "no memory";
    }
    return rv;
}

wsk_status_e wsk_database_open(const char *file, int wait_ms,
                               const wsk_schema_t *schema, wsk_database_t **pdb,
                               char why[WSK_DATABASE_WHY])
{
    wsk_database_t *db = calloc(1, sizeof(*db));
    const char *reason = NULL;
    wsk_status_e rv;

    *pdb = NULL;
    why[0] = '\0';
    if (!db) {
        return WSK_ENOMEM;
    }
    db->wait_ms = wait_ms;
    pthread_mutex_init(&db->lock, NULL);
    rv = set_up(db, file, schema, &reason);
    if (rv != WSK_OK) {
        snprintf(why, WSK_DATABASE_WHY, "%s", reason);
        wsk_database_close(db);
        return rv;
    }
    *pdb = db;
    return WSK_OK;
}

void wsk_database_close(wsk_database_t *db)
{
    sqlite3_finalize(db->rollback);
    sqlite3_close(db->sql);
    pthread_mutex_destroy(&db->lock);
    free(db);
}
