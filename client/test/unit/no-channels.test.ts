/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A page that listens to nothing: a socket it may have, a stream or a poll has
 * nothing to ask for, and that is no failure.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { settle } from '../support/clock.js';
import { id, Page } from '../support/page.js';
import { json } from '../support/world.js';

/** No socket gets through, and there is nothing to ask a stream for. */
async function resting(options: { forceSSE?: boolean } = {}): Promise<Page> {
  const page = new Page({ channels: [], ...options });
  page.world.allowStreams();
  await page.start();
  if (!options.forceSSE) {
    await page.world.fails();
  }
  return page;
}

test('without a socket nothing is asked of the relay, and nothing has failed', async () => {
  const page = await resting();
  assert.deepEqual(page.world.requests, []);
  assert.deepEqual(page.state, {
    connected: false,
    transport: null,
    failures: 0,
    retryInMs: 500,
  });
});

test('the socket is tried again meanwhile, ever more rarely', async () => {
  const page = await resting();
  await page.world.clock.advance(500);
  await page.world.fails();
  assert.equal(page.state.retryInMs, 1000);
  await page.world.clock.advance(1000);
  await page.world.opens();
  assert.equal(page.state.transport, 'ws');
});

test('the first channel connects at once, however long the delay was', async () => {
  const page = await resting();
  for (let round = 0; round < 8; round += 1) {
    await page.world.clock.advance(page.state.retryInMs ?? 0);
    await page.world.fails();
  }
  assert.equal(page.state.retryInMs, 30_000);
  page.client.subscribe(['news']);
  await settle();
  await page.world.fails();
  assert.equal(page.state.transport, 'sse');
  assert.equal(page.world.stream.url.searchParams.get('channels'), 'news');
});

test('and where that fails, the delays begin with the first', async () => {
  const page = await resting();
  for (let round = 0; round < 8; round += 1) {
    await page.world.clock.advance(page.state.retryInMs ?? 0);
    await page.world.fails();
  }
  page.world.answers.delete('sse');
  page.client.subscribe(['news']);
  await settle();
  await page.world.fails();
  assert.deepEqual([page.state.retryInMs, page.state.failures], [500, 1]);
});

test('a channel that comes while the socket is tried is there for the stream', async () => {
  const page = new Page({ channels: [] });
  page.world.allowStreams();
  await page.start();
  page.client.subscribe(['news']);
  await page.world.fails();
  assert.equal(page.state.transport, 'sse');
});

test('where sockets are never tried it waits for a channel, without a timer', async () => {
  const page = await resting({ forceSSE: true });
  assert.equal(page.world.clock.pending, 0);
  assert.equal(page.state.retryInMs, undefined);
  page.client.wake();
  await settle();
  assert.deepEqual(page.world.requests, []);
  page.client.subscribe(['news']);
  await settle();
  assert.equal(page.state.transport, 'sse');
});

test('a stream whose last channel is given up is closed, and comes back for the next', async () => {
  const page = await Page.streaming();
  await page.world.fails();
  page.client.unsubscribe(['events']);
  await page.world.clock.advance(50);
  await page.world.fails();
  assert.ok(!page.world.stream.open);
  assert.equal(page.world.asked('sse').length, 1);
  assert.deepEqual([page.state.connected, page.state.failures], [false, 0]);
  page.client.subscribe(['news']);
  await settle();
  await page.world.fails();
  assert.equal(page.world.stream.url.searchParams.get('channels'), 'news');
});

test('a poll whose last channel is given up does not ask again', async () => {
  const page = new Page();
  page.world.answers.set('poll', () => json({ messages: [], cursor: id(1), retry: 100_000 }));
  await page.start();
  await page.world.fails();
  assert.equal(page.state.transport, 'poll');
  page.client.unsubscribe(['events']);
  await page.world.clock.advance(100_000);
  assert.equal(page.world.asked('poll').length, 1);
  assert.deepEqual([page.state.connected, page.state.failures], [false, 0]);
});
