/* SPDX-License-Identifier: Apache-2.0 */
/* ------------------------------------------------------------------ 5. transport */

static SSL_CTX *tls_ctx;

enum { IO_AGAIN = -1, IO_FAIL = -2 };

static ssize_t io_result(SSL *ssl, int r)
{
    int e = SSL_get_error(ssl, r);
    ERR_clear_error();
    if (e == SSL_ERROR_WANT_READ || e == SSL_ERROR_WANT_WRITE)
        return IO_AGAIN;
    return e == SSL_ERROR_ZERO_RETURN ? 0 : IO_FAIL;
}

/* > 0 bytes, 0 end of stream, IO_AGAIN, IO_FAIL */
static ssize_t io_read(int fd, SSL *ssl, void *p, size_t n)
{
    if (ssl) {
        int r = SSL_read(ssl, p, (int)n);
        return r > 0 ? r : io_result(ssl, r);
    }
    ssize_t r = recv(fd, p, n, 0);
    if (r >= 0)
        return r;
    return errno == EAGAIN || errno == EINTR ? IO_AGAIN : IO_FAIL;
}

static ssize_t io_write(int fd, SSL *ssl, const void *p, size_t n)
{
    if (ssl) {
        int r = SSL_write(ssl, p, (int)n);
        return r > 0 ? r : io_result(ssl, r);
    }
    ssize_t r = send(fd, p, n, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (r >= 0)
        return r;
    return errno == EAGAIN || errno == EINTR ? IO_AGAIN : IO_FAIL;
}

typedef struct {
    bool tls, ws;             /* ws: WebSocket; otherwise HTTP */
    char host[64], hostport[80];
    struct sockaddr_storage sa;
    socklen_t salen;
    tmpl path;
} target;

/* scheme://host:port/path - the host and port are literal, the path a template. */
static target target_parse(const char *url)
{
    target t = { 0 };
    const char *p = strstr(url, "://");
    if (!p)
        die("not a URL: %s", url);
    size_t sl = (size_t)(p - url);
    if (sl == 2 && !strncmp(url, "ws", 2)) t.ws = true;
    else if (sl == 3 && !strncmp(url, "wss", 3)) t.ws = t.tls = true;
    else if (sl == 4 && !strncmp(url, "http", 4)) ;
    else if (sl == 5 && !strncmp(url, "https", 5)) t.tls = true;
    else die("scheme must be ws, wss, http or https: %s", url);
    p += 3;
    size_t al = strcspn(p, "/?");
    if (!al || al >= sizeof t.hostport)
        die("no host in %s", url);
    memcpy(t.hostport, p, al);
    const char *path = p + al;
    char *colon = strrchr(t.hostport, ':'), *port = t.tls ? "443" : "80";
    size_t hl = al;
    if (colon && !strchr(colon, ']')) {
        port = colon + 1;
        hl = (size_t)(colon - t.hostport);
    }
    bool v6 = t.hostport[0] == '[';
    if (hl >= sizeof t.host)
        die("host too long in %s", url);
    memcpy(t.host, t.hostport + v6, hl - 2 * v6);
    if (!strcmp(t.host, "localhost"))
        strcpy(t.host, "127.0.0.1");
    struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM }, *ai;
    if (getaddrinfo(t.host, port, &hints, &ai))
        die("host must be a loopback address: %s", url);
    memcpy(&t.sa, ai->ai_addr, ai->ai_addrlen);
    t.salen = ai->ai_addrlen;
    freeaddrinfo(ai);
    if (t.sa.ss_family == AF_INET) {
        struct sockaddr_in *in = (struct sockaddr_in *)&t.sa;
        if ((ntohl(in->sin_addr.s_addr) >> 24) != 127)
            die("only loopback targets are allowed, not %s", t.host);
    } else if (!IN6_IS_ADDR_LOOPBACK(&((struct sockaddr_in6 *)&t.sa)->sin6_addr)) {
        die("only loopback targets are allowed, not %s", t.host);
    }
    char *path0 = xcalloc(strlen(path) + 2, 1);
    if (*path != '/')
        strcpy(path0, "/");
    strcat(path0, path);
    t.path = tmpl_compile(path0);
    return t;
}

/* A non-blocking connection attempt; src > 0 binds to 127.0.0.(1 + src) and up. */
static int tcp_start(const target *t, uint32_t src)
{
    int fd = socket(t->sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), one = 1;
    if (fd < 0)
        return -1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (src && t->sa.ss_family == AF_INET) {
        struct sockaddr_in in = { .sin_family = AF_INET };
        in.sin_addr.s_addr = htonl(0x7f000001u + src);
        setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
        if (bind(fd, (struct sockaddr *)&in, sizeof in)) {
            close(fd);
            return -1;
        }
    }
    if (connect(fd, (const struct sockaddr *)&t->sa, t->salen) && errno != EINPROGRESS) {
        int e = errno;
        close(fd);
        errno = e;
        return -1;
    }
    return fd;
}

static SSL *tls_start(const target *t, int fd)
{
    if (!t->tls)
        return NULL;
    SSL *s = SSL_new(tls_ctx);
    SSL_set_fd(s, fd);
    SSL_set_connect_state(s);
    return s;
}

/* 1 done, 0 in progress, -1 failed */
static int tls_step(SSL *ssl)
{
    int r = SSL_do_handshake(ssl);
    if (r == 1)
        return 1;
    return io_result(ssl, r) == IO_AGAIN ? 0 : -1;
}

/* Find a header's value in [p, end) (the block ends in CRLF CRLF). */
static const char *header_value(const char *p, const char *end, const char *name, size_t *len)
{
    size_t n = strlen(name);
    while (p < end) {
        const char *e = memchr(p, '\n', (size_t)(end - p));
        if (!e)
            return NULL;
        if ((size_t)(e - p) > n && p[n] == ':' && !strncasecmp(p, name, n)) {
            p += n + 1;
            while (p < e && (*p == ' ' || *p == '\t'))
                p++;
            while (e > p && (e[-1] == '\r' || e[-1] == ' '))
                e--;
            *len = (size_t)(e - p);
            return p;
        }
        p = e + 1;
    }
    return NULL;
}

static bool has_token(const char *v, size_t n, const char *word)
{
    size_t w = strlen(word);
    for (size_t i = 0; v && i + w <= n; i++)
        if (!strncasecmp(v + i, word, w))
            return true;
    return false;
}
