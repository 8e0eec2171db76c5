/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fault_sqlite -- SQLite's memory and system calls fail, too, so that it makes of
 * them what it would: SQLITE_NOMEM, SQLITE_IOERR, SQLITE_FULL, SQLITE_BUSY.
 *
 * What reaches the disk is not waited for: nobody pulls the plug here.
 */
#ifndef WSK_FAULT_SQLITE_H
#define WSK_FAULT_SQLITE_H

#include "fault.h"

#include <sqlite3.h>

static void *sql_malloc(int size)
{
    return __wrap_malloc((size_t)size);
}

static void *sql_realloc(void *old, int size)
{
    return __wrap_realloc(old, (size_t)size);
}

static int sql_size(void *at)
{
    return at != NULL ? (int)malloc_usable_size(at) : 0;
}

static int sql_round(int size)
{
    return (size + 7) & ~7;
}

static int sql_begin(void *ignored)
{
    (void)ignored;
    return SQLITE_OK;
}

static void sql_end(void *ignored)
{
    (void)ignored;
}

#define __real_pwrite pwrite /* nobody else's */
#define __real_ftruncate ftruncate

#define SQL_CALL(name, type, params, args, hard, soft) \
    static type sql_##name params \
    { \
        const int why = fault_errno("sqlite " #name, hard, soft); \
        if (why != 0) { \
            errno = why; \
            return (type)-1; \
        } \
        return __real_##name args; \
    }

SQL_CALL(open, int, (const char *name, int flags, int mode),
         (name, flags, mode), EMFILE, EINTR)
SQL_CALL(read, ssize_t, (int fd, void *at, size_t len), (fd, at, len), EIO,
         EINTR)
SQL_CALL(pread, ssize_t, (int fd, void *at, size_t len, off_t from),
         (fd, at, len, from), EIO, EINTR)
SQL_CALL(write, ssize_t, (int fd, const void *at, size_t len), (fd, at, len),
         ENOSPC, EINTR)
SQL_CALL(pwrite, ssize_t, (int fd, const void *at, size_t len, off_t from),
         (fd, at, len, from), ENOSPC, EINTR)
SQL_CALL(ftruncate, int, (int fd, off_t len), (fd, len), EIO, EINTR)
SQL_CALL(fstat, int, (int fd, struct stat *what), (fd, what), ENOMEM, 0)

/* A lock that is given back, or made weaker, cannot fail: nobody is in the way.
 * To share the file, SQLite locks a byte first, and then a range. */
static int sql_fcntl(int fd, int op, struct flock *lock)
{
    static bool byte_locked;
    const bool weaker = lock->l_type == F_RDLCK && lock->l_len > 1
                        && !byte_locked;
    const bool takes = op == F_SETLK && lock->l_type != F_UNLCK && !weaker;
    const int why = fault_errno("sqlite fcntl", takes ? ENOLCK : 0,
                                takes ? EAGAIN : 0);

    byte_locked = why == 0 && lock->l_type == F_RDLCK && lock->l_len == 1;
    if (why != 0) {
        errno = why;
        return -1;
    }
    return __real_fcntl(fd, op, lock);
}

/* These two are ours by their name: no library has them wrapped. */
int fsync(int fd)
{
    const int why = fault_errno("sqlite fsync", EIO, 0);

    (void)fd;
    errno = why;
    return why != 0 ? -1 : 0;
}

int fdatasync(int fd)
{
    return fsync(fd);
}

__attribute__((constructor)) static void fault_sql(void)
{
    static const sqlite3_mem_methods methods = { sql_malloc,  __wrap_free,
                                                 sql_realloc, sql_size,
                                                 sql_round,   sql_begin,
                                                 sql_end,     NULL };
    static const struct {
        const char *name;
        sqlite3_syscall_ptr call;
    } calls[] = {
        { "open", (sqlite3_syscall_ptr)sql_open },
        { "read", (sqlite3_syscall_ptr)sql_read },
        { "pread", (sqlite3_syscall_ptr)sql_pread },
        { "pread64", (sqlite3_syscall_ptr)sql_pread },
        { "write", (sqlite3_syscall_ptr)sql_write },
        { "pwrite", (sqlite3_syscall_ptr)sql_pwrite },
        { "pwrite64", (sqlite3_syscall_ptr)sql_pwrite },
        { "ftruncate", (sqlite3_syscall_ptr)sql_ftruncate },
        { "fstat", (sqlite3_syscall_ptr)sql_fstat },
        { "fcntl", (sqlite3_syscall_ptr)sql_fcntl },
    };
    sqlite3_vfs *vfs;
    unsigned i;

    if (sqlite3_config(SQLITE_CONFIG_MALLOC, &methods) != SQLITE_OK
        || (vfs = sqlite3_vfs_find(NULL)) == NULL || vfs->iVersion < 3) {
        printf("Bail out! SQLite keeps its own memory or calls\n");
        exit(1);
    }
    for (i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
        vfs->xSetSystemCall(vfs, calls[i].name, calls[i].call);
    }
}

#endif
