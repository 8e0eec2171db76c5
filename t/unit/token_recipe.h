/* SPDX-License-Identifier: Apache-2.0 */
/*
 * token_recipe -- makes the tokens of t/vectors/tokens.json, as the README
 * beside it says.
 *
 * Promise   A recipe with a word that is not known ends the program, and with
 *           it the test.
 * Owner     recipe_token's text is the caller's to free.
 */
#ifndef WSK_TOKEN_RECIPE_H
#define WSK_TOKEN_RECIPE_H

#include "auth_fixture.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

/* The head of tokens.json, and the time for which tokens are made. */
typedef struct recipe_book_t {
    const json_t *all;
    int64_t now_s;
} recipe_book_t;

TAP_UNUSED static void recipe_unknown(const char *what, const char *word)
{
    printf("Bail out! a recipe with an unknown %s: %s\n", what, word);
    exit(1);
}

/* Write what stands for the placeholder that `at` begins with, if it is one.
 * @return its length in the recipe, or 0 */
static size_t recipe_place(FILE *out, const recipe_book_t *book, const char *at)
{
    long long add = 0;
    const char *colon, *end;
    int len = 0;
    unsigned byte;
    size_t count;

    if (strncmp(at, "{NOW}", 5) == 0
        || (strncmp(at, "{NOW", 4) == 0 && strchr("+-", at[4]) != NULL
            && sscanf(at, "{NOW%lld}%n", &add, &len) == 1 && len > 0)) {
        fprintf(out, "%lld", (long long)book->now_s + add);
        return len > 0 ? (size_t)len : 5;
    }
    if (strncmp(at, "{SITE_ID}", 9) == 0) {
        fputs(text(book->all, "site_id"), out);
        return 9;
    }
    if (strncmp(at, "{TENANT_ID}", 11) == 0) {
        fputs(text(book->all, "tenant_id"), out);
        return 11;
    }
    if (sscanf(at, "{BYTE:%2x}%n", &byte, &len) == 1 && len > 0) {
        fputc((int)byte, out);
        return (size_t)len;
    }
    if (strncmp(at, "{REPEAT:", 8) != 0) {
        return 0;
    }
    for (colon = at + 9; (colon = strchr(colon, ':')) != NULL; colon++) {
        if (sscanf(colon, ":%zu}%n", &count, &len) == 1 && len > 0) {
            end = colon + len;
            while (count-- > 0) {
                fwrite(at + 8, 1, (size_t)(colon - at - 8), out);
            }
            return (size_t)(end - at);
        }
    }
    return 0;
}

static wsk_slice_t recipe_text(const recipe_book_t *book, const char *at)
{
    wsk_slice_t whole = { NULL, 0 };
    char *bytes = NULL;
    FILE *out = open_memstream(&bytes, &whole.len);

    while (out != NULL && *at != '\0') {
        const size_t len = *at == '{' ? recipe_place(out, book, at) : 0;

        if (len == 0) {
            fputc(*at, out);
        }
        at += len > 0 ? len : 1;
    }
    if (out == NULL || fclose(out) != 0) {
        exit(1);
    }
    whole.at = bytes;
    return whole;
}

/* base64url of a text, changed as the form wants it. Takes the text. */
static char *recipe_segment(wsk_slice_t whole, bool padded, bool standard,
                            bool bits)
{
    char *segment = malloc(whole.len / 3 * 4 + 8);
    size_t n, i;

    if (segment == NULL) {
        exit(1);
    }
    n = encode64(segment, whole.at, whole.len);
    for (i = 0; standard && i < n; i++) {
        segment[i] = (char)(segment[i] == '-'   ? '+'
                            : segment[i] == '_' ? '/'
                                                : segment[i]);
    }
    if (bits) {
        segment[n - 1]++;
    }
    while (padded && n % 4 != 0) {
        segment[n++] = '=';
        segment[n] = '\0';
    }
    free((char *)whole.at);
    return segment;
}

static wsk_slice_t recipe_key(const recipe_book_t *book, const char *sign)
{
    static uint8_t hash[WSK_MAC_LEN];
    wsk_slice_t key = slice_of(book->all, "jwt_secret");

    if (strcmp(sign, "empty") == 0) {
        key.len = 0;
    }
    else if (strcmp(sign, "blank") == 0) {
        key = slice(" ");
    }
    else if (strcmp(sign, "rs-as-hs") == 0) {
        key = slice_of(book->all, "public_key");
    }
    else if (strcmp(sign, "rs-as-hs-chomp") == 0) {
        key = slice_of(book->all, "public_key");
        key.len--;
    }
    else if (strcmp(sign, "otherkey") == 0) {
        key = slice_of(book->all, "other_secret");
    }
    else if (strcmp(sign, "sitekey") == 0) {
        key = slice_of(book->all, "site_key");
    }
    else if (strcmp(sign, "hashed") == 0) {
        wsk_sha256(hash, &key, 1);
        key.at = (const char *)hash;
        key.len = sizeof(hash);
    }
    return key;
}

/* The MAC of a recipe, in `mac`, which is zero. @return its length */
static size_t recipe_mac(uint8_t *mac, const recipe_book_t *book,
                         const char *sign, wsk_slice_t input)
{
    const bool is_512 = strcmp(sign, "hs512") == 0;
    const wsk_slice_t key = recipe_key(book, sign);
    unsigned len = 0;

    HMAC(is_512 ? EVP_sha512() : EVP_sha256(), key.at, (int)key.len,
         (const uint8_t *)input.at,
         input.len - (strcmp(sign, "otherclaims") != 0), mac, &len);
    if (strcmp(sign, "flip") == 0) {
        mac[len - 1] ^= 1;
    }
    else if (strcmp(sign, "flipfirst") == 0) {
        mac[0] ^= 0x80;
    }
    else if (strcmp(sign, "longer") == 0) {
        mac[len++] = 0;
    }
    return len;
}

#define RECIPE_HUGE 49152

/* @param input  what is signed, and an `x` after it */
static char *recipe_signature(const recipe_book_t *book, const char *sign,
                              wsk_slice_t input)
{
    static uint8_t mac[RECIPE_HUGE];
    char *out = malloc(RECIPE_HUGE / 3 * 4 + 8);
    size_t len, n;

    if (out == NULL) {
        exit(1);
    }
    len = recipe_mac(mac, book, sign, input);
    if (strcmp(sign, "huge") == 0) {
        memset(mac, 0, sizeof(mac));
        len = sizeof(mac);
    }
    n = encode64(out, mac, len);
    if (strcmp(sign, "none") == 0) {
        out[0] = '\0';
    }
    else if (strcmp(sign, "hex") == 0) {
        wsk_hex(out, mac, len);
    }
    else if (strcmp(sign, "truncated") == 0) {
        out[n - 1] = '\0';
    }
    else if (strcmp(sign, "half") == 0) {
        out[21] = '\0';
    }
    else if (strcmp(sign, "trailingbits") == 0) {
        out[n - 1]++;
    }
    return out;
}

/* H, C and S in the words of the README. */
static const char *recipe_form(const char *form)
{
    static const char *const forms[][2] = {
        { "compact", "H.C.S" },
        { "padded", "H.C.S" },
        { "standard", "H.C.S" },
        { "headerbits", "H.C.S" },
        { "claimsbits", "H.C.S" },
        { "1seg", "H" },
        { "2seg", "H.C" },
        { "4seg", "H.C.S.S" },
        { "5seg", "H.C.S.S.S" },
        { "json",
          "{\"payload\":\"C\",\"protected\":\"H\",\"signature\":\"S\"}" },
        { "jwe", "H..AAAAAAAAAAAAAAAA.C.AAAAAAAAAAAAAAAAAAAAAA" },
        { "noheader", ".C.S" },
        { "noclaims", "H..S" },
        { "dot", "H.C.S." },
        { "space", "H.C.S " },
        { "newline", "H.C.S\n" },
        { "bearer", "Bearer H.C.S" },
        { "nothing", "" },
    };
    size_t i;

    for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        if (strcmp(form, forms[i][0]) == 0) {
            return forms[i][1];
        }
    }
    recipe_unknown("form", form);
    return NULL;
}

static bool recipe_has(const char *const *words, const char *word)
{
    while (*words != NULL && strcmp(*words, word) != 0) {
        words++;
    }
    return *words != NULL;
}

static void recipe_check_sign(const char *sign)
{
    static const char *const known[] = {
        "hs256",       "hs512",          "none",      "empty",   "blank",
        "rs-as-hs",    "rs-as-hs-chomp", "otherkey",  "sitekey", "hashed",
        "otherclaims", "flip",           "flipfirst", "longer",  "hex",
        "truncated",   "trailingbits",   "half",      "huge",    NULL
    };

    if (!recipe_has(known, sign)) {
        recipe_unknown("sign", sign);
    }
}

TAP_UNUSED static char *recipe_token(const recipe_book_t *book,
                                     const json_t *recipe, size_t *plen)
{
    const char *form = text(recipe, "form");
    const char *sign = text(recipe, "sign");
    const bool padded = strcmp(form, "padded") == 0;
    char *token = NULL;
    FILE *out = open_memstream(&token, plen);
    const char *at = recipe_form(form);
    char *h = recipe_segment(recipe_text(book, text(recipe, "header")), padded,
                             false, strcmp(form, "headerbits") == 0);
    char *c = recipe_segment(recipe_text(book, text(recipe, "claims")), padded,
                             strcmp(form, "standard") == 0,
                             strcmp(form, "claimsbits") == 0);
    char *input = malloc(strlen(h) + strlen(c) + 3);
    char *s;

    if (out == NULL || input == NULL) {
        exit(1);
    }
    recipe_check_sign(sign);
    sprintf(input, "%s.%sx", h, c);
    s = recipe_signature(book, sign, slice(input));
    for (; *at != '\0'; at++) {
        /* No form has these letters but for its segments. */
        if (strchr("HCS", *at) != NULL) {
            fputs(*at == 'H' ? h : *at == 'C' ? c : s, out);
        }
        else {
            fputc(*at, out);
        }
    }
    fclose(out);
    free(input);
    free(h);
    free(c);
    free(s);
    return token;
}

#endif
