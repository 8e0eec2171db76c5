/* SPDX-License-Identifier: Apache-2.0 */
import assert from 'node:assert/strict';
import { createCipheriv, randomBytes } from 'node:crypto';
import { test } from 'node:test';

import { createOpener, sealedTextOf } from '../../src/crypto.js';

const KEY = randomBytes(32);
const KEY64 = KEY.toString('base64');

function seal(plaintext: string | Uint8Array, key = KEY): Buffer {
  const iv = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, iv);
  const body = Buffer.concat([cipher.update(plaintext), cipher.final()]);
  return Buffer.concat([iv, body, cipher.getAuthTag()]);
}

const GOOD = seal('{"event":"e","data":1}');
function changed(at: number): Buffer {
  const bytes = Buffer.from(GOOD);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  return bytes;
}

const BAD: [string, string][] = [
  ['another key', seal('{"event":"e","data":1}', randomBytes(32)).toString('base64')],
  ['a changed IV', changed(0).toString('base64')],
  ['a changed byte', changed(12).toString('base64')],
  ['a changed tag', changed(GOOD.length - 1).toString('base64')],
  ['a cut tag', GOOD.subarray(0, GOOD.length - 1).toString('base64')],
  ['27 bytes', GOOD.subarray(0, 27).toString('base64')],
  ['nothing', ''],
  ['no base64', '*'],
  ['text that is not JSON', seal('event').toString('base64')],
  ['bytes that are not UTF-8', seal(Buffer.from([0xff])).toString('base64')],
  ['a list', seal('[]').toString('base64')],
  ['no event', seal('{"data":1}').toString('base64')],
];

for (const [cipher, from] of [
  ['SubtleCrypto', globalThis.crypto],
  ['@noble/ciphers', undefined],
] as const) {
  test(`${cipher} opens what is whole`, async () => {
    const opened = await createOpener(KEY64, from)?.(GOOD.toString('base64'));
    assert.deepEqual(opened, { event: 'e', data: 1 });
  });
  for (const [what, p] of BAD) {
    test(`${cipher} refuses ${what}`, async () => {
      await assert.rejects(async () => createOpener(KEY64, from)?.(p));
    });
  }
}

test('SubtleCrypto answers later, the script at once when it is there', async () => {
  const p = GOOD.toString('base64');
  assert.ok(createOpener(KEY64, globalThis.crypto)?.(p) instanceof Promise);
  const script = createOpener(KEY64, undefined);
  const first = script?.(p);
  assert.ok(first instanceof Promise);
  const opened = await first;
  assert.deepEqual(script?.(p), opened);
});

test('without a key of 32 bytes there is no opener', () => {
  for (const key of [undefined, '', '*', randomBytes(16).toString('base64')]) {
    assert.equal(createOpener(key, globalThis.crypto), undefined);
  }
});

test('only version 1 with text is an envelope', () => {
  assert.equal(sealedTextOf({ v: 1, p: 'x' }), 'x');
  for (const data of [{ v: 2, p: 'x' }, { v: '1', p: 'x' }, { v: 1, p: 1 }, { p: 'x' }, [], null, 'x']) {
    assert.equal(sealedTextOf(data), undefined);
  }
});
