/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client against real sockets: npm's ws, node's own HTTP and fetch.
 */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { WebSocket } from 'ws';

import { Client } from '../../src/client.js';
import type { ClientOptions } from '../../src/options.js';
import { browserPlatform, type SocketConstructor } from '../../src/platform.js';
import { until } from '../support/clock.js';
import { Relay } from '../support/relay.js';

/** An error that nobody listens for ends a process of node, but no page. */
class PageSocket extends WebSocket {
  constructor(url: string) {
    super(url);
    this.on('error', () => {});
  }
}

async function made(t: TestContext, change: (relay: Relay) => void = () => {}) {
  const relay = await Relay.start();
  change(relay);
  const options: ClientOptions = {
    baseUrl: relay.url,
    restUrl: `${relay.url}/wp-json/wpsignal/v1`,
  };
  const platform = {
    ...browserPlatform(),
    WebSocket: PageSocket as unknown as SocketConstructor,
    // Delays of a fifth of a second at most, for a start.
    random: () => 0.2,
  };
  const client = new Client(options, platform);
  const heard: unknown[] = [];
  client.on('message', ({ data }) => heard.push(data));
  t.after(async () => {
    client.stop();
    await relay.stop();
  });
  client.start();
  return { client, heard, relay };
}

const subscribed = (relay: Relay) => until(() => relay.hears('events'));

test('over a socket: heard, published, answered', async (t) => {
  const { client, heard, relay } = await made(t);
  await subscribed(relay);
  assert.equal(client.state.transport, 'ws');
  relay.publish('events', 'e', 'one');
  const id = await client.publishConfirmed('events', 'e', { two: 2 });
  assert.match(id ?? '', /-2$/);
  await until(() => heard.length === 2);
  assert.deepEqual(heard, ['one', { two: 2 }]);
  client.publishBinary('events', Uint8Array.of(0, 128, 255));
  await until(() => relay.binaries.length === 1);
  assert.deepEqual([...(relay.binaries[0] ?? [])].slice(-3), [0, 128, 255]);
  relay.say({ type: 'ping' });
  await until(() => relay.received.some(({ type }) => type === 'pong'));
});

test('what was published while the network was away comes after it, once', async (t) => {
  const { client, heard, relay } = await made(t);
  await subscribed(relay);
  relay.publish('events', 'e', 1);
  await until(() => heard.length === 1);
  relay.breakAll();
  await until(() => !client.state.connected);
  relay.publish('events', 'e', 2);
  relay.publish('other', 'e', 'not ours');
  await subscribed(relay);
  relay.publish('events', 'e', 3);
  await until(() => heard.length === 3);
  assert.deepEqual(heard, [1, 2, 3]);
});

test('a token that is refused is minted anew once', async (t) => {
  const { client, relay } = await made(t);
  await subscribed(relay);
  relay.closeSockets(4001);
  await until(() => relay.minted === 2);
  await subscribed(relay);
  relay.closeSockets(4001);
  await until(() => client.state.error?.code === 'authentication-failed');
  assert.equal(relay.minted, 2);
});

test('a site that gives out no token is asked once', async (t) => {
  const { client, relay } = await made(t, (of) => (of.mintStatus = 403));
  await until(() => client.state.error !== undefined);
  assert.equal(client.state.error?.code, 'authentication-failed');
  assert.deepEqual(relay.seen, ['POST /wp-json/wpsignal/v1/token']);
});

test('where no socket passes: the stream, and /send beside it', async (t) => {
  const { client, heard, relay } = await made(t, (of) => (of.socketsPass = false));
  await subscribed(relay);
  await until(() => client.status.canPublish);
  assert.equal(client.state.transport, 'sse');
  await client.publishConfirmed('events', 'e', { n: 1 });
  await until(() => heard.length === 1);
  assert.match(String(relay.received[0]?.stream), /^[0-9a-f]{32}$/);
  relay.breakAll();
  await until(() => !client.state.connected);
  relay.publish('events', 'e', { n: 2 });
  await until(() => heard.length === 2);
  assert.deepEqual(heard, [{ n: 1 }, { n: 2 }]);
});

test('once a socket passes again, it is taken, and nothing is lost or doubled', async (t) => {
  const { client, heard, relay } = await made(t, (of) => (of.socketsPass = false));
  await subscribed(relay);
  relay.publish('events', 'e', 1);
  await until(() => heard.length === 1);
  relay.socketsPass = true;
  relay.breakAll();
  relay.publish('events', 'e', 2);
  await until(() => client.state.transport === 'ws');
  relay.publish('events', 'e', 3);
  await until(() => heard.length === 3);
  assert.deepEqual(heard, [1, 2, 3]);
});

test('a relay that answers and ends is a stream all the same', async (t) => {
  const { client, heard, relay } = await made(t, (of) => {
    of.socketsPass = false;
    of.pollMode = true;
  });
  await until(() => client.state.connected);
  for (const n of [1, 2, 3]) {
    await until(() => relay.seen.filter((line) => line === 'GET /sse').length > n);
    relay.publish('events', 'e', n);
  }
  await until(() => heard.length === 3);
  assert.deepEqual(heard, [1, 2, 3]);
  assert.ok(client.state.connected);
});

test('where nothing stays open: the poll', async (t) => {
  const { client, heard, relay } = await made(t, (of) => {
    of.socketsPass = false;
    of.streamsPass = false;
  });
  await until(() => client.state.transport === 'poll');
  await client.publishConfirmed('events', 'e', { n: 1 });
  relay.publish('events', 'e', { n: 2 });
  await until(() => heard.length === 2);
  relay.publish('events', 'e', { n: 3 });
  await until(() => heard.length === 3);
  assert.deepEqual(heard, [{ n: 1 }, { n: 2 }, { n: 3 }]);
  relay.socketsPass = true;
  await until(() => client.state.transport === 'ws');
});

test('unsubscribed is unheard', async (t) => {
  const { client, heard, relay } = await made(t);
  await subscribed(relay);
  client.subscribe(['news']);
  await until(() => relay.hears('news'));
  client.unsubscribe(['events']);
  await until(() => !relay.hears('events'));
  relay.publish('events', 'e', 'no');
  relay.publish('news', 'e', 'yes');
  await until(() => heard.length === 1);
  assert.deepEqual(heard, ['yes']);
});
