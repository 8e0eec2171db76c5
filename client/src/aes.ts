/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AES-256-GCM in JavaScript, for pages without SubtleCrypto. Loaded only there.
 */

import { gcm } from '@noble/ciphers/aes.js';

export function openGcm(
  key: Uint8Array,
  iv: Uint8Array,
  sealed: Uint8Array,
): Uint8Array {
  return gcm(key, iv).decrypt(sealed);
}
