/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One connection for all tabs of a user, in Chromium: the script, the shared
 * worker, and what becomes of a tab that cannot have it.
 */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { BrowserContext, Page } from 'playwright-core';

import { until } from '../support/clock.js';
import { Relay } from '../support/relay.js';
import { makeToken } from '../support/token.js';
import { chrome, type Changes, html, scripts, seal } from './pages.js';

interface Site {
  readonly relay: Relay;
  readonly context: BrowserContext;
  /** Opens a page of the site for a user. */
  open(user?: string, changes?: Changes, where?: BrowserContext): Promise<Page>;
  /** `WPS` of a page has connected. */
  connected(page: Page): Promise<void>;
}

async function site(t: TestContext, change: (relay: Relay) => void = () => {}): Promise<Site> {
  const files = scripts();
  const relay = await Relay.start(files);
  change(relay);
  const context = await (await chrome()).newContext();
  t.after(async () => {
    await context.close();
    await relay.stop();
  });
  let count = 0;
  const connected = async (page: Page) => {
    await page.waitForFunction(() => window.WPS?.connected);
  };
  return {
    relay,
    context,
    connected,
    open: async (user = '1', changes = {}, where = context) => {
      const token = makeToken(Math.floor(Date.now() / 1000), 300, '', user);
      count += 1;
      files.set(`/${count}`, { type: 'text/html', text: html(relay.url, token, changes) });
      const page = await where.newPage();
      page.setDefaultTimeout(8_000);
      await page.goto(`${relay.url}/${count}`);
      await connected(page);
      return page;
    },
  };
}

const heard = (page: Page) => page.evaluate(() => window.heard);
const hears = (page: Page, count: number) =>
  page.waitForFunction((least) => window.heard.length >= least, count);
const THRICE = (data: string) => [`DOM events ${data}`, 'onMessage greeting', 'on events'];
const sockets = ({ relay }: Site) => relay.seen.filter((line) => line === 'GET /ws').length;

async function fiveTabs(one: Site): Promise<[Page, Page, Page, Page, Page]> {
  const tabs = await Promise.all([1, 2, 3, 4, 5].map(() => one.open()));
  return tabs as [Page, Page, Page, Page, Page];
}

/** Keeps binary frames and presence of the channel `room` in `heard`. */
const joinRoom = (page: Page, name: string) =>
  page.evaluate((own) => {
    const { WPS } = window;
    window.heard.length = 0;
    WPS?.onBinaryMessage((channel, bytes) => window.heard.push(`${channel} ${[...bytes]}`));
    WPS?.on('wps.presence', (data) => window.heard.push(JSON.stringify(data)));
    WPS?.subscribe(['room']);
    WPS?.setPresence('room', { name: own });
  }, name);

test('five tabs are one connection, and each hears each message once', async (t) => {
  const one = await site(t);
  const tabs = await fiveTabs(one);
  assert.equal(one.relay.sockets.size, 1);
  assert.equal(sockets(one), 1);
  await until(() => one.relay.hears('events'));
  one.relay.publish('events', 'encrypted', seal('greeting', { n: 1 }));
  await Promise.all(tabs.map((tab) => hears(tab, 3)));
  await tabs[0].evaluate(() => window.WPS?.publishConfirmed('events', 'greeting', { n: 2 }));
  await Promise.all(tabs.map((tab) => hears(tab, 6)));
  for (const tab of tabs) {
    assert.deepEqual(await heard(tab), [...THRICE('{"n":1}'), ...THRICE('{"n":2}')]);
    assert.equal(await tab.evaluate(() => window.WPS?.transport), 'ws');
  }
  assert.equal(one.relay.sockets.size, 1);
});

test('a new tab hears what comes from then on, not what was before', async (t) => {
  const one = await site(t);
  const first = await one.open();
  await until(() => one.relay.hears('events'));
  one.relay.publish('events', 'greeting', { n: 1 });
  await hears(first, 3);
  const second = await one.open();
  await first.evaluate(() => window.WPS?.publish('events', 'greeting', { n: 2 }));
  await hears(second, 3);
  assert.deepEqual(await heard(second), THRICE('{"n":2}'));
});

test('binary frames reach the other tabs; a user is one member until the last has left', async (t) => {
  const one = await site(t, (relay) => (relay.presence = true));
  const [a, b] = [await one.open(), await one.open()];
  await joinRoom(a, 'a');
  await until(() => one.relay.present('room').length === 1);
  await joinRoom(b, 'b');
  await until(() => JSON.stringify(one.relay.present('room')) === '[{"id":"m1","state":{"name":"b"}}]');
  // B was told who was there, though the connection knew it already.
  await b.waitForFunction(() => window.heard.some((line) => line.includes('"sync"')));
  await b.waitForFunction(() => window.heard.some((line) => line.includes('"name":"b"')));
  await a.evaluate(() => window.WPS?.publishBinary('room', Uint8Array.of(1, 2, 3)));
  await b.waitForFunction(() => window.heard.includes('room 1,2,3'));
  assert.ok(!(await heard(a)).includes('room 1,2,3'));
  assert.equal(one.relay.binaries.length, 1);
  await b.close();
  await until(() => JSON.stringify(one.relay.present('room')) === '[{"id":"m1","state":{"name":"a"}}]');
  await a.close();
  await until(() => one.relay.present('room').length === 0);
});

test('the tab that began it closes; the others go on', async (t) => {
  const one = await site(t);
  const [first, second] = [await one.open(), await one.open()];
  await until(() => one.relay.hears('events'));
  await first.close();
  one.relay.publish('events', 'greeting', { n: 1 });
  await hears(second, 3);
  assert.equal(sockets(one), 1);
  await second.close();
  await until(() => one.relay.sockets.size === 0);
});

test('a tab that crashes takes its subscriptions with it', async (t) => {
  const one = await site(t);
  const [stays, dies] = [await one.open(), await one.open()];
  await dies.evaluate(() => window.WPS?.subscribe(['mine']));
  await until(() => one.relay.hears('mine'));
  const crashed = dies.waitForEvent('crash');
  await dies.goto('chrome://crash').catch(() => {});
  await crashed.catch(() => {});
  await until(() => !one.relay.hears('mine'));
  assert.ok(one.relay.hears('events'));
  assert.equal(await stays.evaluate(() => window.WPS?.connected), true);
});

test('a lost connection comes back for all, with what was missed', async (t) => {
  const one = await site(t);
  const tabs = [await one.open(), await one.open()];
  await until(() => one.relay.hears('events'));
  one.relay.publish('events', 'greeting', { n: 1 });
  await Promise.all(tabs.map((tab) => hears(tab, 3)));
  one.relay.breakAll();
  await until(() => one.relay.sockets.size === 0);
  one.relay.publish('events', 'greeting', { n: 2 });
  await Promise.all(tabs.map((tab) => hears(tab, 6)));
  for (const tab of tabs) {
    assert.deepEqual(await heard(tab), [...THRICE('{"n":1}'), ...THRICE('{"n":2}')]);
  }
  assert.equal(sockets(one), 2);
});

test('where sockets are blocked the stream is shared, and sends', async (t) => {
  const one = await site(t, (relay) => (relay.socketsPass = false));
  const tabs = [await one.open(), await one.open()];
  await Promise.all(
    tabs.map((tab) => tab.waitForFunction(() => window.WPS?.status.canPublish)),
  );
  assert.equal(one.relay.streams.size, 1);
  await tabs[0]?.evaluate(() => window.WPS?.publish('events', 'greeting', { n: 1 }));
  await Promise.all(tabs.map((tab) => hears(tab, 3)));
  assert.equal(await tabs[1]?.evaluate(() => window.WPS?.transport), 'sse');
});

test('two users in one browser share nothing', async (t) => {
  const one = await site(t);
  await one.open('1');
  const other = await (await chrome()).newContext();
  t.after(() => other.close());
  await one.open('1', {}, other);
  assert.equal(sockets(one), 2, 'two browser profiles are two connections');
  one.relay.user = '2';
  await one.open('2');
  assert.equal(sockets(one), 3, 'two users of one profile are, too');
});

test('a page of another user ends what the former one had', async (t) => {
  const one = await site(t);
  const former = [await one.open('1'), await one.open('1')];
  one.relay.user = '2';
  const present = await one.open('2');
  await Promise.all(
    former.map((tab) => tab.waitForFunction(() => window.WPS?.connected === false)),
  );
  await until(() => one.relay.sockets.size === 1);
  one.relay.publish('events', 'greeting', { n: 1 });
  await hears(present, 3);
  for (const tab of former) {
    assert.deepEqual(await heard(tab), []);
    assert.equal(
      await tab.evaluate(() => window.WPS?.state.error?.code),
      'authentication-failed',
    );
  }
});

test('logging out ends it in every tab', async (t) => {
  const one = await site(t);
  const tabs = [await one.open(), await one.open()];
  const alone = await one.open('1', { share: false });
  await tabs[0]?.evaluate((name) => {
    new BroadcastChannel(name).postMessage({ type: 'logout' });
  }, `wordsocket:${one.relay.url}/wp-json/wpsignal/v1/`);
  await until(() => one.relay.sockets.size === 0);
  for (const tab of [...tabs, alone]) {
    await tab.waitForFunction(() => window.WPS?.state.error?.code === 'authentication-failed');
  }
});

test('a policy without workers: each tab on its own, at once', async (t) => {
  const one = await site(t, (relay) => {
    relay.headers = { 'Content-Security-Policy': "worker-src 'none'" };
  });
  const tabs = [await one.open(), await one.open()];
  assert.equal(one.relay.sockets.size, 2);
  await until(() => one.relay.hears('events'));
  one.relay.publish('events', 'greeting', { n: 1 });
  await Promise.all(tabs.map((tab) => hears(tab, 3)));
  const tookMs = await tabs[1]?.evaluate(
    () => performance.getEntriesByType('navigation')[0]?.duration ?? 0,
  );
  assert.ok((tookMs ?? 0) < 5_000);
});

test('a worker that cannot be had, and share: false: each tab on its own', async (t) => {
  const one = await site(t);
  await one.open('1', { share: false });
  await one.open('1', { share: false });
  assert.equal(sockets(one), 2);
  await one.context.route('**/wpsignal-worker.js*', (route) => route.abort());
  await one.open();
  assert.equal(sockets(one), 3);
});

test('a visitor without a token: one for all tabs', async (t) => {
  const one = await site(t, (relay) => (relay.user = '0'));
  const page = { token: undefined, nonce: '' };
  await one.open('0', page);
  await one.open('0', page);
  assert.equal(sockets(one), 1);
  assert.equal(one.relay.minted, 1);
});

test('a page that comes back from the back-forward cache has what it missed', async (t) => {
  const one = await site(t);
  const [stays, leaves] = [await one.open(), await one.open()];
  await until(() => one.relay.hears('events'));
  one.relay.publish('events', 'greeting', { n: 1 });
  await hears(leaves, 3);
  await leaves.evaluate(() => window.dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true })));
  await leaves.waitForFunction(() => window.WPS?.connected === false);
  one.relay.publish('events', 'greeting', { n: 2 });
  await hears(stays, 6);
  await leaves.evaluate(() => window.dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true })));
  await one.connected(leaves);
  await hears(leaves, 6);
  one.relay.publish('events', 'greeting', { n: 3 });
  await hears(leaves, 9);
  assert.deepEqual(await heard(leaves), [
    ...THRICE('{"n":1}'),
    ...THRICE('{"n":2}'),
    ...THRICE('{"n":3}'),
  ]);
  assert.equal(sockets(one), 1);
});

