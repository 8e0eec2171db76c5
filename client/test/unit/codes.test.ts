/* SPDX-License-Identifier: Apache-2.0 */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { errorCodeOf, reactionTo } from '../../src/codes.js';

/** Section 5.5 of the wire, and section 8 for the statuses of a stream. */
const ENDINGS = [
  [4001, 'refresh', 'connection-expired'],
  [4003, 'halt', 'authentication-failed'],
  [4029, 'retry', 'connection-limit-exceeded'],
  [401, 'remint', 'connection-expired'],
  [429, 'retry', 'connection-limit-exceeded'],
  [403, 'retry', 'unknown-error'],
  [404, 'retry', 'unknown-error'],
  [0, 'retry', 'unknown-error'],
  [1000, 'retry', 'unknown-error'],
  [1006, 'retry', 'unknown-error'],
  [1008, 'retry', 'unknown-error'],
  [1012, 'retry', 'unknown-error'],
  [1013, 'retry', 'unknown-error'],
] as const;

for (const [code, reaction, word] of ENDINGS) {
  test(`an end with ${code} means ${reaction}, told as ${word}`, () => {
    const info = { opened: true, code, message: '' };
    assert.equal(reactionTo(info), reaction);
    assert.equal(errorCodeOf(info), word);
  });
}
