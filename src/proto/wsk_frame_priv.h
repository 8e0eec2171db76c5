/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_frame_priv -- what the files of wsk_frame share; nobody else includes it.
 *
 * A decoder is in one of these shapes, and wsk_frame_in_load makes no other:
 *
 *   idle       all zero
 *   done       WSK_FRAME_DONE, all else zero
 *   between    WSK_FRAME_HEAD, op set: a message waits for its next fragment
 *   in a head  WSK_FRAME_HEAD, head_len set; op set or not
 *   in data    WSK_FRAME_PAYLOAD, op set, left > 0
 *   in control WSK_FRAME_PAYLOAD, frame_op is the control frame's, left > 0; op
 *              set or not
 *
 * Outside of payload frame_op, left, mask and mask_at are zero; outside of a
 * data frame fin; outside of a message fragments, held and utf8; outside of a
 * control frame control.
 */
#ifndef WSK_FRAME_PRIV_H
#define WSK_FRAME_PRIV_H

#include "proto/wsk_frame.h"

/* Section 5.2, first two bytes of a frame. */
#define WSK_FRAME_FIN 0x80
#define WSK_FRAME_RSV 0x70
#define WSK_FRAME_OP 0x0F
#define WSK_FRAME_MASKED 0x80
#define WSK_FRAME_LEN 0x7F
#define WSK_FRAME_LEN16 126 /* two bytes of length follow */
#define WSK_FRAME_LEN64 127 /* eight */

/* Most bytes a message may have, whatever the limits say: held_len holds it. */
#define WSK_FRAME_MESSAGE_MAX UINT32_MAX

typedef enum wsk_frame_state_e {
    WSK_FRAME_HEAD = 0,
    WSK_FRAME_PAYLOAD,
    WSK_FRAME_DONE
} wsk_frame_state_e;

/** One header, as far as it has come. */
typedef struct wsk_frame_head_t {
    uint64_t len;
    size_t size; /* of the header, as far as it is known: at least this many
                  * bytes are needed */
    uint8_t op;
    bool fin;
    uint8_t mask[4]; /* set once `size` bytes were there */
} wsk_frame_head_t;

static inline bool wsk_frame_is_control(uint8_t op)
{
    return (op & 0x8) != 0;
}

/* In network order. */
static inline void wsk_frame_put_number(uint8_t *out, uint64_t value,
                                        size_t bytes)
{
    while (bytes > 0) {
        bytes--;
        out[bytes] = (uint8_t)value;
        value >>= 8;
    }
}

/**
 * Read a client's header, or the beginning of one.
 * @param so_far  bytes of the message the decoder is in
 * @param len     at least 1
 * @return 0, or the close code of what is wrong with these bytes; more bytes do
 *         not change it
 */
unsigned wsk_frame_head_read(wsk_frame_head_t *head, const wsk_frame_in_t *in,
                             const wsk_frame_limits_t *limits, uint64_t so_far,
                             const uint8_t *bytes, size_t len);

#endif
