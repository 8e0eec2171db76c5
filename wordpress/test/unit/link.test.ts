/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The editor's connection, over a client that the test holds. */

import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import type { TokenGrant } from '../../../client/src/token.js';
import {
  type AskWordPress,
  ClientLink,
  MAX_ROOMS,
  type RoomsClient,
} from '../../src/collab/link.js';
import { RoomLimitError } from '../../src/collab/provider.js';
import { TestClock } from '../support/clock.js';

type Listener = (...args: unknown[]) => void;

/** Mints when told to connect or to renew, as the real one does. */
class FakeClient {
  readonly listeners = new Map<string, Set<Listener>>();
  readonly did: string[] = [];
  readonly unsubscribed: string[] = [];
  state: { connected: boolean } = { connected: false };
  grant: TokenGrant | undefined;
  failure: unknown;

  constructor(private readonly mint: () => Promise<TokenGrant>) {}

  on(name: string, listener: Listener): () => void {
    const all = this.listeners.get(name) ?? new Set();
    this.listeners.set(name, all.add(listener));
    return () => all.delete(listener);
  }
  emit(name: string, ...args: unknown[]): void {
    for (const listener of this.listeners.get(name) ?? []) {
      listener(...args);
    }
  }
  private async token(): Promise<void> {
    try {
      this.grant = await this.mint();
    } catch (error) {
      this.failure = error;
    }
  }
  start(): void {
    this.did.push('start');
    void this.token();
  }
  stop(): void {
    this.did.push('stop');
  }
  renew(): void {
    this.did.push('renew');
    void this.token();
  }
  subscribe(): void {}
  unsubscribe(channels: string[]): void {
    this.unsubscribed.push(...channels);
  }
  get status() {
    return { canPublishBinary: this.state.connected };
  }
}

const ME = {};
const KEY = btoa('k'.repeat(32));

function world(answer?: AskWordPress) {
  const clock = new TestClock();
  const asked: (readonly string[])[] = [];
  const open = new Set(['a', 'b', 'c']);
  let client!: FakeClient;
  const ask: AskWordPress = async (rooms) => {
    asked.push(rooms);
    const entries = rooms.filter((room) => open.has(room));
    return {
      token: 't',
      rooms: Object.fromEntries(
        entries.map((room) => [room, { channel: `yjs:${room}`, key: KEY }]),
      ),
    };
  };
  const link = new ClientLink(
    { baseUrl: 'https://example.test/wordsocket' },
    answer ?? ask,
    clock,
    () => {},
    ({ mint }) => (client = new FakeClient(mint!)) as unknown as RoomsClient,
  );
  const turn = async (): Promise<void> => {
    for (let i = 0; i < 6; i++) {
      clock.go(1);
      await new Promise((wake) => setImmediate(wake));
    }
  };
  return { clock, link, client, asked, open, turn };
}

test('rooms of one turn share one request', async () => {
  const { link, client, asked, turn } = world();
  const entered = Promise.all(['a', 'b', 'x'].map((room) => link.enter(room, ME)));
  await turn();
  const [a, b, x] = await entered;
  assert.deepEqual(asked, [['a', 'b', 'x']]);
  assert.equal(a?.channel, 'yjs:a');
  assert.equal(b?.key?.length, 32);
  assert.equal(x, undefined);
  assert.deepEqual(client.grant?.channels, ['yjs:a', 'yjs:b']);
  assert.deepEqual(client.did, ['start']);
});

test('a room that comes up later is asked for over the connection that is there', async () => {
  const { link, client, asked, turn } = world();
  void link.enter('a', ME);
  await turn();
  client.state = { connected: true };
  const entered = link.enter('b', ME);
  await turn();
  assert.equal((await entered)?.channel, 'yjs:b');
  assert.deepEqual(client.did, ['start', 'renew']);
  assert.deepEqual(asked[1], ['a', 'b']);
});

test('one that comes up while it connects waits for the connection', async () => {
  const { link, client, asked, turn } = world();
  void link.enter('a', ME);
  await turn();
  client.start = () => {};
  const entered = link.enter('b', ME);
  await turn();
  assert.equal(asked.length, 1);
  client.state = { connected: true };
  client.emit('connection', true);
  await turn();
  assert.equal((await entered)?.channel, 'yjs:b');
});

test('a room that a refresh lacks is closed', async () => {
  const { link, client, open, turn } = world();
  const closed: string[] = [];
  link.onClosed('a', () => closed.push('a'));
  link.onClosed('b', () => closed.push('b'));
  void link.enter('a', ME);
  void link.enter('b', ME);
  await turn();
  open.delete('a');
  client.renew();
  await turn();
  assert.deepEqual(closed, ['a']);
  assert.deepEqual(client.grant?.channels, ['yjs:b']);
});

const refusing = (status: number, code?: string) => {
  let refuses = false;
  const w = world(async (rooms) => {
    if (refuses) {
      throw Object.assign(new Error('no'), { status, code });
    }
    return {
      token: 't',
      rooms: Object.fromEntries(rooms.map((room) => [room, { channel: `yjs:${room}` }])),
    };
  });
  const heard: string[] = [];
  for (const room of ['a', 'b']) {
    w.link.onClosed(room, () => heard.push(`${room} closed`));
    w.link.onGranted(room, ({ channel }) => heard.push(`${channel} open`));
  }
  return { ...w, heard, refuse: (does: boolean) => (refuses = does) };
};

for (const [status, code] of [[401], [403, 'rest_cookie_invalid_nonce']] as const) {
  test(`a login that is over closes no room, and is asked for again: ${status}`, async () => {
    const { link, client, turn, heard, refuse } = refusing(status, code);
    void link.enter('a', ME);
    await turn();
    refuse(true);
    client.renew();
    const said = assert.rejects(link.enter('b', ME), /no/);
    await turn();
    await said;
    assert.deepEqual(heard, []);
    assert.equal((client.failure as { refused: boolean }).refused, false);
    refuse(false);
    const entered = link.enter('b', ME);
    client.renew();
    await turn();
    assert.equal((await entered)?.channel, 'yjs:b');
    assert.deepEqual(client.grant?.channels, ['yjs:a', 'yjs:b']);
  });
}

test('who is let in nowhere is out of all rooms, until he is let in again', async () => {
  const { link, client, turn, heard, refuse } = refusing(403);
  void link.enter('a', ME);
  await turn();
  refuse(true);
  const entered = link.enter('b', ME);
  client.renew();
  await turn();
  assert.equal(await entered, undefined);
  assert.deepEqual(heard.sort(), ['a closed', 'b closed']);
  assert.equal((client.failure as { refused: boolean }).refused, false);
  assert.deepEqual(client.unsubscribed, ['yjs:a']);
  heard.length = 0;
  refuse(false);
  client.renew();
  await turn();
  assert.deepEqual(heard.sort(), ['yjs:a open', 'yjs:b open']);
});

test('a room that was closed is asked for with every refresh', async () => {
  const { link, client, open, turn, asked } = world();
  const heard: string[] = [];
  link.onClosed('a', () => heard.push('closed'));
  link.onGranted('a', ({ channel }) => heard.push(channel));
  void link.enter('a', ME);
  void link.enter('b', ME);
  await turn();
  assert.deepEqual(heard, []);
  for (const isOpen of [false, false, true, true]) {
    open[isOpen ? 'add' : 'delete']('a');
    client.renew();
    await turn();
  }
  assert.deepEqual(heard, ['closed', 'yjs:a']);
  assert.deepEqual(asked.at(-1), ['a', 'b']);
  link.leave('a', ME);
  link.leave('b', ME);
  await turn();
  assert.ok(client.did.includes('stop'));
});

test('a WordPress that fails is asked again', async () => {
  const { link, client, turn } = world(async () => {
    throw Object.assign(new Error('broken'), { status: 500 });
  });
  const entered = link.enter('a', ME);
  const said = assert.rejects(entered, /broken/);
  await turn();
  await said;
  assert.equal((client.failure as { refused: boolean }).refused, false);
});

test('what is refused for its pace is made up for, once', async () => {
  const { link, client, clock } = world();
  let losses = 0;
  const off = link.onLoss(() => {
    losses += 1;
  });
  client.emit('error', { code: 'rate_limited', message: '' });
  client.emit('error', { code: 'rate_limited', message: '' });
  clock.go(5000);
  assert.equal(losses, 1);
  client.emit('gap');
  client.emit('reopen');
  assert.equal(losses, 3);
  off();
  client.emit('gap');
  assert.equal(losses, 3);
});

test('frames go to the room they are of, and leaving ends it', async () => {
  const { link, client, turn } = world();
  const heard: number[] = [];
  link.onFrame('yjs:a', (bytes) => heard.push(bytes[0]!));
  void link.enter('a', ME);
  void link.enter('b', ME);
  await turn();
  client.emit('binary', 'yjs:a', Uint8Array.of(7));
  client.emit('binary', 'yjs:b', Uint8Array.of(8));
  assert.deepEqual(heard, [7]);
  link.leave('a', ME);
  await turn();
  assert.deepEqual(client.unsubscribed, ['yjs:a']);
  assert.ok(!client.did.includes('stop'));
  link.leave('b', ME);
  await turn();
  assert.ok(client.did.includes('stop'));
});

test('a page may not have more rooms than a token', async () => {
  const { link, turn } = world();
  for (let i = 0; i < MAX_ROOMS; i++) {
    void link.enter(`r${i}`, ME);
  }
  await assert.rejects(link.enter('one more', ME), RoomLimitError);
  await turn();
});
