/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way down and up between socket, stream and poll.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { settle } from '../support/clock.js';
import { id, message, NOW_S, Page, sse } from '../support/page.js';
import { makeToken } from '../support/token.js';
import { FakeStream, json, never, type World } from '../support/world.js';

const poll = (extra: object = {}) => () =>
  json({ messages: [], cursor: id(1), retry: 3000, stream: 'aa', ...extra });

test('a socket that fails before it opened is followed by the stream at once', async () => {
  const page = await Page.streaming();
  const { stream, sockets } = page.world;
  assert.equal(stream.url.pathname, '/wps/sse');
  assert.equal(stream.url.searchParams.get('channels'), 'events');
  assert.ok(Page.tokenOf(stream.url));
  assert.equal(page.state.transport, 'sse');
  assert.equal(page.state.failures, 0);
  assert.equal(sockets.length, 2, 'and once it is open, the socket is tried once');
  await page.world.fails();
  await page.world.clock.advance(40_000);
  assert.equal(sockets.length, 2);
});

test('a socket the browser refuses to make is followed by the stream', async () => {
  const page = new Page();
  page.world.socketsThrow = true;
  page.world.allowStreams();
  await page.start();
  assert.equal(page.state.transport, 'sse');
});

test('a socket that hangs is followed by the stream at the deadline', async () => {
  const page = new Page();
  page.world.allowStreams();
  await page.start();
  await page.world.clock.advance(9_999);
  assert.equal(page.world.streams.length, 0);
  await page.world.clock.advance(1);
  assert.equal(page.state.transport, 'sse');
});

test('the trial that opens takes over, resumes, and closes the stream', async () => {
  const page = await Page.streaming();
  await page.world.writes(sse(5));
  await page.world.opens();
  assert.equal(page.state.transport, 'ws');
  assert.ok(!page.world.stream.open);
  assert.deepEqual(page.world.socket.framesOf('subscribe'), [
    { type: 'subscribe', channels: ['events'], since: id(5) },
  ]);
  await page.receives(message(5), message(6));
  assert.deepEqual(page.heard, [5, 6]);
  assert.deepEqual(page.states.map(({ transport }) => transport), ['sse', 'ws']);
});

test('while the trial opens, only the stream is heard', async () => {
  const page = await Page.streaming();
  page.world.socket.deliver(message(1));
  await page.world.writes(sse(2));
  assert.deepEqual(page.heard, [2]);
});

test('a stream that is refused is followed by the poll', async () => {
  const page = new Page();
  page.world.answers.set('sse', () => json({}, 404));
  page.world.answers.set('poll', poll());
  await page.start();
  await page.world.fails();
  assert.equal(page.state.transport, 'poll');
});

test('a stream that does not begin is followed by the poll at the deadline', async () => {
  const page = new Page();
  page.world.answers.set('sse', never);
  page.world.answers.set('poll', poll());
  await page.start();
  await page.world.fails();
  await page.world.clock.advance(10_000);
  assert.equal(page.state.transport, 'poll');
});

test('an answer that is no event stream is none', async () => {
  const page = new Page();
  page.world.answers.set('sse', () => new Response('<html>', { headers: { 'Content-Type': 'text/html' } }));
  page.world.answers.set('poll', poll());
  await page.start();
  await page.world.fails();
  assert.equal(page.state.transport, 'poll');
});

test('where nothing works it is a failure, and the socket is first again', async () => {
  const page = new Page();
  await page.start();
  await page.world.fails();
  assert.deepEqual([page.state.connected, page.state.failures], [false, 1]);
  assert.deepEqual(
    page.world.requests.map(({ url }) => url.pathname),
    ['/wps/sse', '/wps/poll'],
  );
  await page.world.clock.advance(500);
  assert.equal(page.world.sockets.length, 2);
});

test('a stream refused with 401 means a fresh token after the backoff', async () => {
  const page = new Page();
  page.world.answers.set('sse', () => json({ error: 'invalid_token' }, 401));
  await page.start();
  await page.world.fails();
  assert.equal(page.world.asked('poll').length, 0, 'the poll would be refused as well');
  assert.equal(page.state.retryInMs, 500);
  assert.equal(page.minted.length, 0);
  await page.world.clock.advance(500);
  assert.equal(page.minted.length, 1);
  assert.equal(Page.tokenOf(page.world.socket.url), page.minted[0]);
});

test('429 over HTTP is a connection limit, and Retry-After is waited for', async () => {
  const page = new Page();
  const full = () => json({ error: 'connection_limit' }, 429, { 'Retry-After': '7' });
  page.world.answers.set('sse', full);
  page.world.answers.set('poll', full);
  await page.start();
  await page.world.fails();
  assert.equal(page.state.error?.code, 'connection-limit-exceeded');
  assert.equal(page.state.retryInMs, 7_000);
});

test('a page that is seen again does not cut a Retry-After short', async () => {
  const page = new Page();
  page.world.answers.set('sse', () => json({}, 503, { 'Retry-After': '7' }));
  page.world.answers.set('poll', () => json({}, 503, { 'Retry-After': '7' }));
  await page.start();
  await page.world.fails();
  page.client.wake();
  await page.world.clock.advance(6_999);
  assert.equal(page.world.sockets.length, 1);
  await page.world.clock.advance(1);
  assert.equal(page.world.sockets.length, 2);
});

test('forceSSE never touches a socket', async () => {
  const page = new Page({ forceSSE: true });
  page.world.allowStreams();
  await page.start();
  assert.equal(page.state.transport, 'sse');
  await page.world.clock.advance(3_000);
  page.world.stream.end();
  await settle();
  await page.world.clock.advance(500);
  assert.equal(page.world.streams.length, 2);
  assert.equal(page.world.sockets.length, 0);
});

test('from the poll the better ways are tried again and again', async () => {
  const page = new Page();
  page.world.answers.set('sse', () => json({}, 503));
  page.world.answers.set('poll', poll());
  await page.start();
  await page.world.fails();
  await page.world.fails();
  assert.deepEqual([page.world.sockets.length, page.world.asked('sse').length], [2, 2]);
  await page.world.clock.advance(500);
  await page.world.fails();
  assert.deepEqual([page.world.sockets.length, page.world.asked('sse').length], [3, 3]);
  await page.world.clock.advance(1_000);
  await page.world.opens();
  assert.equal(page.state.transport, 'ws');
  const polls = page.world.asked('poll').length;
  await page.world.clock.advance(30_000);
  assert.equal(page.world.asked('poll').length, polls);
});

test('a refresh reopens the stream with the new token, and tries the socket', async () => {
  const page = await Page.streaming();
  await page.world.fails();
  await page.world.writes(`id: ${id(3)}\n\n`);
  await pings(page.world, 240_000);
  assert.equal(page.world.streams.length, 2);
  assert.equal(Page.tokenOf(page.world.stream.url), page.minted[0]);
  assert.equal(page.world.stream.url.searchParams.get('since'), id(3));
  assert.ok(!page.world.streams[0]?.open);
  assert.equal(page.world.sockets.length, 3);
  assert.equal(Page.tokenOf(page.world.socket.url), page.minted[0]);
  assert.ok(page.state.connected);
});

async function pings(world: World, ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 20_000) {
    await world.clock.advance(Math.min(left, 20_000));
    await world.writes(`id: ${id(3)}\n\n`);
  }
  await world.clock.advance(50);
}

for (const status of [401, 403]) {
  test(`a site that answers ${status} to the refresh ends the stream for good`, async () => {
    const page = await Page.streaming();
    await page.world.fails();
    page.world.answers.set('token', () => json({}, status));
    await pings(page.world, 240_000).catch(() => {});
    assert.equal(page.state.error?.code, 'authentication-failed');
    assert.ok(!page.world.stream.open);
    assert.equal(page.world.streams.length, 1);
  });
}

test('an expired stream is a 4001', async () => {
  const page = await Page.streaming();
  await page.world.fails();
  await page.world.writes('event: wps.expired\ndata: {}\n\n');
  assert.equal(page.minted.length, 1);
  assert.equal(page.world.sockets.length, 3, 'with the socket first');
  await page.world.fails();
  assert.equal(Page.tokenOf(page.world.stream.url), page.minted[0]);
});

test('a change of channels makes one new stream after 50 ms', async () => {
  const page = await Page.streaming();
  await page.world.fails();
  await page.world.writes(sse(4));
  page.client.subscribe(['a']);
  page.client.subscribe(['b']);
  page.client.unsubscribe(['events']);
  await page.world.clock.advance(49);
  assert.equal(page.world.streams.length, 1);
  await page.world.clock.advance(1);
  assert.equal(page.world.streams.length, 2);
  assert.equal(page.world.stream.url.searchParams.get('channels'), 'a,b');
  assert.equal(page.world.stream.url.searchParams.get('since'), id(4));
  assert.deepEqual(page.states.map(({ connected }) => connected), [true]);
});

test('a token of the page that is about to end is no reason for two streams', async () => {
  const page = new Page({ token: makeToken(NOW_S - 299) });
  page.world.allowStreams();
  await page.start();
  await page.world.fails();
  assert.equal(page.world.streams.length, 1);
  assert.ok(page.world.stream instanceof FakeStream);
});
