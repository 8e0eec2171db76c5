/* SPDX-License-Identifier: Apache-2.0 */
#include "fault.h"

#include "auth/wsk_token.h"
#include "token_recipe.h"

#define KEY "0123456789abcdef0123456789abcdef"

static const wsk_slice_t none = { NULL, 0 };

/* By the words of t/vectors/tokens.json. */
static const char *word_of(wsk_token_e why)
{
    switch (why) {
    case WSK_TOKEN_OK:
        return "accepted";
    case WSK_TOKEN_MALFORMED:
        return "malformed";
    case WSK_TOKEN_ALG:
        return "alg";
    case WSK_TOKEN_SITE:
        return "site";
    case WSK_TOKEN_SIGNATURE:
        return "signature";
    case WSK_TOKEN_CLAIMS:
        return "claims";
    case WSK_TOKEN_EARLY:
        return "early";
    case WSK_TOKEN_EXPIRED:
        return "expired";
    case WSK_TOKEN_NOMEM:
        return "nomem";
    }
    return "nothing";
}

static wsk_token_e verify(wsk_slice_t token, const char *key,
                          const char *newest, const char *older, int64_t now_s,
                          wsk_claims_t *claims)
{
    const wsk_secrets_t secrets = { { newest != NULL ? slice(newest) : none,
                                      older != NULL ? slice(older) : none } };

    return wsk_token_verify(token, slice(key), &secrets, now_s, claims);
}

/* The same text where nothing lies behind it: a sanitizer sees a byte read
 * too far. */
static wsk_slice_t tight(const char *token, size_t len)
{
    char *copy = malloc(len > 0 ? len : 1);
    const wsk_slice_t whole = { copy, len };

    if (copy == NULL) {
        exit(1);
    }
    memcpy(copy, token, len);
    return whole;
}

static void one_recipe(const recipe_book_t *book, const json_t *recipe)
{
    const bool accepted = json_is_true(member(recipe, "accepted"));
    const char *want = accepted ? "accepted" : text(recipe, "refused");
    wsk_claims_t claims;
    wsk_claims_t before;
    size_t len;
    char *token = recipe_token(book, recipe, &len);
    const wsk_slice_t given = tight(token, len);
    wsk_token_e why;

    memset(&claims, 0x5a, sizeof(claims));
    before = claims;
    why = verify(given, text(book->all, "site_key"),
                 text(book->all, "jwt_secret"), NULL, book->now_s, &claims);
    is_str(word_of(why), want, "%s: %s", text(recipe, "name"),
           text(recipe, "why"));
    if (why == WSK_TOKEN_OK) {
        wsk_grant_unref(claims.grant);
    }
    else if (memcmp(&claims, &before, sizeof(claims)) != 0) {
        ok(0, "%s: but claims were touched", text(recipe, "name"));
    }
    free((char *)given.at);
    free(token);
}

static void tokens_are_judged_as_the_vectors_say(const recipe_book_t *book)
{
    const json_t *example = member(book->all, "example");
    const json_t *recipe;
    size_t i, len;

    json_array_foreach(cases(book->all, "cases"), i, recipe)
    {
        if (strcmp(text(recipe, "name"), text(example, "name")) == 0) {
            char *token = recipe_token(book, recipe, &len);

            is_str(token, text(example, "token"),
                   "recipes are followed as they were meant");
            free(token);
        }
        one_recipe(book, recipe);
    }
}

/* What a token says about its site, to whoever has no secret yet. */
static wsk_token_e peek(const char *header, const char *claims, char *site_id)
{
    char *token = token_of(slice(header), slice(claims), slice("any"));
    const wsk_token_e why = wsk_token_peek(slice(token), site_id);

    free(token);
    return why;
}

#define HS256 "{\"alg\":\"HS256\"}"
#define HEX32 "0123456789abcdef0123456789abcdef"

static void a_peek_finds_the_site_and_nothing_else(void)
{
    char site_id[WSK_HEX256 + 1] = "untouched";

    is_int(peek(HS256, "{\"site_id\":\"" HEX32 HEX32 "\"}", site_id),
           WSK_TOKEN_OK, "a site_id is all that a peek needs");
    is_str(site_id, HEX32 HEX32, "it is handed out");
    strcpy(site_id, "untouched");
    is_int(peek(HS256, "{\"site_id\":\"" HEX32 "\"}", site_id),
           WSK_TOKEN_MALFORMED, "half a site_id is none");
    is_int(peek(HS256, "{\"site_id\":\"" HEX32 HEX32 "0\"}", site_id),
           WSK_TOKEN_MALFORMED, "one digit more is none");
    is_int(peek(HS256, "{}", site_id), WSK_TOKEN_MALFORMED,
           "no site_id is none");
    is_int(peek("{\"alg\":\"none\"}", "{\"site_id\":\"" HEX32 HEX32 "\"}",
                site_id),
           WSK_TOKEN_ALG, "another alg is not looked into");
    is_int(wsk_token_peek(slice("e30.e30.AA"), site_id), WSK_TOKEN_ALG,
           "a header is judged before what follows");
    is_int(wsk_token_peek(none, site_id), WSK_TOKEN_MALFORMED,
           "nothing is no token");
    is_str(site_id, "untouched", "a refusal leaves nothing behind");
}

/* The plugin's token of the vectors. */
static char *good_token(const json_t *crypto, const char **psecret)
{
    const json_t *one = json_array_get(cases(crypto, "jwt"), 0);

    *psecret = text(one, "secret");
    return token_of(slice_of(one, "header"), slice_of(one, "claims"),
                    slice_of(one, "secret"));
}

static void claims_are_handed_out(const json_t *crypto)
{
    const char *secret;
    char *token = good_token(crypto, &secret);
    wsk_claims_t claims;
    char site_id[WSK_HEX256 + 1];
    const wsk_slice_t events = slice("events");

    is_int(verify(slice(token), KEY, secret, NULL, 1700000000, &claims),
           WSK_TOKEN_OK, "the wire document's token is accepted");
    is_int(claims.version, 2, "its version");
    is_str(claims.user_id, "1", "its user");
    is_int(claims.iat, 1700000000, "its time of issue");
    is_int(claims.exp, 1700000300, "its end");
    is_int(wsk_token_peek(slice(token), site_id), WSK_TOKEN_OK,
           "its site can be seen");
    ok(wsk_grant_may_read(claims.grant, site_id, events, events)
           && wsk_grant_may_write(claims.grant, site_id, events, events),
       "its rights");
    wsk_grant_unref(claims.grant);
    free(token);
}

static void vectors_verify(const json_t *crypto)
{
    const json_t *ids = cases(crypto, "ids");
    const json_t *one, *id;
    size_t i, j;

    json_array_foreach(cases(crypto, "jwt"), i, one)
    {
        char *token = token_of(slice_of(one, "header"), slice_of(one, "claims"),
                               slice_of(one, "secret"));
        const json_int_t now = strtoll(
            strstr(text(one, "claims"), "\"iat\":") + 6, NULL, 10);
        size_t sites = 0;

        is_str(strrchr(token, '.') + 1, text(one, "signature"),
               "%s: the signature is as computed elsewhere", text(one, "name"));
        json_array_foreach(ids, j, id)
        {
            wsk_claims_t claims;

            if (verify(slice(token), text(id, "site_key"), text(one, "secret"),
                       NULL, now, &claims)
                == WSK_TOKEN_OK) {
                wsk_grant_unref(claims.grant);
                sites++;
            }
        }
        is_int((intmax_t)sites, 1, "%s: it is accepted by one site alone",
               text(one, "name"));
        free(token);
    }
}

static void secrets_are_tried_in_turn(const json_t *crypto)
{
    const char *secret;
    char *token = good_token(crypto, &secret);
    const wsk_slice_t given = slice(token);
    const int64_t now = 1700000000;
    wsk_claims_t claims;

    is_int(verify(given, KEY, "new", secret, now, &claims), WSK_TOKEN_OK,
           "the older secret still counts");
    wsk_grant_unref(claims.grant);
    is_int(verify(given, KEY, NULL, secret, now, &claims), WSK_TOKEN_OK,
           "the newest may be missing");
    wsk_grant_unref(claims.grant);
    is_int(verify(given, KEY, secret, "old", now, &claims), WSK_TOKEN_OK,
           "the newest counts");
    wsk_grant_unref(claims.grant);
    is_int(verify(given, KEY, "new", "old", now, &claims), WSK_TOKEN_SIGNATURE,
           "no other counts");
    is_int(verify(given, KEY, NULL, NULL, now, &claims), WSK_TOKEN_SIGNATURE,
           "a site without secrets refuses");
    is_int(verify(given, "another key", secret, NULL, now, &claims),
           WSK_TOKEN_SITE, "another site refuses, whatever the secret");
    free(token);
    token = token_of(slice(HS256), slice("{\"site_id\":\"" HEX32 HEX32 "\"}"),
                     none);
    is_int(verify(slice(token), KEY, "", "", now, &claims), WSK_TOKEN_SITE,
           "the site comes before the signature");
    free(token);
}

static void any_byte_changed_is_noticed(const json_t *crypto)
{
    const char *secret;
    char *token = good_token(crypto, &secret);
    const size_t len = strlen(token);
    size_t i, accepted = 0;
    int bit;
    wsk_claims_t claims;

    for (i = 0; i < len; i++) {
        for (bit = 0; bit < 8; bit++) {
            token[i] ^= (char)(1 << bit);
            accepted += verify((wsk_slice_t){ token, len }, KEY, secret, NULL,
                               1700000000, &claims)
                        == WSK_TOKEN_OK;
            token[i] ^= (char)(1 << bit);
        }
    }
    is_int((intmax_t)accepted, 0,
           "of %lu tokens with one bit changed none is accepted",
           (unsigned long)len * 8);
    for (i = 0; i < len; i++) {
        accepted += verify((wsk_slice_t){ token, i }, KEY, secret, NULL,
                           1700000000, &claims)
                    == WSK_TOKEN_OK;
    }
    is_int((intmax_t)accepted, 0, "nor is one that was cut anywhere");
    free(token);
}

static void a_reason_tells_the_client_little(void)
{
    is_str(wsk_token_reason(WSK_TOKEN_EXPIRED), "token expired",
           "a client may know that its token expired");
    is_str(wsk_token_reason(WSK_TOKEN_SITE),
           wsk_token_reason(WSK_TOKEN_SIGNATURE),
           "and not whether site or signature were wrong");
    is_str(wsk_token_reason(WSK_TOKEN_CLAIMS),
           wsk_token_reason(WSK_TOKEN_SIGNATURE), "nor claims");
    is_str(wsk_token_reason(WSK_TOKEN_NOMEM), "try again later",
           "what is our fault is not blamed on the token");
}

static void without_memory_no_token_is_accepted(const json_t *crypto)
{
    const char *secret;
    char *token = good_token(crypto, &secret);
    size_t accepted = 0, blamed = 0;
    bool hit = true;
    char site_id[WSK_HEX256 + 1];
    wsk_claims_t claims;
    wsk_token_e why;
    long n;

    for (n = 0; hit && n < 5000; n++) {
        fault_arm(FAULT_MEMORY, n, LONG_MAX);
        why = verify(slice(token), KEY, secret, NULL, 1700000000, &claims);
        hit = fault_end();
        accepted += hit && why == WSK_TOKEN_OK;
        blamed += why != WSK_TOKEN_OK && why != WSK_TOKEN_NOMEM;
        if (why == WSK_TOKEN_OK) {
            wsk_grant_unref(claims.grant);
        }
    }
    fault_arm(FAULT_MEMORY, 0, LONG_MAX);
    why = wsk_token_peek(slice(token), site_id);
    fault_end();
    free(token);
    is_int(why, WSK_TOKEN_NOMEM, "a peek without memory says so");
    ok(n > 10 && !hit, "allocations failed one by one, %ld of them", n);
    is_int((intmax_t)accepted, 0, "none of that was accepted");
    is_int((intmax_t)blamed, 0, "nor was the token ever blamed for it");
}

int main(void)
{
    json_t *crypto = vectors("crypto.json");
    json_t *tokens = vectors("tokens.json");
    const recipe_book_t book = { tokens,
                                 json_integer_value(member(tokens, "now")) };

    tokens_are_judged_as_the_vectors_say(&book);
    a_peek_finds_the_site_and_nothing_else();
    claims_are_handed_out(crypto);
    vectors_verify(crypto);
    secrets_are_tried_in_turn(crypto);
    any_byte_changed_is_noticed(crypto);
    a_reason_tells_the_client_little();
    without_memory_no_token_is_accepted(crypto);
    json_decref(tokens);
    json_decref(crypto);
    return done_testing();
}
