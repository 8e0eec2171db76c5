/* SPDX-License-Identifier: Apache-2.0 */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Emitter } from '../../src/emitter.js';

function made() {
  const reports: unknown[] = [];
  return {
    reports,
    emitter: new Emitter<{ a: [number]; b: [] }>((error) => reports.push(error)),
  };
}

test('listeners hear in the order they came', () => {
  const { emitter } = made();
  const heard: string[] = [];
  emitter.on('a', (n) => heard.push(`first ${n}`));
  emitter.on('a', (n) => heard.push(`second ${n}`));
  emitter.on('b', () => heard.push('b'));
  emitter.emit('a', 1);
  assert.deepEqual(heard, ['first 1', 'second 1']);
});

test('the same function twice is two listeners', () => {
  const { emitter } = made();
  let calls = 0;
  const listener = () => (calls += 1);
  const off = emitter.on('b', listener);
  emitter.on('b', listener);
  emitter.emit('b');
  off();
  off();
  emitter.emit('b');
  assert.equal(calls, 3);
});

test('one that throws is reported and disturbs nobody', () => {
  const { emitter, reports } = made();
  let heard = 0;
  emitter.on('b', () => {
    throw new Error('mine');
  });
  emitter.on('b', () => (heard += 1));
  emitter.emit('b');
  assert.equal(heard, 1);
  assert.equal((reports[0] as Error).message, 'mine');
});

test('removing while emitting works at once, adding at the next emit', () => {
  const { emitter } = made();
  const heard: string[] = [];
  emitter.on('b', () => {
    heard.push('one');
    off();
    emitter.on('b', () => heard.push('late'));
  });
  const off = emitter.on('b', () => heard.push('two'));
  emitter.emit('b');
  assert.deepEqual(heard, ['one']);
  emitter.emit('b');
  assert.deepEqual(heard, ['one', 'one', 'late']);
});
