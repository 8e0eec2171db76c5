/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/wsk_mac.h"

#include <limits.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

/* An empty slice may have no address; the library wants one. */
static const char *address(wsk_slice_t slice)
{
    return slice.at != NULL ? slice.at : "";
}

/* Feeding parts is the same for a hash and a MAC, but for the call. */
typedef int feed_fn(EVP_MD_CTX *context, const void *bytes, size_t len);

static int feed_hash(EVP_MD_CTX *context, const void *bytes, size_t len)
{
    return EVP_DigestUpdate(context, bytes, len);
}

static int feed_mac(EVP_MD_CTX *context, const void *bytes, size_t len)
{
    return EVP_DigestSignUpdate(context, bytes, len);
}

static bool feed_all(EVP_MD_CTX *context, feed_fn *feed,
                     const wsk_slice_t *parts, size_t nparts)
{
    size_t i;

    for (i = 0; i < nparts; i++) {
        if (feed(context, address(parts[i]), parts[i].len) != 1) {
            return false;
        }
    }
    return true;
}

static bool mac_with(EVP_MD_CTX *context, uint8_t *out, EVP_PKEY *key,
                     const wsk_slice_t *parts, size_t nparts)
{
    size_t len = WSK_MAC_LEN;

    return EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key) == 1
           && feed_all(context, feed_mac, parts, nparts)
           && EVP_DigestSignFinal(context, out, &len) == 1
           && len == WSK_MAC_LEN;
}

bool wsk_mac(uint8_t out[WSK_MAC_LEN], wsk_slice_t key,
             const wsk_slice_t *parts, size_t nparts)
{
    EVP_MD_CTX *context = NULL;
    EVP_PKEY *pkey = NULL;
    bool done = false;

    if (key.len == 0 || key.len > INT_MAX) {
        goto leave;
    }
    pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_HMAC, NULL,
                                        (const unsigned char *)key.at, key.len);
    context = EVP_MD_CTX_new();
    if (pkey != NULL && context != NULL) {
        done = mac_with(context, out, pkey, parts, nparts);
    }

leave:
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(pkey);
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
        done = EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1
               && feed_all(context, feed_hash, parts, nparts)
               && EVP_DigestFinal_ex(context, out, NULL) == 1;
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
