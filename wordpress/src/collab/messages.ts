/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the editor of WordPress 7.0 says and is told, as text, and what frames have of it. */

import * as decoding from 'lib0/decoding';
import * as encoding from 'lib0/encoding';
import type { Update } from './mailbox.js';

/** Messages of y-protocols, in which the editor asks and answers. */
export const STEP1 = 0;
export const STEP2 = 1;

export function base64Of(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 0x8000) {
    text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  }
  return btoa(text);
}

const bytesOf = (base64: string): Uint8Array =>
  Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));

/** As y-protocols writes it. */
export function message(kind: number, data: Uint8Array): string {
  const encoder = encoding.createEncoder();
  encoding.writeVarUint(encoder, kind);
  encoding.writeVarUint8Array(encoder, data);
  return base64Of(encoding.toUint8Array(encoder));
}

/** What such a message is about. */
export function dataOf(base64: string): Uint8Array {
  const decoder = decoding.createDecoder(bytesOf(base64));
  decoding.readVarUint(decoder);
  return decoding.readVarUint8Array(decoder);
}

/** Some updates as one frame has them. */
export function listOf(updates: readonly Update[]): Uint8Array {
  const encoder = encoding.createEncoder();
  for (const { data } of updates) {
    encoding.writeVarUint8Array(encoder, bytesOf(data));
  }
  return encoding.toUint8Array(encoder);
}

export function* updatesOf(list: Uint8Array): Generator<Uint8Array> {
  const decoder = decoding.createDecoder(list);
  while (decoding.hasContent(decoder)) {
    yield decoding.readVarUint8Array(decoder);
  }
}

/** Whether the editor can answer it: it says nothing to what it cannot read. */
export function isVector(data: Uint8Array): boolean {
  const decoder = decoding.createDecoder(data);
  for (let left = decoding.readVarUint(decoder); left > 0; left--) {
    decoding.readVarUint(decoder);
    decoding.readVarUint(decoder);
  }
  return !decoding.hasContent(decoder);
}

export const areSame = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, i) => byte === b[i]);
