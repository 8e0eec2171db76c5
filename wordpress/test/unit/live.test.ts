/* SPDX-License-Identifier: GPL-2.0-or-later */

import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { parseMark } from '../../src/live/plan.js';

test('a mark says what a block shows', () => {
  const mark = { id: 'wsl-a-1', owned: false, types: ['post'], comments: true, post: 7 };
  assert.deepEqual(parseMark(JSON.stringify(mark)), mark);
  assert.deepEqual(parseMark(JSON.stringify({ ...mark, types: null }))?.types, null);
});

test('what somebody else wrote into such an attribute is none, and stops nothing', () => {
  for (const text of [null, '', 'x', 'null', '7', '{}', '{"id":7,"types":null}', '{"id":"a","types":"post"}', '{"id":"a","types":[{}]}']) {
    assert.equal(parseMark(text), undefined, String(text));
  }
});
