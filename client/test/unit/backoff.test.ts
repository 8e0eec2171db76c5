/* SPDX-License-Identifier: Apache-2.0 */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Backoff } from '../../src/backoff.js';

test('the ceiling doubles from one second to a minute', () => {
  const backoff = new Backoff(() => 0.999999);
  const ceilings = Array.from({ length: 9 }, () => {
    const { ceilingMs } = backoff;
    backoff.nextDelayMs();
    return ceilingMs / 1000;
  });
  assert.deepEqual(ceilings, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
});

test('the delay is drawn from all of what is below the ceiling', () => {
  const drawn = [0, 0.25, 0.999999].map((chance) => {
    const backoff = new Backoff(() => chance);
    return [backoff.nextDelayMs(), backoff.nextDelayMs()];
  });
  assert.deepEqual(drawn, [[0, 0], [250, 500], [999, 1999]]);
});

test('after a reset the next failure is a first one', () => {
  const backoff = new Backoff(() => 0.5);
  for (let failure = 0; failure < 40; failure += 1) {
    backoff.nextDelayMs();
  }
  assert.equal(backoff.nextDelayMs(), 30_000);
  backoff.reset();
  assert.equal(backoff.nextDelayMs(), 500);
});
