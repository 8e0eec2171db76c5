/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a site's server does, done in the page for want of one: names of the
 * site, tokens, signatures. Only a demo may: see secrets.js.
 */
import { siteKey, publishSecret, tokenSecret } from './secrets.js';

const TOKEN_LIFE_S = 300;

const bytes = (text) => new TextEncoder().encode(text);
const hex = (buffer) => Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, '0')).join('');
const base64url = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');

async function mac(secret, text) {
  const key = await crypto.subtle.importKey('raw', bytes(secret), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  return crypto.subtle.sign('HMAC', key, bytes(text));
}

const idOf = async (kind) => hex(await crypto.subtle.digest('SHA-256', bytes(`${kind}:${siteKey}`)));

/** A token that may read and write all of the site. */
export async function mint() {
  const siteId = await idOf('site');
  const iat = Math.floor(Date.now() / 1000);
  const claims = {
    v: 2,
    tenant_id: await idOf('tenant'),
    site_id: siteId,
    user_id: '0',
    allowed_channel_prefixes: [`site:${siteId}:`],
    allowed_publish_prefixes: [`site:${siteId}:`],
    iat,
    exp: iat + TOKEN_LIFE_S,
  };
  const part = (value) => base64url(bytes(JSON.stringify(value)));
  const text = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`;
  return { token: `${text}.${base64url(await mac(tokenSecret, text))}`, exp: claims.exp };
}

/** Headers that prove where a publish of these very bytes comes from. */
export async function signed(body) {
  const ts = String(Date.now());
  return {
    'Content-Type': 'application/json',
    'X-WP-Signal-Key': siteKey,
    'X-WP-Signal-Ts': ts,
    'X-WP-Signal-Sign': hex(await mac(publishSecret, `${body}.${ts}`)),
  };
}
