/* SPDX-License-Identifier: Apache-2.0 */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { LIMIT } from '../../src/config.js';
import { Outbox } from '../../src/transport/outbox.js';
import type { RelayFrame } from '../../src/wire.js';
import { settle } from '../support/clock.js';
import { type Answering, json, noNetwork, World } from '../support/world.js';

function made(answer: Answering = () => json({ ok: true, id: 'i' })) {
  const world = new World();
  world.answers.set('send', answer);
  const answered: RelayFrame[] = [];
  const endpoints = { ws: '', sse: '', poll: '', send: 'https://r.example/send' };
  const situation = { token: () => 'tok', channels: () => [], since: () => undefined };
  const unknown = { count: 0 };
  const outbox = new Outbox({ platform: world.platform, endpoints, situation, relay: {} }, {
    answered: (frame) => answered.push(frame),
    streamUnknown: () => {
      unknown.count += 1;
    },
  });
  return { answered, outbox, unknown, world };
}

const frame = (event: string, ref?: string) =>
  ({ type: 'message', channel: 'c', event, data: {}, ...(ref !== undefined && { ref }) }) as const;
const eventsOf = (world: World) =>
  world.asked('send').map(({ init }) => (JSON.parse(String(init.body)) as { event: string }).event);

test('before there was a stream nothing is taken', () => {
  const { outbox } = made();
  assert.equal(outbox.usable, false);
  assert.equal(outbox.send(frame('a')), false);
});

test('one at a time, in order', async () => {
  const waiting: (() => void)[] = [];
  const { outbox, world } = made(
    () => new Promise((resolve) => waiting.push(() => resolve(json({ ok: true })))),
  );
  outbox.setStream('s');
  ['a', 'b', 'c'].forEach((event) => assert.ok(outbox.send(frame(event))));
  await settle();
  assert.deepEqual(eventsOf(world), ['a']);
  waiting[0]?.();
  await settle();
  assert.deepEqual(eventsOf(world), ['a', 'b']);
});

test('frames wait while a stream is replaced, and go out under the next', async () => {
  const { outbox, world } = made();
  outbox.setStream('old');
  outbox.setStream(undefined);
  assert.ok(outbox.send(frame('a')));
  await settle();
  assert.equal(world.requests.length, 0);
  outbox.setStream('new');
  await settle();
  assert.equal(new Headers(world.requests[0]?.init.headers).get('X-WordSocket-Stream'), 'new');
});

test('answers are told in the words of a socket', async () => {
  const answers = [
    json({ ok: true, id: 'i' }),
    json({ error: 'publish_forbidden', message: 'no' }, 403),
    json({ ok: true }),
    new Response('<html>', { status: 502 }),
  ];
  const { answered, outbox } = made(() => answers.shift() ?? noNetwork());
  outbox.setStream('s');
  outbox.send(frame('a', 'r1'));
  outbox.send(frame('b', 'r2'));
  outbox.send(frame('c'));
  outbox.send(frame('d'));
  outbox.send(frame('e', 'r5'));
  await settle();
  assert.deepEqual(answered, [
    { type: 'ack', ref: 'r1', id: 'i' },
    { type: 'error', code: 'publish_forbidden', message: 'no', ref: 'r2' },
    { type: 'error', code: 'http_502', message: '', ref: undefined },
    { type: 'error', code: 'http_0', message: '', ref: 'r5' },
  ]);
});

test('after 429 it rests as long as it is told', async () => {
  const answers = [json({ error: 'rate_limited' }, 429, { 'Retry-After': '4' })];
  const { outbox, world } = made(() => answers.shift() ?? json({ ok: true }));
  outbox.setStream('s');
  outbox.send(frame('a'));
  outbox.send(frame('b'));
  await settle();
  await world.clock.advance(3_999);
  assert.equal(world.requests.length, 1);
  await world.clock.advance(1);
  assert.deepEqual(eventsOf(world), ['a', 'b']);
});

const unknownStream = () => json({ error: 'invalid_stream', message: 'no' }, 404);
const streamsOf = (world: World) =>
  world.asked('send').map(({ init }) => new Headers(init.headers).get('X-WordSocket-Stream'));

test('a frame under a stream the relay has forgotten goes out under the next, first', async () => {
  const answers = [unknownStream()];
  const { answered, outbox, unknown, world } = made(() => answers.shift() ?? json({ ok: true, id: 'i' }));
  outbox.setStream('old');
  outbox.send(frame('a', 'r1'));
  outbox.send(frame('b'));
  await settle();
  assert.deepEqual([eventsOf(world), answered, unknown.count], [['a'], [], 1]);
  outbox.setStream('new');
  await settle();
  assert.deepEqual(eventsOf(world), ['a', 'a', 'b']);
  assert.deepEqual(streamsOf(world), ['old', 'new', 'new']);
  assert.deepEqual(answered, [{ type: 'ack', ref: 'r1', id: 'i' }]);
});

test('once only: refused again, it is given up, and the next is sent', async () => {
  const answers = [unknownStream(), unknownStream()];
  const { answered, outbox, world } = made(() => answers.shift() ?? json({ ok: true, id: 'i' }));
  outbox.setStream('old');
  outbox.send(frame('a', 'r1'));
  outbox.send(frame('b', 'r2'));
  await settle();
  outbox.setStream('new');
  await settle();
  assert.deepEqual(eventsOf(world), ['a', 'a', 'b']);
  assert.deepEqual(
    answered.map(({ type }) => type),
    ['error', 'ack'],
  );
});

test('where the next stream was there before the refusal, the frame goes at once', async () => {
  let refuse: (() => void) | undefined;
  const answers: (Response | Promise<Response>)[] = [
    new Promise((resolve) => (refuse = () => resolve(unknownStream()))),
  ];
  const { outbox, unknown, world } = made(() => answers.shift() ?? json({ ok: true }));
  outbox.setStream('old');
  outbox.send(frame('a'));
  await settle();
  outbox.setStream('new');
  refuse?.();
  await settle();
  assert.deepEqual(streamsOf(world), ['old', 'new']);
  assert.equal(unknown.count, 0);
});

test('any other 404 is an answer', async () => {
  const { answered, outbox, world } = made(() => new Response('<html>', { status: 404 }));
  outbox.setStream('s');
  outbox.send(frame('a', 'r'));
  await settle();
  assert.equal(world.requests.length, 1);
  assert.equal(answered.length, 1);
});

test('a full outbox refuses, by number and by size', () => {
  const { outbox } = made();
  outbox.setStream('s');
  outbox.setStream(undefined);
  for (let at = 0; at < LIMIT.outboxEntries; at += 1) {
    assert.ok(outbox.send(frame('x')));
  }
  assert.equal(outbox.send(frame('x')), false);
  const big = made().outbox;
  big.setStream('s');
  big.setStream(undefined);
  assert.ok(big.sendBinary(new Uint8Array(LIMIT.outboxBytes)));
  assert.equal(big.sendBinary(new Uint8Array(1)), false);
});

test('closed, it sends nothing more and tells nobody', async () => {
  let answer: (() => void) | undefined;
  const { answered, outbox, world } = made(
    () => new Promise((resolve) => (answer = () => resolve(json({ ok: true })))),
  );
  outbox.setStream('s');
  outbox.send(frame('a', 'r'));
  outbox.send(frame('b', 'r'));
  await settle();
  outbox.close();
  answer?.();
  await settle();
  assert.deepEqual([answered.length, world.requests.length], [0, 1]);
  assert.equal(outbox.send(frame('c')), false);
});
