/* SPDX-License-Identifier: Apache-2.0 */
#include "swarm.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* 127.0.1.1 and up, 250 hosts in each third byte. */
static struct sockaddr_in source_address(int source)
{
    struct sockaddr_in from = { .sin_family = AF_INET };

    from.sin_addr.s_addr = htonl(
        (uint32_t)(0x7f000101 + (source / 250) * 256 + source % 250));
    return from;
}

static void watch(swarm_t *swarm, wire_t *wire, int op)
{
    struct epoll_event ev = { .events = EPOLLIN, .data.ptr = wire };

    if (wire->connecting || wire->out_at < wire->out_len) {
        ev.events |= EPOLLOUT;
    }
    if (epoll_ctl(swarm->epoll, op, wire->fd, &ev) != 0) {
        die("epoll_ctl: %s", strerror(errno));
    }
}

int wire_open(swarm_t *swarm, wire_t *wire, int port, bool tls, int source)
{
    struct sockaddr_in from = source_address(source);
    struct sockaddr_in to = { .sin_family = AF_INET,
                              .sin_port = htons((uint16_t)port) };
    const int on = 1;

    inet_pton(AF_INET, swarm->opt.host, &to.sin_addr);
    wire->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (wire->fd < 0) {
        die("socket: %s", strerror(errno));
    }
    setsockopt(wire->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
    setsockopt(wire->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (bind(wire->fd, (struct sockaddr *)&from, sizeof(from)) != 0) {
        die("bind: %s", strerror(errno));
    }
    wire->connecting = true;
    wire->handshaking = tls;
    if (connect(wire->fd, (struct sockaddr *)&to, sizeof(to)) != 0
        && errno != EINPROGRESS) {
        close(wire->fd);
        wire->fd = -1;
        return -1;
    }
    if (tls) {
        wire->ssl = need(SSL_new(swarm->tls));
        SSL_set_fd(wire->ssl, wire->fd);
        SSL_set_connect_state(wire->ssl);
    }
    watch(swarm, wire, EPOLL_CTL_ADD);
    return 0;
}

void wire_close(wire_t *wire)
{
    if (wire->ssl != NULL) {
        SSL_free(wire->ssl);
    }
    if (wire->fd >= 0) {
        close(wire->fd);
    }
    free(wire->in);
    free(wire->out);
    wire->ssl = NULL;
    wire->fd = -1;
    wire->in = wire->out = NULL;
    wire->in_len = wire->in_cap = 0;
    wire->out_len = wire->out_cap = wire->out_at = 0;
}

static void make_room(char **buffer, uint32_t *cap, size_t want)
{
    size_t size = *cap > 0 ? *cap : 1024;

    if (want > BUFFER_MAX) {
        die("a message of more than %u bytes", BUFFER_MAX);
    }
    while (size < want) {
        size *= 2;
    }
    if (size != *cap) {
        *buffer = need(realloc(*buffer, size));
        *cap = (uint32_t)size;
    }
}

void wire_put(wire_t *wire, const void *bytes, size_t len)
{
    make_room(&wire->out, &wire->out_cap, wire->out_len + len);
    memcpy(wire->out + wire->out_len, bytes, len);
    wire->out_len += (uint32_t)len;
}

/* 0 when the call should be made again later, -1 when it never will do. */
static int tls_says(wire_t *wire, int rc)
{
    switch (SSL_get_error(wire->ssl, rc)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        return 0;
    default:
        return -1;
    }
}

static ssize_t write_some(wire_t *wire)
{
    const char *from = wire->out + wire->out_at;
    const size_t len = wire->out_len - wire->out_at;
    ssize_t n;

    if (wire->ssl != NULL) {
        n = SSL_write(wire->ssl, from, (int)len);
        return n > 0 ? n : tls_says(wire, (int)n);
    }
    n = send(wire->fd, from, len, MSG_NOSIGNAL);
    return n < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : n;
}

int wire_flush(swarm_t *swarm, wire_t *wire)
{
    ssize_t n = 0;

    if (wire->connecting || wire->handshaking) {
        return 0;
    }
    while (wire->out_at < wire->out_len && (n = write_some(wire)) > 0) {
        wire->out_at += (uint32_t)n;
    }
    if (n < 0) {
        return -1;
    }
    if (wire->out_at == wire->out_len) {
        free(wire->out);
        wire->out = NULL;
        wire->out_at = wire->out_len = wire->out_cap = 0;
    }
    watch(swarm, wire, EPOLL_CTL_MOD);
    return 0;
}

/* Reads what is there. @return bytes, 0 if none, -1 at the end */
int wire_fill(wire_t *wire)
{
    ssize_t n;
    int sum = 0;

    do {
        make_room(&wire->in, &wire->in_cap, wire->in_len + 4096);
        if (wire->ssl != NULL) {
            n = SSL_read(wire->ssl, wire->in + wire->in_len,
                         (int)(wire->in_cap - wire->in_len));
            n = n > 0 ? n : tls_says(wire, (int)n);
        }
        else {
            n = recv(wire->fd, wire->in + wire->in_len,
                     wire->in_cap - wire->in_len, 0);
            if (n == 0) {
                n = -1;
            }
            else if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
                n = 0;
            }
        }
        if (n > 0) {
            wire->in_len += (uint32_t)n;
            sum += (int)n;
        }
    } while (n > 0 && sum < 256 * 1024);
    /* What was read before the end is handled first. */
    return n < 0 && sum == 0 ? -1 : sum;
}

/* Moves on what is under way: the connect, the TLS handshake, the output.
 * @return -1 failed, 0 under way, 1 bytes may flow */
int wire_advance(swarm_t *swarm, wire_t *wire)
{
    int fault = 0, rc;
    socklen_t len = sizeof(fault);

    if (wire->connecting) {
        getsockopt(wire->fd, SOL_SOCKET, SO_ERROR, &fault, &len);
        if (fault != 0) {
            return -1;
        }
        wire->connecting = false;
    }
    if (wire->handshaking) {
        rc = SSL_do_handshake(wire->ssl);
        if (rc != 1) {
            watch(swarm, wire, EPOLL_CTL_MOD);
            return tls_says(wire, rc);
        }
        wire->handshaking = false;
    }
    return wire_flush(swarm, wire) < 0 ? -1 : 1;
}

void wire_drop(wire_t *wire, size_t len)
{
    wire->in_len -= (uint32_t)len;
    if (wire->in_len > 0) {
        memmove(wire->in, wire->in + len, wire->in_len);
        return;
    }
    free(wire->in);
    wire->in = NULL;
    wire->in_cap = 0;
}
