/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file of the host key: one or two lines of 64 hex digits, the newest first.
 */
#include "hooks/wsk_host.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/rand.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEX_LEN (2 * WSK_HOST_KEY_LEN)
#define FILE_MAX (4 * HEX_LEN)

static const char *wrong(apr_pool_t *ptemp, const char *file, const char *what)
{
    return apr_psprintf(ptemp, "WordSocketHostKey %s: %s", file, what);
}

static const char *failed(apr_pool_t *ptemp, const char *file, const char *what)
{
    return wrong(ptemp, file,
                 apr_psprintf(ptemp, "%s: %s", what, strerror(errno)));
}

/* Whoever can read it has the keys of every site. */
static const char *unsafe(int fd)
{
    struct stat st;

    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        return "is not a plain file";
    }
    if (st.st_uid != 0 && st.st_uid != geteuid()) {
        return "belongs to another user; chown it to root";
    }
    if (st.st_mode & (S_IRWXG | S_IRWXO)) {
        return "can be read or changed by others; chmod it to 600";
    }
    return NULL;
}

static const char *parse(char *text, wsk_hostkey_t *out)
{
    char *last = NULL;
    char *line = apr_strtok(text, "\r\n", &last);

    for (out->n = 0; line; line = apr_strtok(NULL, "\r\n", &last)) {
        if (out->n == WSK_HOST_KEYS) {
            return "has more than two keys";
        }
        if (!wsk_unhex(out->at[out->n], WSK_HOST_KEY_LEN,
                       (wsk_slice_t){ line, strlen(line) })) {
            return "has a line that is not 64 hex digits";
        }
        out->n++;
    }
    return out->n ? NULL : "is empty";
}

static const char *read_from(int fd, wsk_hostkey_t *out)
{
    char text[FILE_MAX + 1];
    ssize_t n = read(fd, text, FILE_MAX);
    const char *error = n < 0 ? "cannot be read" : NULL;

    if (!error) {
        text[n] = '\0';
        error = parse(text, out);
    }
    OPENSSL_cleanse(text, sizeof text);
    return error;
}

/* A new key under another name first: there is never half of one. */
static bool make(const char *file, apr_pool_t *ptemp)
{
    const char *fresh = apr_pstrcat(ptemp, file, ".new", NULL);
    uint8_t key[WSK_HOST_KEY_LEN];
    char line[HEX_LEN + 2];
    bool done = false;
    int fd;

    unlink(fresh);
    fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        return false;
    }
    if (RAND_bytes(key, sizeof key) == 1) {
        wsk_hex(line, key, sizeof key);
        line[HEX_LEN] = '\n';
        done = write(fd, line, HEX_LEN + 1) == HEX_LEN + 1 && fsync(fd) == 0
               && rename(fresh, file) == 0 && wsk_sync_folder_of(file, ptemp);
    }
    OPENSSL_cleanse(key, sizeof key);
    OPENSSL_cleanse(line, sizeof line);
    close(fd);
    return done;
}

const char *wsk_hostkey_read(const char *file, bool may_make, apr_pool_t *ptemp,
                             wsk_hostkey_t *out)
{
    const int how = O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK;
    int fd = open(file, how);
    const char *error;

    out->n = 0;
    if (fd < 0 && errno == ENOENT) {
        if (!may_make) {
            return NULL;
        }
        if (!make(file, ptemp)) {
            return failed(ptemp, file, "cannot be made");
        }
        fd = open(file, how);
    }
    if (fd < 0) {
        return failed(ptemp, file, "cannot be opened");
    }
    error = unsafe(fd);
    if (!error) {
        error = read_from(fd, out);
    }
    close(fd);
    return error ? wrong(ptemp, file, error) : NULL;
}
