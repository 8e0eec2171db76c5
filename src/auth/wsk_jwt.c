/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/wsk_jwt.h"

#include <errno.h>
#include <string.h>

#include <jwt.h>

/* libjwt's headers name no version; the build passes the first number of what
 * pkg-config says. Versions 1 and 2 have jwt_decode, and 3 does not, so that a
 * wrong number does not compile. */
#ifndef WSK_LIBJWT_MAJOR
#define WSK_LIBJWT_MAJOR 1
#endif

#if WSK_LIBJWT_MAJOR < 3

static wsk_token_e verify(const char *token, wsk_slice_t key)
{
    jwt_t *jwt = NULL;
    wsk_token_e why = WSK_TOKEN_SIGNATURE;
    const int error = jwt_decode(&jwt, token, (const unsigned char *)key.at,
                                 (int)key.len);

    if (error == ENOMEM) {
        why = WSK_TOKEN_NOMEM;
    }
    else if (error == 0 && jwt_get_alg(jwt) == JWT_ALG_HS256) {
        why = WSK_TOKEN_OK;
    }
    jwt_free(jwt);
    return why;
}

#else /* version 3 takes keys as JWK only, and only from 256 bits */

/* The block of SHA-256: HMAC fills a shorter key up with zeros (RFC 2104,
 * section 2), so a filled key is the same key. */
#define BLOCK 64
#define JWK_MAX (64 + (WSK_SECRET_MAX + 2) / 3 * 4)

/* {"kty":"oct","k":"<base64url>"}; @return its length */
static void write_jwk(char jwk[JWK_MAX], wsk_slice_t key)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "abcdefghijklmnopqrstuvwxyz0123456789-_";
    static const char head[] = "{\"kty\":\"oct\",\"alg\":\"HS256\",\"k\":\"";
    uint8_t filled[WSK_SECRET_MAX + 2] = { 0 };
    const size_t len = WSK_MAX(key.len, BLOCK);
    char *out = jwk + sizeof(head) - 1;
    size_t bit;

    memcpy(jwk, head, sizeof(head) - 1);
    memcpy(filled, key.at, key.len);
    for (bit = 0; bit < len * 8; bit += 6) {
        const unsigned pair = (unsigned)filled[bit / 8] << 8
                              | filled[bit / 8 + 1];

        *out++ = digits[pair >> (10 - bit % 8) & 63];
    }
    memcpy(out, "\"}", sizeof("\"}"));
}

/* Times are ours to judge, from the verified bytes. */
static bool verify_with(jwt_checker_t *checker, const jwk_item_t *key,
                        const char *token)
{
    return key != NULL && jwks_item_error(key) == 0
           && jwt_checker_setkey(checker, JWT_ALG_HS256, key) == 0
           && jwt_checker_time_leeway(checker, JWT_CLAIM_EXP, -1) == 0
           && jwt_checker_time_leeway(checker, JWT_CLAIM_NBF, -1) == 0
           && jwt_checker_verify(checker, token) == 0;
}

static wsk_token_e verify(const char *token, wsk_slice_t key)
{
    char jwk[JWK_MAX];
    wsk_token_e why = WSK_TOKEN_NOMEM;
    jwt_checker_t *checker = jwt_checker_new();
    jwk_set_t *keys;

    write_jwk(jwk, key);
    keys = jwks_create(jwk);
    if (checker != NULL && keys != NULL) {
        why = verify_with(checker, jwks_item_get(keys, 0), token)
                  ? WSK_TOKEN_OK
                  : WSK_TOKEN_SIGNATURE;
    }
    jwks_free(keys);
    jwt_checker_free(checker);
    return why;
}

#endif

wsk_token_e wsk_jwt_verify(const char *token, wsk_slice_t key)
{
    /* Without a key libjwt would read the token and verify nothing. */
    if (key.at == NULL || key.len == 0 || key.len > WSK_SECRET_MAX) {
        return WSK_TOKEN_SIGNATURE;
    }
    return verify(token, key);
}
