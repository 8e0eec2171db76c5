/* SPDX-License-Identifier: Apache-2.0 */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { FetchStream } from '../../src/transport/fetch-stream.js';
import { settle } from '../support/clock.js';
import { type Answering, json, never, noNetwork, World } from '../support/world.js';

const URL = 'https://r.example/sse';

async function made(answer?: Answering, speaksFirst = false) {
  const world = new World();
  if (answer) {
    world.answers.set('sse', answer);
  } else {
    world.allowStreams();
  }
  const told: unknown[] = [];
  const stream = new FetchStream(world.platform, URL, {
    opened: () => told.push('opened'),
    heard: () => told.push('heard'),
    event: ({ data }) => {
      told.push(data);
      if (data === 'close') {
        stream.close();
      }
    },
    id: (id) => told.push(`id ${id}`),
    retry: (ms) => told.push(ms),
    oversize: () => told.push('oversize'),
    ended: (clean) => told.push({ clean }),
    failed: (status, retryAfterMs) => told.push({ status, retryAfterMs }),
  }, speaksFirst);
  await settle();
  return { stream, told, world };
}

test('it opens, hears, and ends clean', async () => {
  const { told, world } = await made();
  await world.writes('data: a\n\nid: 7\nretry: 5\n\n');
  world.stream.end();
  await settle();
  assert.deepEqual(told, ['opened', 'heard', 'a', 5, 'id 7', { clean: true }]);
  assert.equal(world.clock.pending, 0);
});

test('it sends no cookies and asks for no cached answer', async () => {
  const { world } = await made();
  const { cache, credentials } = world.requests[0]?.init ?? {};
  assert.deepEqual([cache, credentials], ['no-store', 'omit']);
});

test('a network that breaks is no clean end', async () => {
  const { told, world } = await made();
  world.stream.fail();
  await settle();
  assert.deepEqual(told, ['opened', { clean: false }]);
});

test('closed in the middle of a chunk, it says nothing of the rest', async () => {
  const { told, world } = await made();
  await world.writes('data: a\n\ndata: close\n\ndata: b\n\nretry: 5\n\n');
  assert.deepEqual(told, ['opened', 'heard', 'a', 'close']);
  assert.ok(!world.stream.open);
});

const FAILURES: [string, Answering, object][] = [
  ['no network', noNetwork, { status: 0, retryAfterMs: undefined }],
  ['401', () => json({}, 401), { status: 401, retryAfterMs: undefined }],
  ['503 with a delay', () => json({}, 503, { 'Retry-After': '2' }), { status: 503, retryAfterMs: 2000 }],
  ['JSON', () => json({}), { status: 200, retryAfterMs: undefined }],
  ['text/event-streams', () => new Response('', { headers: { 'Content-Type': 'text/event-streams' } }),
    { status: 200, retryAfterMs: undefined }],
];
for (const [what, answer, failure] of FAILURES) {
  test(`${what} is no stream, and told once`, async () => {
    const { told, world } = await made(answer);
    assert.deepEqual(told, [failure]);
    await world.clock.advance(20_000);
    assert.equal(told.length, 1);
  });
}

test('an answer that does not come is given up at the deadline, once', async () => {
  const { told, world } = await made(never);
  await world.clock.advance(9_999);
  assert.deepEqual(told, []);
  await world.clock.advance(1);
  assert.deepEqual(told, [{ status: 0, retryAfterMs: undefined }]);
});

test('closed before the answer, it says nothing', async () => {
  const { stream, told, world } = await made(never);
  stream.close();
  await world.clock.advance(20_000);
  assert.deepEqual(told, []);
});

test('of a relay that speaks first it opens by its first byte', async () => {
  const { told, world } = await made(undefined, true);
  assert.deepEqual(told, []);
  await world.writes(':\n\n');
  assert.deepEqual(told, ['opened', 'heard']);
  await world.clock.advance(20_000);
  assert.equal(told.length, 2);
});

test('without one by the deadline, or before its end, it never was', async () => {
  const late = await made(undefined, true);
  await late.world.clock.advance(10_000);
  const ended = await made(undefined, true);
  ended.world.stream.end();
  await settle();
  for (const { told } of [late, ended]) {
    assert.deepEqual(told, [{ status: 0, retryAfterMs: undefined }]);
  }
});
