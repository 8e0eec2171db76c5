/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_jwt -- whether a token's signature is right; the only file that knows
 * libjwt, whose interface changed from 1.x and 2.x to 3.x.
 *
 * Promise   HMAC-SHA256 or no. A key is never empty. What the token says is
 *           not handed out: libjwt reads it more leniently than we do.
 * Threads   Any; no state.
 * Not here  Whether the token is well-formed (auth/wsk_jose), which the caller
 *           has made sure of; what it says (auth/wsk_claims).
 */
#ifndef WSK_JWT_H
#define WSK_JWT_H

#include "auth/wsk_token.h"

/**
 * @param token  with a NUL at its end
 * @param key    the secret's bytes; over WSK_SECRET_MAX of them is no key
 * @return WSK_TOKEN_OK, WSK_TOKEN_SIGNATURE, WSK_TOKEN_NOMEM
 */
wsk_token_e wsk_jwt_verify(const char *token, wsk_slice_t key);

#endif
