/* SPDX-License-Identifier: GPL-2.0-or-later */

import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { hold } from '../../src/held.js';

test('channels are given back by the last who held them, the page\'s own never', () => {
  const told: [string, string[]][] = [];
  (globalThis as { window?: unknown }).window = {
    WPS: {
      subscribe: (list: string[]) => told.push(['+', [...list]]),
      unsubscribe: (list: string[]) => told.push(['-', [...list]]),
    },
  };
  const one = hold(['a', 'events', 'b', 'a']);
  const two = hold(['b']);
  one();
  one();
  two();
  assert.deepEqual(told, [
    ['+', ['a', 'b']],
    ['+', ['b']],
    ['-', ['a']],
    ['-', ['b']],
  ]);
});
