/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vectors/sign2.json: signatures of version 2. A browser never makes one; here
 * they come out of node.
 */
import assert from 'node:assert/strict';
import { createHash, createHmac } from 'node:crypto';
import { test } from 'node:test';

import { vectors } from '../support/vectors.js';

interface Case {
  name: string;
  secret: string;
  method: string;
  path: string;
  key: string;
  ts: string;
  nonce: string;
  body: string;
  sign: string;
}
const { signatures } = vectors<{ signatures: Case[] }>('sign2.json');

test('there are signatures', () => {
  assert.ok(signatures.length > 0);
});

for (const { name, secret, method, path, key, ts, nonce, body, sign } of signatures) {
  test(`${name}: signature`, () => {
    const hash = createHash('sha256').update(body).digest('hex');
    const text = ['v2', method, path, key, ts, nonce, hash].join('\n');
    assert.equal(createHmac('sha256', secret).update(text).digest('hex'), sign);
  });
}
