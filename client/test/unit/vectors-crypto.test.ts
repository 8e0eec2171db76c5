/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vectors/crypto.json: the client opens what PHP seals, by either cipher. Keys,
 * ids and signatures are never made in a browser; here they come out of node.
 */
import assert from 'node:assert/strict';
import { createCipheriv, createHash, createHmac, hkdfSync } from 'node:crypto';
import { test } from 'node:test';

import { createOpener } from '../../src/crypto.js';
import { claimsOf } from '../../src/token.js';
import { signed } from '../support/token.js';
import { vectors } from '../support/vectors.js';

interface Case {
  name: string;
  site_key: string;
  seed: string;
  aes_key_hex: string;
  iv_hex: string;
  plaintext: string;
  p: string;
}
const crypto = vectors<{
  cases: Case[];
  ids: { site_key: string; tenant_id: string; site_id: string }[];
  signatures: { name: string; secret: string; body: string; ts: string; sign: string }[];
  jwt: { name: string; secret: string; header: string; claims: string; signature: string }[];
}>('crypto.json');

const hmac = (key: string, text: string) => createHmac('sha256', key).update(text);
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const key64 = ({ aes_key_hex }: Case) => Buffer.from(aes_key_hex, 'hex').toString('base64');

const CIPHERS = [
  ['SubtleCrypto', globalThis.crypto],
  ['@noble/ciphers', { ...globalThis.crypto, subtle: undefined }],
] as const;

for (const one of crypto.cases) {
  for (const [cipher, from] of CIPHERS) {
    test(`${one.name}: opened by ${cipher}`, async () => {
      const opener = createOpener(key64(one), from);
      assert.deepEqual(await opener?.(one.p), JSON.parse(one.plaintext));
    });
  }

  test(`${one.name}: key and envelope come out`, () => {
    const key = Buffer.from(hkdfSync('sha256', one.seed, one.site_key, 'wpsignal-v1', 32));
    assert.equal(key.toString('hex'), one.aes_key_hex);
    const iv = Buffer.from(one.iv_hex, 'hex');
    const cipher = createCipheriv('aes-256-gcm', key, iv);
    const body = Buffer.concat([cipher.update(one.plaintext), cipher.final()]);
    const p = Buffer.concat([iv, body, cipher.getAuthTag()]).toString('base64');
    assert.equal(p, one.p);
  });
}

for (const { site_key, tenant_id, site_id } of crypto.ids) {
  test(`the ids of ${site_key}`, () => {
    assert.equal(sha256(`tenant:${site_key}`), tenant_id);
    assert.equal(sha256(`site:${site_key}`), site_id);
  });
}

for (const { name, secret, body, ts, sign } of crypto.signatures) {
  test(`${name}: signature`, () => {
    assert.equal(hmac(secret, `${body}.${ts}`).digest('hex'), sign);
  });
}

for (const { name, secret, header, claims, signature } of crypto.jwt) {
  test(`${name}: token`, () => {
    const token = signed(header, claims, secret);
    assert.equal(token.split('.')[2], signature);
    const { iat, exp, site_id, user_id } = JSON.parse(claims) as Record<string, unknown>;
    assert.deepEqual(claimsOf(token), {
      issuedAtS: iat,
      expiresAtS: exp,
      siteId: site_id,
      userId: user_id,
    });
  });
}
