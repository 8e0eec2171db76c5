/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bounds on what one member can have the others keep. */

import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { PLAIN } from '../../src/collab/cipher.js';
import { FRAME } from '../../src/collab/frames.js';
import { MOST_KNOWN, MOST_OF_ONE, MOST_SAID, MOST_UNSIGNED } from '../../src/collab/presence.js';
import { about, ANN, as, BOB, EVE, world } from '../support/editors.js';

const many = (count: number, from: number): { id: number }[] =>
  Array.from({ length: count }, (_, i) => ({ id: from + i }));

test('plain: who invents members has a bounded number, and leaves room for those with a badge', async () => {
  const { add, settle, hostile } = await world(PLAIN);
  const [ann, eve] = [await add(ANN), await hostile(EVE)];
  await settle();
  for (let i = 0; i < 5; i++) {
    await eve.send(FRAME.awareness, about(many(1000, 1 + 1000 * i), as(EVE)));
  }
  assert.equal(ann.awareness.getStates().size, MOST_UNSIGNED);
  const bob = await add(BOB);
  await settle();
  assert.equal(ann.name(bob), 'Bob');
  assert.equal(bob.name(ann), 'Ann');
});

test('plain: those who come and go are not remembered for ever', async () => {
  const { add, settle, hostile } = await world(PLAIN);
  const [ann, bob, eve] = [await add(ANN), await add(BOB), await hostile(EVE)];
  await settle();
  for (let i = 0; i < 30; i++) {
    const some = many(100, 1 + 100 * i);
    await eve.send(FRAME.awareness, about(some, as(EVE)));
    await eve.send(FRAME.awareness, about(some, null, 1001));
  }
  assert.ok(ann.awareness.meta.size <= MOST_KNOWN + MOST_UNSIGNED);
  assert.equal(ann.name(bob), 'Bob');
  bob.move(3);
  await settle(200);
  assert.equal(ann.seen(bob)?.['at'], 3);
});

test('one user has a bounded number of pages', async () => {
  const { add, settle, hostile } = await world();
  const [ann, eve] = [await add(ANN), await hostile(EVE)];
  await settle();
  for (const one of many(3 * MOST_OF_ONE, 1)) {
    await eve.say(about([one], as(EVE)));
  }
  assert.equal(ann.awareness.getStates().size, MOST_OF_ONE + 1);
  const bob = await add(BOB);
  await settle();
  assert.equal(ann.name(bob), 'Bob');
});

test('what somebody said does not show them again when others came and went', async () => {
  const { add, settle, hostile, hub } = await world();
  const [ann, bob, eve] = [await add(ANN), await add(BOB), await hostile(EVE)];
  await settle();
  bob.move(2);
  await settle(200);
  const said = hub.log.at(-1)?.bytes as Uint8Array;
  bob.room.destroy();
  await settle(100);
  assert.equal(ann.seen(bob), undefined);
  for (const one of many(MOST_KNOWN + 10, 1)) {
    await eve.say(about([one], as(EVE)));
    await eve.say(about([one], null, 1001));
  }
  assert.ok(ann.awareness.meta.size <= MOST_KNOWN + MOST_UNSIGNED, 'they are forgotten');
  eve.wire.send(said);
  await settle(100);
  assert.equal(ann.seen(bob), undefined);
});

test('a page that is nowhere keeps count of what it said', async () => {
  const { add, settle, hostile } = await world(PLAIN);
  const [ann, eve] = [await add(ANN), await hostile(EVE)];
  await settle();
  ann.move(1);
  const { clock } = ann.awareness.meta.get(ann.id) as { clock: number };
  ann.awareness.setLocalState(null);
  for (let i = 0; i < 12; i++) {
    const some = many(100, 1 + 100 * i);
    await eve.send(FRAME.awareness, about(some, as(EVE)));
    await eve.send(FRAME.awareness, about(some, null, 1001));
  }
  ann.move(2);
  assert.ok((ann.awareness.meta.get(ann.id)?.clock ?? 0) > clock);
});

test('who says too much of oneself is not shown', async () => {
  const { add, settle, hostile } = await world();
  const [ann, eve] = [await add(ANN), await hostile(EVE)];
  await settle();
  await eve.say(about([eve], { at: 'x'.repeat(MOST_SAID) }));
  assert.equal(ann.seen(eve), undefined);
  await eve.say(about([eve], { at: 'x'.repeat(MOST_SAID / 2) }));
  assert.equal(ann.name(eve), 'Eve');
});
