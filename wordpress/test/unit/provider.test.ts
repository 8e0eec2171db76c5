/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The provider as the editor calls it, over a link that the test holds. */

import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import * as Y from 'yjs';
import {
  createCreator,
  type Entry,
  type Link,
  roomName,
} from '../../src/collab/provider.js';
import type { Status } from '../../src/collab/status.js';
import { TestClock } from '../support/clock.js';

class TestLink implements Link {
  state: Link['state'] = { connected: false, canSend: false, failures: 0 };
  readonly sent: { channel: string; bytes: Uint8Array }[] = [];
  readonly entered: string[] = [];
  readonly left: string[] = [];
  answer: () => Promise<Entry | undefined> = async () => undefined;
  private readonly states = new Set<() => void>();
  private readonly frames = new Map<string, (b: Uint8Array) => void>();
  readonly closed = new Map<string, () => void>();
  private readonly losses = new Set<() => void>();

  onState(listener: () => void): () => void {
    this.states.add(listener);
    return () => this.states.delete(listener);
  }
  onFrame(channel: string, listener: (b: Uint8Array) => void): () => void {
    this.frames.set(channel, listener);
    return () => this.frames.delete(channel);
  }
  onClosed(room: string, listener: () => void): () => void {
    this.closed.set(room, listener);
    return () => this.closed.delete(room);
  }
  onGranted(): () => void {
    return () => {};
  }
  onLoss(listener: () => void): () => void {
    this.losses.add(listener);
    return () => this.losses.delete(listener);
  }
  enter(room: string): Promise<Entry | undefined> {
    this.entered.push(room);
    return this.answer();
  }
  leave(room: string): void {
    this.left.push(room);
  }
  send(channel: string, bytes: Uint8Array): boolean {
    this.sent.push({ channel, bytes });
    return true;
  }
  become(state: Partial<Link['state']>): void {
    this.state = { ...this.state, ...state };
    for (const listener of this.states) {
      listener();
    }
  }
  get listeners(): number {
    return this.states.size + this.frames.size + this.losses.size;
  }
}

const turn = (): Promise<void> => new Promise((done) => setImmediate(done));

async function provider(
  link: TestLink,
  options: { objectType?: string; objectId?: number | null; Y?: typeof Y | null } = {},
) {
  const clock = new TestClock();
  const create = createCreator({ link, clock, crypto: globalThis.crypto as Crypto });
  const ydoc = new Y.Doc();
  const made = await create({
    objectType: options.objectType ?? 'postType/post',
    objectId: options.objectId === undefined ? 12 : options.objectId,
    ydoc,
    ...(options.Y === null ? {} : { Y }),
  });
  const told: Status[] = [];
  made.on('status', (status) => told.push(status));
  return { clock, ydoc, made, told };
}

const plain = async (): Promise<Entry> => ({
  channel: 'site:s:yjs:postType/post:12',
  key: undefined,
});

test('rooms are named as WordPress names them', () => {
  assert.equal(roomName('postType/post', 12), 'postType/post:12');
  assert.equal(roomName('root/comment', null), 'root/comment');
});

test('it resolves before it asks, and connects after', async () => {
  const link = new TestLink();
  link.answer = plain;
  link.become({ connected: true, canSend: true });
  const { clock, told } = await provider(link);
  assert.deepEqual(link.entered, []);
  assert.deepEqual(told, [{ status: 'connecting' }]);
  clock.go(0);
  await turn();
  assert.deepEqual(link.entered, ['postType/post:12']);
  assert.equal(link.sent[0]?.bytes[0], 1);
  assert.deepEqual(told.at(-1), { status: 'connected' });
});

test('a listener that comes late hears what is so', async () => {
  const link = new TestLink();
  link.answer = plain;
  link.become({ connected: true, canSend: true });
  const { clock, made } = await provider(link);
  clock.go(0);
  await turn();
  const told: Status[] = [];
  made.on('status', (status) => told.push(status));
  assert.deepEqual(told, [{ status: 'connected' }]);
});

test('an outage is told with its retries, the fifth so that a dialog opens', async () => {
  const link = new TestLink();
  link.answer = plain;
  const { clock, told } = await provider(link);
  clock.go(0);
  await turn();
  link.become({
    error: { code: 'unknown-error', message: 'no' },
    retryInMs: 1000,
    failures: 1,
  });
  assert.equal(told.at(-1)?.backgroundRetriesFailed, false);
  link.become({ failures: 5 });
  assert.equal(told.at(-1)?.backgroundRetriesFailed, true);
  assert.equal(told.at(-1)?.error?.code, 'unknown-error');
  assert.equal(told.at(-1)?.willAutoRetryInMs, 1000);
});

test('one who may not edit the post is told, one who may not share a list is not', async () => {
  const link = new TestLink();
  link.become({ connected: true, canSend: true });
  const post = await provider(link);
  const list = await provider(link, { objectType: 'root/comment', objectId: null });
  post.clock.go(0);
  list.clock.go(0);
  await turn();
  assert.equal(post.told.at(-1)?.error?.code, 'authentication-failed');
  assert.equal(list.told.at(-1)?.status, 'connected');
  assert.equal(link.sent.length, 0);
});

test('WordPress that does not answer is asked again', async () => {
  const link = new TestLink();
  link.answer = () => Promise.reject(new Error('offline'));
  const { clock, told } = await provider(link);
  clock.go(0);
  await turn();
  assert.equal(told.at(-1)?.willAutoRetryInMs, 1000);
  link.answer = plain;
  link.become({ connected: true, canSend: true });
  clock.go(1000);
  await turn();
  assert.equal(link.entered.length, 2);
  assert.deepEqual(told.at(-1), { status: 'connected' });
});

test('destroyed while it asks, it leaves nothing behind', async () => {
  const link = new TestLink();
  let answer: (entry: Entry) => void = () => {};
  link.answer = () => new Promise((done) => (answer = done));
  const { clock, made } = await provider(link);
  clock.go(0);
  made.destroy();
  answer(await plain());
  await turn();
  assert.equal(link.listeners, 0);
  assert.deepEqual(link.left, ['postType/post:12']);
  made.destroy();
  assert.equal(link.left.length, 1);
});

test('without a Yjs, and for attachments, the editor goes on alone', async () => {
  const link = new TestLink();
  const bare = await provider(link, { Y: null });
  const file = await provider(link, { objectType: 'postType/attachment' });
  bare.clock.go(0);
  file.clock.go(0);
  await turn();
  assert.deepEqual(link.entered, []);
  assert.deepEqual(bare.told, [{ status: 'connected' }]);
  assert.deepEqual(file.told, [{ status: 'connected' }]);
});

test('a document over the limit ends its room for good', async () => {
  const link = new TestLink();
  link.answer = plain;
  link.become({ connected: true, canSend: true });
  const { clock, told, ydoc } = await provider(link);
  clock.go(0);
  await turn();
  clock.go(1000);
  ydoc.getText('t').insert(0, 'x'.repeat(17 * 1024 * 1024));
  assert.equal(told.at(-1)?.error?.code, 'document-size-limit-exceeded');
  assert.equal(told.at(-1)?.willAutoRetryInMs, undefined);
  assert.equal(link.listeners, 0);
  link.become({ canSend: false });
  assert.equal(told.at(-1)?.error?.code, 'document-size-limit-exceeded');
});
