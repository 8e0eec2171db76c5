/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The event stream, section 8 of the wire: read with fetch, and through the
 * browser's own EventSource where bodies cannot be read while they arrive.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { makeBinary } from '../../src/wire.js';
import { settle } from '../support/clock.js';
import { id, Page, sse } from '../support/page.js';
import { FakeEventSource, json } from '../support/world.js';

async function streaming(): Promise<Page> {
  const page = await Page.streaming();
  await page.world.fails();
  return page;
}

const OPEN = 'event: wps.open\ndata: {"stream":"0011"}\n\n';
const sinceOf = (page: Page) => page.world.stream.url.searchParams.get('since');

/** The stream breaks; the next one is open. */
async function breaks(page: Page): Promise<void> {
  page.world.stream.fail();
  await settle();
  await page.world.clock.advance(page.state.retryInMs ?? 0);
  await page.world.fails();
}

test('messages are heard, under their own ids or under those of the stream', async () => {
  const page = await streaming();
  await page.world.writes(
    sse(1) + sse(1) +
      `id: ${id(2)}\ndata: {"channel":"events","event":"e","data":{"n":2}}\n\n` +
      'data: {"channel":"events","event":"e","data":{"n":"no id"}}\n\n' +
      'data: not JSON\n\nevent: strange\ndata: {}\n\n: comment\n\n' + sse(3),
  );
  assert.deepEqual(page.heard, [1, 2, 'no id', 3]);
});

test('a stream that broke off is resumed by the last id, and nothing comes twice', async () => {
  const page = await streaming();
  assert.equal(sinceOf(page), null);
  await page.world.writes(sse(1) + sse(2));
  await breaks(page);
  assert.equal(page.world.streams.length, 2);
  assert.equal(sinceOf(page), id(2));
  await page.world.writes(sse(2) + sse(3));
  assert.deepEqual(page.heard, [1, 2, 3]);
});

test('the place a stream opens at is one to begin from, not one to skip to', async () => {
  const page = await streaming();
  await page.world.writes(`id: ${id(10)}\n\n`);
  await breaks(page);
  assert.equal(sinceOf(page), id(10));
  await page.world.writes(`id: ${id(20)}\n\n`);
  await breaks(page);
  assert.equal(sinceOf(page), id(10), 'its replay may not be over');
  await page.world.writes(`id: ${id(20)}\n\nid: ${id(30)}\n\n`);
  await breaks(page);
  assert.equal(sinceOf(page), id(30));
});

test('a gap is told', async () => {
  const page = await streaming();
  await page.world.writes(
    `event: wps.gap\ndata: {"type":"gap","since":"${id(1)}","oldest":"${id(9)}"}\n\n`,
  );
  assert.deepEqual(page.gaps, [{ since: id(1), oldest: id(9) }]);
});

test('an end that was announced is none: the stream opens again when told', async () => {
  const page = await streaming();
  await page.world.writes(`${OPEN}${sse(1)}id: ${id(8)}\nretry: 3412\n\n`);
  page.world.stream.end();
  await settle();
  assert.ok(page.state.connected);
  await page.world.clock.advance(3411);
  assert.equal(page.world.streams.length, 1);
  await page.world.clock.advance(1);
  assert.equal(page.world.streams.length, 2);
  assert.equal(sinceOf(page), id(8), 'all of the answer was read');
  assert.deepEqual(page.states.map(({ connected }) => connected), [true]);
});

test('while a relay only answers polls, the socket is tried now and then', async () => {
  const page = await streaming();
  await page.world.writes(`${OPEN}id: ${id(8)}\nretry: 60000\n\n`);
  page.world.stream.end();
  await settle();
  assert.equal(page.world.sockets.length, 2);
  await page.world.clock.advance(500);
  assert.equal(page.world.sockets.length, 3);
  await page.world.opens();
  assert.equal(page.state.transport, 'ws');
});

test('an end nobody announced is a lost connection', async () => {
  const page = await streaming();
  page.world.stream.end();
  await settle();
  assert.equal(page.state.connected, false);
  assert.equal(page.state.retryInMs, 500);
});

test('reopening may fail twice; at the third miss the connection is lost', async () => {
  const page = await streaming();
  await page.world.writes('retry: 1000\n\n');
  page.world.answers.set('sse', () => json({}, 503));
  page.world.stream.end();
  await settle();
  await page.world.clock.advance(1_000 + 3_000);
  assert.equal(page.world.asked('sse').length, 3);
  assert.ok(page.state.connected);
  await page.world.clock.advance(3_000);
  assert.equal(page.state.connected, false);
});

test('a stream with signs of life that falls silent is given up', async () => {
  const page = await streaming();
  await page.world.writes(`id: ${id(1)}\n\n`);
  await page.world.clock.advance(40_000);
  assert.ok(page.state.connected);
  await page.world.clock.advance(10_000);
  assert.equal(page.state.connected, false);
  assert.ok(!page.world.stream.open);
});

test('one without them is not: a plain relay may have nothing to say', async () => {
  const page = await streaming();
  await page.world.clock.advance(200_000);
  assert.equal(page.world.streams.length, 1);
  assert.ok(page.state.connected);
});

test('binary frames come in base64', async () => {
  const page = await streaming();
  const heard: unknown[] = [];
  page.client.on('binary', (channel, payload) => heard.push([channel, [...payload]]));
  const frame = Buffer.from(makeBinary('yjs:a', Uint8Array.of(3, 0))!);
  await page.world.writes(
    `event: wps.binary\ndata: ${frame.toString('base64')}\n\nevent: wps.binary\ndata: *\n\n`,
  );
  assert.deepEqual(heard, [['yjs:a', [3, 0]]]);
  assert.equal(page.world.stream.url.searchParams.get('binary'), '1');
});

test('without the id of a stream nothing can be sent', async () => {
  const page = await streaming();
  assert.equal(page.client.status.canPublish, false);
  assert.equal(page.client.publish('events', 'x'), false);
});

test('with it, publishing is a POST to /send', async () => {
  const page = await streaming();
  page.world.answers.set('send', () => json({ ok: true, id: id(7) }));
  await page.world.writes(OPEN);
  assert.ok(page.client.status.canPublish && page.client.status.canPublishBinary);
  assert.ok(page.client.publish('events', 'hello', { a: 1 }));
  assert.equal(await page.client.publishConfirmed('events', 'two'), id(7));
  page.client.publishBinary('yjs:a', Uint8Array.of(1));
  await settle();
  const [plain, , binary] = page.world.asked('send');
  assert.equal(plain?.url.search, '', 'no token in the URL');
  assert.deepEqual(plain?.init.headers, {
    Authorization: `Bearer ${Page.tokenOf(page.world.stream.url)}`,
    'X-WordSocket-Stream': '0011',
    'Content-Type': 'application/json',
  });
  assert.deepEqual(JSON.parse(String(plain?.init.body)), {
    type: 'message', channel: 'events', event: 'hello', data: { a: 1 },
  });
  assert.equal(new Headers(binary?.init.headers).get('Content-Type'), 'application/octet-stream');
  assert.deepEqual(binary?.init.body, makeBinary('yjs:a', Uint8Array.of(1)));
});

test('a new stream under the same connection is told, and presences enter it', async () => {
  const page = await streaming();
  page.world.answers.set('send', () => json({ ok: true }));
  let reopened = 0;
  page.client.on('reopen', () => (reopened += 1));
  page.client.setPresence('room', { a: 1 });
  await page.world.writes(OPEN);
  assert.equal(page.world.asked('send').length, 1);
  page.client.subscribe(['more']);
  await page.world.clock.advance(50);
  await page.world.writes(OPEN.replace('0011', '0022'));
  assert.equal(reopened, 1);
  assert.deepEqual(
    page.world.asked('send').map(({ init }) => new Headers(init.headers).get('X-WordSocket-Stream')),
    ['0011', '0022'],
  );
});

async function native() {
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
  await page.start();
  await page.world.fails();
  return { page, sources };
}

test('the native stream: messages, gap, expiry and resume are the same', async () => {
  const { page, sources } = await native();
  const [source] = sources;
  source?.fire('open');
  assert.equal(page.state.transport, 'sse');
  await page.world.fails();
  const data = JSON.stringify({ channel: 'events', event: 'e', data: { n: 1 } });
  source?.fire('message', { data, lastEventId: id(1) });
  source?.fire('wps.gap', { data: JSON.stringify({ since: id(1), oldest: id(4) }) });
  await settle();
  assert.deepEqual([page.heard, page.gaps.length], [[1], 1]);
  source?.fire('error');
  await page.world.clock.advance(3_000);
  assert.equal(source?.readyState, 2);
  assert.equal(new URL(sources[1]?.url ?? '').searchParams.get('since'), id(4));
  assert.ok(page.state.connected);
  sources[1]?.fire('open');
  sources[1]?.fire('wps.expired');
  await settle();
  assert.equal(page.minted.length, 1);
});

test('the native stream that never opens is followed by the poll', async () => {
  const { page, sources } = await native();
  page.world.answers.set('poll', () => json({ messages: [], cursor: id(1), retry: 1000 }));
  sources[0]?.fire('error');
  await settle();
  assert.equal(page.state.transport, 'poll');
});

test('the native stream: the third miss in a row is the last', async () => {
  const { page, sources } = await native();
  sources[0]?.fire('open');
  await page.world.fails();
  sources[0]?.fire('error');
  for (let miss = 1; miss <= 3; miss += 1) {
    assert.ok(page.state.connected, `before miss ${miss}`);
    await page.world.clock.advance(3_000);
    sources[miss]?.fire('error');
    await settle();
  }
  assert.equal(page.state.connected, false);
});

test('a stream the relay no longer knows is replaced, and the frame goes out again', async () => {
  const page = await streaming();
  const answers = [json({ error: 'invalid_stream' }, 404)];
  page.world.answers.set('send', () => answers.shift() ?? json({ ok: true, id: id(7) }));
  await page.world.writes(OPEN);
  const confirmed = page.client.publishConfirmed('events', 'x');
  await settle();
  await page.world.clock.advance(50);
  assert.equal(page.world.streams.length, 2);
  await page.world.writes(OPEN.replace('0011', '0022'));
  assert.equal(await confirmed, id(7));
  assert.equal(page.world.asked('send').length, 2);
});
