/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names: a random one, and the one this browser keeps.
 */

import type { Platform } from './platform.js';

const STORAGE_KEY = 'wordsocket-visitor';
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/**
 * A version 4 UUID (RFC 9562). Drawn from `crypto`, which also plain HTTP has;
 * `crypto.randomUUID` it has not.
 */
export function uuid(platform: Platform): string {
  const bytes = new Uint8Array(16);
  if (platform.crypto) {
    platform.crypto.getRandomValues(bytes);
  } else {
    bytes.forEach((_, at) => {
      bytes[at] = Math.floor(platform.random() * 256);
    });
  }
  const hex = Array.from(bytes, (byte, at) => {
    const fixed =
      at === 6 ? (byte & 0x0f) | 0x40 : at === 8 ? (byte & 0x3f) | 0x80 : byte;
    return fixed.toString(16).padStart(2, '0');
  }).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** The same name on every page of this site, as long as storage allows. */
export class Visitor {
  private known: string | undefined;

  constructor(private readonly platform: Platform) {}

  get id(): string {
    this.known ??= this.stored() ?? this.makeOne();
    return this.known;
  }

  private stored(): string | undefined {
    try {
      const text = this.platform.storage?.getItem(STORAGE_KEY) ?? '';
      return UUID.test(text) ? text : undefined;
    } catch {
      return undefined;
    }
  }

  private makeOne(): string {
    const id = uuid(this.platform);
    try {
      this.platform.storage?.setItem(STORAGE_KEY, id);
    } catch {
      // Full or forbidden: the name lasts as long as the page.
    }
    return id;
  }
}
