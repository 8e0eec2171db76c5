/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hub and its tabs, by hand: who gets what, who is gone, and what becomes
 * of a tab that reads nothing.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { LIMIT, TIMING } from '../../src/config.js';
import { workerName } from '../../src/shared-protocol.js';
import { makeBinary } from '../../src/wire.js';
import { settle } from '../support/clock.js';
import { id, message, NOW_S, Page } from '../support/page.js';
import { Tabs } from '../support/tabs.js';
import { makeToken } from '../support/token.js';
import { json } from '../support/world.js';

const BASE = { baseUrl: 'https://relay.example/wps', restUrl: 'https://site.example/x' };

test('one socket, one subscription, and each tab hears once', async () => {
  const tabs = new Tabs();
  const pages = await tabs.connected(3);
  await tabs.receives(message(1), message(2));
  pages.forEach((page) => {
    assert.deepEqual(page.heard, [1, 2]);
    assert.equal(page.state.transport, 'ws');
    assert.equal(page.world.sockets.length, 0);
  });
  assert.equal(tabs.world.sockets.length, 1);
  assert.equal(tabs.world.socket.framesOf('subscribe').length, 1);
  assert.equal(pages[0]?.minted.length, 0);
});

test('a channel is given up with its last tab', async () => {
  const tabs = new Tabs();
  const [a, b] = (await tabs.connected(2)) as [Page, Page];
  a.client.subscribe(['x']);
  b.client.subscribe(['x']);
  await settle();
  a.client.unsubscribe(['x']);
  await settle();
  assert.deepEqual(tabs.world.socket.framesOf('unsubscribe'), []);
  await tabs.receives(message(1, 'x'));
  assert.deepEqual([a.heard, b.heard], [[], [1]]);
  b.client.stop();
  await settle();
  assert.deepEqual(tabs.world.socket.framesOf('unsubscribe'), [
    { type: 'unsubscribe', channels: ['x'] },
  ]);
  a.client.stop();
  await settle();
  assert.equal(tabs.world.socket.closedWith, 1000);
});

test('more channels than a connection may have: the tab that wants them has its own', async () => {
  const tabs = new Tabs();
  const [a, b] = (await tabs.connected(2)) as [Page, Page];
  b.client.subscribe(['x']);
  await settle();
  await tabs.receives({ type: 'error', code: 'too_many_channels', message: '' });
  await b.world.opens();
  assert.deepEqual(b.world.socket.framesOf('subscribe')[0]?.channels, ['events', 'x']);
  await tabs.receives(message(1));
  assert.deepEqual([a.heard, b.heard], [[1], []]);
  assert.equal(a.world.sockets.length, 0);
});

test('acknowledgements and refusals reach the tab that sent', async () => {
  const tabs = new Tabs();
  const [a, b] = (await tabs.connected(2)) as [Page, Page];
  const first = a.client.publishConfirmed('events', 'e', { n: 1 });
  const second = assert.rejects(
    b.client.publishConfirmed('events', 'e', { n: 2 }),
    { code: 'publish_forbidden' },
  );
  await settle();
  const refs = tabs.world.socket.framesOf('message').map(({ ref }) => ref);
  assert.equal(new Set(refs).size, 2);
  await tabs.receives(
    { type: 'ack', ref: refs[0], id: id(1) },
    { type: 'error', code: 'publish_forbidden', message: 'no', ref: refs[1] },
  );
  assert.equal(await first, id(1));
  await second;
});

test('what cannot be sent is told, not lost', async () => {
  const tabs = new Tabs();
  const [page] = (await tabs.connected(1)) as [Page];
  tabs.world.socket.bufferedAmount = LIMIT.socketBufferBytes;
  page.client.publish('events', 'e', {});
  page.client.publishBinary('events', Uint8Array.of(1));
  await settle();
  assert.deepEqual(page.errors, ['not-sent', 'not-sent']);
  const cyclic: Record<string, unknown> = {};
  cyclic.self = cyclic;
  assert.equal(page.client.publish('events', 'e', cyclic), false);
});

test('a binary frame reaches the siblings that hold the channel, and the relay', async () => {
  const tabs = new Tabs();
  const pages = (await tabs.connected(3)) as [Page, Page, Page];
  const got: string[] = [];
  pages.forEach((page, at) =>
    page.client.on('binary', (channel, bytes) => got.push(`${at} ${channel} ${bytes}`)),
  );
  pages[0].client.subscribe(['room']);
  pages[1].client.subscribe(['room']);
  await settle();
  pages[0].client.publishBinary('room', Uint8Array.of(1, 2));
  await settle();
  assert.deepEqual(got, ['1 room 1,2']);
  assert.deepEqual(
    tabs.world.socket.sent.filter((data) => typeof data !== 'string'),
    [makeBinary('room', Uint8Array.of(1, 2))],
  );
});

test('presence: the newest state counts, then that of the tab before, then none', async () => {
  const tabs = new Tabs();
  const [a, b] = (await tabs.connected(2)) as [Page, Page];
  a.client.setPresence('room', { tab: 'a' });
  await settle();
  b.client.setPresence('room', { tab: 'b' });
  await settle();
  b.client.stop();
  await settle();
  a.client.setPresence('room', null);
  await settle();
  assert.deepEqual(
    tabs.world.socket.framesOf('presence').map(({ state }) => state),
    [{ tab: 'a' }, { tab: 'b' }, { tab: 'a' }, null],
  );
});

test('a tab that comes later is told who is there', async () => {
  const tabs = new Tabs();
  await tabs.connected(1);
  const say = (data: object) =>
    ({ type: 'message', channel: 'events', event: 'wps.presence', data });
  await tabs.receives(
    say({ action: 'sync', members: [{ id: 'x', state: 1 }, { id: 'y', state: 2 }] }),
    say({ action: 'leave', id: 'x' }),
    say({ action: 'join', id: 'z', state: 3 }),
  );
  const late = tabs.page();
  const told: unknown[] = [];
  late.client.on('message', ({ data }) => told.push(data));
  await late.start();
  assert.deepEqual(told, [
    { action: 'sync', members: [{ id: 'y', state: 2 }, { id: 'z', state: 3 }] },
  ]);
});

/** Sends a frozen tab more than it may be behind, and what one more tab sees. */
async function overrun(tabs: Tabs): Promise<number> {
  await tabs.receives(message(1));
  await tabs.freeze(0);
  const last = LIMIT.tabMessages + 100;
  for (let n = 2; n <= last; n += 1) {
    tabs.world.socket.deliver(message(n));
    if (n % 100 === 0) {
      await settle();
    }
  }
  await settle();
  return last;
}

test('a tab that reads nothing is sent no more than the bound, and resumes', async () => {
  const tabs = new Tabs();
  const [frozen, awake] = (await tabs.connected(2)) as [Page, Page];
  const last = await overrun(tabs);
  assert.equal(awake.heard.length, last);
  assert.ok((tabs.ports[0]?.waiting.length ?? 0) <= LIMIT.tabMessages + 64);
  tabs.world.answers.set('poll', ({ url }) => {
    const after = Number(url.searchParams.get('since')?.split('-')[1]);
    const messages = [];
    for (let n = after + 1; n <= last; n += 1) {
      messages.push(message(n));
    }
    return json({ messages, cursor: id(last) });
  });
  await tabs.thaw(0);
  await settle();
  assert.equal(frozen.heard.length, last);
  assert.deepEqual(frozen.heard, awake.heard);
  await tabs.receives(message(last + 1));
  assert.equal(frozen.heard[last], last + 1);
  assert.deepEqual(frozen.gaps, []);
});

test('where nobody can tell what it missed, it is a gap', async () => {
  const tabs = new Tabs();
  const [frozen] = (await tabs.connected(2)) as [Page, Page];
  const last = await overrun(tabs);
  await tabs.thaw(0);
  await settle();
  assert.equal(frozen.gaps.length, 1);
  await tabs.receives(message(last + 1));
  assert.equal(frozen.heard[frozen.heard.length - 1], last + 1);
});

test('what comes while a tab catches up comes after what it missed', async () => {
  const tabs = new Tabs();
  const [page] = (await tabs.connected(2)) as [Page, Page];
  await tabs.receives(message(1));
  page.world.window.fire('pagehide');
  await tabs.receives(message(2));
  let answer: (response: Response) => void = () => {};
  tabs.world.answers.set('poll', () => new Promise((resolve) => (answer = resolve)));
  page.world.window.fire('pageshow');
  await settle();
  await tabs.receives(message(3));
  assert.deepEqual(page.heard, [1]);
  tabs.world.answers.set('poll', () => json({ messages: [], cursor: id(3) }));
  answer(json({ messages: [message(2), message(3)], cursor: id(3) }));
  await settle();
  assert.deepEqual(page.heard, [1, 2, 3]);
});

test('a tab without a lock that shows nothing for a minute is gone', async () => {
  const tabs = new Tabs();
  const [quiet] = (await tabs.connected(2)) as [Page, Page];
  quiet.client.subscribe(['mine']);
  await tabs.freeze(0);
  for (let ms = 0; ms <= TIMING.tabPatienceMs; ms += TIMING.tabPingMs) {
    await tabs.receives({ type: 'ping' });
    await tabs.world.clock.advance(TIMING.tabPingMs);
  }
  assert.deepEqual(tabs.world.socket.framesOf('unsubscribe'), [
    { type: 'unsubscribe', channels: ['mine'] },
  ]);
  await tabs.thaw(0);
  assert.equal(quiet.state.connected, true);
  await tabs.receives(message(9, 'mine'));
  assert.deepEqual(quiet.heard, [9]);
});

test('a worker that is gone is followed by another, and nothing is lost', async () => {
  const tabs = new Tabs();
  const [page] = (await tabs.connected(1)) as [Page];
  await tabs.receives(message(1));
  tabs.die();
  tabs.world.answers.set('poll', ({ url }) =>
    json({
      messages: url.searchParams.get('since') === id(1) ? [message(2)] : [],
      cursor: id(2),
    }),
  );
  await page.world.clock.advance(1);
  page.client.wake();
  await page.world.clock.advance(TIMING.workerPatienceMs);
  assert.equal(page.state.connected, false);
  await tabs.world.opens();
  await tabs.receives({ type: 'subscribed', channels: ['events'], id: id(2) });
  assert.deepEqual(page.heard, [1, 2]);
  assert.equal(tabs.world.sockets.length, 2);
});

test('no worker in time, or none at all: the tab connects by itself', async () => {
  const silent = new Page(
    { workerUrl: 'https://site.example/w.js' },
    { SharedWorker: class {
      readonly port = { onmessage: null, postMessage() {}, close() {} };
      onerror = null;
    } },
  );
  await silent.start();
  assert.equal(silent.world.sockets.length, 0);
  await silent.world.clock.advance(TIMING.workerDeadlineMs);
  await silent.world.opens();
  assert.equal(silent.state.connected, true);

  const without = new Page({ workerUrl: 'https://site.example/w.js' });
  await without.start();
  await without.world.opens();
  assert.equal(without.state.connected, true);

  const throwing = new Page(
    { workerUrl: 'https://site.example/w.js' },
    { SharedWorker: class {
      readonly port = { onmessage: null, postMessage() {}, close() {} };
      onerror = null;
      constructor() {
        throw new DOMException('refused', 'SecurityError');
      }
    } },
  );
  await throwing.start();
  assert.equal(throwing.world.sockets.length, 1);
});

test('a token of another user ends it, in every tab', async () => {
  const tabs = new Tabs();
  const pages = await tabs.connected(2);
  tabs.user = '2';
  tabs.world.socket.end(4001);
  await settle();
  assert.equal(tabs.world.asked('token').length, 1);
  pages.forEach((page) => {
    assert.equal(page.state.error?.code, 'authentication-failed');
  });
  assert.equal(tabs.world.socket.readyState, 3);
  assert.equal(tabs.world.sockets.length, 1);
});

test('a tab does not follow a new worker to another user', async () => {
  const tabs = new Tabs();
  // As WordPress has it: no token in the page.
  const a = await tabs.open({ token: undefined, nonce: 'of user 1' });
  await tabs.world.opens();
  assert.equal(a.state.connected, true);
  tabs.die();
  tabs.user = '2';
  await a.world.clock.advance(1);
  a.client.wake();
  await a.world.clock.advance(TIMING.workerPatienceMs);
  await settle();
  await tabs.world.opens();
  await tabs.receives({ type: 'subscribed', channels: ['events'] }, message(1));
  assert.deepEqual(a.heard, []);
  assert.equal(a.state.connected, false);
  assert.equal(a.state.error?.message, 'the page is of another user');
  assert.equal(a.world.sockets.length, 0);
});

test('a page that cannot say whose it is shares no user\'s connection', async () => {
  const tabs = new Tabs();
  await tabs.connected(1);
  const stranger = await tabs.open({ token: undefined });
  assert.equal(stranger.world.sockets.length, 1);
});

test('the name of the worker tells relay, site and user apart, and holds no token', () => {
  const of = (user: string, more = {}) => {
    const token = makeToken(NOW_S, 300, '', user);
    const name = workerName({ ...BASE, token, ...more });
    assert.ok(!name.includes(token));
    return name;
  };
  const names = [
    of('1'),
    of('2'),
    of('1', { restUrl: 'https://site.example/two' }),
    of('1', { baseUrl: 'https://other.example' }),
    of('1', { forceSSE: true }),
    of('1', { user: 'somebody' }),
  ];
  assert.equal(new Set(names).size, names.length);
  assert.equal(of('1', { nonce: 'a' }), of('1', { nonce: 'b' }));
});
