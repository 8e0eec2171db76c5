/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/wsk_jose.h"

#include "auth_fixture.h"

#define HS256 "{\"alg\":\"HS256\"}"
/* As long as a MAC is, in base64url. */
#define MAC "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static void every_length_comes_back(void)
{
    uint8_t bytes[64], back[66];
    char encoded[96];
    size_t len, out, i, wrong = 0;

    for (i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (uint8_t)(i * 37 + 251);
    }
    for (len = 0; len <= sizeof(bytes); len++) {
        const wsk_slice_t all = { encoded, encode64(encoded, bytes, len) };

        out = 99;
        wrong += !wsk_jose_decode(back, &out, all) || out != len
                 || memcmp(back, bytes, len) != 0;
    }
    is_int((intmax_t)wrong, 0, "bytes of any number come back");
}

/* Every text of so many characters: right if and only if encoding what it
 * decodes to gives it again. */
static size_t count_wrong(size_t len, size_t *pright)
{
    unsigned char text[2];
    uint8_t bytes[4];
    char again[8];
    const wsk_slice_t all = { (const char *)text, len };
    size_t code, n, wrong = 0;

    *pright = 0;
    for (code = 0; code < (size_t)1 << 8 * len; code++) {
        text[0] = (unsigned char)code;
        text[1] = (unsigned char)(code >> 8);
        if (wsk_jose_decode(bytes, &n, all)) {
            (*pright)++;
            wrong += encode64(again, bytes, n) != len
                     || memcmp(again, text, len) != 0;
        }
    }
    return wrong;
}

static void one_text_for_the_same_bytes(void)
{
    size_t right;

    is_int((intmax_t)count_wrong(1, &right), 0, "one character");
    is_int((intmax_t)right, 0, "is never whole");
    is_int((intmax_t)count_wrong(2, &right), 0,
           "two characters that are read are those of their byte");
    is_int((intmax_t)right, 256, "and there is one pair for each byte");
}

static void only_its_alphabet_is_read(void)
{
    static const char *const wrong[] = {
        "AA==", "AAA=", "A=A=", "AA AA", "AA\nAA",     " AAAA", "AAAA ",
        "AA+A", "AA/A", "AA.A", "AAA",   "AA\xc3\xa9", "AAAAA"
    };
    uint8_t bytes[8];
    size_t i, n;

    for (i = 0; i < WSK_COUNT_OF(wrong); i++) {
        const bool is_right = strcmp(wrong[i], "AAA") == 0;

        is_int(wsk_jose_decode(bytes, &n, slice(wrong[i])), is_right,
               "\"%s\" is %s", wrong[i], is_right ? "read" : "refused");
    }
    ok(!wsk_jose_decode(bytes, &n, (wsk_slice_t){ "AA\0A", 4 }),
       "NUL is no character");
    ok(wsk_jose_decode(bytes, &n, slice("-_-_"))
           && memcmp(bytes, "\xfb\xff\xbf", 3) == 0,
       "minus and underscore are");
}

static wsk_token_e read_of(const char *header, const char *claims,
                           wsk_jose_t *jose)
{
    char *token = token_of(slice(header), slice(claims), slice("any"));
    const wsk_token_e why = wsk_jose_read(slice(token), jose);

    free(token);
    return why;
}

static void two_objects_come_out(void)
{
    wsk_jose_t jose;

    is_int(read_of(HS256, "{\"a\":1}", &jose), WSK_TOKEN_OK, "a token is read");
    is_str(json_string_value(json_object_get(jose.header, "alg")), "HS256",
           "its header");
    is_int(json_integer_value(json_object_get(jose.claims, "a")), 1,
           "its claims");
    wsk_jose_free(&jose);
    ok(jose.header == NULL && jose.claims == NULL, "nothing is left of it");
    is_int(read_of(HS256, "[]", &jose), WSK_TOKEN_MALFORMED,
           "claims that are a list are refused");
    ok(jose.header == NULL && jose.claims == NULL,
       "a refusal hands nothing out");
}

static void one_token(const char *token, wsk_token_e want, const char *name)
{
    wsk_jose_t jose;

    is_int(wsk_jose_read(slice(token), &jose), want, "%s", name);
    wsk_jose_free(&jose);
}

/* base64url of HS256 and of {} */
#define H "eyJhbGciOiJIUzI1NiJ9"
#define C "e30"

static void segments_are_three(void)
{
    one_token(H "." C "." MAC, WSK_TOKEN_OK, "three segments are a token");
    one_token("", WSK_TOKEN_MALFORMED, "nothing is none");
    one_token(".", WSK_TOKEN_MALFORMED, "one dot is none");
    one_token("..", WSK_TOKEN_MALFORMED, "two dots are none");
    one_token(H "." C, WSK_TOKEN_MALFORMED, "two segments are none");
    one_token(H "." C "." MAC ".", WSK_TOKEN_MALFORMED,
              "a dot at the end is none");
    one_token("." H "." C "." MAC, WSK_TOKEN_MALFORMED,
              "a dot at the beginning is none");
    one_token(H ".." MAC, WSK_TOKEN_MALFORMED, "without claims it is none");
    one_token(H "." C ".", WSK_TOKEN_SIGNATURE,
              "without signature it is unsigned");
    one_token(H "." C "." MAC "A", WSK_TOKEN_SIGNATURE,
              "a signature of another length is none");
    one_token(H "." C ".AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB",
              WSK_TOKEN_MALFORMED, "a signature with unused bits is malformed");
    one_token("e30." C "." MAC, WSK_TOKEN_ALG, "an empty header has no alg");
}

/* Claims nested so deep, by turns in lists and objects. */
static wsk_token_e read_nested(size_t depth, bool close)
{
    char claims[WSK_TOKEN_MAX];
    wsk_jose_t jose;
    wsk_token_e why;
    size_t n = 0;
    size_t i;

    for (i = 0; i < depth; i++) {
        const char *open = i % 2 == 0 ? "{\"a\":" : "[";

        memcpy(claims + n, open, strlen(open));
        n += strlen(open);
    }
    claims[n++] = '1';
    for (i = depth; close && i > 0; i--) {
        claims[n++] = i % 2 == 1 ? '}' : ']';
    }
    claims[n] = '\0';
    why = read_of(HS256, claims, &jose);
    wsk_jose_free(&jose);
    return why;
}

static void nesting_has_a_bound(void)
{
    wsk_jose_t jose;

    is_int(read_nested(WSK_JOSE_DEPTH, true), WSK_TOKEN_OK,
           "nesting up to the bound is read");
    is_int(read_nested(WSK_JOSE_DEPTH + 1, true), WSK_TOKEN_MALFORMED,
           "nesting over it is not");
    is_int(read_nested(3000, false), WSK_TOKEN_MALFORMED,
           "nor nesting without an end");
    is_int(read_of(HS256, "{\"a\":\"[[[[[[[[[[[[[[[[[[[[\\\"[[[\\\\\"}", &jose),
           WSK_TOKEN_OK, "brackets in text do not nest");
    wsk_jose_free(&jose);
    is_int(read_of(HS256,
                   "{\"a\":\"\\\\\",\"b\":[[[[[[[[[[[[[[[[0]]]]]]]]]]]]]]]]}",
                   &jose),
           WSK_TOKEN_MALFORMED, "brackets after an escaped backslash do");
    is_int(read_of(HS256,
                   "{\"a\":[],\"b\":[],\"c\":[],\"d\":[],\"e\":[],"
                   "\"f\":[],\"g\":[],\"h\":[],\"i\":[],\"j\":[],"
                   "\"k\":[],\"l\":[],\"m\":[],\"n\":[],\"o\":[],"
                   "\"p\":[],\"q\":[],\"r\":[]}",
                   &jose),
           WSK_TOKEN_OK, "many beside each other are not nested");
    wsk_jose_free(&jose);
}

/* A token of so many bytes, right but for that. */
static wsk_token_e read_long(size_t want)
{
    static char claims[WSK_TOKEN_MAX];
    const size_t around = strlen(H "."
                                   "." MAC);
    const wsk_slice_t all = { claims, (want - around) / 4 * 3
                                          + (want - around) % 4 * 3 / 4 };
    char *token;
    wsk_jose_t jose;
    wsk_token_e why;

    memset(claims, ' ', sizeof(claims));
    memcpy(claims, "{}", 2);
    token = token_of(slice(HS256), all, slice("any"));
    is_int((intmax_t)strlen(token), (intmax_t)want, "%lu bytes",
           (unsigned long)want);
    why = wsk_jose_read(slice(token), &jose);
    wsk_jose_free(&jose);
    free(token);
    return why;
}

static void a_token_has_a_bound(void)
{
    is_int(read_long(WSK_TOKEN_MAX), WSK_TOKEN_OK, "as many as allowed");
    is_int(read_long(WSK_TOKEN_MAX + 1), WSK_TOKEN_MALFORMED, "one too many");
}

int main(void)
{
    every_length_comes_back();
    one_text_for_the_same_bytes();
    only_its_alphabet_is_read();
    two_objects_come_out();
    segments_are_three();
    nesting_has_a_bound();
    a_token_has_a_bound();
    return done_testing();
}
