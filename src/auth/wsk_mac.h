/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_mac -- HMAC-SHA256, SHA-256 and comparison in constant time; the only
 * file of auth that knows OpenSSL.
 *
 * Promise   A length is never guessed: bytes are what the slice says, and may
 *           hold anything. Nothing of a key stays behind.
 * Threads   Any; no state.
 * Not here  Signatures of requests (auth/wsk_sign), of tokens (auth/wsk_jwt).
 */
#ifndef WSK_MAC_H
#define WSK_MAC_H

#include "core/wsk.h"

#define WSK_MAC_LEN 32

/** HMAC-SHA256 (RFC 2104) over the parts, one after the other.
 *  @return false if the library failed or the key is empty, which would be a
 *          key that everybody knows; out is then all zero */
bool wsk_mac(uint8_t out[WSK_MAC_LEN], wsk_slice_t key,
             const wsk_slice_t *parts, size_t nparts);

/** SHA-256 over the parts.
 *  @return false if the library failed; out is then all zero */
bool wsk_sha256(uint8_t out[WSK_MAC_LEN], const wsk_slice_t *parts,
                size_t nparts);

/** Lower-case hex with a NUL: out has 2 * len + 1 bytes. */
void wsk_hex(char *out, const uint8_t *bytes, size_t len);

/** @return false unless text is exactly 2 * len hex digits, of either case;
 *          out may then hold the digits before the fault */
bool wsk_unhex(uint8_t *out, size_t len, wsk_slice_t text);

/** In constant time for a given len. */
bool wsk_same(const void *a, const void *b, size_t len);

/** Ids derived from a site key (PROTOCOL.md, "Sites and their keys"): hex
 *  SHA-256 of "site:" or "tenant:" and the key; out has WSK_HEX256 + 1 bytes.
 *  @return false if the library failed; out is then 64 zeros, which is the id
 *          of no site */
bool wsk_site_id(char *out, wsk_slice_t site_key);
bool wsk_tenant_id(char *out, wsk_slice_t site_key);

#endif
