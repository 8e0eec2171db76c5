/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/wsk_database.h"

#include "registry_fixture.h"

static const char *const steps[] = {
    ("CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT UNIQUE); "
     "INSERT INTO t VALUES (1, 'one')"),
    "ALTER TABLE t ADD COLUMN c INTEGER DEFAULT 7",
    "no step at all",
};
static const wsk_schema_t first = { 77, steps, 1 }, second = { 77, steps, 2 },
                          broken = { 77, steps, 3 }, foreign = { 78, steps, 1 };
static char why[WSK_DATABASE_WHY];

static wsk_status_e try(const wsk_schema_t *schema, wsk_database_t **pdb)
{
    return wsk_database_open(registry_file, 100, schema, pdb, why);
}

static intmax_t value(wsk_database_t *db, const char *sql)
{
    sqlite3_stmt *row;
    intmax_t n = -1;

    if (wsk_database_ask(db, &row, sql, "") == WSK_OK) {
        n = sqlite3_column_int64(row, 0);
        sqlite3_finalize(row);
    }
    return n;
}

static void migrating(void)
{
    wsk_database_t *db;

    registry_empty();
    is_int(try(&first, &db), WSK_OK, "an empty file becomes ours");
    is_int(value(db, "PRAGMA user_version"), 1, "version 1");
    is_int(value(db, "PRAGMA application_id"), 77, "with our mark");
    wsk_database_close(db);
    is_int(try(&broken, &db), WSK_EBROKEN, "a step that fails");
    ok(db == NULL && why[0] != '\0', "is told: %s", why);
    is_int(try(&first, &db), WSK_OK, "and leaves nothing behind");
    is_int(value(db, "SELECT count(*) FROM pragma_table_info('t')"), 2,
           "of the steps before it either");
    wsk_database_close(db);
    is_int(try(&second, &db), WSK_OK, "a second step follows");
    is_int(value(db, "SELECT c FROM t WHERE b = 'one'"), 7,
           "with what was there");
    wsk_database_close(db);
    is_int(try(&first, &db), WSK_EINVAL, "an earlier module does not touch it");
    ok(strstr(why, "later version") != NULL, "and says why: %s", why);
    is_int(try(&foreign, &db), WSK_EINVAL, "nor does another program");
    registry_empty();
    is_int(wsk_database_open("/nowhere/at/all", 100, &first, &db, why),
           WSK_EBROKEN, "a file that is not there: %s", why);
}

/* Opened, or found to be damaged when all of it is read. */
static wsk_status_e checked(void)
{
    wsk_database_t *db;
    wsk_status_e rv = try(&first, &db);

    if (rv == WSK_OK) {
        rv = wsk_database_look(db);
        rv = rv == WSK_OK ? wsk_database_end(db, wsk_database_check(db)) : rv;
        wsk_database_close(db);
    }
    return rv;
}

/* Bytes that say nothing, at the beginning, in the middle, and half a file. */
static void damaged(void)
{
    static char bytes[65536];
    wsk_database_t *db;
    ssize_t len;
    int fd;

    memset(bytes, 'x', sizeof(bytes));
    registry_write(bytes, 5000);
    is_int(try(&first, &db), WSK_EBROKEN, "a file of rubbish: %s", why);
    registry_empty();
    try(&first, &db);
    wsk_database_begin(db);
    wsk_database_end(
        db, wsk_database_run(db,
                             "WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL"
                             " SELECT i + 1 FROM n WHERE i < 900)"
                             " INSERT INTO t SELECT i, 'row ' || i FROM n",
                             ""));
    wsk_database_close(db);
    fd = open(registry_file, O_RDONLY);
    len = read(fd, bytes, sizeof(bytes));
    close(fd);
    ok(len > 16384, "a file of some pages");
    registry_write(bytes, (size_t)len);
    is_int(checked(), WSK_OK, "is whole");
    memset(bytes + 4096, 'x', 4096);
    registry_write(bytes, (size_t)len);
    is_int(checked(), WSK_EBROKEN, "a page of rubbish is found");
    registry_write(bytes, (size_t)len / 2);
    is_int(checked(), WSK_EBROKEN, "and that it was cut in half");
}

static void transactions(void)
{
    wsk_database_t *db, *other;
    sqlite3_stmt *row;
    char text[4];

    registry_empty();
    try(&first, &db);
    try(&first, &other);
    is_int(wsk_database_begin(db), WSK_OK, "a transaction");
    is_int(wsk_database_run(db, "INSERT INTO t VALUES (?1, ?2)", "it",
                            INT64_C(2), "two"),
           WSK_OK, "writes");
    is_int(wsk_database_begin(other), WSK_EAGAIN,
           "another connection waits, but not for ever");
    is_int(wsk_database_begin(db), WSK_EAGAIN, "nor does another thread");
    is_int(wsk_database_end(db, WSK_EFULL), WSK_EFULL, "given up");
    is_int(wsk_database_begin(other), WSK_OK, "the other has its turn");
    is_int(value(other, "SELECT count(*) FROM t"), 1, "nothing was written");
    is_int(wsk_database_run(other, "INSERT INTO t VALUES (3, 'one')", ""),
           WSK_EDUP, "a rule of the schema");
    is_int(wsk_database_run(other, "UPDATE t SET b = 'x' WHERE a = 9", ""),
           WSK_ENOTFOUND, "a change of nothing");
    is_int(wsk_database_run(other, "INSERT INTO t VALUES (4, ?1)", "t", NULL),
           WSK_OK, "a text that is none");
    is_int(wsk_database_end(other, WSK_OK), WSK_OK, "committed");
    wsk_database_begin(db);
    is_int(wsk_database_ask(db, &row, "SELECT b FROM t ORDER BY a", ""), WSK_OK,
           "rows");
    wsk_database_text(row, 0, text, 3);
    is_str(text, "on", "a text is cut at its bound");
    is_int(wsk_database_next(row), WSK_OK, "the next");
    wsk_database_text(row, 0, text, 3);
    is_str(text, "", "NULL is the empty text");
    is_int(wsk_database_next(row), WSK_ENOTFOUND, "no more");
    sqlite3_finalize(row);
    is_int(wsk_database_ask(db, &row, "SELECT 1 FROM t WHERE a = 99", ""),
           WSK_ENOTFOUND, "nothing");
    ok(row == NULL, "leaves nothing to finalize");
    wsk_database_end(db, WSK_OK);
    wsk_database_close(db);
    wsk_database_close(other);
}

/* In a folder where nobody may make files, the journal is there already. */
static void closed_folder(void)
{
    char journal[128];
    struct stat st;
    wsk_database_t *db;

    registry_empty();
    snprintf(journal, sizeof(journal), "%s-journal", registry_file);
    try(&first, &db);
    wsk_database_begin(db);
    wsk_database_end(db, wsk_database_run(db, "UPDATE t SET b = 'x'", ""));
    ok(stat(journal, &st) == 0 && st.st_size == 0,
       "a journal is cut, not taken away");
    wsk_database_close(db);
    ok(stat(journal, &st) == 0, "after the last one left, too");
}

/* Whoever finds what a dead process left, in that folder: with a journal that
 * would be taken away, which fails there, nobody could open the file again. */
static void died_in_closed_folder(void)
{
    char journal[128];
    struct stat st;
    wsk_database_t *db, *other;
    pid_t pid;
    int status = -1;

    registry_empty();
    snprintf(journal, sizeof(journal), "%s-journal", registry_file);
    try(&first, &db);
    wsk_database_close(db);
    pid = fork();
    if (pid == 0) {
        try(&first, &db);
        wsk_database_begin(db);
        wsk_database_run(db, "PRAGMA cache_size = 1", "");
        wsk_database_run(db,
                         "WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL"
                         " SELECT i + 1 FROM n WHERE i < 9000)"
                         " INSERT INTO t SELECT i, 'row ' || i FROM n",
                         "");
        _exit(0); /* in a transaction, some of it in the file */
    }
    waitpid(pid, &status, 0);
    ok(status == 0 && stat(registry_file, &st) == 0 && st.st_size > 65536,
       "a process dies in a transaction");
    is_int(try(&first, &db), WSK_OK, "the next opens the file");
    is_int(value(db, "SELECT count(*) FROM t"), 1, "as it was before");
    ok(stat(journal, &st) == 0, "and leaves the journal where it is");
    is_int(wsk_database_begin(db), WSK_OK, "it writes");
    is_int(
        wsk_database_end(db, wsk_database_run(db, "UPDATE t SET b = 'y'", "")),
        WSK_OK, "and lets go of the file");
    is_int(try(&first, &other), WSK_OK, "so that others open it beside");
    wsk_database_close(other);
    wsk_database_close(db);
}

int main(void)
{
    alarm(60);
    migrating();
    damaged();
    transactions();
    closed_folder();
    died_in_closed_folder();
    registry_remove();
    return done_testing();
}
