/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_peer -- who holds the other end of a connection, if that is a process on
 * this machine: sock_diag(7), one question to the kernel.
 */
#include "hooks/wsk_host.h"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#define WAIT_S 1
#define TCP_IS_ESTABLISHED 1

typedef struct question_t {
    struct nlmsghdr head;
    struct inet_diag_req_v2 body;
} question_t;

/* An IPv4 client of an IPv6 listener has a socket of IPv4. */
static bool put_end(uint32_t to[4], uint16_t *pport, uint8_t *pfamily,
                    const apr_sockaddr_t *from)
{
    const struct in6_addr *v6 = &from->sa.sin6.sin6_addr;

    memset(to, 0, 4 * sizeof *to);
    *pport = htons(from->port);
    if (from->family == APR_INET) {
        *pfamily = AF_INET;
        memcpy(to, &from->sa.sin.sin_addr, 4);
        return true;
    }
    if (from->family != APR_INET6) {
        return false;
    }
    *pfamily = IN6_IS_ADDR_V4MAPPED(v6) ? AF_INET : AF_INET6;
    if (*pfamily == AF_INET) {
        memcpy(to, &v6->s6_addr[12], 4);
    }
    else {
        memcpy(to, v6, 16);
    }
    return true;
}

/* The socket whose own end is our peer, and whose peer is our own. */
static bool ask(question_t *q, const conn_rec *c)
{
    uint8_t family;

    *q = (question_t){
        .head = { .nlmsg_len = sizeof *q,
                  .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                  .nlmsg_flags = NLM_F_REQUEST },
        .body = { .sdiag_protocol = IPPROTO_TCP,
                  .idiag_states = 1u << TCP_IS_ESTABLISHED,
                  .id = { .idiag_cookie = { INET_DIAG_NOCOOKIE,
                                            INET_DIAG_NOCOOKIE } } },
    };
    return put_end(q->body.id.idiag_src, &q->body.id.idiag_sport,
                   &q->body.sdiag_family, c->client_addr)
           && put_end(q->body.id.idiag_dst, &q->body.id.idiag_dport, &family,
                      c->local_addr)
           && family == q->body.sdiag_family;
}

/* Where there is no such connection the kernel tells of a listener at its
 * address, which is another's. */
static int64_t read_answer(const uint8_t *bytes, size_t len,
                           const question_t *q)
{
    const struct nlmsghdr *head = (const void *)bytes;
    const struct inet_diag_msg *said = NLMSG_DATA(head);

    if (len < NLMSG_LENGTH(sizeof *said)
        || head->nlmsg_type != SOCK_DIAG_BY_FAMILY
        || said->idiag_state != TCP_IS_ESTABLISHED
        || said->id.idiag_sport != q->body.id.idiag_sport
        || said->id.idiag_dport != q->body.id.idiag_dport) {
        return -1;
    }
    return (int64_t)said->idiag_uid;
}

int64_t wsk_peer_uid(const conn_rec *c)
{
    const struct timeval wait = { .tv_sec = WAIT_S };
    struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
    _Alignas(struct nlmsghdr) uint8_t bytes[1024];
    question_t q;
    ssize_t n = -1;
    int fd;

    if (!ask(&q, c)) {
        return -1;
    }
    fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    if (fd < 0) {
        return -1;
    }
    if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait) == 0
        && sendto(fd, &q, sizeof q, 0, (void *)&kernel, sizeof kernel)
               == (ssize_t)sizeof q) {
        n = recv(fd, bytes, sizeof bytes, 0);
    }
    close(fd);
    return n < 0 ? -1 : read_answer(bytes, (size_t)n, &q);
}
