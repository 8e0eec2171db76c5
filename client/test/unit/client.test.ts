/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is said over a connection: subscribing, resuming, sending, hearing.
 */
import assert from 'node:assert/strict';
import { createCipheriv, randomBytes } from 'node:crypto';
import { test } from 'node:test';

import type { Status } from '../../src/client.js';
import { LIMIT } from '../../src/config.js';
import { makeBinary } from '../../src/wire.js';
import { until } from '../support/clock.js';
import { id, message, NOW_S, Page } from '../support/page.js';
import { makeToken, SITE } from '../support/token.js';
import { json } from '../support/world.js';

test('the complete set is subscribed to before anybody hears of it', async () => {
  const page = new Page();
  page.client.subscribe(['news']);
  let sentBefore = 0;
  page.client.on('connection', () => (sentBefore = page.world.socket.sent.length));
  await page.start();
  await page.world.opens();
  assert.deepEqual(page.world.socket.frames, [
    { type: 'subscribe', channels: ['events', 'news'] },
  ]);
  assert.equal(sentBefore, 1);
});

test('additions and removals are told, once', async () => {
  const page = await Page.connected();
  page.client.subscribe(['news', 'events']);
  page.client.subscribe(['news']);
  page.client.unsubscribe([`site:${SITE}:events`, 'never']);
  page.client.unsubscribe(['events']);
  assert.deepEqual(page.world.socket.frames.slice(1), [
    { type: 'subscribe', channels: ['news'] },
    { type: 'unsubscribe', channels: ['events'] },
  ]);
  assert.deepEqual(page.client.subscriptions, ['news']);
});

test('a page without channels subscribes to nothing', async () => {
  const page = await Page.connected({ channels: [] });
  assert.deepEqual(page.world.socket.frames, []);
});

test('what was subscribed is subscribed again, from where one was', async () => {
  const page = await Page.connected();
  page.client.subscribe(['news']);
  await page.receives(
    { type: 'subscribed', channels: ['events'], id: id(40) },
    message(41),
    message(42),
  );
  await page.ends(1006);
  await page.world.clock.advance(500);
  await page.world.opens();
  assert.deepEqual(page.world.socket.frames, [
    { type: 'subscribe', channels: ['events', 'news'], since: id(42) },
  ]);
});

test('the head told before a replay is no place to resume from', async () => {
  const page = await Page.connected();
  await page.receives(message(10));
  await page.ends(1006);
  await page.world.clock.advance(500);
  await page.world.opens();
  await page.receives({ type: 'subscribed', channels: ['events'], id: id(20) }, message(11));
  await page.ends(1006);
  await page.world.clock.advance(1000);
  await page.world.opens();
  assert.equal(page.world.socket.frames[0]?.since, id(11));
});

test('a ping says that everything up to it was sent', async () => {
  const page = await Page.connected();
  await page.receives({ type: 'subscribed', channels: [], id: id(1) }, { type: 'ping', id: id(900) });
  await page.ends(1006);
  await page.world.clock.advance(500);
  await page.world.opens();
  assert.equal(page.world.socket.frames[0]?.since, id(900));
});

test('what comes twice is heard once', async () => {
  const page = await Page.connected();
  await page.receives(message(1), message(2), message(2));
  await page.ends(1006);
  await page.world.clock.advance(500);
  await page.world.opens();
  await page.receives(message(1), message(2), message(3));
  assert.deepEqual(page.heard, [1, 2, 3]);
});

test('a relay without ids is heard, too, and given no place', async () => {
  const page = await Page.connected();
  const { id: _, ...plain } = message(5);
  await page.receives(plain, plain);
  assert.deepEqual(page.heard, [5, 5]);
  await page.ends(1006);
  await page.world.clock.advance(500);
  await page.world.opens();
  assert.equal('since' in (page.world.socket.frames[0] ?? {}), false);
});

test('a gap is told before what is left, and is the place to go on from', async () => {
  const page = await Page.connected();
  const order: unknown[] = [];
  page.client.on('gap', () => order.push('gap'));
  page.client.on('message', ({ data }) => order.push((data as { n: number }).n));
  await page.receives(message(1));
  const gap = { since: id(1), oldest: id(50) };
  await page.receives({ type: 'gap', ...gap }, message(51));
  assert.deepEqual(page.gaps, [gap]);
  assert.deepEqual(order, [1, 'gap', 51]);
});

test('a gap is told once, though the connection is lost right after it', async () => {
  const page = await Page.connected();
  await page.receives(message(1), { type: 'gap', since: id(1), oldest: id(50) });
  await page.ends(1006);
  await page.world.clock.advance(500);
  await page.world.opens();
  assert.equal(page.world.socket.frames[0]?.since, id(50));
});

test('a connection that ends before the relay said where we are leaves a gap', async () => {
  const page = await Page.connected();
  await page.ends(1006);
  assert.deepEqual(page.gaps, [{ since: null, oldest: null }]);
  const placed = await Page.connected();
  await placed.receives({ type: 'subscribed', channels: ['events'], id: id(40) });
  await placed.ends(1006);
  assert.deepEqual(placed.gaps, [], 'one that has a place resumes');
  const idle = await Page.connected({ channels: [] });
  await idle.ends(1006);
  assert.deepEqual(idle.gaps, [], 'and who wants nothing misses nothing');
});

test('a gap over to another log moves there', async () => {
  const page = await Page.connected();
  await page.receives(message(9), { type: 'gap', since: id(9), oldest: '000000000001-0' });
  await page.receives({ ...message(1), id: '000000000001-1' });
  assert.deepEqual(page.heard, [9, 1]);
});

const KEY = randomBytes(32);
function sealedMessage(n: number, event: string) {
  const iv = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', KEY, iv);
  const text = JSON.stringify({ event, data: { n } });
  const body = Buffer.concat([cipher.update(text), cipher.final()]);
  const p = Buffer.concat([iv, body, cipher.getAuthTag()]).toString('base64');
  return { ...message(n), event: 'encrypted', data: { v: 1, p } };
}

for (const [where, crypto] of [
  ['by the browser', globalThis.crypto],
  ['by the script on plain HTTP', undefined],
] as const) {
  test(`sealed messages are opened ${where}, in order`, async () => {
    const page = new Page({ encryptionKey: KEY.toString('base64') }, { crypto });
    const events: string[] = [];
    page.client.on('message', ({ event }) => events.push(event));
    await page.start();
    await page.world.opens();
    await page.receives(sealedMessage(1, 'a'), message(2), sealedMessage(3, 'c'));
    await until(() => page.heard.length === 3);
    assert.deepEqual(page.heard, [1, 2, 3]);
    assert.deepEqual(events, ['a', 'e', 'c']);
  });
}

/** Renewed after 20 s. */
const SHORT = makeToken(NOW_S, 30);

test('a key that came with a token takes the place of the older one', async () => {
  const page = await Page.connected({ token: SHORT, encryptionKey: randomBytes(32).toString('base64') });
  page.world.answers.set('token', () =>
    json({ token: makeToken(NOW_S + 20), encryptionKey: KEY.toString('base64') }),
  );
  await page.receives(sealedMessage(1, 'a'));
  await until(() => page.errors.length > 0);
  await page.world.clock.advance(20_000);
  await page.receives(sealedMessage(2, 'b'));
  await until(() => page.heard.length > 0);
  assert.deepEqual([page.heard, page.errors], [[2], ['decryption-failed']]);
});

test('an answer without a key leaves the one of the page', async () => {
  const page = await Page.connected({ token: SHORT, encryptionKey: KEY.toString('base64') });
  await page.world.clock.advance(20_000);
  assert.equal(page.minted.length, 1);
  await page.receives(sealedMessage(1, 'a'));
  await until(() => page.heard.length > 0);
  assert.deepEqual(page.heard, [1]);
});

test('a message that does not open is dropped, and said', async () => {
  const page = await Page.connected({ encryptionKey: randomBytes(32).toString('base64') });
  await page.receives(sealedMessage(1, 'a'), message(2));
  await until(() => page.heard.length > 0);
  assert.deepEqual(page.heard, [2]);
  assert.deepEqual(page.errors, ['decryption-failed']);
});

test('what comes faster than it opens is fetched again, none lost', async () => {
  let open: (() => void) | undefined;
  const gate = new Promise<void>((resolve) => (open = resolve));
  const { subtle } = globalThis.crypto;
  const slow = {
    importKey: subtle.importKey.bind(subtle),
    decrypt: async (...args: Parameters<SubtleCrypto['decrypt']>) => {
      await gate;
      return subtle.decrypt(...args);
    },
  } as unknown as SubtleCrypto;
  const page = await Page.connected(
    { encryptionKey: KEY.toString('base64') },
    { crypto: { subtle: slow, getRandomValues: (bytes) => bytes } },
  );
  await page.receives(sealedMessage(1, 'a'));
  for (let n = 2; n <= LIMIT.inboxEntries + 2; n += 1) {
    page.world.socket.deliver(message(n));
  }
  assert.equal(page.state.connected, false);
  open?.();
  await until(() => page.heard.length > LIMIT.inboxEntries);
  await page.world.clock.advance(500);
  await page.world.opens();
  assert.equal(page.world.socket.frames[0]?.since, id(LIMIT.inboxEntries + 1));
  assert.equal(page.heard.length, LIMIT.inboxEntries + 1);
});

test('publishing is a plain message frame', async () => {
  const page = await Page.connected({ encryptionKey: KEY.toString('base64') });
  assert.equal(page.client.publish('events', 'hello', { a: 1 }), true);
  assert.equal(page.client.publish('events', 'hello'), true);
  assert.deepEqual(page.world.socket.framesOf('message'), [
    { type: 'message', channel: 'events', event: 'hello', data: { a: 1 } },
    { type: 'message', channel: 'events', event: 'hello', data: {} },
  ]);
});

test('publishing while disconnected is dropped, and never sent later', async () => {
  const page = new Page();
  assert.equal(page.client.publish('events', 'x'), false);
  assert.equal(page.client.publishBinary('events', new Uint8Array(1)), false);
  await page.start();
  assert.equal(page.client.publish('events', 'x'), false);
  await page.world.opens();
  assert.deepEqual(page.world.socket.framesOf('message'), []);
  await page.ends(1006);
  assert.equal(page.client.publish('events', 'x'), false);
});

test('a confirmed publish ends with the answer to its reference', async () => {
  const page = await Page.connected();
  const [taken, refused] = [
    page.client.publishConfirmed('events', 'a'),
    page.client.publishConfirmed('secret', 'b'),
  ];
  const refusal = assert.rejects(refused, { code: 'publish_forbidden' });
  const refs = page.world.socket.framesOf('message').map(({ ref }) => ref);
  await page.receives(
    { type: 'error', code: 'publish_forbidden', message: 'no', ref: refs[1] },
    { type: 'ack', ref: refs[0], id: id(3) },
  );
  assert.equal(await taken, id(3));
  await refusal;
  const lost = page.client.publishConfirmed('events', 'c');
  const outcome = assert.rejects(lost, { code: 'connection-lost' });
  await page.ends(1006);
  await outcome;
  await assert.rejects(page.client.publishConfirmed('events', 'd'), { code: 'not-connected' });
});

test('binary frames go out and come in with the name they were given', async () => {
  const page = await Page.connected();
  const heard: unknown[] = [];
  page.client.on('binary', (channel, payload) => heard.push([channel, [...payload]]));
  assert.ok(page.client.publishBinary('yjs:ü', Uint8Array.of(1, 2)));
  const frame = page.world.socket.sent.at(-1) as Uint8Array;
  assert.deepEqual(frame, makeBinary('yjs:ü', Uint8Array.of(1, 2)));
  page.world.socket.deliver(frame.buffer);
  page.world.socket.deliver(Uint8Array.of(0, 9, 1).buffer);
  assert.deepEqual(heard, [['yjs:ü', [1, 2]]]);
});

test('a presence is entered, changed, left, and entered again on every connect', async () => {
  const page = new Page();
  page.client.setPresence('room', { a: 1 });
  await page.start();
  await page.world.opens();
  page.client.setPresence('room', { a: 2 });
  page.client.setPresence('other', { b: 1 });
  page.client.setPresence('other', null);
  page.client.setPresence('other', null);
  assert.deepEqual(page.world.socket.framesOf('presence'), [
    { type: 'presence', channel: 'room', state: { a: 1 } },
    { type: 'presence', channel: 'room', state: { a: 2 } },
    { type: 'presence', channel: 'other', state: { b: 1 } },
    { type: 'presence', channel: 'other', state: null },
  ]);
  await page.ends(1006);
  await page.world.clock.advance(500);
  await page.world.opens();
  assert.deepEqual(page.world.socket.frames.map(({ type, state }) => [type, state]), [
    ['subscribe', undefined],
    ['presence', { a: 2 }],
  ]);
});

test('a presence is one, in whichever spelling it is left', async () => {
  const page = await Page.connected();
  page.client.setPresence('room', { a: 1 });
  page.client.setPresence(`site:${SITE}:room`, null);
  assert.deepEqual(
    page.world.socket.framesOf('presence').map(({ channel, state }) => [channel, state]),
    [['room', { a: 1 }], ['room', null]],
  );
});

test('the status says what works now', async () => {
  const page = new Page();
  assert.deepEqual(page.client.status, {
    name: null, connected: false, readyState: 3, canPublish: false,
    canPublishBinary: false, lastMessageAt: null, lastError: null, failures: 0,
  });
  await page.start();
  assert.equal(page.client.status.readyState, 0);
  await page.world.opens();
  await page.receives(message(1));
  assert.deepEqual(page.client.status, {
    name: 'ws', connected: true, readyState: 1, canPublish: true,
    canPublishBinary: true, lastMessageAt: page.world.clock.now(), lastError: null, failures: 0,
  });
  await page.ends(4029, 'full');
  const { lastError, canPublish, failures }: Status = page.client.status;
  assert.deepEqual([lastError?.message, canPublish, failures], ['full', false, 1]);
});

test('listeners hear of a connection when it comes and when it goes', async () => {
  const page = new Page();
  const heard: boolean[] = [];
  page.client.on('connection', (connected) => heard.push(connected));
  await page.start();
  await page.world.opens();
  await page.ends(1006);
  assert.deepEqual(heard, [true, false]);
});

test('a listener that stops the client is obeyed at once', async () => {
  const page = await Page.connected();
  page.client.on('message', () => page.client.stop());
  await page.receives(message(1), message(2));
  assert.deepEqual(page.heard, [1]);
});

test('frames that make no sense are survived', async () => {
  const page = await Page.connected();
  for (const frame of [null, 5, [], {}, { type: 'x' }, { type: 5 }, { type: 'message' },
    { type: '__proto__' }, { type: 'reconnect', in: -1 }, { type: 'ack' }, { type: 'gap' }]) {
    page.world.socket.deliver(frame);
  }
  page.world.socket.onmessage?.({ data: '{"type":' });
  page.world.socket.onmessage?.({ data: new Blob() });
  await page.receives(message(1));
  assert.deepEqual(page.heard, [1]);
  assert.deepEqual(page.gaps, [{ since: null, oldest: null }]);
});

test('no token and no payload passes the debug log', async () => {
  const page = await Page.connected();
  await page.receives({ ...message(1), data: { n: 'secret' } });
  await page.ends(4001);
  const log = page.world.debug.join('\n');
  assert.match(log, /message/);
  assert.doesNotMatch(log, /secret|eyJ/);
});
