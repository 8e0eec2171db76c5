/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/wsk_jwt.h"

#include "auth_fixture.h"

#define HS256 "{\"alg\":\"HS256\",\"typ\":\"JWT\"}"

static wsk_token_e verify(const char *header, wsk_slice_t made_with,
                          wsk_slice_t key)
{
    char *token = token_of(slice(header), slice("{\"exp\":1,\"a\":1}"),
                           made_with);
    const wsk_token_e why = wsk_jwt_verify(token, key);

    free(token);
    return why;
}

static void signatures_are_those_of_the_vectors(void)
{
    json_t *crypto = vectors("crypto.json");
    const json_t *one;
    size_t i;

    json_array_foreach(cases(crypto, "jwt"), i, one)
    {
        char *token = token_of(slice_of(one, "header"), slice_of(one, "claims"),
                               slice_of(one, "secret"));

        is_str(strrchr(token, '.') + 1, text(one, "signature"),
               "%s: made as elsewhere", text(one, "name"));
        is_int(wsk_jwt_verify(token, slice_of(one, "secret")), WSK_TOKEN_OK,
               "%s: the right key verifies", text(one, "name"));
        is_int(wsk_jwt_verify(token, slice("jwt-secre")), WSK_TOKEN_SIGNATURE,
               "%s: another does not", text(one, "name"));
        free(token);
    }
    json_decref(crypto);
}

static void keys_have_bytes(void)
{
    char bytes[WSK_SECRET_MAX + 1];
    const wsk_slice_t none = { NULL, 0 };
    const wsk_slice_t null = { "\0\0\0", 3 };
    const wsk_slice_t longest = { bytes, WSK_SECRET_MAX };
    const wsk_slice_t longer = { bytes, WSK_SECRET_MAX + 1 };
    size_t len, wrong = 0;

    memset(bytes, 'k', sizeof(bytes));
    is_int(verify(HS256, none, none), WSK_TOKEN_SIGNATURE,
           "no key verifies nothing");
    is_int(verify(HS256, slice(""), slice("")), WSK_TOKEN_SIGNATURE,
           "nor does an empty one");
    is_int(verify(HS256, slice("x"), (wsk_slice_t){ NULL, 1 }),
           WSK_TOKEN_SIGNATURE, "nor one that is nowhere");
    is_int(verify(HS256, null, null), WSK_TOKEN_OK, "zeros are bytes");
    is_int(verify(HS256, longest, longest), WSK_TOKEN_OK,
           "a secret as long as allowed verifies");
    is_int(verify(HS256, longer, longer), WSK_TOKEN_SIGNATURE,
           "a longer one is no secret");
    for (len = 1; len <= WSK_SECRET_MAX; len++) {
        const wsk_slice_t key = { bytes, len };
        const wsk_slice_t less = { bytes, len - 1 };

        bytes[len - 1] = (char)(len * 7);
        wrong += verify(HS256, key, key) != WSK_TOKEN_OK;
        wrong += verify(HS256, key, less) != WSK_TOKEN_SIGNATURE;
    }
    is_int((intmax_t)wrong, 0, "a key of any length is itself and no other");
}

static void nothing_but_hmac_sha256_counts(void)
{
    static const char *const headers[] = { "{\"alg\":\"none\"}",
                                           "{\"alg\":\"HS384\"}",
                                           "{\"alg\":\"HS512\"}",
                                           "{\"alg\":\"RS256\"}",
                                           "{\"alg\":\"ES256\"}",
                                           "{\"alg\":\"x\"}",
                                           "{}",
                                           "[]",
                                           "no JSON" };
    size_t i;

    for (i = 0; i < WSK_COUNT_OF(headers); i++) {
        is_int(verify(headers[i], slice("k"), slice("k")), WSK_TOKEN_SIGNATURE,
               "header %s does not count", headers[i]);
    }
    is_int(wsk_jwt_verify("", slice("k")), WSK_TOKEN_SIGNATURE,
           "nothing is not signed");
    is_int(wsk_jwt_verify("eyJhbGciOiJub25lIn0.e30.", slice("k")),
           WSK_TOKEN_SIGNATURE, "nor is what says it is not");
}

/* Rightly signed with HMAC-SHA512, computed elsewhere. */
#define HS512_TOKEN \
    "eyJhbGciOiJIUzUxMiJ9.e30." \
    "IbBeCGMAsnX4IY03QtfjWqzueCgqvQaTJnVbFig5H7i" \
    "-CgK7NqoSJa4w1qheZfhyQte52tsabDtXCViljk709Q"

static void a_stronger_mac_does_not_count(void)
{
    is_int(wsk_jwt_verify(HS512_TOKEN, slice("k")), WSK_TOKEN_SIGNATURE,
           "HS512, rightly signed, does not count");
}

int main(void)
{
    signatures_are_those_of_the_vectors();
    keys_have_bytes();
    nothing_but_hmac_sha256_counts();
    a_stronger_mac_does_not_count();
    return done_testing();
}
