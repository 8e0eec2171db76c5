/* SPDX-License-Identifier: Apache-2.0 */
/*
 * window.WPS, section 10 of the wire: every method and property of it, and the
 * script that makes it from window.wpSignalConfig.
 */
import assert from 'node:assert/strict';
import { mock, test } from 'node:test';

import { createWps } from '../../src/wps.js';
import { settle } from '../support/clock.js';
import { message, Page } from '../support/page.js';
import { FakePage, FakeSocket } from '../support/world.js';

const METHODS = ['subscribe', 'unsubscribe', 'publish', 'publishBinary', 'setPresence', 'on',
  'onMessage', 'onBinaryMessage', 'onConnectionChange', 'onStateChange', 'start', 'uuid',
  'visitorId', 'onChannel'] as const;

async function made() {
  const page = new Page();
  const wps = createWps(page.client, page.world.platform);
  wps.start();
  await settle();
  await page.world.opens();
  return { page, wps };
}

test('its shape is that of the wire document', async () => {
  const { wps } = await made();
  METHODS.forEach((name) => assert.equal(typeof wps[name], 'function', name));
  assert.equal(wps.connected, true);
  assert.equal(wps.transport, 'ws');
  assert.deepEqual(Object.keys(wps.status).sort(), ['canPublish', 'canPublishBinary', 'connected',
    'failures', 'lastError', 'lastMessageAt', 'name', 'readyState']);
  assert.deepEqual(wps.state, { connected: true, transport: 'ws', failures: 0 });
});

test('the DOM hears first, then onMessage, then on', async () => {
  const { page, wps } = await made();
  const order: unknown[] = [];
  wps.on('e', (data, channel) => order.push(['on', data, channel]));
  wps.onMessage((event, data, channel) => order.push(['onMessage', event, data, channel]));
  EventTarget.prototype.addEventListener.call(page.world.page, 'wpsignal:e', (event) => {
    order.push(['DOM', (event as CustomEvent).detail]);
  });
  await page.receives(message(1));
  assert.deepEqual(order, [
    ['DOM', { channel: 'events', data: { n: 1 } }],
    ['onMessage', 'e', { n: 1 }, 'events'],
    ['on', { n: 1 }, 'events'],
  ]);
});

test('every on... gives back a way to stop', async () => {
  const { page, wps } = await made();
  let calls = 0;
  const count = () => {
    calls += 1;
  };
  const offs = [wps.on('e', count), wps.onMessage(count), wps.onBinaryMessage(count),
    wps.onConnectionChange(count), wps.onStateChange(count), wps.onGap(count), wps.onReopen(count)];
  await page.receives(message(1), { type: 'gap' }, Uint8Array.of(0, 1, 65).buffer);
  assert.equal(calls, 4);
  offs.forEach((off) => off());
  await page.receives(message(2), { type: 'gap' }, Uint8Array.of(0, 1, 65).buffer);
  await page.ends(1006);
  assert.equal(calls, 4);
});

test('a gap is a DOM event, too', async () => {
  const { page, wps } = await made();
  const heard: unknown[] = [];
  wps.onGap((gap) => heard.push(gap));
  EventTarget.prototype.addEventListener.call(page.world.page, 'wpsignal:wps.gap', (event) => {
    heard.push((event as CustomEvent).detail.data);
  });
  await page.receives({ type: 'gap', since: 'a', oldest: 'b' });
  const gap = { since: 'a', oldest: 'b' };
  assert.deepEqual(heard, [gap, gap]);
});

test('its methods need no this, and do what they say', async () => {
  const { page, wps } = await made();
  const { subscribe, unsubscribe, publish, publishBinary, setPresence, onChannel } = wps;
  subscribe(['a']);
  unsubscribe(['a']);
  assert.ok(publish('a', 'e', { n: 1 }));
  setPresence('a', {});
  assert.ok(publishBinary('a', Uint8Array.of(1)));
  assert.ok(onChannel('site:x:a', 'a'));
  assert.deepEqual(page.world.socket.frames.slice(1).map(({ type }) => type), [
    'subscribe', 'unsubscribe', 'message', 'presence',
  ]);
  assert.equal(wps.visitorId(), wps.visitorId());
  assert.notEqual(wps.uuid(), wps.uuid());
});

test('what was not sent is told: by the answer, and to onError', async () => {
  const { page, wps } = await made();
  const told: unknown[] = [];
  const off = wps.onError(({ code }) => told.push(code));
  await page.receives({ type: 'error', code: 'publish_forbidden', message: '' });
  await page.ends(1006);
  assert.equal(wps.publish('a', 'e'), false);
  assert.equal(wps.publishBinary('a', Uint8Array.of(1)), false);
  await assert.rejects(wps.publishConfirmed('a', 'e'), { code: 'not-connected' });
  assert.deepEqual(told, ['publish_forbidden', 'not-sent', 'not-sent']);
  off();
  wps.publish('a', 'e');
  assert.equal(told.length, 3);
});

test('states are told with error and delay, connections as a boolean', async () => {
  const { page, wps } = await made();
  const states: unknown[] = [];
  wps.onStateChange((state) => states.push(state));
  wps.onConnectionChange((connected) => states.push(connected));
  await page.ends(4029, 'full');
  assert.deepEqual(states, [
    { connected: false, transport: null, failures: 1, retryInMs: 500,
      error: { code: 'connection-limit-exceeded', message: 'full' } },
    false,
  ]);
});

test('the script of a page reads its configuration, connects, and is there once', async () => {
  const sockets: FakeSocket[] = [];
  const world = globalThis as unknown as Record<string, unknown>;
  const names = ['window', 'document', 'WebSocket', 'BroadcastChannel'];
  const before = names.map((name) => Object.getOwnPropertyDescriptor(world, name));
  const shown = mock.method(console, 'debug', () => {});
  const config = { baseUrl: 'http://r.example/wps', token: 'a.b.c', channels: ['events'], isDebug: true };
  const element = { textContent: JSON.stringify(config) };
  const document = { getElementById: (id: string) => (id === 'wpsignal-config' ? element : null) };
  const page = Object.assign(new FakePage(), { document });
  const define = (name: string, value: unknown) =>
    Object.defineProperty(world, name, { value, configurable: true, writable: true });
  define('window', page);
  define('document', new FakePage());
  // Node's would keep the process alive.
  define('BroadcastChannel', undefined);
  define('WebSocket', class extends FakeSocket {
    constructor(url: string) {
      super(url);
      sockets.push(this);
    }
  });
  try {
    await import('../../src/wordpress.js');
    await settle();
    assert.deepEqual(sockets.map(({ url }) => url), ['ws://r.example/wps/ws?token=a.b.c']);
    const { WPS, wpsTest, wpsDebug, wpSignalConfig } = page as unknown as Window;
    assert.deepEqual(wpSignalConfig, config, 'extensions find it, too');
    assert.equal(typeof WPS?.publish, 'function');
    assert.deepEqual(Object.keys(wpsTest ?? {}).sort(), ['cycle', 'drop', 'status', 'wake']);
    sockets[0]?.open();
    assert.equal(wpsTest?.status().connected, true);
    sockets[0]?.deliver(message(1));
    assert.match(wpsDebug?.().join() ?? '', /message/);
    wpsTest?.cycle();
    await settle();
    assert.equal(sockets.length, 2);
    sockets[1]?.open();
    wpsTest?.drop();
    assert.equal(WPS?.connected, false);
    wpsTest?.wake();
    await settle();
    assert.equal(sockets.length, 3);
    sockets[2]?.open();
    sockets[2]?.end(4003);
  } finally {
    shown.mock.restore();
    names.forEach((name, at) => {
      const was = before[at];
      if (was) {
        Object.defineProperty(world, name, was);
      } else {
        delete world[name];
      }
    });
  }
});
