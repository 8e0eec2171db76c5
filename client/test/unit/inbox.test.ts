/* SPDX-License-Identifier: Apache-2.0 */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { LIMIT } from '../../src/config.js';
import type { Opener } from '../../src/crypto.js';
import { type Delivery, Inbox } from '../../src/inbox.js';
import { settle } from '../support/clock.js';

function made(opener?: Opener) {
  const heard: Delivery[] = [];
  const spoiled: number[] = [];
  const inbox = new Inbox(
    (delivery) => heard.push(delivery),
    () => spoiled.push(heard.length),
  );
  inbox.opener = opener;
  return { heard, inbox, spoiled };
}

const plain = (event: string) =>
  ({ type: 'message', channel: 'c', event, data: {} }) as const;
const sealed = (p: string) =>
  ({ type: 'message', channel: 'c', event: 'encrypted', data: { v: 1, p } }) as const;

test('without a key a sealed message stays as it is', () => {
  const { heard, inbox } = made();
  inbox.push(sealed('x'));
  assert.deepEqual(heard, [{ channel: 'c', event: 'encrypted', data: { v: 1, p: 'x' } }]);
});

test('order is kept though openings end in another', async () => {
  const later = new Map<string, (event: string) => void>();
  const { heard, inbox } = made(
    (p) =>
      new Promise((resolve) => {
        later.set(p, (event) => resolve({ event, data: null }));
      }),
  );
  const gap: number[] = [];
  inbox.push(sealed('one'));
  inbox.push(plain('two'));
  inbox.after(() => gap.push(heard.length));
  inbox.push(sealed('three'));
  await settle();
  assert.equal(heard.length, 0);
  later.get('one')?.('opened one');
  await settle();
  assert.deepEqual(gap, [2]);
  later.get('three')?.('opened three');
  await settle();
  assert.deepEqual(heard.map(({ event }) => event), ['opened one', 'two', 'opened three']);
});

for (const [kind, opener] of [
  ['throws', () => {
    throw new Error('no');
  }],
  ['rejects', () => Promise.reject(new Error('no'))],
] as [string, Opener][]) {
  test(`an opening that ${kind} is told and holds up nothing`, async () => {
    const { heard, inbox, spoiled } = made(opener);
    inbox.push(sealed('x'));
    inbox.push(plain('after'));
    await settle();
    assert.deepEqual(heard.map(({ event }) => event), ['after']);
    assert.deepEqual(spoiled, [0]);
  });
}

test('a listener that pushes while it hears does not overtake', () => {
  const order: string[] = [];
  const inbox: Inbox = new Inbox(
    ({ event }) => {
      if (event === 'one') {
        inbox.push(plain('two'));
      }
      order.push(event);
    },
    () => {},
  );
  inbox.push(plain('one'));
  assert.deepEqual(order, ['one', 'two']);
});

test('it is full by number and by size, and empties again', async () => {
  let open: (() => void) | undefined;
  const { heard, inbox } = made(
    () => new Promise((resolve) => (open = () => resolve({ event: 'e', data: 0 }))),
  );
  inbox.push(sealed('x'));
  for (let at = 0; at < LIMIT.inboxEntries; at += 1) {
    assert.ok(!inbox.isFull);
    inbox.push(plain('y'));
  }
  assert.ok(inbox.isFull);
  open?.();
  await settle();
  assert.equal(heard.length, LIMIT.inboxEntries + 1);
  assert.ok(!inbox.isFull);
  inbox.push(sealed('x'));
  inbox.push(sealed('z'.repeat(LIMIT.inboxBytes)));
  assert.ok(inbox.isFull);
});
