/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Base64 to bytes, both alphabets. Undefined for what is not base64, never an
 * exception: the text comes from the network.
 */

export function bytesOfBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  let binary: string;
  try {
    binary = atob(text);
  } catch {
    return undefined;
  }
  const bytes = new Uint8Array(binary.length);
  for (let at = 0; at < binary.length; at += 1) {
    bytes[at] = binary.charCodeAt(at);
  }
  return bytes;
}

/** The URL-safe alphabet without padding, as in tokens. */
export function bytesOfBase64Url(
  text: string,
): Uint8Array<ArrayBuffer> | undefined {
  return bytesOfBase64(text.replace(/-/g, '+').replace(/_/g, '/'));
}
