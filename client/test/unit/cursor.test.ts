/* SPDX-License-Identifier: Apache-2.0 */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Cursor, parseMessageId } from '../../src/cursor.js';

const id = (sequence: number | string, epoch = '5f1c0a9e77b2') =>
  `${epoch}-${sequence}`;
const OTHER = '000000000001';

test('only the form of an id is one', () => {
  assert.deepEqual(parseMessageId(id('18446744073709551615')), {
    epoch: '5f1c0a9e77b2',
    sequence: '18446744073709551615',
  });
  assert.ok(parseMessageId(id(0)));
  const not = ['', '1', id('01'), id('-1'), id('1 '), id('1.5'), `5F1C0A9E77B2-1`,
    '5f1c0a9e77b-1', '5f1c0a9e77b22-1', id('9'.repeat(21)), 5, null, undefined];
  for (const text of not) {
    assert.equal(parseMessageId(text), undefined, String(text));
  }
});

test('an id is accepted once, and none after a higher one', () => {
  const cursor = new Cursor();
  const accepted = [9, 10, 10, 9, 11, 2].map((at) => cursor.accept(id(at)));
  assert.deepEqual(accepted, [true, true, false, false, true, false]);
  assert.equal(cursor.since, id(11));
});

test('sequences are compared as numbers, though they exceed them', () => {
  const cursor = new Cursor();
  assert.ok(cursor.accept(id('9007199254740993')));
  assert.ok(!cursor.accept(id('9007199254740992')));
  assert.ok(cursor.accept(id('9007199254740994')));
  assert.ok(cursor.accept(id('10000000000000000')));
});

test('a message without an id is always accepted and moves nothing', () => {
  const cursor = new Cursor();
  cursor.accept(id(5));
  assert.ok(cursor.accept(undefined));
  assert.ok(cursor.accept('not an id'));
  assert.equal(cursor.since, id(5));
});

test('another epoch begins anew', () => {
  const cursor = new Cursor();
  cursor.accept(id(500));
  assert.ok(cursor.accept(id(1, OTHER)));
  assert.equal(cursor.since, id(1, OTHER));
});

test('the id of a subscription counts only for the first one', () => {
  const cursor = new Cursor();
  cursor.startAt(id(40));
  assert.equal(cursor.since, id(40));
  cursor.startAt(id(90));
  assert.equal(cursor.since, id(40), 'its replay may not be over');
});

test('a sign that all was sent moves on, never back', () => {
  const cursor = new Cursor();
  cursor.settle(id(40));
  cursor.settle(id(39));
  cursor.settle('nonsense');
  assert.equal(cursor.since, id(40));
  assert.ok(cursor.accept(id(40)), 'it was not received, only passed');
});

test('the head of a stream counts once the stream ended as planned', () => {
  const cursor = new Cursor();
  cursor.accept(id(10));
  cursor.atHead(id(20));
  assert.equal(cursor.since, id(10));
  cursor.settleHead();
  assert.equal(cursor.since, id(20));
  cursor.settleHead();
  assert.equal(cursor.since, id(20));
});
