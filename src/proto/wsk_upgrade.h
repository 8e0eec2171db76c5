/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_upgrade -- the opening handshake, RFC 6455 section 4.2: header texts in,
 * accept value or refusal out.
 *
 * Promise   No I/O, and no allocation but what OpenSSL makes for its digest and
 *           frees before the call returns. Header texts may be anything.
 * Not here  HTTP/1.1 or later, Origin and token (auth, hooks).
 */
#ifndef WSK_UPGRADE_H
#define WSK_UPGRADE_H

#include "core/wsk.h"

#define WSK_ACCEPT_LEN 28

typedef enum wsk_upgrade_e {
    WSK_UPGRADE_OK = 0,
    WSK_UPGRADE_NONE,   /* no Upgrade: websocket here: an ordinary request */
    WSK_UPGRADE_BAD,    /* 400: method, Connection or key are wrong */
    WSK_UPGRADE_VERSION /* 426, answer with Sec-WebSocket-Version: 13 */
} wsk_upgrade_e;

/** The request's headers; NULL where absent. Lists are comma separated and
 *  compared without case (RFC 9110 section 7.8, 7.6.1). */
typedef struct wsk_upgrade_t {
    const char *method;
    const char *upgrade;
    const char *connection;
    const char *key;
    const char *version;
} wsk_upgrade_t;

/**
 * Decide on a request. Where several things are wrong the first of Upgrade,
 * method, Connection, version, key answers: another version may have other keys.
 * A missing version is a wrong one. The key must be the base64 of exactly 16
 * bytes; the unused bits of its last digit may be set, as they are in an example
 * of section 4.1.
 * @param accept  WSK_ACCEPT_LEN + 1 bytes, a text when the answer is OK and
 *                else empty
 * @return also WSK_UPGRADE_BAD if OpenSSL could not make a digest
 */
wsk_upgrade_e wsk_upgrade(const wsk_upgrade_t *req, char *accept);

#endif
