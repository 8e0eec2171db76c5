/* SPDX-License-Identifier: Apache-2.0 */
#include "hooks/wsk_ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define KEEP_KEY "wordsocket:ledger:" WSK_VERSION
#define LINE_MAX_LEN (WSK_HOST_TAG + WSK_HOME_MAX + 64)
#define READ_BYTES 65536
#define WAIT_STEP_MS 2
#define TURN_MS 2000
#define PARENT_MS 5000

enum { BYTE_PARENT, BYTE_TURN };

struct wsk_ledger_t {
    const char *file;
    int fd, lock;
};

/* Locks of the system are between processes; this one is between threads. */
static pthread_mutex_t threads = PTHREAD_MUTEX_INITIALIZER;

static const char *failed(apr_pool_t *ptemp, const char *file, const char *what)
{
    return apr_psprintf(ptemp, "%s %s: %s", file, what, strerror(errno));
}

/* Locks. */

static bool lock_byte(int fd, off_t byte, short type)
{
    struct flock lock = {
        .l_type = type, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1
    };

    return fcntl(fd, F_SETLK, &lock) == 0;
}

static void wait_a_step(void)
{
    const struct timespec step = { 0, WAIT_STEP_MS * 1000000L };

    nanosleep(&step, NULL);
}

static bool try_turn(const wsk_ledger_t *ledger)
{
    if (pthread_mutex_trylock(&threads) != 0) {
        return false;
    }
    if (lock_byte(ledger->lock, BYTE_TURN, F_WRLCK)) {
        return true;
    }
    pthread_mutex_unlock(&threads);
    return false;
}

bool wsk_ledger_turn(const wsk_ledger_t *ledger)
{
    unsigned waited;

    for (waited = 0; ledger && waited < TURN_MS; waited += WAIT_STEP_MS) {
        if (try_turn(ledger)) {
            return true;
        }
        wait_a_step();
    }
    return false;
}

void wsk_ledger_done(const wsk_ledger_t *ledger)
{
    lock_byte(ledger->lock, BYTE_TURN, F_UNLCK);
    pthread_mutex_unlock(&threads);
}

/* The one before us may be about to end. */
static const char *lock_out_others(const wsk_ledger_t *ledger,
                                   apr_pool_t *ptemp)
{
    struct flock other = { .l_type = F_WRLCK,
                           .l_whence = SEEK_SET,
                           .l_start = BYTE_PARENT,
                           .l_len = 1 };
    unsigned waited;

    for (waited = 0; waited < PARENT_MS; waited += WAIT_STEP_MS) {
        if (lock_byte(ledger->lock, BYTE_PARENT, F_WRLCK)) {
            return NULL;
        }
        wait_a_step();
    }
    if (fcntl(ledger->lock, F_GETLK, &other) != 0 || other.l_type == F_UNLCK) {
        return failed(ptemp, ledger->file, "cannot be locked");
    }
    return apr_psprintf(ptemp,
                        "%s is in use by another httpd (process %d); each has "
                        "a WordSocketHostKey of its own",
                        ledger->file, (int)other.l_pid);
}

/* Reading. */

/* @return the words there are, at most n */
static unsigned split(char *line, const char **words, unsigned n)
{
    char *last = NULL, *word = apr_strtok(line, " ", &last);
    unsigned i;

    for (i = 0; word && i < n; i++) {
        words[i] = word;
        word = apr_strtok(NULL, " ", &last);
    }
    return i;
}

static bool number(const char *text, uint64_t *out)
{
    char *end;

    errno = 0;
    *out = (uint64_t)apr_strtoi64(text, &end, 10);
    return errno == 0 && *end == '\0' && *text >= '0' && *text <= '9';
}

static void take_line(wsk_book_t *book, char *line)
{
    wsk_ledger_entry_t entry;
    const char *word[6];
    uint64_t minute;
    unsigned n = split(line, word, WSK_COUNT_OF(word));

    book->lines += n > 0;
    if (n < 4 || strlen(word[1]) != WSK_HOST_TAG
        || strcmp(word[n - 1], ".") != 0) {
        return;
    }
    if (n == 4 && strcmp(word[0], "gone1") == 0 && number(word[2], &minute)) {
        apr_hash_set(book->gone, apr_pstrdup(book->pool, word[1]),
                     APR_HASH_KEY_STRING,
                     apr_pmemdup(book->pool, &minute, sizeof minute));
        return;
    }
    if (n != 6 || strcmp(word[0], "site1") != 0 || !wsk_home_ok(word[2])
        || !number(word[3], &entry.generation)) {
        return;
    }
    entry.on = strcmp(word[4], "on") == 0;
    if (entry.on || strcmp(word[4], "off") == 0) {
        apr_cpystrn(entry.tag, word[1], sizeof entry.tag);
        entry.home = word[2];
        wsk_book_add(book, &entry);
    }
}

/* Line by line; what is longer than a line of ours is none. */
static bool read_lines(int fd, wsk_book_t *book)
{
    char line[LINE_MAX_LEN], bytes[READ_BYTES];
    size_t len = 0;
    off_t at = 0;
    ssize_t n, i;

    while ((n = pread(fd, bytes, sizeof bytes, at)) > 0) {
        for (i = 0; i < n; i++) {
            if (bytes[i] != '\n') {
                line[WSK_MIN(len, sizeof line - 1)] = bytes[i];
                len++;
                continue;
            }
            line[len < sizeof line ? len : 0] = '\0';
            take_line(book, line);
            len = 0;
        }
        at += n;
    }
    return n == 0;
}

const char *wsk_ledger_read(const wsk_ledger_t *ledger, const char *host_key,
                            wsk_book_t *book)
{
    const char *file = apr_pstrcat(book->pool, host_key, ".sites", NULL);
    const char *error = NULL;
    int fd = ledger ? ledger->fd
                    : open(file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0 && errno == ENOENT) {
        return NULL;
    }
    if (fd < 0 || !read_lines(fd, book)) {
        error = failed(book->pool, file, "cannot be read");
    }
    if (!ledger && fd >= 0) {
        close(fd);
    }
    return error;
}

/* Writing. */

bool wsk_ledger_is_replaced(const wsk_ledger_t *ledger)
{
    struct stat open_one, named;

    if (fstat(ledger->fd, &open_one) != 0 || open_one.st_nlink == 0) {
        return true;
    }
    if (lstat(ledger->file, &named) != 0) {
        return errno == ENOENT; /* a child may not be allowed to look */
    }
    return named.st_ino != open_one.st_ino || named.st_dev != open_one.st_dev;
}

static int format(char line[LINE_MAX_LEN], const wsk_ledger_entry_t *entry)
{
    return apr_snprintf(line, LINE_MAX_LEN,
                        "site1 %s %s %" APR_UINT64_T_FMT " %s .\n", entry->tag,
                        entry->home, (apr_uint64_t)entry->generation,
                        entry->on ? "on" : "off");
}

const char *wsk_ledger_append(const wsk_ledger_t *ledger,
                              const wsk_ledger_entry_t *entry)
{
    char line[LINE_MAX_LEN + 1] = "\n"; /* what a crash cut off ends here */
    const int len = 1 + format(line + 1, entry);
    struct stat before;

    if (wsk_ledger_is_replaced(ledger)) {
        return "was replaced while httpd runs: reload httpd, which brings both "
               "together";
    }
    if (fstat(ledger->fd, &before) != 0) {
        return "cannot be read";
    }
    if (write(ledger->fd, line, (size_t)len) != len
        || fdatasync(ledger->fd) != 0) {
        /* Nobody was told that it counts. */
        return ftruncate(ledger->fd, before.st_size) == 0
                   ? "cannot be written"
                   : "cannot be written, nor mended";
    }
    return NULL;
}

static bool write_book(FILE *out, const wsk_book_t *book)
{
    apr_hash_index_t *at;
    char line[LINE_MAX_LEN];
    bool done = true;

    for (at = apr_hash_first(book->pool, book->gone); at;
         at = apr_hash_next(at)) {
        const uint64_t *minute = apr_hash_this_val(at);

        apr_snprintf(line, sizeof line, "gone1 %s %" APR_UINT64_T_FMT " .\n",
                     (const char *)apr_hash_this_key(at),
                     (apr_uint64_t)*minute);
        done = done && fputs(line, out) >= 0;
    }
    for (at = apr_hash_first(book->pool, book->sites); at;
         at = apr_hash_next(at)) {
        format(line, apr_hash_this_val(at));
        done = done && fputs(line, out) >= 0;
    }
    return fflush(out) == 0 && done;
}

bool wsk_sync_folder_of(const char *file, apr_pool_t *ptemp)
{
    int fd = open(ap_make_dirstr_parent(ptemp, file),
                  O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool done = fd >= 0 && fsync(fd) == 0;

    if (fd >= 0) {
        close(fd);
    }
    return done;
}

static bool fill_fresh(int fd, const wsk_book_t *book)
{
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    FILE *out = copy >= 0 ? fdopen(copy, "w") : NULL;
    bool done = out && write_book(out, book) && fdatasync(fd) == 0;

    if (out) {
        fclose(out);
    }
    else if (copy >= 0) {
        close(copy);
    }
    return done;
}

const char *wsk_ledger_rewrite(wsk_ledger_t *ledger, const wsk_book_t *book)
{
    const char *fresh = apr_pstrcat(book->pool, ledger->file, ".new", NULL);
    int fd;

    unlink(fresh);
    fd = open(fresh, O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0 || !fill_fresh(fd, book) || rename(fresh, ledger->file) != 0
        || !wsk_sync_folder_of(ledger->file, book->pool)) {
        const char *error = failed(book->pool, ledger->file,
                                   "cannot be written");

        if (fd >= 0) {
            close(fd);
        }
        return error;
    }
    close(ledger->fd);
    ledger->fd = fd;
    return NULL;
}

/* Opening. */

static const char *open_files(wsk_ledger_t *ledger, apr_pool_t *ptemp)
{
    const int how = O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK;
    const char *lock = apr_pstrcat(ptemp, ledger->file, ".lock", NULL);
    const char *error = NULL;

    ledger->fd = -1;
    ledger->lock = open(lock, how, 0600);
    if (ledger->lock < 0) {
        return failed(ptemp, lock, "cannot be opened");
    }
    error = lock_out_others(ledger, ptemp);
    if (!error) {
        ledger->fd = open(ledger->file, how | O_APPEND, 0600);
        error = ledger->fd < 0 ? failed(ptemp, ledger->file, "cannot be opened")
                               : NULL;
    }
    if (error) {
        close(ledger->lock);
    }
    return error;
}

const char *wsk_ledger_open(const char *host_key, process_rec *process,
                            apr_pool_t *ptemp, wsk_ledger_t **pledger)
{
    wsk_ledger_t ledger = { .file = apr_pstrcat(process->pool, host_key,
                                                ".sites", NULL) };
    void *data = NULL;
    const char *error;

    *pledger = NULL;
    apr_pool_userdata_get(&data, KEEP_KEY, process->pool);
    if (data && strcmp(((wsk_ledger_t *)data)->file, ledger.file) == 0) {
        *pledger = data;
        return NULL;
    }
    error = open_files(&ledger, ptemp);
    if (error) {
        return error;
    }
    if (data) {
        close(((wsk_ledger_t *)data)->fd);
        close(((wsk_ledger_t *)data)->lock);
    }
    *pledger = apr_pmemdup(process->pool, &ledger, sizeof ledger);
    apr_pool_userdata_set(*pledger, KEEP_KEY, NULL, process->pool);
    return NULL;
}
