/* SPDX-License-Identifier: Apache-2.0 */
/*
 * auth_fixture -- vectors, and the making of tokens, for the tests of auth.
 *
 * Promise   A vector that is not there, or not of its form, ends the program:
 *           its plan is missing then, which prove calls a failure. Tokens are
 *           made here without libjwt and without auth/wsk_jose.
 * Owner     What is returned by pointer belongs to the caller, but for texts
 *           out of a json_t.
 */
#ifndef WSK_AUTH_FIXTURE_H
#define WSK_AUTH_FIXTURE_H

#include "tap.h"

#include <stdlib.h>

#include <jansson.h>

#include "auth/wsk_mac.h"

TAP_UNUSED static wsk_slice_t slice(const char *text)
{
    const wsk_slice_t all = { text, strlen(text) };

    return all;
}

TAP_UNUSED static json_t *vectors(const char *file)
{
    char path[128];
    json_error_t error;
    json_t *all;

    snprintf(path, sizeof(path), "t/vectors/%s", file);
    all = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    if (all == NULL) {
        printf("Bail out! %s: %s\n", path, error.text);
        exit(1);
    }
    return all;
}

TAP_UNUSED static json_t *member(const json_t *object, const char *name)
{
    json_t *value = json_object_get(object, name);

    if (value == NULL) {
        printf("Bail out! a vector has no %s\n", name);
        exit(1);
    }
    return value;
}

/* A list that is not empty: what has no cases has tested nothing. */
TAP_UNUSED static json_t *cases(const json_t *object, const char *name)
{
    json_t *list = member(object, name);

    if (json_array_size(list) == 0) {
        printf("Bail out! no vectors in %s\n", name);
        exit(1);
    }
    return list;
}

TAP_UNUSED static const char *text(const json_t *object, const char *name)
{
    const char *value = json_string_value(member(object, name));

    if (value == NULL) {
        printf("Bail out! a vector's %s is no text\n", name);
        exit(1);
    }
    return value;
}

TAP_UNUSED static wsk_slice_t slice_of(const json_t *object, const char *name)
{
    return slice(text(object, name));
}

/* base64url without padding; out has len / 3 * 4 + 4 bytes. @return length */
TAP_UNUSED static size_t encode64(char *out, const void *bytes, size_t len)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "abcdefghijklmnopqrstuvwxyz0123456789-_";
    const uint8_t *at = bytes;
    size_t n = 0;
    size_t bit;

    for (bit = 0; bit < len * 8; bit += 6) {
        const size_t next = bit / 8 + 1;
        const unsigned pair = (unsigned)at[bit / 8] << 8
                              | (next < len ? at[next] : 0U);

        out[n++] = digits[pair >> (10 - bit % 8) & 63];
    }
    out[n] = '\0';
    return n;
}

/* The token of these texts, signed with HMAC-SHA256. */
TAP_UNUSED static char *token_of(wsk_slice_t header, wsk_slice_t claims,
                                 wsk_slice_t secret)
{
    char *token = malloc((header.len + claims.len) / 3 * 4 + 64);
    uint8_t mac[WSK_MAC_LEN];
    wsk_slice_t input;
    size_t n;

    if (token == NULL) {
        exit(1);
    }
    n = encode64(token, header.at, header.len);
    token[n++] = '.';
    n += encode64(token + n, claims.at, claims.len);
    input.at = token;
    input.len = n;
    wsk_mac(mac, secret, &input, 1);
    token[n++] = '.';
    encode64(token + n, mac, sizeof(mac));
    return token;
}

#endif
