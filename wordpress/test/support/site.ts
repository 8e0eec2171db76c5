/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What signs badges in the place of WordPress, and what a page signs by hand. */

import type { Identity } from '../../src/collab/badge.js';

const { subtle } = globalThis.crypto;
const KEY = { name: 'ECDSA', namedCurve: 'P-256' };
const SIGN = { name: 'ECDSA', hash: 'SHA-256' };

export const START_S = 1_700_000_000;

export const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
const base64url = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url');

export const person = (id: number, name: string): Identity => ({
  id,
  name,
  slug: name.toLowerCase(),
  avatar_urls: { 24: `https://example.test/${id}.png` },
});

export const STRANGER: Identity = { id: 0, name: 'Nobody', slug: '', avatar_urls: {} };

export const newPair = (): Promise<CryptoKeyPair> =>
  subtle.generateKey(KEY, true, ['sign', 'verify']);

export async function publicHalf({ publicKey }: CryptoKeyPair): Promise<string> {
  return base64(new Uint8Array(await subtle.exportKey('raw', publicKey)));
}

export async function signature(key: CryptoKey, bytes: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await subtle.sign(SIGN, key, bytes.slice()));
}

export class Site {
  private constructor(
    private readonly key: CryptoKey,
    readonly issuer: string,
    private readonly site: string,
    private readonly blog: number,
  ) {}

  static async make(site = 's', blog = 1): Promise<Site> {
    const pair = await newPair();
    return new Site(pair.privateKey, await publicHalf(pair), site, blog);
  }

  /** With a key that is given, as OpenSSL writes it. */
  static async of(pem: string, issuer: string, site: string, blog: number): Promise<Site> {
    const der = Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64');
    const key = await subtle.importKey('pkcs8', der, KEY, false, ['sign']);
    return new Site(key, issuer, site, blog);
  }

  /** The same key in the hands of somebody else: a copy of the site. */
  copy(site: string, blog: number): Site {
    return new Site(this.key, this.issuer, site, blog);
  }

  async badge(user: Identity, key: string, claims: object = {}): Promise<string> {
    const text = base64url(
      new TextEncoder().encode(
        JSON.stringify({
          v: 1,
          site: this.site,
          blog: this.blog,
          user,
          key,
          iat: START_S,
          exp: START_S + 360,
          ...claims,
        }),
      ),
    );
    const signed = await signature(this.key, new TextEncoder().encode(text));
    return `${text}.${base64url(signed)}`;
  }
}

/** What a page says of itself, made by hand. */
export async function signedBy(
  key: CryptoKey,
  channel: string,
  badge: string,
  update: Uint8Array,
): Promise<Uint8Array> {
  const head = Buffer.alloc(2);
  head.writeUInt16BE(badge.length);
  const rest = Buffer.concat([head, Buffer.from(badge), update]);
  return Buffer.concat([
    await signature(key, Buffer.concat([Buffer.from(`${channel}\0`), rest])),
    rest,
  ]);
}
