/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening of sealed payloads: AES-256-GCM, base64 of IV (12 bytes), ciphertext
 * and tag (16 bytes), no additional data. SubtleCrypto does the work; it does
 * not exist on plain HTTP under a host name, there @noble/ciphers does it.
 *
 * Errors    An opener throws or rejects for what it cannot open: a wrong key,
 *           a changed byte, text that is not JSON. It never returns a part.
 */

import { bytesOfBase64 } from './base64.js';
import { loadAes } from './parts.js';
import type { CryptoLike } from './platform.js';
import { isJsonObject } from './wire.js';

const IV_BYTES = 12;
const TAG_BYTES = 16;
const KEY_BYTES = 32;

export interface Opened {
  readonly event: string;
  readonly data: unknown;
}

/**
 * Opens one `p`. Answers at once where the cipher runs in JavaScript and later
 * where it is the browser's; callers keep the order.
 */
export type Opener = (p: string) => Opened | Promise<Opened>;

/** The `p` of an envelope; undefined if `data` is not one we know. */
export function sealedTextOf(data: unknown): string | undefined {
  return isJsonObject(data) && data.v === 1 && typeof data.p === 'string'
    ? data.p
    : undefined;
}

function readOpened(plaintext: Uint8Array): Opened {
  const text = new TextDecoder('utf-8', { fatal: true }).decode(plaintext);
  const json: unknown = JSON.parse(text);
  if (!isJsonObject(json) || typeof json.event !== 'string') {
    throw new Error('the envelope holds no event');
  }
  return { event: json.event, data: json.data };
}

interface Sealed {
  readonly iv: Uint8Array<ArrayBuffer>;
  readonly body: Uint8Array<ArrayBuffer>;
}

function splitSealed(p: string): Sealed {
  const bytes = bytesOfBase64(p);
  if (!bytes || bytes.length < IV_BYTES + TAG_BYTES) {
    throw new Error('the envelope is cut short');
  }
  return { iv: bytes.slice(0, IV_BYTES), body: bytes.slice(IV_BYTES) };
}

function subtleOpener(
  key: Uint8Array<ArrayBuffer>,
  subtle: SubtleCrypto,
): Opener {
  const imported = subtle.importKey('raw', key, 'AES-GCM', false, ['decrypt']);
  // Looked at by every opening; without this it would be reported as unhandled.
  imported.catch(() => {});
  return async (p) => {
    const { iv, body } = splitSealed(p);
    const params = { name: 'AES-GCM', iv, tagLength: TAG_BYTES * 8 };
    const plaintext = await subtle.decrypt(params, await imported, body);
    return readOpened(new Uint8Array(plaintext));
  };
}

function scriptOpener(key: Uint8Array): Opener {
  let open: typeof import('./aes.js').openGcm | undefined;
  const opened = (p: string) => {
    const { iv, body } = splitSealed(p);
    return readOpened((open as NonNullable<typeof open>)(key, iv, body));
  };
  return (p) =>
    open
      ? opened(p)
      : loadAes().then((part) => {
          open = part.openGcm;
          return opened(p);
        });
}

/** Undefined if `keyBase64` is not 32 bytes; no key, no opener. */
export function createOpener(
  keyBase64: string | undefined,
  crypto: CryptoLike | undefined,
): Opener | undefined {
  const key = keyBase64 ? bytesOfBase64(keyBase64) : undefined;
  if (key?.length !== KEY_BYTES) {
    return undefined;
  }
  return crypto?.subtle ? subtleOpener(key, crypto.subtle) : scriptOpener(key);
}
