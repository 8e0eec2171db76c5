/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_claims -- what a token says, read into wsk_claims_t (PROTOCOL.md,
 * "Tokens").
 *
 * Promise   Each claim has the one type it should have, or the token is
 *           refused; nothing is converted but an integer user_id. Claims not
 *           named here are ignored, but for `aud`: it names for whom a token
 *           is, and that is never us (RFC 7519, section 4.1.3).
 *
 *           v        integer, absent is 1; 1, 2 and 3 are known
 *           user_id  1 to WSK_USER_MAX bytes of text without ASCII control
 *                    characters, or an integer from 0
 *           allowed_channel_prefixes
 *                    list of text; or an object whose values are text, which
 *                    is what PHP makes of a list with holes
 *           allowed_publish_prefixes
 *                    the same; required from v 2, not looked at in v 1, where
 *                    whoever may read may write
 *           rooms    v 3 only, may be absent: an object that names channels
 *                    exactly, with their right, "r" to read or "rw" to read
 *                    and write: {"yjs:postType/post:123":"rw"}. An empty list
 *                    is none: PHP writes an empty object so
 *           iat exp  integers from 0; exp is after iat by at most
 *                    WSK_TOKEN_LIFE_S
 *           nbf      the same, may be absent
 *
 * Owner     Text is copied; the json_t may go.
 * Threads   Any; no state.
 * Not here  Whose claims they are: site_id and tenant_id (auth/wsk_token).
 */
#ifndef WSK_CLAIMS_H
#define WSK_CLAIMS_H

#include "auth/wsk_token.h"

#include <jansson.h>

/**
 * @param object  from a token whose signature was right
 * @param now_s   Unix time
 * @param claims  filled when OK; untouched otherwise
 * @return WSK_TOKEN_OK, WSK_TOKEN_CLAIMS, WSK_TOKEN_NOMEM, WSK_TOKEN_EXPIRED,
 *         WSK_TOKEN_EARLY; the first that holds, in this order
 */
wsk_token_e wsk_claims_read(json_t *object, int64_t now_s,
                            wsk_claims_t *claims);

#endif
