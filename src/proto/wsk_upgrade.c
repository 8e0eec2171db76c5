/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/wsk_upgrade.h"

#include <string.h>

#include <openssl/evp.h>

/* Section 4.2.2: what a server that never heard of WebSocket cannot append. */
#define GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

#define VERSION "13"
#define DIGEST_LEN 20
#define KEY_LEN 24    /* base64 of 16 bytes */
#define KEY_DIGITS 22 /* of these before the padding */

static const char key_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "abcdefghijklmnopqrstuvwxyz0123456789+/";

/* Optional white space around a value, RFC 9110 section 5.6.3. */
static wsk_slice_t trim(const char *at, size_t len)
{
    while (len > 0 && (*at == ' ' || *at == '\t')) {
        at++;
        len--;
    }
    while (len > 0 && (at[len - 1] == ' ' || at[len - 1] == '\t')) {
        len--;
    }
    return (wsk_slice_t){ at, len };
}

/* Header tokens are ASCII and httpd's locale may be anything. */
static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool same_token(wsk_slice_t got, const char *want)
{
    size_t i;

    if (got.len != strlen(want)) {
        return false;
    }
    for (i = 0; i < got.len; i++) {
        if (lower(got.at[i]) != want[i]) {
            return false;
        }
    }
    return true;
}

/* Whether a comma separated list has `want`, given in lower case. */
static bool lists(const char *list, const char *want)
{
    size_t len;

    if (list == NULL) {
        return false;
    }
    for (;;) {
        len = strcspn(list, ",");
        if (same_token(trim(list, len), want)) {
            return true;
        }
        if (list[len] == '\0') {
            return false;
        }
        list += len + 1;
    }
}

static bool version_known(const char *version)
{
    wsk_slice_t text;

    if (version == NULL) {
        return false;
    }
    text = trim(version, strlen(version));
    return same_token(text, VERSION);
}

static bool key_valid(wsk_slice_t key)
{
    size_t i;

    if (key.len != KEY_LEN || memcmp(key.at + KEY_DIGITS, "==", 2) != 0) {
        return false;
    }
    for (i = 0; i < KEY_DIGITS; i++) {
        if (memchr(key_digits, key.at[i], sizeof(key_digits) - 1) == NULL) {
            return false;
        }
    }
    return true;
}

/* Section 4.2.2, step 5.4. */
static bool accept_key(char *accept, wsk_slice_t key)
{
    char text[KEY_LEN + sizeof(GUID) - 1];
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;

    memcpy(text, key.at, KEY_LEN);
    memcpy(text + KEY_LEN, GUID, sizeof(GUID) - 1);
    if (EVP_Digest(text, sizeof(text), digest, &len, EVP_sha1(), NULL) != 1
        || len != DIGEST_LEN) {
        return false;
    }
    EVP_EncodeBlock((unsigned char *)accept, digest, DIGEST_LEN);
    return true;
}

wsk_upgrade_e wsk_upgrade(const wsk_upgrade_t *req, char *accept)
{
    wsk_slice_t key;

    accept[0] = '\0';
    if (!lists(req->upgrade, "websocket")) {
        return WSK_UPGRADE_NONE;
    }
    if (req->method == NULL || strcmp(req->method, "GET") != 0
        || !lists(req->connection, "upgrade")) {
        return WSK_UPGRADE_BAD;
    }
    if (!version_known(req->version)) {
        return WSK_UPGRADE_VERSION;
    }
    if (req->key == NULL) {
        return WSK_UPGRADE_BAD;
    }
    key = trim(req->key, strlen(req->key));
    if (!key_valid(key) || !accept_key(accept, key)) {
        return WSK_UPGRADE_BAD;
    }
    return WSK_UPGRADE_OK;
}
