/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ledger: which sites of host mode were connected and which revoked; no
 * secret. A line for each change,
 *
 *     site1 TAG HOME GENERATION on|off .
 *
 * in any order: of a site the highest generation counts, and "off" before "on".
 * So children may append without a lock, one write each, and a line that a crash
 * cut off (no dot at its end) counts for nothing.
 */
#include "hooks/wsk_host.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEEP_KEY "wordsocket:ledger"
#define FILE_MAX WSK_MB(64)
#define LINE_MAX_LEN (WSK_TAG_LEN + WSK_HOME_MAX + 64)

typedef struct kept_t {
    char *file;
    int fd;
} kept_t;

static const char *name_of(const char *host_key, apr_pool_t *pool)
{
    return apr_pstrcat(pool, host_key, ".sites", NULL);
}

static const char *failed(apr_pool_t *ptemp, const char *file, const char *what)
{
    return apr_psprintf(ptemp, "%s %s: %s", file, what, strerror(errno));
}

static bool parse(char *line, wsk_ledger_entry_t *out)
{
    char *last = NULL, *end;
    const char *word[6];
    size_t i;

    for (i = 0; i < WSK_COUNT_OF(word); i++) {
        word[i] = apr_strtok(i ? NULL : line, " ", &last);
        if (!word[i]) {
            return false;
        }
    }
    errno = 0;
    out->generation = (uint64_t)apr_strtoi64(word[3], &end, 10);
    out->on = strcmp(word[4], "on") == 0;
    if (strcmp(word[0], "site1") != 0 || strlen(word[1]) != WSK_TAG_LEN
        || !wsk_home_ok(word[2]) || errno != 0 || *end != '\0'
        || (!out->on && strcmp(word[4], "off") != 0)
        || strcmp(word[5], ".") != 0) {
        return false;
    }
    apr_cpystrn(out->tag, word[1], sizeof out->tag);
    apr_cpystrn(out->home, word[2], sizeof out->home);
    return true;
}

/* Of two entries of a site, the one that counts. */
static void merge(wsk_ledger_entry_t *known, const wsk_ledger_entry_t *also)
{
    if (also->generation > known->generation
        || (also->generation == known->generation && !also->on)) {
        *known = *also;
    }
}

static apr_array_header_t *parse_all(char *text, apr_pool_t *ptemp)
{
    apr_array_header_t *entries = apr_array_make(ptemp, 16,
                                                 sizeof(wsk_ledger_entry_t *));
    apr_hash_t *by_site = apr_hash_make(ptemp);
    char *last = NULL, *line;

    for (line = apr_strtok(text, "\n", &last); line;
         line = apr_strtok(NULL, "\n", &last)) {
        wsk_ledger_entry_t entry, *known;
        const char *site;

        if (!parse(line, &entry)) {
            continue;
        }
        site = apr_pstrcat(ptemp, entry.tag, " ", entry.home, NULL);
        known = apr_hash_get(by_site, site, APR_HASH_KEY_STRING);
        if (known) {
            merge(known, &entry);
            continue;
        }
        known = apr_pmemdup(ptemp, &entry, sizeof entry);
        apr_hash_set(by_site, site, APR_HASH_KEY_STRING, known);
        APR_ARRAY_PUSH(entries, wsk_ledger_entry_t *) = known;
    }
    return entries;
}

static char *read_all(int fd, apr_pool_t *ptemp)
{
    struct stat st;
    char *text;
    off_t at = 0;

    if (fstat(fd, &st) != 0 || st.st_size > FILE_MAX) {
        errno = EFBIG;
        return NULL;
    }
    text = apr_palloc(ptemp, (apr_size_t)st.st_size + 1);
    while (at < st.st_size) {
        ssize_t n = pread(fd, text + at, (size_t)(st.st_size - at), at);

        if (n <= 0) {
            return NULL;
        }
        at += n;
    }
    text[at] = '\0';
    return text;
}

const char *wsk_ledger_read(int fd, const char *host_key, apr_pool_t *ptemp,
                            apr_array_header_t **pentries)
{
    const char *file = name_of(host_key, ptemp);
    const bool opened = fd < 0;
    char *text = NULL;

    if (opened) {
        fd = open(file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 && errno == ENOENT) {
            *pentries = apr_array_make(ptemp, 1, sizeof(wsk_ledger_entry_t *));
            return NULL;
        }
    }
    if (fd >= 0) {
        text = read_all(fd, ptemp);
    }
    if (!text) {
        return failed(ptemp, file, "cannot be read");
    }
    if (opened) {
        close(fd);
    }
    *pentries = parse_all(text, ptemp);
    return NULL;
}

bool wsk_ledger_append(int fd, const wsk_ledger_entry_t *entry)
{
    char line[LINE_MAX_LEN];
    /* What a crash cut off stays a line of its own. */
    int len = apr_snprintf(
        line, sizeof line, "\nsite1 %s %s %" APR_UINT64_T_FMT " %s .\n",
        entry->tag, entry->home, (apr_uint64_t)entry->generation,
        entry->on ? "on" : "off");

    return fd >= 0 && write(fd, line, (size_t)len) == len && fdatasync(fd) == 0;
}

/* What counts, in a file of its own that takes the old one's place. */
static const char *rewrite(const char *file, const apr_array_header_t *entries,
                           apr_pool_t *ptemp, int *pfd)
{
    const char *fresh = apr_pstrcat(ptemp, file, ".new", NULL);
    bool done;
    int i;

    unlink(fresh);
    *pfd = open(fresh, O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
    done = *pfd >= 0;
    for (i = 0; done && i < entries->nelts; i++) {
        done = wsk_ledger_append(
            *pfd, APR_ARRAY_IDX(entries, i, wsk_ledger_entry_t *));
    }
    if (!done || rename(fresh, file) != 0) {
        const char *error = failed(ptemp, file, "cannot be written");

        if (*pfd >= 0) {
            close(*pfd);
        }
        return error;
    }
    return NULL;
}

/* Rewritten only while no child can append to the old one: once in the life of
 * the parent. Children write through the descriptor they inherit, so that the
 * file is root's alone. */
const char *wsk_ledger_open(const char *host_key, process_rec *process,
                            apr_pool_t *ptemp, int *pfd)
{
    const char *file = name_of(host_key, ptemp), *error;
    apr_array_header_t *entries;
    void *data = NULL;
    kept_t *kept;

    apr_pool_userdata_get(&data, KEEP_KEY, process->pool);
    kept = data;
    if (kept && strcmp(kept->file, file) == 0) {
        *pfd = kept->fd;
        return NULL;
    }
    error = wsk_ledger_read(-1, host_key, ptemp, &entries);
    if (!error) {
        error = rewrite(file, entries, ptemp, pfd);
    }
    if (!error) {
        if (kept) {
            close(kept->fd);
        }
        kept = apr_palloc(process->pool, sizeof *kept);
        kept->file = apr_pstrdup(process->pool, file);
        kept->fd = *pfd;
        apr_pool_userdata_set(kept, KEEP_KEY, NULL, process->pool);
    }
    return error;
}
