/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_token -- a signed token in (RFC 7519, RFC 7515 compact), claims or a
 * refusal out.
 *
 * Promise   HS256 only. A strict reading of our own (auth/wsk_jose) comes
 *           before the library: three base64url segments without padding or
 *           unused bits set; header and claims are objects without members
 *           named twice; the header's `alg` is "HS256", its `typ` is "JWT" in
 *           any case if there, crit, b64, jku, jwk, x5u, x5c, zip and enc are
 *           refused, others ignored. The signature is verified by libjwt;
 *           claims are then read from the verified bytes, not from the library
 *           (auth/wsk_claims). Bounded: nothing over WSK_TOKEN_MAX bytes is
 *           looked at, nesting is limited to 16. An empty secret verifies
 *           nothing: a site without secrets refuses every token.
 * Threads   Any; no state.
 * Not here  Who may mint (WordPress), which secrets a site has (store).
 */
#ifndef WSK_TOKEN_H
#define WSK_TOKEN_H

#include "auth/wsk_grant.h"
#include "auth/wsk_sign.h"

#define WSK_TOKEN_MAX 16384
#define WSK_TOKEN_LEEWAY_S 30  /* for nbf and iat; none for exp */
#define WSK_TOKEN_LIFE_S 86400 /* exp - iat at most */
#define WSK_USER_MAX 64

/** What is wrong with a token; of several things the first in this order, but
 *  EXPIRED before EARLY. */
typedef enum wsk_token_e {
    WSK_TOKEN_OK = 0,
    WSK_TOKEN_MALFORMED, /* no token, no JSON, or no site_id */
    WSK_TOKEN_ALG,       /* a header we do not accept */
    WSK_TOKEN_SITE,      /* site_id or tenant_id are not this site's */
    WSK_TOKEN_SIGNATURE, /* made with none of the secrets */
    WSK_TOKEN_CLAIMS,    /* a claim is missing or of the wrong type */
    WSK_TOKEN_EARLY,     /* nbf or iat in the future beyond the leeway */
    WSK_TOKEN_EXPIRED,   /* exp <= now */
    WSK_TOKEN_NOMEM
} wsk_token_e;

/** A short text for the client, never more than it may know: which part of a
 *  token was wrong is for the log. */
const char *wsk_token_reason(wsk_token_e why);

typedef struct wsk_claims_t {
    int version;                    /* `v`: absent is 1; 1, 2, 3 are known */
    char user_id[WSK_USER_MAX + 1]; /* text, or an integer made text */
    int64_t iat, exp;               /* seconds */
    wsk_grant_t *grant;             /* owned by the caller; not interned */
    unsigned secret;                /* which of them has signed */
} wsk_claims_t;

/**
 * The site_id that a token, not verified, says; it only selects the secrets.
 * @param site_id  WSK_HEX256 + 1 bytes, filled when OK
 * @return WSK_TOKEN_OK, WSK_TOKEN_MALFORMED, WSK_TOKEN_ALG, WSK_TOKEN_NOMEM,
 *         or WSK_TOKEN_SIGNATURE if it cannot be one by its length
 */
wsk_token_e wsk_token_peek(wsk_slice_t token, char *site_id);

/**
 * Verify.
 * @param site_key  decides the only site_id and tenant_id that are accepted
 *                  (tenant_id may be absent)
 * @param secrets   any of them may have signed
 * @param now_s     Unix time
 * @param claims    filled when OK; untouched otherwise
 */
wsk_token_e wsk_token_verify(wsk_slice_t token, wsk_slice_t site_key,
                             const wsk_secrets_t *secrets, int64_t now_s,
                             wsk_claims_t *claims);

#endif
