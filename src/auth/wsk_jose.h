/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_jose -- the strict reading of a signed token's text (RFC 7515, compact
 * serialization): three segments in, two JSON objects out.
 *
 * Promise   What libraries are known to let pass is refused here: padding,
 *           white space or unused bits in base64url, members named twice,
 *           nesting over WSK_JOSE_DEPTH, NUL and malformed UTF-8, an algorithm
 *           spelled otherwise than "HS256", a header that asks for something
 *           we do not do. Bounded: a token over WSK_TOKEN_MAX bytes is refused
 *           unseen; memory is a multiple of its size.
 * Owner     The caller frees what it got with wsk_jose_free.
 * Threads   Any; no state.
 * Not here  The signature (auth/wsk_jwt): nothing read here is true yet.
 */
#ifndef WSK_JOSE_H
#define WSK_JOSE_H

#include "auth/wsk_token.h"

#include <jansson.h>

/* Objects and lists within each other; our own claims need two. */
#define WSK_JOSE_DEPTH 16

typedef struct wsk_jose_t {
    json_t *header; /* an object */
    json_t *claims; /* an object */
} wsk_jose_t;

/**
 * The header must say `alg` "HS256"; `typ` is "JWT" in any case, if there;
 * crit, b64, jku, jwk, x5u, x5c, zip and enc may not be there; anything else
 * (kid, cty) is ignored.
 * @param jose  filled when OK, both NULL otherwise
 * @return WSK_TOKEN_OK
 *         WSK_TOKEN_MALFORMED  a segment or its JSON
 *         WSK_TOKEN_ALG        the header
 *         WSK_TOKEN_SIGNATURE  not of an HMAC-SHA256's length
 *         WSK_TOKEN_NOMEM
 */
wsk_token_e wsk_jose_read(wsk_slice_t token, wsk_jose_t *jose);

/** Both are NULL afterwards. */
void wsk_jose_free(wsk_jose_t *jose);

/**
 * base64url without padding (RFC 4648, section 5), strictly.
 * @param out   text.len / 4 * 3 + 2 bytes
 * @param plen  receives the number of bytes
 * @return false unless the text is what encoding those bytes gives
 */
bool wsk_jose_decode(uint8_t *out, size_t *plen, wsk_slice_t text);

#endif
