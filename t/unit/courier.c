/* SPDX-License-Identifier: Apache-2.0 */
#include "transport/wsk_courier.h"

#include "tap.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static int door[2];
static uint8_t buf[WSK_PACKET_MAX];
static uint8_t parcel[1 << 20];
static const wsk_offer_t offer = { 3, 70000, 63, 0xfffffffe };

static unsigned descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    unsigned n = 0;

    while (readdir(dir)) {
        n++;
    }
    closedir(dir);
    return n;
}

/* One parcel of this size there and back. */
static void round_trip(size_t len)
{
    const unsigned before = descriptors();
    wsk_packet_t got;
    int ends[2];
    char byte = 0;

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) {
        exit(1);
    }
    is_int(wsk_courier_send(door[0], &offer, ends[0], parcel, len), WSK_OK,
           "%u bytes are sent", (unsigned)len);
    close(ends[0]);
    ok(wsk_courier_receive(door[1], buf, &got), "and received");
    is_mem(got.bytes, got.len, parcel, len, "the same ones");
    is_mem(&got.offer, sizeof(got.offer), &offer, sizeof(offer),
           "with their offer");
    ok(got.fd >= 0 && (fcntl(got.fd, F_GETFD) & FD_CLOEXEC),
       "and a descriptor that no other program gets");
    ok(write(got.fd, "x", 1) == 1 && read(ends[1], &byte, 1) == 1
           && byte == 'x',
       "which is that socket");
    wsk_courier_done(&got);
    ok(read(ends[1], &byte, 1) == 0, "closed at last");
    close(ends[1]);
    is_int(descriptors(), before, "no descriptor stays");
}

static void sizes(void)
{
    static const size_t sizes[] = { 0, 1, WSK_PACKET_MAX - 28, 65536,
                                    1u << 20 };
    wsk_packet_t got;
    size_t i;

    for (i = 0; i < sizeof(parcel); i++) {
        parcel[i] = (uint8_t)(i * 7 + (i >> 9));
    }
    for (i = 0; i < WSK_COUNT_OF(sizes); i++) {
        round_trip(sizes[i]);
    }
    ok(!wsk_courier_receive(door[1], buf, &got), "then nothing is there");
}

/* Bytes and descriptors that nobody of ours has sent. */
static void send_foreign(const uint8_t *bytes, size_t len, const int *fds,
                         unsigned n)
{
    union {
        struct cmsghdr align;
        char room[CMSG_SPACE(8 * sizeof(int))];
    } control = { .room = { 0 } };
    struct iovec iov = { (void *)bytes, len };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
    struct cmsghdr *c;

    if (n > 0) {
        msg.msg_control = control.room;
        msg.msg_controllen = CMSG_SPACE(n * sizeof(int));
        c = CMSG_FIRSTHDR(&msg);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(n * sizeof(int));
        memcpy(CMSG_DATA(c), fds, n * sizeof(int));
    }
    if (sendmsg(door[0], &msg, 0) < 0) {
        note("not sent");
    }
}

/* @return whether it was received as no packet, and left nothing */
static bool is_nothing(const uint8_t *bytes, size_t len, const int *fds,
                       unsigned n)
{
    const unsigned before = descriptors();
    wsk_packet_t got;
    bool nothing;

    send_foreign(bytes, len, fds, n);
    nothing = wsk_courier_receive(door[1], buf, &got) && got.fd < 0
              && got.bytes == NULL;
    wsk_courier_done(&got);
    return nothing && descriptors() == before;
}

static void foreign(void)
{
    static uint8_t big[WSK_PACKET_MAX + 100];
    uint8_t sound[40], changed[40];
    const int null = open("/dev/null", O_RDWR);
    const int many[8] = { null, null, null, null, null, null, null, null };
    unsigned i, wrong = 0, random = 1;
    wsk_packet_t got;

    wsk_courier_send(door[0], &offer, null, parcel, 12);
    wsk_courier_receive(door[1], buf, &got);
    memcpy(sound, buf, sizeof(sound));
    wsk_courier_done(&got);
    ok(is_nothing(sound, sizeof(sound), NULL, 0), "without a descriptor");
    for (i = 1; i < sizeof(sound); i++) {
        wrong += !is_nothing(sound, i, many, 1);
    }
    is_int((intmax_t)wrong, 0, "cut off anywhere");
    for (i = 0; i < 8; i++) {
        memcpy(changed, sound, sizeof(sound));
        changed[i] ^= 1;
        wrong += !is_nothing(changed, sizeof(changed), many, 1);
    }
    is_int((intmax_t)wrong, 0, "of another kind or version");
    memcpy(changed, sound, sizeof(sound));
    changed[24] = 0x7f;
    ok(is_nothing(changed, sizeof(changed), many, 1), "of a length too far");
    ok(is_nothing(sound, 28, many, 2), "with a file that is not sealed");
    ok(is_nothing(sound, sizeof(sound), many, 8), "with many descriptors");
    ok(is_nothing(big, sizeof(big), many, 1), "longer than a packet may be");
    for (i = 0; i < 2000; i++) {
        unsigned k;

        for (k = 0; k < sizeof(changed); k++) {
            random = random * 1103515245u + 12345u;
            changed[k] = (uint8_t)(random >> 16);
        }
        wrong += !is_nothing(changed, sizeof(changed), many, i % 3);
    }
    is_int((intmax_t)wrong, 0, "random bytes are nothing");
    close(null);
}

/* Of the right length, but not one that nobody can change any more. */
static void not_sealed(void)
{
    uint8_t head[28];
    const int null = open("/dev/null", O_RDWR);
    FILE *plain = tmpfile();
    int files[2] = { null, fileno(plain) };
    wsk_packet_t got;

    wsk_courier_send(door[0], &offer, null, parcel, 12);
    wsk_courier_receive(door[1], buf, &got);
    memcpy(head, buf, sizeof(head));
    wsk_courier_done(&got);
    if (ftruncate(files[1], 12) != 0) {
        note("not made longer");
    }
    ok(is_nothing(head, sizeof(head), files, 2), "with a file of a disk");
    fclose(plain);
    files[1] = memfd_create("test", MFD_ALLOW_SEALING);
    if (ftruncate(files[1], 12) != 0
        || fcntl(files[1], F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) != 0) {
        note("not sealed in part");
    }
    ok(is_nothing(head, sizeof(head), files, 2),
       "with one in memory that can be written");
    close(files[1]);
    close(null);
}

/* A packet of no bytes may bring descriptors all the same. */
static void empty(void)
{
    const int null = open("/dev/null", O_RDWR);
    const unsigned before = descriptors();
    wsk_packet_t got;

    send_foreign(parcel, 0, &null, 1);
    wsk_courier_receive(door[1], buf, &got);
    ok(got.fd < 0 && got.bytes == NULL, "without bytes it is nothing");
    is_int(descriptors(), before, "and leaves no descriptor");
    close(null);
}

/* With so few descriptors free, of a packet that is sound not all arrive. */
static void short_of_descriptors(unsigned free_ones, size_t len)
{
    const unsigned before = descriptors();
    struct rlimit all, few;
    int null = open("/dev/null", O_RDWR), lowest;
    wsk_packet_t got;

    wsk_courier_send(door[0], &offer, null, parcel, len);
    close(null);
    lowest = dup(0);
    close(lowest);
    getrlimit(RLIMIT_NOFILE, &all);
    few = all;
    few.rlim_cur = (rlim_t)lowest + free_ones;
    setrlimit(RLIMIT_NOFILE, &few);
    ok(wsk_courier_receive(door[1], buf, &got) && got.fd < 0
           && got.bytes == NULL,
       "with %u descriptors free it does not arrive", free_ones);
    setrlimit(RLIMIT_NOFILE, &all);
    ok(got.named && memcmp(&got.offer, &offer, sizeof(offer)) == 0,
       "but it is known whose it was");
    wsk_courier_done(&got);
    is_int(descriptors(), before, "and no descriptor stays");
}

static void full(void)
{
    unsigned n = 0;
    const unsigned before = descriptors();
    wsk_packet_t got;

    wsk_status_e rv = WSK_OK;
    int less = 8192, room = 0;
    socklen_t size = sizeof(room);

    while (n < 100000 && rv == WSK_OK) {
        rv = wsk_courier_send(door[0], &offer, 0, parcel, 60000);
        n += rv == WSK_OK;
    }
    ok(n > 0 && n < 100000, "who sends does not wait when there is no room");
    is_int(rv, WSK_EAGAIN, "but may come again");
    is_int(wsk_courier_send(door[0], &offer, -1, parcel, 10), WSK_ENOMEM,
           "nor is anything sent without a descriptor");
    getsockopt(door[0], SOL_SOCKET, SO_SNDBUF, &room, &size);
    setsockopt(door[0], SOL_SOCKET, SO_SNDBUF, &less, sizeof(less));
    is_int(wsk_courier_send(door[0], &offer, 0, parcel, 60000), WSK_EFULL,
           "or what never fits");
    room /= 2; /* as the system counts */
    setsockopt(door[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
    while (wsk_courier_receive(door[1], buf, &got)) {
        wsk_courier_done(&got);
        n--;
    }
    is_int(n, 0, "what was sent arrives");
    is_int(descriptors(), before, "and leaves nothing");
}

int main(void)
{
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, door) != 0) {
        return 1;
    }
    sizes();
    foreign();
    not_sealed();
    empty();
    short_of_descriptors(0, 100);
    short_of_descriptors(1, 100000);
    full();
    return done_testing();
}
