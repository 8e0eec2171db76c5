/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Frames that the relay cannot read: 0x80, a version, an IV of 12 bytes,
 * ciphertext and tag of AES-256-GCM. Version and channel are authenticated with
 * it, so a frame cannot be moved to another room.
 *
 * Which of both a site uses is said by its PHP, never by peers: where frames
 * are sealed, a plain one is refused, and where they are plain a sealed one is.
 */

const MARK = 0x80;
const VERSION = 1;
const IV_BYTES = 12;
const TAG_BYTES = 16;
const HEAD_BYTES = 2 + IV_BYTES;

export interface Cipher {
  /** False for the ecosystem's plain frames. */
  readonly isSealed: boolean;
  seal(channel: string, frame: Uint8Array): Promise<Uint8Array>;
  /** Undefined for what was not sealed with this key for this channel. */
  open(channel: string, bytes: Uint8Array): Promise<Uint8Array | undefined>;
}

function authenticated(channel: string): Uint8Array<ArrayBuffer> {
  const name = new TextEncoder().encode(channel);
  const data = new Uint8Array(1 + name.length);
  data[0] = VERSION;
  data.set(name, 1);
  return data;
}

/** `raw` is the room's key, 32 bytes. */
export function createCipher(
  raw: Uint8Array<ArrayBuffer>,
  crypto: Crypto,
): Cipher {
  const key = crypto.subtle.importKey('raw', raw, 'AES-GCM', false, [
    'encrypt',
    'decrypt',
  ]);
  // Looked at by every frame; without this it would be reported as unhandled.
  key.catch(() => {});
  const params = (iv: Uint8Array<ArrayBuffer>, channel: string): AesGcmParams => ({
    name: 'AES-GCM',
    iv,
    additionalData: authenticated(channel),
    tagLength: TAG_BYTES * 8,
  });
  return {
    isSealed: true,
    async seal(channel, frame) {
      const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
      const sealed = await crypto.subtle.encrypt(
        params(iv, channel),
        await key,
        frame.slice(),
      );
      const bytes = new Uint8Array(HEAD_BYTES + sealed.byteLength);
      bytes[0] = MARK;
      bytes[1] = VERSION;
      bytes.set(iv, 2);
      bytes.set(new Uint8Array(sealed), HEAD_BYTES);
      return bytes;
    },
    async open(channel, bytes) {
      if (
        bytes.length < HEAD_BYTES + TAG_BYTES ||
        bytes[0] !== MARK ||
        bytes[1] !== VERSION
      ) {
        return undefined;
      }
      try {
        const opened = await crypto.subtle.decrypt(
          params(bytes.slice(2, HEAD_BYTES), channel),
          await key,
          bytes.slice(HEAD_BYTES),
        );
        return new Uint8Array(opened);
      } catch {
        return undefined;
      }
    },
  };
}

/** Frames as they are, for sites that chose the ecosystem's plain ones. */
export const PLAIN: Cipher = {
  isSealed: false,
  seal: (_channel, frame) => Promise.resolve(frame),
  open: (_channel, bytes) =>
    Promise.resolve(bytes[0] === MARK ? undefined : bytes),
};
