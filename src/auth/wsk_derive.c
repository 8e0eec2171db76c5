/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/wsk_derive.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define NAME_MAX_LEN 255
#define HALF_HEX 24 /* of a hash: 96 bits, for names */

static wsk_slice_t text(const char *at)
{
    return (wsk_slice_t){ at, strlen(at) };
}

/* HKDF-Expand of one block. */
static bool expand(uint8_t out[WSK_MAC_LEN], const uint8_t key[WSK_MAC_LEN],
                   const char *info)
{
    const wsk_slice_t parts[] = { text(info), { "\1", 1 } };

    return wsk_mac(out, (wsk_slice_t){ (const char *)key, WSK_MAC_LEN }, parts,
                   WSK_COUNT_OF(parts));
}

/* "label|name|uid|epoch", the name in lower case. */
static bool describe(char *out, size_t cap, const char *label,
                     const wsk_vhost_t *vhost)
{
    char name[NAME_MAX_LEN + 1], uid[24] = "none";
    size_t i;
    int n;

    if (vhost->name.len == 0 || vhost->name.len > NAME_MAX_LEN
        || memchr(vhost->name.at, '|', vhost->name.len) != NULL
        || memchr(vhost->name.at, '\0', vhost->name.len) != NULL) {
        return false;
    }
    for (i = 0; i < vhost->name.len; i++) {
        const char c = vhost->name.at[i];

        name[i] = (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
    }
    name[i] = '\0';
    if (vhost->uid >= 0) {
        snprintf(uid, sizeof(uid), "%" PRId64, vhost->uid);
    }
    n = snprintf(out, cap, "%s|%s|%s|%" PRIu32, label, name, uid, vhost->epoch);
    return n > 0 && (size_t)n < cap;
}

bool wsk_derive_vhost(uint8_t out[WSK_MAC_LEN],
                      const uint8_t host_key[WSK_HOST_KEY_LEN],
                      const wsk_vhost_t *vhost)
{
    const wsk_slice_t input = { (const char *)host_key, WSK_HOST_KEY_LEN };
    uint8_t extracted[WSK_MAC_LEN];
    char info[NAME_MAX_LEN + 80];

    memset(out, 0, WSK_MAC_LEN);
    return describe(info, sizeof(info), "wordsocket-vhost-v1", vhost)
           && wsk_mac(extracted, text("wordsocket-host-v1"), &input, 1)
           && expand(out, extracted, info);
}

static bool half_hash(char *out, const char *first, wsk_slice_t second)
{
    const wsk_slice_t parts[] = { text(first), second };
    uint8_t hash[WSK_MAC_LEN];

    if (!wsk_sha256(hash, parts, WSK_COUNT_OF(parts))) {
        return false;
    }
    wsk_hex(out, hash, HALF_HEX / 2);
    return true;
}

bool wsk_derive_tag(char *out, const wsk_vhost_t *vhost)
{
    char info[NAME_MAX_LEN + 80];

    out[0] = '\0';
    return describe(info, sizeof(info), "wordsocket-vhost-id-v1", vhost)
           && half_hash(out, info, text(""));
}

bool wsk_derive_site_key(char *out, const char *tag, wsk_slice_t home)
{
    char label[WSK_TAG_LEN + 40], name[HALF_HEX + 1];

    out[0] = '\0';
    if (strlen(tag) != WSK_TAG_LEN || home.len == 0) {
        return false;
    }
    snprintf(label, sizeof(label), "wordsocket-site-v1|%s|", tag);
    if (!half_hash(name, label, home)) {
        return false;
    }
    snprintf(out, WSK_KEY_MAX + 1, "h%s-%s", tag, name);
    return true;
}

bool wsk_derive_is_of(const char *tag, const char *site_key)
{
    return strlen(tag) == WSK_TAG_LEN && site_key[0] == 'h'
           && strncmp(site_key + 1, tag, WSK_TAG_LEN) == 0
           && site_key[1 + WSK_TAG_LEN] == '-';
}

bool wsk_derive_secret(char *out, const uint8_t vhost_key[WSK_MAC_LEN],
                       const char *kind, wsk_slice_t home, uint64_t generation)
{
    char info[160], home_hash[WSK_HEX256 + 1];
    uint8_t bytes[WSK_MAC_LEN];
    bool done;

    out[0] = '\0';
    if (home.len == 0 || !wsk_sha256(bytes, &home, 1)) {
        return false;
    }
    wsk_hex(home_hash, bytes, sizeof(bytes));
    snprintf(info, sizeof(info), "wordsocket-%s-v1|%s|%" PRIu64, kind,
             home_hash, generation);
    done = expand(bytes, vhost_key, info);
    if (done) {
        wsk_hex(out, bytes, sizeof(bytes));
    }
    return done;
}
