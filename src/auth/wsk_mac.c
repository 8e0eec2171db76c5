/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/wsk_mac.h"

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

/* An empty slice may have no address; the library wants one. */
static const char *address(wsk_slice_t slice)
{
    return slice.at != NULL ? slice.at : "";
}

static bool feed_all(EVP_MD_CTX *context, const wsk_slice_t *parts,
                     size_t nparts)
{
    size_t i;

    for (i = 0; i < nparts; i++) {
        if (EVP_DigestUpdate(context, address(parts[i]), parts[i].len) != 1) {
            return false;
        }
    }
    return true;
}

static bool hash_with(EVP_MD_CTX *context, uint8_t *out,
                      const wsk_slice_t *parts, size_t nparts)
{
    return EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1
           && feed_all(context, parts, nparts)
           && EVP_DigestFinal_ex(context, out, NULL) == 1;
}

/* The library's HMAC with SHA-256, begun; NULL if it cannot be. It looks up both
 * by name each time: kept for the process, they would be left behind when httpd
 * unloads the module. */
static EVP_MAC_CTX *begin(wsk_slice_t key)
{
    static const char name[] = "SHA256";
    char digest[sizeof name];
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *context = mac ? EVP_MAC_CTX_new(mac) : NULL;
    OSSL_PARAM params[2];

    memcpy(digest, name, sizeof name);
    params[0] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest,
                                                 0);
    params[1] = OSSL_PARAM_construct_end();
    EVP_MAC_free(mac);
    if (context
        && EVP_MAC_init(context, (const unsigned char *)key.at, key.len, params)
               != 1) {
        EVP_MAC_CTX_free(context);
        context = NULL;
    }
    return context;
}

bool wsk_mac(uint8_t out[WSK_MAC_LEN], wsk_slice_t key,
             const wsk_slice_t *parts, size_t nparts)
{
    EVP_MAC_CTX *context = key.len > 0 ? begin(key) : NULL;
    bool done = context != NULL;
    size_t len = 0, i;

    for (i = 0; done && i < nparts; i++) {
        done = EVP_MAC_update(context, (const unsigned char *)address(parts[i]),
                              parts[i].len)
               == 1;
    }
    done = done && EVP_MAC_final(context, out, &len, WSK_MAC_LEN) == 1
           && len == WSK_MAC_LEN;
    EVP_MAC_CTX_free(context);
    if (!done) {
        memset(out, 0, WSK_MAC_LEN);
    }
    return done;
}

bool wsk_sha256(uint8_t out[WSK_MAC_LEN], const wsk_slice_t *parts,
                size_t nparts)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool done = false;

    if (context != NULL) {
        done = hash_with(context, out, parts, nparts);
    }
    EVP_MD_CTX_free(context);
    if (!done) {
        memset(out, 0, WSK_MAC_LEN);
    }
    return done;
}

void wsk_hex(char *out, const uint8_t *bytes, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    size_t i;

    for (i = 0; i < len; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[2 * len] = '\0';
}

/* The value of a hex digit, or -1. */
static int hex_value(char digit)
{
    if (digit >= '0' && digit <= '9') {
        return digit - '0';
    }
    if (digit >= 'a' && digit <= 'f') {
        return digit - 'a' + 10;
    }
    if (digit >= 'A' && digit <= 'F') {
        return digit - 'A' + 10;
    }
    return -1;
}

bool wsk_unhex(uint8_t *out, size_t len, wsk_slice_t text)
{
    size_t i;

    if (text.len / 2 != len || text.len % 2 != 0) {
        return false;
    }
    for (i = 0; i < len; i++) {
        const int high = hex_value(text.at[2 * i]);
        const int low = hex_value(text.at[2 * i + 1]);

        if (high < 0 || low < 0) {
            return false;
        }
        out[i] = (uint8_t)(high * 16 + low);
    }
    return true;
}

bool wsk_same(const void *a, const void *b, size_t len)
{
    return CRYPTO_memcmp(a, b, len) == 0;
}

static bool derived_id(char *out, const char *kind, wsk_slice_t site_key)
{
    const wsk_slice_t parts[] = { { kind, strlen(kind) }, site_key };
    uint8_t hash[WSK_MAC_LEN];
    const bool done = wsk_sha256(hash, parts, WSK_COUNT_OF(parts));

    wsk_hex(out, hash, sizeof(hash));
    return done;
}

bool wsk_site_id(char *out, wsk_slice_t site_key)
{
    return derived_id(out, "site:", site_key);
}

bool wsk_tenant_id(char *out, wsk_slice_t site_key)
{
    return derived_id(out, "tenant:", site_key);
}
