/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/wsk_token.h"

#include <stdlib.h>
#include <string.h>

#include "auth/wsk_claims.h"
#include "auth/wsk_jose.h"
#include "auth/wsk_jwt.h"

const char *wsk_token_reason(wsk_token_e why)
{
    switch (why) {
    case WSK_TOKEN_OK:
        return "token accepted";
    case WSK_TOKEN_MALFORMED:
    case WSK_TOKEN_ALG:
        return "token malformed";
    case WSK_TOKEN_SITE:
    case WSK_TOKEN_SIGNATURE:
    case WSK_TOKEN_CLAIMS:
        return "token refused";
    case WSK_TOKEN_EARLY:
        return "token not valid yet";
    case WSK_TOKEN_EXPIRED:
        return "token expired";
    case WSK_TOKEN_NOMEM:
        return "try again later";
    }
    return "token refused";
}

/* @return the site_id that the claims say, or NULL if they say none */
static const char *site_id_of(const json_t *claims)
{
    const json_t *id = json_object_get(claims, "site_id");
    const char *text = json_string_value(id);

    if (text == NULL || json_string_length(id) != WSK_HEX256
        || strspn(text, "0123456789abcdef") != WSK_HEX256) {
        return NULL;
    }
    return text;
}

/* Read the token and find the site it is about. */
static wsk_token_e read_token(wsk_jose_t *jose, const char **psite_id,
                              wsk_slice_t token)
{
    const wsk_token_e why = wsk_jose_read(token, jose);

    if (why != WSK_TOKEN_OK) {
        return why;
    }
    *psite_id = site_id_of(jose->claims);
    if (*psite_id == NULL) {
        wsk_jose_free(jose);
        return WSK_TOKEN_MALFORMED;
    }
    return WSK_TOKEN_OK;
}

wsk_token_e wsk_token_peek(wsk_slice_t token, char *site_id)
{
    wsk_jose_t jose;
    const char *said;
    const wsk_token_e why = read_token(&jose, &said, token);

    if (why == WSK_TOKEN_OK) {
        memcpy(site_id, said, WSK_HEX256 + 1);
        wsk_jose_free(&jose);
    }
    return why;
}

/* Ids are no secrets: they need no comparison in constant time. */
static wsk_token_e check_site(const json_t *claims, const char *said,
                              wsk_slice_t site_key)
{
    const json_t *tenant = json_object_get(claims, "tenant_id");
    const char *tenant_said = json_string_value(tenant);
    char site_id[WSK_HEX256 + 1];
    char tenant_id[WSK_HEX256 + 1];

    if (!wsk_site_id(site_id, site_key)
        || !wsk_tenant_id(tenant_id, site_key)) {
        return WSK_TOKEN_NOMEM;
    }
    if (strcmp(said, site_id) != 0
        || (tenant != NULL
            && (tenant_said == NULL || strcmp(tenant_said, tenant_id) != 0))) {
        return WSK_TOKEN_SITE;
    }
    return WSK_TOKEN_OK;
}

/* Whether our own computation comes to the same refusal. To the library, out of
 * memory is a bad signature more often than not, and who is told that fetches
 * another token, in vain. The token was read by wsk_jose. */
static bool is_wrong(const char *token, wsk_slice_t key)
{
    const char *dot = strrchr(token, '.');
    const wsk_slice_t text = { dot + 1, strlen(dot + 1) };
    const wsk_slice_t signed_part = { token, (size_t)(dot - token) };
    uint8_t right[WSK_MAC_LEN], given[WSK_MAC_LEN + 2];
    size_t len;

    if (key.len == 0 || key.len > WSK_SECRET_MAX) {
        return true;
    }
    return wsk_mac(right, key, &signed_part, 1)
           && wsk_jose_decode(given, &len, text)
           && !wsk_same(right, given, WSK_MAC_LEN);
}

static wsk_token_e check_signature(wsk_slice_t token,
                                   const wsk_secrets_t *secrets,
                                   unsigned *which)
{
    wsk_token_e why = WSK_TOKEN_SIGNATURE;
    char *text = malloc(token.len + 1);
    size_t i;

    if (text == NULL) {
        return WSK_TOKEN_NOMEM;
    }
    memcpy(text, token.at, token.len);
    text[token.len] = '\0';
    for (i = 0; i < WSK_COUNT_OF(secrets->at); i++) {
        if (why == WSK_TOKEN_SIGNATURE) {
            why = wsk_jwt_verify(text, secrets->at[i]);
            *which = (unsigned)i;
            if (why == WSK_TOKEN_SIGNATURE && !is_wrong(text, secrets->at[i])) {
                why = WSK_TOKEN_NOMEM;
            }
        }
    }
    free(text);
    return why;
}

wsk_token_e wsk_token_verify(wsk_slice_t token, wsk_slice_t site_key,
                             const wsk_secrets_t *secrets, int64_t now_s,
                             wsk_claims_t *claims)
{
    wsk_jose_t jose;
    const char *said;
    unsigned which = 0;
    wsk_token_e why = read_token(&jose, &said, token);

    if (why != WSK_TOKEN_OK) {
        return why;
    }
    why = check_site(jose.claims, said, site_key);
    if (why == WSK_TOKEN_OK) {
        why = check_signature(token, secrets, &which);
    }
    if (why == WSK_TOKEN_OK) {
        why = wsk_claims_read(jose.claims, now_s, claims);
    }
    if (why == WSK_TOKEN_OK) {
        claims->secret = which;
    }
    wsk_jose_free(&jose);
    return why;
}
