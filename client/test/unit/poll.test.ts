/* SPDX-License-Identifier: Apache-2.0 */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { makeBinary } from '../../src/wire.js';
import { id, message, Page } from '../support/page.js';
import { json, noNetwork } from '../support/world.js';

/** A page whose network lets only polls through; `say` is the next answer. */
async function polling() {
  const page = new Page();
  const relay = { say: {} as object, messages: [] as unknown[] };
  page.world.answers.set('poll', () => {
    const { messages } = relay;
    relay.messages = [];
    return json({ messages, cursor: id(1), retry: 3_000, stream: 'aa', ...relay.say });
  });
  await page.start();
  await page.world.fails();
  return { page, relay };
}

test('a poll asks for everything since the cursor, as often as the relay says', async () => {
  const { page, relay } = await polling();
  assert.equal(page.state.transport, 'poll');
  const first = page.world.asked('poll')[0]?.url.searchParams;
  assert.deepEqual([first?.get('channels'), first?.get('since')], ['events', null]);
  relay.messages = [message(2), message(3)];
  relay.say = { cursor: id(9), retry: 7_000 };
  await page.world.clock.advance(3_000);
  assert.deepEqual(page.heard, [2, 3]);
  await page.world.clock.advance(6_999);
  assert.equal(page.world.asked('poll').length, 2);
  await page.world.clock.advance(1);
  assert.equal(page.world.asked('poll')[2]?.url.searchParams.get('since'), id(9));
});

test('messages come without a type, gaps and binary frames with their own', async () => {
  const { page, relay } = await polling();
  const bytes: number[][] = [];
  page.client.on('binary', (_, payload) => bytes.push([...payload]));
  const { type: _, ...untyped } = message(5);
  const binary = Buffer.from(makeBinary('yjs:a', Uint8Array.of(8))!).toString('base64');
  relay.messages = [{ type: 'gap', since: id(1), oldest: id(4) }, untyped, { binary }, 7, null];
  await page.world.clock.advance(3_000);
  assert.deepEqual([page.heard, page.gaps.length, bytes], [[5], 1, [[8]]]);
});

test('delays of a relay that make no sense are bounded', async () => {
  const { page, relay } = await polling();
  relay.say = { retry: 0 };
  await page.world.clock.advance(3_000);
  assert.equal(page.world.asked('poll').length, 2);
  await page.world.clock.advance(99);
  assert.equal(page.world.asked('poll').length, 2);
  relay.say = { retry: 1e12 };
  await page.world.clock.advance(1);
  assert.equal(page.world.asked('poll').length, 3);
  await page.world.clock.advance(300_000);
  assert.ok(page.world.asked('poll').length >= 4);
});

test('two polls may fail; at the third the connection is lost', async () => {
  const { page } = await polling();
  page.world.answers.set('poll', noNetwork);
  await page.world.clock.advance(3_000 + 5_000);
  assert.ok(page.state.connected);
  await page.world.clock.advance(5_000);
  assert.equal(page.state.connected, false);
});

test('a poll that is refused with 401 means a fresh token', async () => {
  const { page } = await polling();
  page.world.answers.set('poll', () => json({}, 401));
  await page.world.clock.advance(3_000);
  assert.equal(page.state.error?.code, 'connection-expired');
  await page.world.clock.advance(500);
  assert.equal(page.minted.length, 1);
});

test('every poll brings a new lease to send under, and no new stream', async () => {
  const { page, relay } = await polling();
  let reopened = 0;
  page.client.on('reopen', () => (reopened += 1));
  page.world.answers.set('send', () => json({ ok: true }));
  page.client.setPresence('room', { a: 1 });
  for (const stream of ['bb', 'cc', 'dd']) {
    relay.say = { stream };
    await page.world.clock.advance(3_000);
  }
  assert.deepEqual([page.world.asked('send').length, reopened], [1, 0]);
  page.client.publish('events', 'x');
  const { init } = page.world.asked('send')[1] ?? {};
  assert.equal(new Headers(init?.headers).get('X-WordSocket-Stream'), 'dd');
});

test('after a poll that failed the relay may have forgotten: presences enter again', async () => {
  const { page, relay } = await polling();
  let reopened = 0;
  page.client.on('reopen', () => (reopened += 1));
  page.world.answers.set('send', () => json({ ok: true }));
  page.client.setPresence('room', { a: 1 });
  const answer = page.world.answers.get('poll');
  page.world.answers.set('poll', noNetwork);
  await page.world.clock.advance(3_000);
  page.world.answers.set('poll', answer!);
  relay.say = { stream: 'bb' };
  await page.world.clock.advance(5_000);
  assert.deepEqual([page.world.asked('send').length, reopened], [2, 1]);
});

test('a poll says how far it knows the rest, and under which lease', async () => {
  const { page, relay } = await polling();
  const asked = (n: number) => page.world.asked('poll')[n]?.url.searchParams;
  assert.deepEqual([asked(0)?.get('state'), asked(0)?.get('stream')], ['', null]);
  relay.say = { state: '1-1.2-2', stream: '00000001abcdef0100' };
  await page.world.clock.advance(3_000);
  await page.world.clock.advance(3_000);
  assert.deepEqual([asked(2)?.get('state'), asked(2)?.get('stream')], ['1-1.2-2', '00000001abcdef0100']);
  page.client.subscribe(['news']);
  await page.world.clock.advance(3_000);
  assert.equal(asked(3)?.get('state'), '.2-2', 'of other channels it does not know who is there');
  await page.world.clock.advance(3_000);
  assert.equal(asked(4)?.get('state'), '1-1.2-2');
});

test('a lease of another is a new stream: presences enter again', async () => {
  const { page, relay } = await polling();
  let reopened = 0;
  page.client.on('reopen', () => (reopened += 1));
  page.world.answers.set('send', () => json({ ok: true }));
  relay.say = { stream: '00000001aaaaaaaa' };
  await page.world.clock.advance(3_000);
  page.client.setPresence('room', { a: 1 });
  const before = [page.world.asked('send').length, reopened];
  relay.say = { stream: '00000002aaaaaaaa' };
  await page.world.clock.advance(3_000);
  assert.deepEqual([page.world.asked('send').length, reopened], before);
  relay.say = { stream: '00000003bbbbbbbb' };
  await page.world.clock.advance(3_000);
  assert.deepEqual([page.world.asked('send').length, reopened], [before[0]! + 1, before[1]! + 1]);
});

test('when binary frames were lost the connection is made anew', async () => {
  const { page, relay } = await polling();
  relay.say = { lost: true, state: '1-1.2-9' };
  await page.world.clock.advance(3_000);
  assert.equal(page.state.connected, false);
  relay.say = {};
  await page.world.clock.advance(5_000);
  await page.world.fails();
  assert.equal(page.state.connected, true);
});

test('channels that change are asked for by the next poll', async () => {
  const { page } = await polling();
  page.client.subscribe(['news']);
  await page.world.clock.advance(3_000);
  assert.equal(page.world.asked('poll')[1]?.url.searchParams.get('channels'), 'events,news');
});
