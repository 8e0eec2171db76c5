/* SPDX-License-Identifier: Apache-2.0 */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { bytesOfBase64, bytesOfBase64Url } from '../../src/base64.js';

const all = Uint8Array.from({ length: 256 }, (_, at) => at);

test('every byte comes back, from either alphabet', () => {
  for (const bytes of [all, all.subarray(1), all.subarray(2)]) {
    const buffer = Buffer.from(bytes);
    assert.deepEqual(bytesOfBase64(buffer.toString('base64')), new Uint8Array(bytes));
    assert.deepEqual(bytesOfBase64Url(buffer.toString('base64url')), new Uint8Array(bytes));
  }
});

test('what is not base64 is undefined and no exception', () => {
  for (const text of ['!', 'a', 'ab=c', '====', 'grüße', '\u{1f600}']) {
    assert.equal(bytesOfBase64(text), undefined, text);
  }
  assert.equal(bytesOfBase64('-_-_'), undefined);
});
