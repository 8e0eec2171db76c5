/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A front that passes the head of an event stream and holds its body. Our
 * relay says `wps.open` at once; another one may have nothing to say for hours.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { settle } from '../support/clock.js';
import { id, Page, sse } from '../support/page.js';
import { FakeEventSource, json } from '../support/world.js';

const OPEN = 'event: wps.open\ndata: {"stream":"0011"}\n\n';
const POLL = { messages: [], cursor: id(1), retry: 3_000, stream: 'aa' };

/** A stream that is open as far as its head goes; no socket passes. */
async function held(): Promise<Page> {
  const page = await Page.streaming();
  await page.world.fails();
  page.world.answers.set('poll', () => json(POLL));
  assert.equal(page.state.transport, 'sse');
  return page;
}

test('a stream without a word is followed by the poll, if the relay has one', async () => {
  const page = await held();
  await page.world.clock.advance(9_999);
  assert.equal(page.world.asked('poll').length, 0);
  await page.world.clock.advance(1);
  assert.equal(page.state.transport, 'poll');
  assert.ok(!page.world.stream.open);
  assert.equal(page.state.failures, 0);
});

test('the socket is tried meanwhile, and a trial that hangs is in nobody\'s way', async () => {
  const page = await Page.streaming();
  page.world.answers.set('poll', () => json(POLL));
  assert.equal(page.world.sockets.length, 2);
  await page.world.clock.advance(10_000);
  assert.equal(page.state.transport, 'poll');
});

test('from there the stream is believed by its first byte, not by its head', async () => {
  const page = await held();
  await page.world.clock.advance(10_000);
  await page.world.fails();
  assert.equal(page.world.streams.length, 2);
  assert.equal(page.state.transport, 'poll', 'the head came');
  await page.world.clock.advance(10_000);
  assert.ok(!page.world.stream.open, 'the trial has a deadline');
  assert.equal(page.state.transport, 'poll');
  await page.world.clock.advance(500);
  await page.world.fails();
  assert.equal(page.world.streams.length, 3);
  await page.world.writes(OPEN + sse(2));
  assert.equal(page.state.transport, 'sse');
  assert.deepEqual(page.heard, [2]);
});

test('a new connection remembers it', async () => {
  const page = await held();
  await page.world.clock.advance(10_000);
  page.client.reconnect();
  await settle();
  await page.world.fails();
  assert.equal(page.state.connected, false, 'the head of the stream is no connection');
  await page.world.clock.advance(10_000);
  assert.equal(page.state.transport, 'poll');
});

test('what a relay without a poll holds back is patience, and it is asked once', async () => {
  const page = await held();
  page.world.answers.set('poll', () => json({}, 404));
  await page.world.clock.advance(200_000);
  assert.deepEqual([page.state.transport, page.world.streams.length], ['sse', 1]);
  page.client.subscribe(['news']);
  await page.world.clock.advance(30_000);
  assert.equal(page.world.streams.length, 2);
  await page.world.writes(sse(1));
  assert.deepEqual([page.state.transport, page.heard], ['sse', [1]]);
  assert.equal(page.world.asked('poll').length, 1);
});

test('any byte is a word, a comment too', async () => {
  for (const word of [OPEN, sse(1), ': here\n\n']) {
    const page = await held();
    await page.world.writes(word);
    await page.world.clock.advance(20_000);
    assert.deepEqual([page.state.transport, page.world.asked('poll').length], ['sse', 0]);
  }
});

test('a stream replaced while connected has to speak as well, once the relay has', async () => {
  const page = await held();
  await page.world.writes(OPEN);
  page.client.subscribe(['news']);
  await page.world.clock.advance(50);
  assert.equal(page.world.streams.length, 2);
  await page.world.clock.advance(10_000);
  assert.ok(!page.world.stream.open, 'a miss');
  await page.world.clock.advance(3_000);
  assert.equal(page.world.streams.length, 3);
  assert.ok(page.state.connected);
});

test('the native stream is believed by its first event', async () => {
  const sources: FakeEventSource[] = [];
  const page = new Page({}, {
    streams: false,
    EventSource: class extends FakeEventSource {
      constructor(url: string) {
        super(url);
        sources.push(this);
      }
    },
  });
  page.world.answers.set('poll', () => json(POLL));
  await page.start();
  await page.world.fails();
  sources[0]?.fire('open');
  await page.world.fails();
  await page.world.clock.advance(10_000);
  assert.equal(page.state.transport, 'poll');
  await page.world.fails();
  sources[1]?.fire('open');
  assert.equal(page.state.transport, 'poll');
  sources[1]?.fire('wps.open', { data: '{"stream":"0011"}', lastEventId: id(1) });
  assert.equal(page.state.transport, 'sse');
  assert.ok(page.client.status.canPublish, 'that event counted');
});
