/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dist/wpsignal.js in Chromium, as a page of WordPress carries it.
 */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';

import { until } from '../support/clock.js';
import { PLAIN_HOST, seal, visit, type Visit } from './pages.js';

async function visiting(
  t: TestContext,
  ...args: Parameters<typeof visit>
): Promise<Visit> {
  const one = await visit(...args);
  t.after(one.close);
  return one;
}

const heard = ({ page }: Visit) => page.evaluate(() => window.heard);
/** The relay knows of a stream before the page does. */
const transport = async ({ page }: Visit) =>
  (await page.waitForFunction(() => window.WPS?.transport)).jsonValue();
const hears = (count: number) => `window.heard.length >= ${count}`;
const WHOLE = (data: string) => [
  `DOM events ${data}`,
  'onMessage greeting',
  'on events',
];

test('over a WebSocket; sealed messages opened by SubtleCrypto', async (t) => {
  const one = await visiting(t, '127.0.0.1');
  await until(() => one.relay.hears('events'));
  assert.equal(await one.page.evaluate(() => typeof crypto.subtle), 'object');
  one.relay.publish('events', 'encrypted', seal('greeting', { text: 'grüße' }));
  await one.page.waitForFunction(hears(3));
  assert.deepEqual(await heard(one), WHOLE('{"text":"grüße"}'));
  assert.equal(await transport(one), 'ws');
  assert.deepEqual(one.faults, []);
});

test('on plain HTTP there is no SubtleCrypto; the script opens them', async (t) => {
  const one = await visiting(t, PLAIN_HOST);
  await until(() => one.relay.hears('events'));
  assert.equal(await one.page.evaluate(() => typeof crypto.subtle), 'undefined');
  one.relay.publish('events', 'encrypted', seal('greeting', { text: 'grüße' }));
  await one.page.waitForFunction(hears(3));
  assert.deepEqual(await heard(one), WHOLE('{"text":"grüße"}'));
  assert.match(
    await one.page.evaluate(() => window.WPS?.uuid() ?? ''),
    /^[0-9a-f]{8}-[0-9a-f]{4}-4/,
  );
});

test('where WebSockets are blocked: the event stream, and /send', async (t) => {
  const one = await visiting(t, '127.0.0.1', (relay) => (relay.socketsPass = false));
  await until(() => one.relay.hears('events'));
  assert.equal(await transport(one), 'sse');
  await one.page.waitForFunction(() => window.WPS?.status.canPublish);
  await one.page.evaluate(() => window.WPS?.publish('events', 'greeting', { n: 1 }));
  await one.page.waitForFunction(hears(3));
  assert.deepEqual(await heard(one), WHOLE('{"n":1}'));
});

test('where bodies cannot be read while they arrive: the native EventSource', async (t) => {
  const one = await visiting(
    t,
    '127.0.0.1',
    (relay) => (relay.socketsPass = false),
    'delete Response.prototype.body;',
  );
  await until(() => one.relay.hears('events'));
  assert.equal(await transport(one), 'sse');
  one.relay.publish('events', 'greeting', { n: 1 });
  await one.page.waitForFunction(hears(3));
  one.relay.publish('events', 'greeting', { n: 2 });
  one.relay.breakAll();
  one.relay.publish('events', 'greeting', { n: 3 });
  await one.page.waitForFunction(hears(9));
  assert.deepEqual(await heard(one), [
    ...WHOLE('{"n":1}'),
    ...WHOLE('{"n":2}'),
    ...WHOLE('{"n":3}'),
  ]);
});

test('where nothing stays open: the poll', async (t) => {
  const one = await visiting(t, '127.0.0.1', (relay) => {
    relay.socketsPass = false;
    relay.streamsPass = false;
  });
  await one.page.waitForFunction(() => window.WPS?.transport === 'poll');
  one.relay.publish('events', 'greeting', { n: 1 });
  await one.page.waitForFunction(hears(3));
  assert.deepEqual(await heard(one), WHOLE('{"n":1}'));
});

test('a connection that was lost comes back, and what was missed with it', async (t) => {
  const one = await visiting(t, '127.0.0.1');
  await until(() => one.relay.hears('events'));
  one.relay.publish('events', 'greeting', { n: 1 });
  await one.page.waitForFunction(hears(3));
  one.relay.breakAll();
  await until(() => !one.relay.hears('events'));
  one.relay.publish('events', 'greeting', { n: 2 });
  await one.page.waitForFunction(hears(6));
  assert.deepEqual(await heard(one), [...WHOLE('{"n":1}'), ...WHOLE('{"n":2}')]);
});

test('a page loaded again is the same visitor, and leaves no connection behind', async (t) => {
  const one = await visiting(t, '127.0.0.1');
  const { page, relay } = one;
  const visitor = () => page.evaluate(() => window.WPS?.visitorId());
  await until(() => relay.hears('events'));
  const before = await visitor();
  await page.reload();
  await until(() => relay.seen.filter((line) => line === 'GET /ws').length === 2);
  await until(() => relay.sockets.size === 1 && relay.hears('events'));
  assert.equal(await visitor(), before);
  relay.publish('events', 'greeting', { n: 1 });
  await page.waitForFunction(hears(3));
  assert.deepEqual(await heard(one), WHOLE('{"n":1}'));
  assert.deepEqual(one.faults, []);
});

test('a page that was offline reconnects as soon as it is online', async (t) => {
  const { page, relay } = await visiting(t, '127.0.0.1');
  await until(() => relay.hears('events'));
  await page.context().setOffline(true);
  relay.breakAll();
  await page.waitForFunction(() => window.WPS?.connected === false);
  await page.context().setOffline(false);
  await page.waitForFunction(() => window.WPS?.connected === true);
  await until(() => relay.hears('events'));
});
