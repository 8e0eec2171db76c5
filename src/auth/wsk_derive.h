/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_derive -- what the keys of host mode are made of: HKDF-SHA256 (RFC 5869)
 * from the host key to a key of each virtual host, and from that to the secrets
 * of each site behind it. docs/internals/keys.md has the picture.
 *
 * Promise   Everything that tells one site from another is in what its secrets
 *           are made of. Of the names (tag, site key) nothing is secret.
 * Threads   Any; no state.
 * Not here  The file of the host key (hooks/wsk_hostkey), who gets what
 *           (hooks/wsk_enroll).
 */
#ifndef WSK_DERIVE_H
#define WSK_DERIVE_H

#include "auth/wsk_mac.h"

#define WSK_HOST_KEY_LEN 32
#define WSK_TAG_LEN 24

/** A virtual host, as keys know it: hosts that agree in all three are one. */
typedef struct wsk_vhost_t {
    wsk_slice_t name; /* ServerName; case does not count */
    int64_t uid;      /* of its owner; -1: none is known */
    uint32_t epoch;   /* WordSocketKeyEpoch */
} wsk_vhost_t;

/** The key of a virtual host. @return false if the library failed or the name
 *  is empty or too long; out is then all zero */
bool wsk_derive_vhost(uint8_t out[WSK_MAC_LEN],
                      const uint8_t host_key[WSK_HOST_KEY_LEN],
                      const wsk_vhost_t *vhost);

/** Its name in site keys: hex, WSK_TAG_LEN + 1 bytes. Does not depend on the
 *  host key, so a site keeps its key when that is renewed. */
bool wsk_derive_tag(char *out, const wsk_vhost_t *vhost);

/** The key (public name) of the site with this home URL: "h", the tag, "-", 24
 *  hex digits; WSK_KEY_MAX + 1 bytes. */
bool wsk_derive_site_key(char *out, const char *tag, wsk_slice_t home);

/** Whether a site key is one of this virtual host. */
bool wsk_derive_is_of(const char *tag, const char *site_key);

/** A secret of a site: 64 hex digits and a NUL. @param kind "publish" or "token"
 */
bool wsk_derive_secret(char *out, const uint8_t vhost_key[WSK_MAC_LEN],
                       const char *kind, wsk_slice_t home, uint64_t generation);

#endif
