/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tokens by the recipes of vectors/tokens.json; its README says how.
 */
import { createHash, createHmac } from 'node:crypto';

import { base64url } from './token.js';

export interface Recipe {
  readonly name: string;
  readonly header: string;
  readonly claims: string;
  readonly sign: string;
  readonly form: string;
  readonly accepted: boolean;
}

export interface Kitchen {
  readonly now: number;
  readonly site_key: string;
  readonly site_id: string;
  readonly tenant_id: string;
  readonly jwt_secret: string;
  readonly other_secret: string;
  readonly public_key: string;
}

/** The text with its replacements, as bytes. */
function bytesOf(text: string, kitchen: Kitchen): Buffer {
  const filled = text
    .replace(/\{REPEAT:([^]*?):(\d+)\}/g, (_, what: string, n: string) => what.repeat(Number(n)))
    .replace(/\{NOW([+-]\d+)?\}/g, (_, n?: string) => String(kitchen.now + Number(n ?? 0)))
    .replace(/\{SITE_ID\}/g, kitchen.site_id)
    .replace(/\{TENANT_ID\}/g, kitchen.tenant_id);
  const parts = filled.split(/\{BYTE:([0-9a-fA-F]{2})\}/);
  return Buffer.concat(
    parts.map((part, at) => Buffer.from(part, at % 2 === 1 ? 'hex' : 'utf8')),
  );
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

function withUnusedBit(text: string): string {
  const at = ALPHABET.indexOf(text.slice(-1)) + 1;
  return text.slice(0, -1) + ALPHABET.charAt(at);
}

function padded(text: string): string {
  return text + '='.repeat((4 - (text.length % 4)) % 4);
}

function shaped(form: string, h: string, c: string): [string, string] {
  switch (form) {
    case 'padded':
      return [padded(h), padded(c)];
    case 'standard':
      return [h, c.replace(/-/g, '+').replace(/_/g, '/')];
    case 'headerbits':
      return [withUnusedBit(h), c];
    case 'claimsbits':
      return [h, withUnusedBit(c)];
    default:
      return [h, c];
  }
}

function keyOf(sign: string, kitchen: Kitchen): string | Buffer {
  const keys: { [sign: string]: string | Buffer } = {
    empty: '',
    blank: ' ',
    'rs-as-hs': kitchen.public_key,
    'rs-as-hs-chomp': kitchen.public_key.replace(/\n$/, ''),
    otherkey: kitchen.other_secret,
    sitekey: kitchen.site_key,
    hashed: createHash('sha256').update(kitchen.jwt_secret).digest(),
  };
  return keys[sign] ?? kitchen.jwt_secret;
}

function signatureOf(sign: string, signing: string, kitchen: Kitchen): string {
  const text = sign === 'otherclaims' ? `${signing}x` : signing;
  const hash = sign === 'hs512' ? 'sha512' : 'sha256';
  const mac = createHmac(hash, keyOf(sign, kitchen)).update(text).digest();
  switch (sign) {
    case 'none':
      return '';
    case 'flip':
      mac[31] = (mac[31] ?? 0) ^ 0x01;
      return base64url(mac);
    case 'flipfirst':
      mac[0] = (mac[0] ?? 0) ^ 0x80;
      return base64url(mac);
    case 'longer':
      return base64url(Buffer.concat([mac, Buffer.alloc(1)]));
    case 'hex':
      return mac.toString('hex');
    case 'truncated':
      return base64url(mac).slice(0, 42);
    case 'half':
      return base64url(mac).slice(0, 21);
    case 'trailingbits':
      return withUnusedBit(base64url(mac));
    case 'huge':
      return base64url(Buffer.alloc(49152));
    default:
      return base64url(mac);
  }
}

const FORMS: { [form: string]: (h: string, c: string, s: string) => string } = {
  '1seg': (h) => h,
  '2seg': (h, c) => `${h}.${c}`,
  '4seg': (h, c, s) => `${h}.${c}.${s}.${s}`,
  '5seg': (h, c, s) => `${h}.${c}.${s}.${s}.${s}`,
  json: (h, c, s) => JSON.stringify({ payload: c, protected: h, signature: s }),
  jwe: (h, c) => `${h}..AAAAAAAAAAAAAAAA.${c}.AAAAAAAAAAAAAAAAAAAAAA`,
  noheader: (_, c, s) => `.${c}.${s}`,
  noclaims: (h, _, s) => `${h}..${s}`,
  dot: (h, c, s) => `${h}.${c}.${s}.`,
  space: (h, c, s) => `${h}.${c}.${s} `,
  newline: (h, c, s) => `${h}.${c}.${s}\n`,
  bearer: (h, c, s) => `Bearer ${h}.${c}.${s}`,
  nothing: () => '',
};

export function cook(recipe: Recipe, kitchen: Kitchen): string {
  const [h, c] = shaped(
    recipe.form,
    base64url(bytesOf(recipe.header, kitchen)),
    base64url(bytesOf(recipe.claims, kitchen)),
  );
  const s = signatureOf(recipe.sign, `${h}.${c}`, kitchen);
  return (FORMS[recipe.form] ?? ((...parts) => parts.join('.')))(h, c, s);
}
