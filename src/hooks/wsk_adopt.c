/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_adopt -- a connection changes hands, from httpd to the loop.
 *
 * The worker writes the response head, marks the connection aborted and returns:
 * httpd then logs and frees everything of its own without another byte on the
 * wire. The last cleanup of the connection, after mod_ssl's, gives the socket to
 * the loop. It leans on that behaviour, hence the allow-list of filters.
 */
#include "hooks/wsk_hooks.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/ssl.h>
#include <stdatomic.h>
#include <unistd.h>

#include "ap_mpm.h"
#include "apr_portable.h"
#include "http_connection.h"
#include "mod_ssl_openssl.h"
#include "util_filter.h"

#include "hooks/wsk_compat.h"

/* Of what came with the request: over TLS at most one message of the largest
 * kind, and of an event stream, whose input is nobody's, not even that. */
#define EARLY_MAX(kind) ((kind) == WSK_KIND_SSE ? 131072u : 17u << 20)

/* What is known of a connection; in c->conn_config. */
typedef struct link_t {
    SSL *ssl;
    wsk_conn_t *give; /* to the loop, when httpd has let go */
} link_t;

static link_t *link_of(conn_rec *c)
{
    return ap_get_module_config(c->conn_config, &wordsocket_module);
}

static apr_status_t httpd_let_go(void *data)
{
    link_t *link = data;
    wsk_conn_t *c = link->give;

    link->give = NULL;
    if (c && !wsk_loop_done(wsk_process.loop)) {
        wsk_loop_give(wsk_process.loop, c);
    }
    else if (c) {
        /* prefork ends wherever a signal hits it: the loop is gone, and with
         * its slot what the connection counted for. */
        wsk_conn_drop(c);
    }
    return APR_SUCCESS;
}

/* Before mod_ssl's, so that its cleanup runs after theirs. */
static int on_connection(conn_rec *c, void *csd)
{
    link_t *link;

    (void)csd;
    if (c->master || !wsk_process.loop) {
        return DECLINED;
    }
    link = apr_pcalloc(c->pool, sizeof *link);
    ap_set_module_config(c->conn_config, &wordsocket_module, link);
    apr_pool_cleanup_register(c->pool, link, httpd_let_go,
                              apr_pool_cleanup_null);
    return DECLINED;
}

static int on_handshake(conn_rec *c, SSL *ssl, int is_proxy)
{
    link_t *link = c->master || is_proxy ? NULL : link_of(c);

    if (link) {
        link->ssl = ssl;
    }
    return OK;
}

static bool known(const char *name, const char *const *list)
{
    for (; *list; list++) {
        if (strcasecmp(name, *list) == 0) {
            return true;
        }
    }
    return false;
}

/* Filters that hold nothing once the input is drained and the head is out. */
static bool filters_known(request_rec *r)
{
    static const char *const in[] = { "ssl/tls filter", "log_input_output",
                                      "core_in",        "reqtimeout",
                                      "remoteip_input", NULL };
    static const char *const out[] = { "reqtimeout",
                                       "log_input_output",
                                       "ssl/tls coalescing filter",
                                       "ssl/tls filter",
                                       "core",
                                       NULL };
    const ap_filter_t *f;

    for (f = r->connection->input_filters; f; f = f->next) {
        if (!known(f->frec->name, in)) {
            break;
        }
    }
    if (!f) {
        for (f = r->connection->output_filters; f; f = f->next) {
            if (!known(f->frec->name, out)) {
                break;
            }
        }
    }
    if (f) {
        ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r,
                      "WSK0201 not taken over: connection filter %s is not "
                      "known; answering in poll mode",
                      f->frec->name);
    }
    return !f;
}

/* A loop that leaves has no room either, which is nobody's concern. */
static void say_full(request_rec *r)
{
    static atomic_bool said; /* once for each child */
    const uint32_t most = wsk_loop_full_at(wsk_process.loop);

    if (!most) {
        return;
    }
    wsk_count(wsk_process.seg, wsk_slot_now(), WSK_NO_SITE,
              WSK_C_no_descriptors, 1);
    if (!atomic_exchange(&said, true)) {
        ap_log_rerror(APLOG_MARK, APLOG_WARNING, 0, r,
                      "WSK0203 this child has %u connections, as many as its "
                      "limit of open files allows: more are answered in poll "
                      "mode; raise 'ulimit -n'",
                      most);
    }
}

wsk_adopt_e wsk_adopt_possible(request_rec *r)
{
    conn_rec *c = r->connection;
    link_t *link;

    if (c->master) {
        return WSK_ADOPT_H2;
    }
    if (!wsk_process.adopt) {
        return WSK_ADOPT_OFF;
    }
    link = link_of(c);
    if (!link || (wsk_is_tls(c) && !link->ssl)) {
        return WSK_ADOPT_SSL;
    }
    if (!filters_known(r)) {
        return WSK_ADOPT_FILTER;
    }
    if (!wsk_loop_has_room(wsk_process.loop)) {
        say_full(r);
        return WSK_ADOPT_FULL;
    }
    return WSK_ADOPT_YES;
}

void wsk_adopt_end_request(request_rec *r)
{
    conn_rec *c = r->connection;

    r->output_filters = r->proto_output_filters = c->output_filters;
    r->input_filters = r->proto_input_filters = c->input_filters;
    r->eos_sent = 1;
}

static bool keep_early(wsk_conn_t *conn, const char *bytes, apr_size_t len)
{
    return wsk_conn_early(conn) + len <= EARLY_MAX(conn->kind)
           && wsk_conn_keep_early(conn, bytes, len);
}

/* What the core has read ahead, without reading more of the socket: whatever is
 * asked for by size it fills up from there, for as long as the client sends. */
static bool drain_plain(request_rec *r, wsk_conn_t *conn,
                        apr_bucket_brigade *bb)
{
    apr_bucket *e;

    if (ap_get_brigade(r->connection->input_filters, bb, AP_MODE_EXHAUSTIVE,
                       APR_NONBLOCK_READ, 0)
        != APR_SUCCESS) {
        return true;
    }
    for (e = APR_BRIGADE_FIRST(bb);
         e != APR_BRIGADE_SENTINEL(bb) && e->length != (apr_size_t)-1;
         e = APR_BUCKET_NEXT(e)) {
        const char *bytes;
        apr_size_t len = 0;

        if (!APR_BUCKET_IS_METADATA(e)
            && apr_bucket_read(e, &bytes, &len, APR_NONBLOCK_READ)
                   == APR_SUCCESS
            && len && !keep_early(conn, bytes, len)) {
            return false;
        }
    }
    return true;
}

/* Over TLS the core may hold a piece of a record until the socket is dry. */
static bool drain_tls(request_rec *r, wsk_conn_t *conn, apr_bucket_brigade *bb)
{
    char chunk[16384];

    for (;;) {
        apr_size_t len = sizeof chunk;

        apr_brigade_cleanup(bb);
        if (ap_get_brigade(r->connection->input_filters, bb, AP_MODE_READBYTES,
                           APR_NONBLOCK_READ, sizeof chunk)
                != APR_SUCCESS
            || APR_BRIGADE_EMPTY(bb)) {
            return true;
        }
        if (apr_brigade_flatten(bb, chunk, &len) != APR_SUCCESS || !len) {
            return true;
        }
        if (!keep_early(conn, chunk, len)) {
            return false;
        }
    }
}

/* What came with the request: frames in the same segment or TLS record. */
static bool drain_input(request_rec *r, wsk_conn_t *conn)
{
    apr_bucket_brigade *bb = apr_brigade_create(r->pool,
                                                r->connection->bucket_alloc);

    return link_of(r->connection)->ssl ? drain_tls(r, conn, bb)
                                       : drain_plain(r, conn, bb);
}

static int give_up(request_rec *r, wsk_conn_t *conn)
{
    r->connection->aborted = 1;
    wsk_conn_leave(conn, wsk_process.seg, wsk_slot_now());
    wsk_conn_drop(conn);
    return OK;
}

static bool has_descriptor(apr_socket_t *socket, apr_os_sock_t fd)
{
    apr_os_sock_t now = -1;

    return apr_os_sock_get(&now, socket) == APR_SUCCESS && now == fd;
}

/* A descriptor of our own for the socket of httpd, or -1. A child told to stop at
 * once closes the sockets of its workers under them, and the number may be another
 * file's next: what was copied is ours only if httpd has the socket still. */
static int copy_descriptor(request_rec *r)
{
    apr_socket_t *socket = ap_get_conn_socket(r->connection);
    apr_os_sock_t fd = -1;
    int copy, error;

    apr_os_sock_get(&fd, socket);
    copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    error = errno;
    if (fd < 0 || !has_descriptor(socket, fd)) {
        if (copy >= 0) {
            close(copy);
        }
        return -1;
    }
    if (copy < 0) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, error, r,
                      "WSK0202 no descriptor for a connection; raise "
                      "'ulimit -n' or lower WordSocketMaxConnections");
    }
    return copy;
}

/* httpd may have seen to it. */
static bool never_blocks(int fd)
{
    const int flags = fcntl(fd, F_GETFL);

    return flags >= 0
           && (flags & O_NONBLOCK
               || fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0);
}

int wsk_adopt(request_rec *r, wsk_conn_t *conn)
{
    conn_rec *c = r->connection;
    link_t *link = link_of(c);

    if (!drain_input(r, conn)) {
        return give_up(r, conn);
    }
    conn->fd = copy_descriptor(r);
    if (conn->fd < 0 || !never_blocks(conn->fd)) {
        return give_up(r, conn);
    }
    if (link->ssl) {
        SSL_up_ref(link->ssl);
        conn->ssl = link->ssl;
    }
    link->give = conn;
    c->aborted = 1; /* no flush, no close_notify, no shutdown: just close() */
    return OK;
}

void wsk_adopt_register(apr_pool_t *pconf)
{
    static const char *const ssl[] = { "mod_ssl.c", NULL };

    (void)pconf;
    ap_hook_pre_connection(on_connection, NULL, ssl, APR_HOOK_REALLY_FIRST);
    APR_OPTIONAL_HOOK(ssl, pre_handshake, on_handshake, NULL, NULL,
                      APR_HOOK_MIDDLE);
}
