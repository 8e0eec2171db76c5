/* SPDX-License-Identifier: Apache-2.0 */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { LIMIT } from '../../src/config.js';
import { frameOf, makeBinary, parseBinary, parseFrame, textOfFrame } from '../../src/wire.js';

test('each frame of the relay is read', () => {
  const read: [string, unknown][] = [
    ['{"type":"message","channel":"c","event":"e","data":[1],"id":"x","more":1}',
      { type: 'message', channel: 'c', event: 'e', data: [1], id: 'x' }],
    ['{"type":"ping"}', { type: 'ping', id: undefined }],
    ['{"type":"subscribed","channels":["a",1,"b"],"id":"x"}',
      { type: 'subscribed', channels: ['a', 'b'], id: 'x' }],
    ['{"type":"unsubscribed"}', { type: 'unsubscribed', channels: [], id: undefined }],
    ['{"type":"auth_ok","exp":1}', { type: 'auth_ok' }],
    ['{"type":"ack","ref":"r","id":"x"}', { type: 'ack', ref: 'r', id: 'x' }],
    ['{"type":"reconnect","in":5}', { type: 'reconnect', inMs: 5 }],
    ['{"type":"gap","since":"a","oldest":null}', { type: 'gap', since: 'a', oldest: null }],
    ['{"type":"error","code":"c","message":"m"}',
      { type: 'error', code: 'c', message: 'm', ref: undefined }],
  ];
  for (const [text, frame] of read) {
    assert.deepEqual(parseFrame(text), frame, text);
  }
});

test('what is not well formed is no frame', () => {
  for (const text of ['', '{', 'null', '[]', '"ping"', '{}', '{"type":1}',
    '{"type":"constructor"}', '{"type":"message","channel":1,"event":"e"}',
    '{"type":"message","channel":"c"}', '{"type":"ack","ref":1}',
    '{"type":"reconnect","in":"5"}', '{"type":"reconnect","in":-1}']) {
    assert.equal(parseFrame(text), undefined, text);
  }
});

test('a value without a type is a message only where that is said', () => {
  const json = { channel: 'c', event: 'e', data: null };
  assert.equal(frameOf(json), undefined);
  assert.equal(frameOf(json, 'message')?.type, 'message');
  assert.equal(frameOf({ type: 'gap' }, 'message')?.type, 'gap');
});

test('what cannot be said in JSON is not sent', () => {
  const cycle: Record<string, unknown> = {};
  cycle.self = cycle;
  const frame = (data: Record<string, unknown>) =>
    ({ type: 'message', channel: 'c', event: 'e', data }) as const;
  assert.equal(textOfFrame(frame(cycle)), undefined);
  assert.equal(textOfFrame(frame({ big: 1n })), undefined);
});

test('a frame is bounded by its bytes, not by its characters', () => {
  const frame = (text: string) =>
    textOfFrame({ type: 'message', channel: 'c', event: 'e', data: { text } });
  const room = LIMIT.frameBytes - Buffer.byteLength(frame('') ?? '');
  for (const [char, bytes] of [['x', 1], ['é', 2], ['日', 3]] as const) {
    const most = Math.floor(room / bytes);
    assert.ok(frame(char.repeat(most)), `${most} of ${char}`);
    assert.ok(!frame(char.repeat(most + 1)), `${most + 1} of ${char}`);
  }
});

test('a binary frame is two bytes of length, the name, the payload', () => {
  const frame = makeBinary('ü:a', Uint8Array.of(9, 8));
  assert.deepEqual([...(frame ?? [])], [0, 4, 0xc3, 0xbc, 0x3a, 0x61, 9, 8]);
  const read = frame && parseBinary(frame);
  assert.deepEqual([read?.channel, [...(read?.payload ?? [])]], ['ü:a', [9, 8]]);
  const long = makeBinary('x'.repeat(300), new Uint8Array(0));
  assert.deepEqual([...(long?.subarray(0, 2) ?? [])], [1, 44]);
  assert.equal(long && parseBinary(long)?.payload.length, 0);
});

test('a binary frame that is cut, nameless, or not UTF-8 is none', () => {
  for (const bytes of [[], [0], [0, 0], [0, 0, 1], [0, 2, 65], [0, 1, 0xff], [255, 255, 1]]) {
    assert.equal(parseBinary(Uint8Array.from(bytes)), undefined, String(bytes));
  }
});

test('a binary frame longer than the relay reads is not made', () => {
  assert.ok(makeBinary('a', new Uint8Array(LIMIT.frameBytes - 3)));
  assert.equal(makeBinary('a', new Uint8Array(LIMIT.frameBytes - 2)), undefined);
  assert.equal(makeBinary('x'.repeat(0x10000), new Uint8Array(0)), undefined);
});
