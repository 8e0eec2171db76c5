/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whatever a client sends as its token: it is accepted only with a signature
 * that we make ourselves over the same text, and what an accepted one says is
 * within the bounds that wsk_token.h promises. What is refused leaves nothing.
 *
 * Input: byte 0 says what the rest is.
 *   r  a token, as it is
 *   c  claims, which are signed rightly under a right header
 *   s  a header up to the first line feed, then claims; signed rightly
 *   g  a saved grant
 */
#include "auth/wsk_token.h"

#include "auth/wsk_channel.h"

#include "auth_fixture.h"

#define SECRET "jwt-secret"
#define KEY "0123456789abcdef0123456789abcdef"
#define NOW INT64_C(1700000060)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int truth, const char *what)
{
    if (!truth) {
        fprintf(stderr, "%s\n", what);
        abort();
    }
}

/* Whether the last segment is the MAC of what is before it. */
static void must_be_signed(wsk_slice_t token)
{
    const wsk_slice_t key = slice(SECRET);
    const char *dot = memrchr(token.at, '.', token.len);
    uint8_t mac[WSK_MAC_LEN];
    char right[64];
    wsk_slice_t input = token;
    size_t len;

    must(dot != NULL, "accepted without a dot");
    input.len = (size_t)(dot - token.at);
    must(wsk_mac(mac, key, &input, 1), "no MAC");
    len = encode64(right, mac, sizeof(mac));
    must(token.len - input.len - 1 == len && memcmp(dot + 1, right, len) == 0,
         "accepted with a wrong signature");
}

static void must_not_reach(const wsk_grant_t *grant, const char *site_id,
                           int version)
{
    const wsk_slice_t reserved = slice("wps:connections");
    const wsk_slice_t document = slice("yjs:postType/post:1");

    must(!wsk_grant_may_write(grant, site_id, reserved, reserved),
         "a token opened a reserved channel");
    if (wsk_grant_may_write(grant, site_id, document, document)) {
        must(version != 3 || wsk_grant_save(grant, NULL, 0) > document.len,
             "a prefix opened a document");
    }
}

/* A grant survives a journey; what arrives saves to the same bytes. */
static void must_travel(const wsk_grant_t *grant)
{
    const size_t len = wsk_grant_save(grant, NULL, 0);
    uint8_t *saved = malloc(len);
    uint8_t *again = malloc(len);
    wsk_grant_t *arrived;

    must(saved != NULL && again != NULL, "no memory");
    wsk_grant_save(grant, saved, len);
    arrived = wsk_grant_load(saved, len);
    must(arrived != NULL, "a grant did not arrive");
    must(wsk_grant_save(arrived, again, len) == len
             && memcmp(saved, again, len) == 0,
         "a grant arrived changed");
    wsk_grant_unref(arrived);
    free(saved);
    free(again);
}

static void one_token(wsk_slice_t token)
{
    const wsk_secrets_t secrets = { { slice(SECRET), { NULL, 0 } } };
    char site_id[WSK_HEX256 + 1];
    const wsk_token_e seen = wsk_token_peek(token, site_id);
    wsk_claims_t claims, before;
    wsk_token_e why;

    memset(&claims, 0x5a, sizeof(claims));
    before = claims;
    why = wsk_token_verify(token, slice(KEY), &secrets, NOW, &claims);
    if (why != WSK_TOKEN_OK) {
        must(memcmp(&claims, &before, sizeof(claims)) == 0,
             "a refusal left something behind");
        must(seen == why || seen == WSK_TOKEN_OK,
             "two looks at a token found two faults");
        return;
    }
    must(seen == WSK_TOKEN_OK, "a peek refused what was accepted");
    must_be_signed(token);
    must(claims.version >= 1 && claims.version <= 3, "version");
    must(claims.exp > NOW && claims.iat >= 0 && claims.exp > claims.iat
             && claims.exp - claims.iat <= WSK_TOKEN_LIFE_S
             && claims.iat <= NOW + WSK_TOKEN_LEEWAY_S,
         "times");
    must(claims.user_id[0] != '\0'
             && memchr(claims.user_id, '\0', sizeof(claims.user_id)) != NULL,
         "user_id");
    must(wsk_grant_save(claims.grant, NULL, 0) <= token.len,
         "a grant larger than its token");
    must_not_reach(claims.grant, site_id, claims.version);
    must_travel(claims.grant);
    wsk_grant_unref(claims.grant);
}

static void signed_token(wsk_slice_t header, wsk_slice_t claims)
{
    char *token = token_of(header, claims, slice(SECRET));
    const size_t len = strlen(token);
    /* Where nothing lies behind it. */
    char *tight = realloc(token, len);
    const wsk_slice_t whole = { tight, len };

    must(tight != NULL, "no memory");
    one_token(whole);
    free(tight);
}

static void saved_grant(wsk_slice_t bytes)
{
    const char *site_id = KEY KEY;
    wsk_grant_t *grant = wsk_grant_load((const uint8_t *)bytes.at, bytes.len);

    if (grant != NULL) {
        must(wsk_grant_save(grant, NULL, 0) == bytes.len,
             "a grant of another size arrived");
        must_not_reach(grant, site_id, bytes.at[1]);
        must_travel(grant);
        wsk_grant_unref(grant);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const wsk_slice_t rest = { (const char *)data + 1, size - 1 };
    const char *feed;

    if (size < 1) {
        return 0;
    }
    switch (data[0]) {
    case 'r':
        one_token(rest);
        break;
    case 'c':
        signed_token(slice("{\"alg\":\"HS256\"}"), rest);
        break;
    case 's':
        feed = memchr(rest.at, '\n', rest.len);
        if (feed != NULL) {
            const size_t len = (size_t)(feed - rest.at);

            signed_token((wsk_slice_t){ rest.at, len },
                         (wsk_slice_t){ feed + 1, rest.len - len - 1 });
        }
        break;
    case 'g':
        saved_grant(rest);
        break;
    default:
        break;
    }
    return 0;
}
