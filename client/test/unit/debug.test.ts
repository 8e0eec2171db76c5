/* SPDX-License-Identifier: Apache-2.0 */
import assert from 'node:assert/strict';
import { mock, test } from 'node:test';

import { LIMIT } from '../../src/config.js';
import { DebugLog } from '../../src/debug.js';

test('the last lines are remembered, oldest first', () => {
  const shown = mock.method(console, 'debug', () => {});
  const log = new DebugLog();
  for (let at = 0; at < LIMIT.debugLines + 5; at += 1) {
    log.add(`line ${at}`);
  }
  const lines = log.read();
  assert.equal(lines.length, LIMIT.debugLines);
  assert.match(lines[0] ?? '', /Z line 5$/);
  assert.match(lines.at(-1) ?? '', / line 204$/);
  assert.equal(shown.mock.callCount(), LIMIT.debugLines + 5);
  shown.mock.restore();
});
