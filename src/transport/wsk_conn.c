/* SPDX-License-Identifier: Apache-2.0 */
#include "transport/wsk_conn.h"

#include <errno.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "store/wsk_feed.h"

#define VECTORS 64
/* Queued for one client: no more is read from it then. A frame costs more than
 * its bytes. */
#define FULL 262144
#define FRAME_COST 64
/* One TLS record's plaintext, so that small frames share records. */
#define RECORD 16384

wsk_conn_t *wsk_conn_make(wsk_kind_e kind)
{
    wsk_conn_t *c = calloc(1, sizeof *c);

    if (c) {
        c->kind = (uint8_t)kind;
        c->fd = -1;
    }
    return c;
}

void wsk_conn_leave(const wsk_conn_t *c, wsk_segment_t *seg, unsigned slot)
{
    if (c->admitted && c->feed) {
        wsk_feed_leave(seg, slot, c->term, c->user);
    }
    else if (c->admitted) {
        wsk_site_leave(seg, slot, c->term, c->site, c->address);
    }
}

void wsk_conn_drop(wsk_conn_t *c)
{
    wsk_queue_clear(&c->out);
    if (c->ssl) {
        /* Else its session would be taken out of httpd's cache, and who comes
         * back after a bad line could not resume it. */
        SSL_set_shutdown(c->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
        SSL_free(c->ssl);
    }
    if (c->fd >= 0) {
        close(c->fd);
    }
    if (c->kind == WSK_KIND_PUBLISHER) {
        free(c->publisher);
    }
    else {
        wsk_grant_unref(c->grant);
    }
    if (c->aside) {
        wsk_frame_in_clear(&c->aside->in);
        free(c->aside->early);
        free(c->aside->first);
        free(c->aside);
    }
    free(c);
}

wsk_aside_t *wsk_conn_aside(wsk_conn_t *c)
{
    if (!c->aside) {
        c->aside = calloc(1, sizeof *c->aside);
    }
    return c->aside;
}

void wsk_conn_tidy(wsk_conn_t *c)
{
    if (c->aside && !c->aside->early && !c->aside->first
        && wsk_frame_in_idle(&c->aside->in)) {
        free(c->aside);
        c->aside = NULL;
    }
}

bool wsk_conn_keep_early(wsk_conn_t *c, const void *bytes, size_t len)
{
    wsk_aside_t *aside = wsk_conn_aside(c);
    uint8_t *wider = aside ? realloc(aside->early, aside->early_len + len)
                           : NULL;

    if (!wider) {
        return false;
    }
    memcpy(wider + aside->early_len, bytes, len);
    aside->early = wider;
    aside->early_len += (uint32_t)len;
    return true;
}

const wsk_frame_in_t *wsk_conn_decoder(const wsk_conn_t *c)
{
    static const wsk_frame_in_t idle;

    return c->aside ? &c->aside->in : &idle;
}

unsigned wsk_conn_decode(wsk_conn_t *c, const wsk_frame_limits_t *limits,
                         const wsk_frame_handler_t *to, void *baton,
                         uint8_t *bytes, size_t len)
{
    wsk_frame_in_t fresh = { 0 };
    wsk_frame_in_t *in = c->aside ? &c->aside->in : &fresh;
    unsigned fault = wsk_frame_feed(in, limits, to, baton, bytes, len);

    if (!fault && in == &fresh && c->state == WSK_CONN_OPEN
        && !wsk_frame_in_idle(in)) {
        if (wsk_conn_aside(c)) {
            c->aside->in = fresh;
            return 0;
        }
        fault = WSK_CLOSE_TRY_LATER;
    }
    if (fault || c->state != WSK_CONN_OPEN) {
        wsk_frame_in_clear(in);
    }
    wsk_conn_tidy(c);
    return fault;
}

bool wsk_conn_full(const wsk_conn_t *c)
{
    return c->out.bytes + (uint64_t)c->out.frames * FRAME_COST > FULL;
}

static ssize_t write_plain(const wsk_conn_t *c)
{
    const int flags = MSG_NOSIGNAL | MSG_DONTWAIT;
    const wsk_queue_t *q = &c->out;
    struct iovec iov[VECTORS];
    struct msghdr msg = { .msg_iov = iov };
    ssize_t n;

    if (q->frames > 1) {
        msg.msg_iovlen = wsk_queue_vectors(q, iov, VECTORS);
    }
    do {
        /* The rule, one message at a time: cheaper than sendmsg, and than
         * wsk_queue_next. */
        n = q->frames > 1
                ? sendmsg(c->fd, &msg, flags)
                : send(c->fd, q->only->bytes + q->only->len - q->bytes,
                       q->bytes, flags);
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -1;
    }
    return n;
}

/* What TLS has made a record of must be offered again, byte for byte, until it
 * is written (SSL_write, "must be repeated with the same arguments"). */
static ssize_t write_tls(wsk_conn_t *c)
{
    uint8_t record[RECORD];
    size_t len = 0, most = c->sealed ? c->sealed : sizeof record;
    wsk_piece_t p = { 0 };
    int n, why;

    while (len < most && wsk_queue_next(&c->out, &p)) {
        size_t some = WSK_MIN(p.len, most - len);

        memcpy(record + len, p.bytes, some);
        len += some;
    }
    ERR_clear_error();
    n = SSL_write(c->ssl, record, (int)len);
    if (n > 0) {
        c->sealed = 0;
        return n;
    }
    why = SSL_get_error(c->ssl, n);
    if (why != SSL_ERROR_WANT_WRITE && why != SSL_ERROR_WANT_READ) {
        return -1;
    }
    c->sealed = (uint32_t)len;
    return 0;
}

wsk_io_e wsk_conn_flush(wsk_conn_t *c, wsk_sent_t *sent)
{
    while (c->out.frames) {
        ssize_t n = c->ssl ? write_tls(c) : write_plain(c);

        sent->sends++;
        if (n < 0) {
            return WSK_IO_GONE;
        }
        if (n == 0) {
            return WSK_IO_AGAIN;
        }
        sent->bytes += (uint64_t)n;
        c->bytes_out += (uint64_t)n;
        wsk_queue_sent(&c->out, (size_t)n);
    }
    return WSK_IO_OK;
}

static size_t read_early(wsk_conn_t *c, uint8_t *buf, size_t cap)
{
    wsk_aside_t *aside = c->aside;
    size_t n = WSK_MIN(cap, wsk_conn_early(c));

    memcpy(buf, aside->early + aside->early_at, n);
    aside->early_at += (uint32_t)n;
    if (aside->early_at == aside->early_len) {
        free(aside->early);
        aside->early = NULL;
        aside->early_len = aside->early_at = 0;
        wsk_conn_tidy(c);
    }
    return n;
}

wsk_io_e wsk_conn_read(wsk_conn_t *c, uint8_t *buf, size_t cap, size_t *pn)
{
    ssize_t n;
    int why;

    if (wsk_conn_early(c)) {
        n = (ssize_t)read_early(c, buf, cap);
    }
    else if (!c->ssl) {
        do {
            n = recv(c->fd, buf, cap, MSG_DONTWAIT);
        } while (n < 0 && errno == EINTR);
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            return WSK_IO_AGAIN;
        }
    }
    else {
        ERR_clear_error();
        n = SSL_read(c->ssl, buf, (int)cap);
        if (n <= 0) {
            why = SSL_get_error(c->ssl, (int)n);
            c->stuck = why == SSL_ERROR_WANT_WRITE;
            if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) {
                return WSK_IO_AGAIN;
            }
        }
    }
    if (n <= 0) {
        return WSK_IO_GONE;
    }
    c->bytes_in += (uint64_t)n;
    *pn = (size_t)n;
    return WSK_IO_OK;
}

static void no_info(const SSL *ssl, int where, int ret)
{
    (void)ssl;
    (void)where;
    (void)ret;
}

bool wsk_conn_own_ssl(wsk_conn_t *c)
{
    BIO *bio;

    if (!c->ssl) {
        return true;
    }
    /* NULL would fall back to the context's callback, which expects a live
     * conn_rec. */
    SSL_set_info_callback(c->ssl, no_info);
    SSL_set_msg_callback(c->ssl, NULL);
    SSL_set_app_data(c->ssl, NULL);
    SSL_set_options(c->ssl, SSL_OP_NO_RENEGOTIATION);
    SSL_set_mode(c->ssl, SSL_MODE_RELEASE_BUFFERS
                             | SSL_MODE_ENABLE_PARTIAL_WRITE
                             | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    bio = BIO_new_socket(c->fd, BIO_NOCLOSE);
    if (!bio) {
        return false;
    }
    SSL_set_bio(c->ssl, bio, bio);
    return true;
}
