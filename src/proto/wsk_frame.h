/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_frame -- RFC 6455 frames: a client's bytes in, messages out; and the
 * heads of our own frames.
 *
 * Promise   Performs no I/O and reads no clock. Input may be cut anywhere. An
 *           idle decoder holds no heap memory; while a message is incomplete it
 *           holds at most max_message bytes, and what it has allocated never
 *           exceeds twice what has arrived plus 4 KiB (a length in a header
 *           reserves nothing).
 * Owner     wsk_frame_in_t is the caller's; its one heap pointer is freed by
 *           wsk_frame_in_clear(). What handlers are given is lent until they
 *           return and may be written to (it is unmasked in place).
 * Threads   One thread at a time per decoder.
 * Errors    A close code (section 7.4.1) that the connection is to be closed
 *           with. After a fault, after a Close and after a handler said stop
 *           the decoder holds nothing and ignores all input, until
 *           wsk_frame_in_clear().
 * Not here  Rights and rates (transport), the opening handshake (wsk_upgrade).
 */
#ifndef WSK_FRAME_H
#define WSK_FRAME_H

#include "core/wsk.h"
#include "proto/wsk_utf8.h"

/* Section 5.2. */
typedef enum wsk_opcode_e {
    WSK_OP_CONT = 0x0,
    WSK_OP_TEXT = 0x1,
    WSK_OP_BINARY = 0x2,
    WSK_OP_CLOSE = 0x8,
    WSK_OP_PING = 0x9,
    WSK_OP_PONG = 0xA
} wsk_opcode_e;

/* Sections 7.4.1 and 11.7, and the ecosystem's own from 4000 up. */
typedef enum wsk_close_e {
    WSK_CLOSE_NORMAL = 1000,
    WSK_CLOSE_AWAY = 1001,
    WSK_CLOSE_PROTOCOL = 1002,
    WSK_CLOSE_UNACCEPTABLE = 1003,
    WSK_CLOSE_NO_STATUS = 1005, /* never on the wire */
    WSK_CLOSE_ABNORMAL = 1006,  /* never on the wire */
    WSK_CLOSE_BAD_DATA = 1007,
    WSK_CLOSE_POLICY = 1008,
    WSK_CLOSE_TOO_BIG = 1009,
    WSK_CLOSE_RESTART = 1012,
    WSK_CLOSE_TRY_LATER = 1013,
    WSK_CLOSE_TOKEN = 4001,
    WSK_CLOSE_SITE = 4003,
    WSK_CLOSE_LIMIT = 4029
} wsk_close_e;

/** Whether a peer may put this code on the wire: 1000-1003, 1007-1014 and
 *  3000-4999. */
bool wsk_close_code_valid(unsigned code);

#define WSK_FRAME_HEAD_MAX 10     /* of an unmasked frame */
#define WSK_FRAME_CONTROL_MAX 125 /* payload of a control frame, section 5.5 */
#define WSK_FRAME_SAVE_MIN 28     /* of a decoder that holds nothing */

/**
 * Write the head of an unmasked server frame with FIN set.
 * @param out  WSK_FRAME_HEAD_MAX bytes
 * @return bytes written: 2, 4 or 10; the shortest form
 */
size_t wsk_frame_head(uint8_t *out, wsk_opcode_e op, uint64_t len);

/**
 * Write a whole Close frame. A reason that would not fit is cut at a character.
 * @param out     2 + WSK_FRAME_CONTROL_MAX bytes
 * @param code    0 for a Close without a body, and so without a reason
 * @param reason  UTF-8, or NULL
 * @return bytes written
 */
size_t wsk_frame_close(uint8_t *out, unsigned code, const char *reason);

/** What a decoder tells its owner; all three are needed. A handler that returns
 *  false stops the decoder: the rest of the input is dropped. It may not feed,
 *  clear, save or free the decoder that called it: it returns false, and the
 *  owner does that after wsk_frame_feed(). */
typedef struct wsk_frame_handler_t {
    /** A whole message; text is valid UTF-8. `payload` is never NULL. */
    bool (*message)(void *baton, wsk_opcode_e op, uint8_t *payload, size_t len);
    /** Ping or Pong. */
    bool (*control)(void *baton, wsk_opcode_e op, uint8_t *payload, size_t len);
    /** A valid Close; code is WSK_CLOSE_NO_STATUS if it had no body. Nothing is
     *  decoded after it, whatever this returns. `reason` has no final NUL. */
    bool (*close)(void *baton, unsigned code, const char *reason, size_t len);
} wsk_frame_handler_t;

/** Limits a decoder works under; read at every call, so they may change. */
typedef struct wsk_frame_limits_t {
    uint64_t max_message;   /* bytes of a message, all fragments together; more
                             * than UINT32_MAX count as that */
    uint32_t max_fragments; /* frames of a message, 1 or more */
} wsk_frame_limits_t;

/** One connection's decoder. All zero is the start. Plain data but for `held`,
 *  so that a connection can travel to another process; see wsk_frame_in_save.
 */
typedef struct wsk_frame_in_t {
    uint8_t *held; /* message bytes so far, unmasked; owned */
    uint32_t held_len;
    uint32_t held_cap;
    uint64_t left; /* payload bytes of the current frame to come */
    uint32_t fragments;
    uint8_t head[14]; /* a header cut in the middle */
    uint8_t head_len;
    uint8_t mask[4];
    uint8_t mask_at;     /* where in the mask `left` goes on */
    uint8_t op;          /* of the message, 0 between messages */
    uint8_t frame_op;    /* of the current frame */
    uint8_t state;       /* wsk_frame_state_e, proto/wsk_frame_priv.h */
    bool fin;            /* the current frame ends the message */
    uint8_t control_len; /* bytes at `control` so far */
    uint8_t *control;    /* a control frame cut in the middle; owned, or NULL */
    wsk_utf8_t utf8;
} wsk_frame_in_t;

/**
 * Decode input. Fast path: a message whole in `bytes` is handed out from there
 * without a copy.
 * @param bytes  written to (unmasking)
 * @return WSK_OK, or the close code of the fault as a positive number >= 1000:
 *         1002 protocol (unmasked, RSV, opcode, length form, control length,
 *         order, close code), 1007 bad UTF-8, 1009 over max_message or
 *         max_fragments, 1013 no memory.
 *         A header is refused at the first byte that makes it wrong, so before
 *         any payload; text at the first byte that cannot become valid. What
 *         came before the fault has been handed out.
 */
unsigned wsk_frame_feed(wsk_frame_in_t *in, const wsk_frame_limits_t *limits,
                        const wsk_frame_handler_t *to, void *baton,
                        uint8_t *bytes, size_t len);

/** Whether nothing of a frame or message is held and input is still taken: the
 *  decoder is all zero. */
bool wsk_frame_in_idle(const wsk_frame_in_t *in);

/** Free what is held and start over: all zero. */
void wsk_frame_in_clear(wsk_frame_in_t *in);

/**
 * Write a decoder so that wsk_frame_in_load can rebuild it elsewhere. It is left
 * as it was. An idle decoder takes WSK_FRAME_SAVE_MIN bytes.
 * @return bytes needed; nothing is written if that is more than cap
 */
size_t wsk_frame_in_save(const wsk_frame_in_t *in, uint8_t *out, size_t cap);

/**
 * Rebuild a decoder. The bytes may come from anybody: what is loaded is a state
 * that save could have written, and saving it gives the same bytes.
 * @param in  overwritten, so it holds nothing before
 * @return WSK_OK, WSK_EINVAL (not written by save), WSK_ENOMEM; `in` is clear
 *         after a failure
 */
wsk_status_e wsk_frame_in_load(wsk_frame_in_t *in, const uint8_t *bytes,
                               size_t len);

#endif
