/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk -- words every room uses: status codes, sizes, bounds of names.
 *
 * Promise   Plain C11. Nothing here allocates, locks or does I/O.
 * Not here  Counters (core/wsk_counters), settings (conf/wsk_settings.h).
 */
#ifndef WSK_H
#define WSK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WSK_KB(n) ((int64_t)(n)*1024)
#define WSK_MB(n) ((int64_t)(n)*1024 * 1024)
#define WSK_COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))
#define WSK_MIN(a, b) ((a) < (b) ? (a) : (b))
#define WSK_MAX(a, b) ((a) > (b) ? (a) : (b))

/* Fetch from memory what is soon to be read and written. */
#ifdef __GNUC__
#define wsk_prefetch(at) __builtin_prefetch((at), 1)
#else
#define wsk_prefetch(at) ((void)(at))
#endif

/* Longest bare name of a channel, and name of an event, in bytes. */
#define WSK_CHANNEL_MAX 200
#define WSK_EVENT_MAX 200
/* Longest site key, and the hex of a SHA-256. */
#define WSK_KEY_MAX 64
#define WSK_HEX256 64
/* Longest secret a site may have, in bytes. */
#define WSK_SECRET_MAX 128

/** What a call of a bare room answers; what each leaves behind is written at
 *  the call. */
typedef enum wsk_status_e {
    WSK_OK = 0,
    WSK_EINVAL,    /* the caller's bytes are not what they should be */
    WSK_ENOTFOUND, /* nothing of that name */
    WSK_EFULL,     /* a bound was reached; nothing changed */
    WSK_EGAP,      /* what was asked for is gone */
    WSK_EAGAIN,    /* nothing to do now */
    WSK_EBROKEN,   /* a structure does not hang together */
    WSK_ENOMEM,    /* the process has no memory */
    WSK_EDUP,      /* it was there already */
    WSK_ECLASH,    /* something else has its name */
    WSK_ERATE      /* too often; later it may succeed */
} wsk_status_e;

/** Bytes lent until the call they are passed to returns. */
typedef struct wsk_slice_t {
    const char *at;
    size_t len;
} wsk_slice_t;

#endif
