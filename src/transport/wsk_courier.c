/* SPDX-License-Identifier: Apache-2.0 */
#include "transport/wsk_courier.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* magic, version, of the offer slot, term, number, name, then the parcel's bytes;
 * 32 bits each, in network order */
#define MAGIC 0x57534b48u
#define VERSION 1
#define HEAD 28
#define LARGEST ((size_t)WSK_MB(24))
#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

static void put_word(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 24);
    at[1] = (uint8_t)(value >> 16);
    at[2] = (uint8_t)(value >> 8);
    at[3] = (uint8_t)value;
}

static uint32_t get_word(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8
           | at[3];
}

static void put_head(uint8_t head[HEAD], const wsk_offer_t *offer, size_t len)
{
    put_word(head, MAGIC);
    put_word(head + 4, VERSION);
    put_word(head + 8, offer->slot);
    put_word(head + 12, offer->term);
    put_word(head + 16, offer->number);
    put_word(head + 20, offer->name);
    put_word(head + 24, (uint32_t)len);
}

static bool get_head(const uint8_t *head, size_t have, wsk_offer_t *offer,
                     size_t *plen)
{
    if (have < HEAD || get_word(head) != MAGIC
        || get_word(head + 4) != VERSION) {
        return false;
    }
    offer->slot = get_word(head + 8);
    offer->term = get_word(head + 12);
    offer->number = get_word(head + 16);
    offer->name = get_word(head + 20);
    *plen = get_word(head + 24);
    return *plen <= LARGEST;
}

/* A large parcel is a file in memory that nobody can change any more. It goes
 * with the last descriptor, whoever dies. */
static int file_of(const uint8_t *bytes, size_t len)
{
    int fd = memfd_create("wordsocket", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    size_t at = 0;

    while (fd >= 0 && at < len) {
        const ssize_t n = write(fd, bytes + at, len - at);

        if (n <= 0) {
            close(fd);
            return -1;
        }
        at += (size_t)n;
    }
    if (fd >= 0 && fcntl(fd, F_ADD_SEALS, SEALS) != 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

static wsk_status_e failure(int error)
{
    switch (error) {
    case EAGAIN:
    case ETOOMANYREFS: /* of this user on their way */
        return WSK_EAGAIN;
    case EMSGSIZE:
        return WSK_EFULL;
    default:
        return WSK_ENOMEM;
    }
}

static wsk_status_e send_packet(int door, const uint8_t *head,
                                const uint8_t *bytes, size_t len,
                                const int *fds, unsigned nfds)
{
    union {
        struct cmsghdr align;
        char room[CMSG_SPACE(2 * sizeof(int))];
    } control = { .room = { 0 } };
    struct iovec iov[] = { { (void *)head, HEAD }, { (void *)bytes, len } };
    struct msghdr msg = { .msg_iov = iov,
                          .msg_iovlen = len > 0 ? 2 : 1,
                          .msg_control = control.room,
                          .msg_controllen = CMSG_SPACE(nfds * sizeof(int)) };
    struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(nfds * sizeof(int));
    memcpy(CMSG_DATA(c), fds, nfds * sizeof(int));
    return sendmsg(door, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0
               ? WSK_OK
               : failure(errno);
}

wsk_status_e wsk_courier_send(int door, const wsk_offer_t *offer, int fd,
                              const uint8_t *bytes, size_t len)
{
    const bool large = len + HEAD > WSK_PACKET_MAX;
    int fds[2] = { fd, -1 };
    uint8_t head[HEAD];
    wsk_status_e rv = WSK_ENOMEM;

    if (len > LARGEST) {
        return WSK_EFULL;
    }
    put_head(head, offer, len);
    if (large) {
        fds[1] = file_of(bytes, len);
    }
    if (!large || fds[1] >= 0) {
        rv = send_packet(door, head, bytes, large ? 0 : len, fds,
                         large ? 2 : 1);
    }
    if (fds[1] >= 0) {
        close(fds[1]);
    }
    return rv;
}

/* The descriptors of a packet; those that are too many are closed. */
static void get_descriptors(struct msghdr *msg, int fds[2])
{
    struct cmsghdr *c;
    size_t i, n;
    int fd;

    fds[0] = fds[1] = -1;
    for (c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) {
            continue;
        }
        n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (i = 0; i < n; i++) {
            memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof fd);
            if (i < 2 && fds[i] < 0) {
                fds[i] = fd;
            }
            else {
                close(fd);
            }
        }
    }
}

/* Read the file of a large parcel. @return owned, or NULL */
static uint8_t *read_file(int file, size_t len)
{
    const int seals = fcntl(file, F_GET_SEALS);
    struct stat what;
    size_t at = 0;
    uint8_t *bytes;

    if (seals < 0 || (seals & SEALS) != SEALS || fstat(file, &what) != 0
        || (uint64_t)what.st_size != len || !(bytes = malloc(len + 1))) {
        return NULL;
    }
    while (at < len) {
        const ssize_t n = pread(file, bytes + at, len - at, (off_t)at);

        if (n <= 0) {
            free(bytes);
            return NULL;
        }
        at += (size_t)n;
    }
    return bytes;
}

/* @param fds  of the connection, and of the file of a large parcel; -1: none */
static void take_apart(const uint8_t *buf, size_t have, const int fds[2],
                       wsk_packet_t *out)
{
    const int file = fds[1];

    out->named = get_head(buf, have, &out->offer, &out->len);
    if (!out->named || fds[0] < 0) {
        return;
    }
    if (file < 0) {
        out->bytes = have == HEAD + out->len ? buf + HEAD : NULL;
    }
    else if (have == HEAD) {
        out->bytes = out->owned = read_file(file, out->len);
    }
}

bool wsk_courier_receive(int door, uint8_t *buf, wsk_packet_t *out)
{
    union {
        struct cmsghdr align;
        char room[CMSG_SPACE(4 * sizeof(int))];
    } control;
    struct iovec iov = { buf, WSK_PACKET_MAX };
    struct msghdr msg = { .msg_iov = &iov,
                          .msg_iovlen = 1,
                          .msg_control = control.room,
                          .msg_controllen = sizeof control.room };
    const ssize_t n = recvmsg(door, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    int fds[2];

    memset(out, 0, sizeof *out);
    out->fd = -1;
    if (n < 0) {
        return false;
    }
    out->ended = n == 0;
    get_descriptors(&msg, fds);
    if (!(msg.msg_flags & MSG_TRUNC)) {
        take_apart(buf, (size_t)n, fds, out);
    }
    if (fds[1] >= 0) {
        close(fds[1]);
    }
    if (out->bytes) {
        out->fd = fds[0];
    }
    else if (fds[0] >= 0) {
        close(fds[0]);
    }
    return n > 0;
}

void wsk_courier_done(wsk_packet_t *packet)
{
    if (packet->fd >= 0) {
        close(packet->fd);
    }
    free(packet->owned);
    memset(packet, 0, sizeof *packet);
    packet->fd = -1;
}
