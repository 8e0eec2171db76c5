/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The policy of staying connected, section 5.5 of the wire and what hangs on
 * it, with a clock that stands still and sockets driven by hand.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { settle } from '../support/clock.js';
import { FIRST, id, message, Page } from '../support/page.js';
import { makeToken } from '../support/token.js';
import { json, never, noNetwork } from '../support/world.js';

test('the socket is the first thing tried, with the token of the page', async () => {
  const page = new Page();
  assert.equal(page.world.sockets.length, 0, 'not before the start');
  await page.start();
  await page.start();
  assert.equal(page.world.sockets.length, 1);
  assert.equal(page.world.socket.url, `wss://relay.example/wps/ws?token=${FIRST}`);
  assert.equal(page.world.requests.length, 0);
  assert.equal(page.state.connected, false);
  await page.world.opens();
  assert.deepEqual(page.states, [{ connected: true, transport: 'ws', failures: 0 }]);
});

test('a page without a token, or with one past its end, mints first', async () => {
  for (const token of [undefined, makeToken(1_600_000_000)]) {
    const page = new Page({ token });
    await page.start();
    assert.equal(page.minted.length, 1);
    assert.equal(Page.tokenOf(page.world.socket.url), page.minted[0]);
    await page.world.opens();
    assert.deepEqual(page.world.socket.framesOf('subscribe')[0]?.channels, ['events']);
  }
});

test('4001: one fresh token and back at once; again, and it is over', async () => {
  const page = await Page.connected();
  await page.ends(4001, 'token expired');
  assert.equal(page.minted.length, 1);
  assert.equal(page.world.sockets.length, 2, 'without a delay');
  assert.equal(Page.tokenOf(page.world.socket.url), page.minted[0]);
  await page.world.opens();
  await page.world.clock.advance(2_999);
  await page.ends(4001, 'still no');
  assert.deepEqual(page.state.error, { code: 'authentication-failed', message: 'still no' });
  await page.world.clock.advance(3_600_000);
  page.client.start();
  page.client.wake();
  page.client.reconnect();
  await settle();
  assert.equal(page.world.sockets.length, 2);
  assert.equal(page.minted.length, 1);
});

test('4001 after 3 s of a stable connection is a first one again', async () => {
  const page = await Page.connected();
  for (let round = 1; round <= 3; round += 1) {
    await page.ends(4001);
    assert.equal(page.minted.length, round);
    await page.world.opens();
    await page.world.clock.advance(3_000);
  }
  assert.ok(page.state.connected);
});

test('an error frame with unauthorized is a 4001', async () => {
  const page = await Page.connected();
  const old = page.world.socket;
  await page.receives({ type: 'error', code: 'unauthorized', message: 'no' });
  assert.equal(old.readyState, 3);
  assert.equal(page.minted.length, 1);
  assert.equal(page.world.sockets.length, 2);
  await page.world.opens();
  await page.receives({ type: 'error', code: 'unauthorized', message: 'no' });
  assert.equal(page.state.error?.code, 'authentication-failed');
});

test('any other error frame is a remark, and the connection stays', async () => {
  const page = await Page.connected();
  await page.receives({ type: 'error', code: 'channel_forbidden', message: 'm', channels: ['x'] });
  assert.deepEqual(page.errors, ['channel_forbidden']);
  assert.ok(page.state.connected);
  assert.deepEqual(page.client.status.lastError, { code: 'channel_forbidden', message: 'm' });
});

test('4003 is the end', async () => {
  const page = await Page.connected();
  await page.ends(4003, 'site not found');
  assert.deepEqual(page.state, {
    connected: false,
    transport: null,
    failures: 0,
    error: { code: 'authentication-failed', message: 'site not found' },
  });
  await page.world.clock.advance(3_600_000);
  assert.equal(page.world.sockets.length, 1);
  assert.equal(page.world.clock.pending, 0);
});

test('4029 backs off, and says why', async () => {
  const page = await Page.connected();
  const delays: (number | undefined)[] = [];
  for (let round = 0; round < 8; round += 1) {
    await page.ends(4029, 'full');
    assert.equal(page.state.error?.code, 'connection-limit-exceeded');
    delays.push(page.state.retryInMs);
    await page.world.clock.advance(page.state.retryInMs ?? 0);
    await page.world.opens();
  }
  assert.deepEqual(delays, [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
  assert.equal(page.minted.length, 0, 'the token is not to blame');
});

test('a loss is followed by the delay drawn, and by the socket first', async () => {
  const page = await Page.connected();
  page.world.chance = 0.9;
  await page.ends(1006);
  assert.equal(page.state.retryInMs, 900);
  assert.equal(page.state.failures, 1);
  await page.world.clock.advance(899);
  assert.equal(page.world.sockets.length, 1);
  await page.world.clock.advance(1);
  assert.equal(page.world.sockets.length, 2);
  assert.equal(page.state.retryInMs, undefined);
  await page.world.opens();
  assert.equal(page.state.failures, 1, 'it has yet to prove itself');
  await page.world.clock.advance(3_000);
  assert.equal(page.state.failures, 0);
});

test('a reconnect hint is honoured to the millisecond, and no failure', async () => {
  const page = await Page.connected();
  await page.receives(message(7), { type: 'reconnect', in: 4321 });
  await page.ends(1012);
  assert.equal(page.state.retryInMs, 4321);
  assert.equal(page.state.failures, 0);
  page.client.wake();
  await page.world.clock.advance(4320);
  assert.equal(page.world.sockets.length, 1, 'waking does not gather a crowd');
  await page.world.clock.advance(1);
  await page.world.opens();
  assert.equal(page.world.socket.framesOf('subscribe')[0]?.since, id(7));
});

test('1012 without a hint, and a hint without 1012, are ordinary losses', async () => {
  const page = await Page.connected();
  await page.ends(1012);
  assert.equal(page.state.retryInMs, 500);
  await page.world.clock.advance(500);
  await page.world.opens();
  await page.receives({ type: 'reconnect', in: 60_000 });
  await page.ends(1006);
  assert.equal(page.state.retryInMs, 1000);
});

test('45 s without any frame, and the connection is given up', async () => {
  const page = await Page.connected();
  await page.world.clock.advance(40_000);
  await page.receives({ type: 'ping' });
  assert.equal(page.world.socket.framesOf('pong').length, 1);
  await page.world.clock.advance(40_000);
  assert.ok(page.state.connected);
  const dead = page.world.socket;
  await page.world.clock.advance(10_000);
  assert.equal(page.state.connected, false);
  assert.equal(dead.readyState, 3);
  await page.world.clock.advance(500);
  assert.equal(page.world.sockets.length, 2);
});

for (const [what, wake] of [
  ['online again', (page: Page) => page.world.window.fire('online')],
  ['shown again', (page: Page) => page.world.page.fire('visibilitychange')],
  ['out of the cache again', (page: Page) => page.world.window.fire('pageshow')],
] as const) {
  test(`a page that is ${what} connects at once`, async () => {
    const page = await Page.connected();
    page.world.chance = 0.99;
    await page.ends(1006);
    wake(page);
    await settle();
    assert.equal(page.world.sockets.length, 2);
    await page.world.clock.advance(1_000);
    assert.equal(page.world.sockets.length, 2, 'and only once');
  });
}

test('a page that is hidden does not', async () => {
  const page = await Page.connected();
  await page.ends(1006);
  page.world.page.visibilityState = 'hidden';
  page.world.page.fire('visibilitychange');
  await settle();
  assert.equal(page.world.sockets.length, 1);
});

test('after a sleep the dead socket is left at once, and the token is a new one', async () => {
  const page = await Page.connected();
  page.world.clock.sleep(3_600_000);
  page.world.window.fire('online');
  await settle();
  assert.equal(page.world.sockets.length, 2);
  assert.equal(page.minted.length, 1);
  assert.equal(Page.tokenOf(page.world.socket.url), page.minted[0]);
});

test('waking does nothing to a connection that lives', async () => {
  const page = await Page.connected();
  page.client.wake();
  await settle();
  assert.equal(page.world.sockets.length, 1);
  assert.equal(page.minted.length, 0);
});

/** Time passes while the relay pings. */
async function quietly(page: Page, ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 20_000) {
    await page.world.clock.advance(Math.min(left, 20_000));
    await page.receives({ type: 'ping' });
  }
}

test('a token is refreshed in band at 80 % of its life', async () => {
  const page = await Page.connected();
  await quietly(page, 239_999);
  assert.equal(page.minted.length, 0);
  await page.world.clock.advance(1);
  assert.deepEqual(page.world.socket.framesOf('auth'), [{ type: 'auth', token: page.minted[0] }]);
  await page.receives({ type: 'auth_ok', exp: 1 });
  await quietly(page, 240_000);
  assert.equal(page.world.socket.framesOf('auth').length, 2);
  assert.equal(page.world.sockets.length, 1);
});

test('new channels of a refreshed token are subscribed to', async () => {
  const page = await Page.connected();
  page.world.answers.set('token', () =>
    json({ token: makeToken(1_700_000_240), channels: ['events', 'news'] }),
  );
  await quietly(page, 240_000);
  assert.deepEqual(page.world.socket.framesOf('subscribe').at(-1), {
    type: 'subscribe',
    channels: ['news'],
  });
});

for (const status of [401, 403]) {
  test(`a site that answers ${status} to a refresh ends it all`, async () => {
    const page = await Page.connected();
    page.world.answers.set('token', () => json({}, status));
    await quietly(page, 240_000);
    assert.equal(page.state.error?.code, 'authentication-failed');
    assert.equal(page.world.socket.readyState, 3);
    const asked = page.world.requests.length;
    await page.world.clock.advance(3_600_000);
    assert.equal(page.world.requests.length, asked);
    assert.equal(page.world.sockets.length, 1);
  });
}

test('a site that fails to refresh is asked again, and the connection stays', async () => {
  const page = await Page.connected();
  const good = page.world.answers.get('token')!;
  page.world.answers.set('token', () => json({}, 500));
  await quietly(page, 240_000);
  assert.equal(page.world.asked('token').length, 1);
  await page.world.clock.advance(500);
  assert.equal(page.world.asked('token').length, 2);
  page.world.answers.set('token', good);
  await page.world.clock.advance(1000);
  assert.equal(page.world.socket.framesOf('auth').length, 1);
  assert.ok(page.state.connected);
});

test('a site that cannot mint at the start is asked after the backoff', async () => {
  const page = new Page({ token: undefined });
  const good = page.world.answers.get('token')!;
  page.world.answers.set('token', noNetwork);
  await page.start();
  assert.equal(page.state.retryInMs, 500);
  assert.equal(page.state.error?.code, 'unknown-error');
  page.world.answers.set('token', good);
  await page.world.clock.advance(500);
  assert.equal(page.world.sockets.length, 1);
});

test('a refresh that is under way while the connection changes is not lost', async () => {
  const page = await Page.connected();
  const good = page.world.answers.get('token')!;
  let answer: (() => void) | undefined;
  page.world.answers.set('token', (request) =>
    new Promise((resolve) => (answer = () => resolve(good(request)))),
  );
  await quietly(page, 240_000);
  await page.ends(1006);
  await page.world.clock.advance(500);
  await page.world.opens();
  await page.world.clock.advance(1_000);
  answer?.();
  await settle();
  assert.deepEqual(page.world.socket.framesOf('auth'), [{ type: 'auth', token: page.minted[0] }]);
  page.world.answers.set('token', good);
  await quietly(page, 240_000);
  assert.equal(page.world.socket.framesOf('auth').length, 2, 'and the next one is due');
});

test('without a way to mint, 4001 is the end and nothing is refreshed', async () => {
  const page = await Page.connected({ restUrl: undefined });
  await quietly(page, 280_000);
  assert.equal(page.world.requests.length, 0);
  await page.ends(4001, 'over');
  assert.deepEqual(page.state.error, { code: 'authentication-failed', message: 'over' });
});

test('stop ends everything, and start begins anew', async () => {
  const page = await Page.connected();
  const { socket } = page.world;
  page.client.stop();
  assert.equal(socket.closedWith, 1000);
  assert.equal(page.world.clock.pending, 0);
  assert.deepEqual(page.state, { connected: false, transport: null, failures: 0 });
  page.client.wake();
  await settle();
  assert.equal(page.world.sockets.length, 1);
  await page.start();
  assert.equal(page.world.sockets.length, 2);
});

test('stop while a token is minted lets nothing come of it', async () => {
  const page = new Page({ token: undefined });
  let answer: (() => void) | undefined;
  page.world.answers.set('token', () =>
    new Promise((resolve) => (answer = () => resolve(json({ token: 't' })))),
  );
  await page.start();
  page.client.stop();
  answer?.();
  await settle();
  assert.equal(page.world.sockets.length, 0);
});

test('a site that never answers is given up, and asked again', async () => {
  const page = new Page({ token: undefined });
  page.world.answers.set('token', never);
  await page.start();
  await page.world.clock.advance(10_500);
  assert.equal(page.world.asked('token').length, 2);
});

test('sockets that open and die without a word are left for a stream', async () => {
  const page = await Page.connected();
  page.world.allowStreams();
  await page.ends(1006);
  await page.world.clock.advance(500);
  await page.world.opens();
  await page.ends(1006);
  await page.world.clock.advance(1000);
  assert.equal(page.state.transport, 'sse');
  assert.equal(page.world.sockets.length, 2);
});
