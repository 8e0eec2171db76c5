/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_hash -- a keyed 64-bit hash for tables that strangers fill.
 *
 * Promise   SipHash-1-3: who does not know the key cannot choose inputs that
 *           meet. Not a MAC; for signatures see auth/wsk_mac.
 * Threads   Any; nothing is kept.
 */
#ifndef WSK_HASH_H
#define WSK_HASH_H

#include "core/wsk.h"

#define WSK_HASH_KEY 16

uint64_t wsk_hash(const uint8_t key[WSK_HASH_KEY], const void *bytes,
                  size_t len);

#endif
