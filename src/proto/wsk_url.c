/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/wsk_url.h"

#include <string.h>
#include <strings.h>

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"
#define PATH_MAX_BYTES 2000

typedef struct parts_t {
    const char *scheme;
    wsk_slice_t host;
    unsigned port; /* 0: the default */
    const char *rest;
} parts_t;

static bool read_host(const char **pat, wsk_slice_t *host)
{
    const char *at = *pat;
    size_t len;

    if (*at == '[') {
        len = strspn(at + 1, DIGITS "abcdefABCDEF:.");
        if (len == 0 || at[len + 1] != ']') {
            return false;
        }
        len += 2;
    }
    else {
        len = strspn(at, LETTERS DIGITS "-._");
        if (len == 0 || at[0] == '.' || at[0] == '-') {
            return false;
        }
    }
    *host = (wsk_slice_t){ at, len };
    *pat = at + len;
    return true;
}

static bool read_port(const char **pat, unsigned *port)
{
    const char *at = *pat;
    size_t len;

    *port = 0;
    if (*at != ':') {
        return true;
    }
    len = strspn(++at, DIGITS);
    if (len == 0 || len > 5 || *at == '0') {
        return false;
    }
    *pat = at + len;
    while (len--) {
        *port = *port * 10 + (unsigned)(*at++ - '0');
    }
    return *port <= 65535;
}

static bool read_rest(const char *rest)
{
    const char *at;

    for (at = rest; *at; at++) {
        if (*at <= ' ' || *at > '~' || strchr("\"'<>\\^`{|}#", *at)) {
            return false;
        }
    }
    return (*rest == '\0' || *rest == '/' || *rest == '?')
           && at - rest <= PATH_MAX_BYTES;
}

static bool split(const char *url, parts_t *parts)
{
    unsigned usual;

    if (strncasecmp(url, "https://", 8) == 0) {
        parts->scheme = "https://";
        usual = 443;
    }
    else if (strncasecmp(url, "http://", 7) == 0) {
        parts->scheme = "http://";
        usual = 80;
    }
    else {
        return false;
    }
    url += strlen(parts->scheme);
    if (!read_host(&url, &parts->host) || !read_port(&url, &parts->port)
        || !read_rest(url)) {
        return false;
    }
    parts->port = parts->port == usual ? 0 : parts->port;
    parts->rest = url;
    return true;
}

/* Up to the query. Not what some server resolves or decodes before it looks. */
static bool plain_path(const char *path, size_t len)
{
    size_t i;

    for (i = 0; i < len; i++) {
        const char *at = path + i;

        if (*at == '/' && i + 1 < len && (at[1] == '/' || at[1] == '.')) {
            /* a file may begin with a dot, a segment may not be of dots */
            if (at[1] == '/' || i + 2 == len || strchr("./;", at[2])) {
                return false;
            }
        }
        if (*at == '%' && i + 2 < len
            && (strncasecmp(at, "%2e", 3) == 0 || strncasecmp(at, "%2f", 3) == 0
                || strncasecmp(at, "%5c", 3) == 0
                || strncasecmp(at, "%25", 3) == 0)) {
            return false;
        }
    }
    return true;
}

/* @return bytes, 0: too long */
static size_t write_origin(const parts_t *parts, char out[WSK_URL_MAX + 1])
{
    size_t len = strlen(parts->scheme), i;
    char port[6];
    unsigned left = parts->port;

    if (len + parts->host.len + sizeof(port) > WSK_URL_MAX) {
        return 0;
    }
    memcpy(out, parts->scheme, len);
    for (i = 0; i < parts->host.len; i++) {
        const char c = parts->host.at[i];

        out[len++] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
    }
    if (left) {
        for (i = sizeof(port); left; left /= 10) {
            port[--i] = (char)('0' + left % 10);
        }
        out[len++] = ':';
        memcpy(out + len, port + i, sizeof(port) - i);
        len += sizeof(port) - i;
    }
    out[len] = '\0';
    return len;
}

bool wsk_url_origin(const char *url, char origin[WSK_URL_MAX + 1])
{
    parts_t parts;

    return split(url, &parts) && write_origin(&parts, origin) > 0;
}

bool wsk_url_site(const char *url, char site[WSK_URL_MAX + 1])
{
    parts_t parts;
    size_t len, more;

    if (!split(url, &parts) || strchr(parts.rest, '?')) {
        return false;
    }
    len = write_origin(&parts, site);
    more = strlen(parts.rest);
    while (more && parts.rest[more - 1] == '/') {
        more--;
    }
    if (len == 0 || len + more > WSK_URL_MAX || !plain_path(parts.rest, more)) {
        return false;
    }
    memcpy(site + len, parts.rest, more);
    site[len + more] = '\0';
    return true;
}

bool wsk_url_below(const char *site, const char *url)
{
    char origin[WSK_URL_MAX + 1];
    const char *base;
    parts_t parts;
    size_t len, own;

    if (!split(url, &parts) || (len = write_origin(&parts, origin)) == 0
        || strncmp(site, origin, len) != 0
        || (site[len] != '\0' && site[len] != '/')) {
        return false;
    }
    base = site + len;
    own = strlen(base);
    len = strcspn(parts.rest, "?");
    return plain_path(parts.rest, len) && len >= own
           && strncmp(parts.rest, base, own) == 0
           && (len == own || parts.rest[own] == '/');
}

const char *wsk_url_host(const char *origin)
{
    return strstr(origin, "://") + 3;
}

bool wsk_url_private(const char *origin)
{
    const char *host = wsk_url_host(origin);
    size_t len = *host == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":");

    return strncmp(origin, "https://", 8) == 0
           || (len == 9 && memcmp(host, "localhost", 9) == 0)
           || (len == 5 && memcmp(host, "[::1]", 5) == 0)
           || (strncmp(host, "127.", 4) == 0
               && strspn(host, DIGITS ".") == len);
}
