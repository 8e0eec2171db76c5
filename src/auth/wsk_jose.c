/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/wsk_jose.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "auth/wsk_json.h"

enum { HEADER, CLAIMS, SIGNATURE, SEGMENTS };

#define MAC_TEXT_LEN 43 /* of 32 bytes in base64url */

/* @return the six bits of a character, or -1 */
static int sextet(char c)
{
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }
    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }
    if (c >= '0' && c <= '9') {
        return c - '0' + 52;
    }
    return c == '-' ? 62 : c == '_' ? 63 : -1;
}

bool wsk_jose_decode(uint8_t *out, size_t *plen, wsk_slice_t text)
{
    uint32_t held = 0; /* bits not given out yet, the last `nheld` count */
    unsigned nheld = 0;
    size_t len = 0;
    size_t i;

    for (i = 0; i < text.len; i++) {
        const int six = sextet(text.at[i]);

        if (six < 0) {
            return false;
        }
        held = (held & 0xff) << 6 | (uint32_t)six;
        nheld += 6;
        if (nheld >= 8) {
            nheld -= 8;
            out[len++] = (uint8_t)(held >> nheld);
        }
    }
    *plen = len;
    return nheld < 6 && (held & ((1U << nheld) - 1)) == 0;
}

/* @return false unless there are three segments; they may be empty */
static bool split(wsk_slice_t segments[SEGMENTS], wsk_slice_t token)
{
    const char *end = token.at + token.len;
    const char *at = token.at;
    size_t i;

    for (i = 0; i < SEGMENTS; i++) {
        const char *dot = memchr(at, '.', (size_t)(end - at));
        const char *stop = dot != NULL ? dot : end;

        if ((dot == NULL) != (i == SEGMENTS - 1)) {
            return false;
        }
        segments[i].at = at;
        segments[i].len = (size_t)(stop - at);
        at = stop + (dot != NULL);
    }
    return true;
}

/* Counted before the parser sees it, since the parser recurses. Where the
 * text is no JSON the count may be anything: the parser stops there. */
static bool is_shallow(const char *text, size_t len)
{
    bool quoted = false;
    int depth = 0;
    size_t i;

    for (i = 0; i < len; i++) {
        if (quoted && text[i] == '\\') {
            i++;
        }
        else if (text[i] == '"') {
            quoted = !quoted;
        }
        else if (!quoted && (text[i] == '{' || text[i] == '[')) {
            depth++;
        }
        else if (!quoted && (text[i] == '}' || text[i] == ']')) {
            depth--;
        }
        if (depth > WSK_JOSE_DEPTH) {
            return false;
        }
    }
    return true;
}

/* An object, or why not. */
static wsk_token_e read_object(json_t **pobject, wsk_slice_t segment)
{
    wsk_token_e why = WSK_TOKEN_MALFORMED;
    char *text = malloc(segment.len + 2);
    size_t len;

    if (text == NULL) {
        return WSK_TOKEN_NOMEM;
    }
    if (wsk_jose_decode((uint8_t *)text, &len, segment)
        && is_shallow(text, len)) {
        why = wsk_json_read(pobject, (wsk_slice_t){ text, len }, 0, NULL)
                      == WSK_ENOMEM
                  ? WSK_TOKEN_NOMEM
              : json_is_object(*pobject) ? WSK_TOKEN_OK
                                         : WSK_TOKEN_MALFORMED;
    }
    free(text);
    return why;
}

static bool is_acceptable(const json_t *header)
{
    static const char *const refused[] = { "crit", "b64", "jku", "jwk",
                                           "x5u",  "x5c", "zip", "enc" };
    const json_t *alg = json_object_get(header, "alg");
    const json_t *typ = json_object_get(header, "typ");
    size_t i;

    for (i = 0; i < WSK_COUNT_OF(refused); i++) {
        if (json_object_get(header, refused[i]) != NULL) {
            return false;
        }
    }
    return json_is_string(alg) && strcmp(json_string_value(alg), "HS256") == 0
           && (typ == NULL
               || (json_is_string(typ)
                   && strcasecmp(json_string_value(typ), "JWT") == 0));
}

/* Whether it could be a MAC; only the text is looked at. */
static wsk_token_e read_signature(wsk_slice_t segment)
{
    uint8_t bytes[WSK_MAC_LEN + 2];
    size_t len;

    if (segment.len != MAC_TEXT_LEN) {
        return WSK_TOKEN_SIGNATURE;
    }
    return wsk_jose_decode(bytes, &len, segment) ? WSK_TOKEN_OK
                                                 : WSK_TOKEN_MALFORMED;
}

wsk_token_e wsk_jose_read(wsk_slice_t token, wsk_jose_t *jose)
{
    wsk_slice_t segments[SEGMENTS];
    wsk_token_e why;

    jose->header = NULL;
    jose->claims = NULL;
    if (token.len == 0 || token.len > WSK_TOKEN_MAX
        || !split(segments, token)) {
        return WSK_TOKEN_MALFORMED;
    }
    why = read_object(&jose->header, segments[HEADER]);
    if (why == WSK_TOKEN_OK && !is_acceptable(jose->header)) {
        why = WSK_TOKEN_ALG;
    }
    if (why == WSK_TOKEN_OK) {
        why = read_signature(segments[SIGNATURE]);
    }
    if (why == WSK_TOKEN_OK) {
        why = read_object(&jose->claims, segments[CLAIMS]);
    }
    if (why != WSK_TOKEN_OK) {
        wsk_jose_free(jose);
    }
    return why;
}

void wsk_jose_free(wsk_jose_t *jose)
{
    json_decref(jose->header);
    json_decref(jose->claims);
    jose->header = NULL;
    jose->claims = NULL;
}
