/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_courier -- packets with a descriptor and a parcel, from process to process
 * through a SEQPACKET pair.
 *
 * A packet is at most WSK_PACKET_MAX bytes: a head, which names the offer, and
 * the parcel. A larger parcel goes as a file in memory, sealed, whose descriptor
 * is with it: so it is gone when the last of them is closed, whoever dies.
 *
 * Promise   Neither call blocks. What is received may be anybody's: a packet is
 *           taken apart within its bounds, and leaves no descriptor behind.
 * Threads   Any; each end by as many processes as like.
 */
#ifndef WSK_COURIER_H
#define WSK_COURIER_H

#include "store/wsk_offer.h"

#define WSK_PACKET_MAX 65536

typedef struct wsk_packet_t {
    bool
        ended; /* nothing more can come: the pair is shut, or somebody says so */
    bool named; /* it has a head of ours, which names this offer: */
    wsk_offer_t offer;
    int fd; /* close-on-exec; the receiver's */
    const uint8_t *bytes;
    size_t len;
    uint8_t *owned; /* the bytes of a large one, to be freed */
} wsk_packet_t;

/** @return WSK_OK; or nothing was sent: WSK_EAGAIN (no room now, for nobody),
 *          WSK_EFULL (it will never fit), WSK_ENOMEM (or descriptors) */
wsk_status_e wsk_courier_send(int door, const wsk_offer_t *offer, int fd,
                              const uint8_t *bytes, size_t len);

/**
 * @param buf  WSK_PACKET_MAX bytes, in which a small parcel lies then
 * @param out  fd is -1 and bytes NULL if it was no packet of ours, or did not
 *             arrive whole: there were no descriptors left, or no memory
 * @return false: nothing is there
 */
bool wsk_courier_receive(int door, uint8_t *buf, wsk_packet_t *out);

/** Close and free what is still in it. */
void wsk_courier_done(wsk_packet_t *packet);

#endif
