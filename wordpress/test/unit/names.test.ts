/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whose cursors a room shows, with members who lie in it. */

import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { applyAwarenessUpdate, encodeAwarenessUpdate } from 'y-protocols/awareness';
import * as Y from 'yjs';
import type { Identity } from '../../src/collab/badge.js';
import { PLAIN } from '../../src/collab/cipher.js';
import { encodeFrame, FRAME } from '../../src/collab/frames.js';
import { about, ANN, as, BOB, CAT, type Editor, EVE, SEALED, world } from '../support/editors.js';
import { quiet } from '../support/clock.js';
import { person, Site, START_S, STRANGER } from '../support/site.js';

test('the name is that of the badge, whatever an editor says', async () => {
  const { add, settle } = await world();
  const ann = await add(ANN);
  const eve = await add(EVE, { ...ANN, evil: 'field', browserType: { not: 'text' } });
  await settle();
  assert.deepEqual(ann.seen(eve), {
    collaboratorInfo: { ...EVE, browserType: 'Chrome', enteredAt: 7 },
    at: 0,
  });
  assert.equal(eve.name(ann), 'Ann');
  eve.move(5);
  await settle(200);
  assert.equal(ann.seen(eve)?.['at'], 5);
  assert.equal(ann.name(eve), 'Eve');
});

test('what is told of a browser is left out where it is no text, and a name is added', async () => {
  const { add, settle, hostile } = await world();
  const [ann, eve] = [await add(ANN), await hostile(EVE)];
  await settle();
  await eve.say(about([eve], { collaboratorInfo: { browserType: {}, enteredAt: 'x' } }));
  assert.deepEqual(ann.seen(eve), { collaboratorInfo: EVE });
  await eve.say(about([eve], { collaboratorInfo: 'x', at: 1 }, 1001));
  assert.deepEqual(ann.seen(eve), { collaboratorInfo: EVE, at: 1 });
});

test("another's badge does not carry what its owner did not say", async () => {
  const { add, settle, hostile } = await world();
  const [ann, bob, eve] = [await add(ANN), await add(BOB), await hostile(EVE)];
  await settle();
  const stolen = eve.heard.filter(({ type }) => type === FRAME.signed);
  const { data } = stolen[0] as { data: Uint8Array };
  const length = new DataView(data.buffer, data.byteOffset).getUint16(64);
  const badge = Buffer.from(data.subarray(66, 66 + length)).toString();
  assert.match(badge, /^ey/);
  // Signed by a key of its own; and under the owner's signature.
  await eve.say(about([eve], as(ANN)), badge);
  await eve.send(
    FRAME.signed,
    Buffer.concat([data.subarray(0, 66 + length), about([eve], as(ANN))]),
  );
  for (const one of [ann, bob]) {
    assert.equal(one.seen(eve), undefined);
    assert.equal(one.awareness.getStates().size, 2);
  }
  // What the owner did say does no harm again.
  ann.move(3);
  await settle(200);
  await eve.send(FRAME.signed, data);
  assert.equal(bob.seen(ann)?.['at'], 3);
});

test("another's client cannot be moved, renamed or sent away", async () => {
  const { add, settle, hostile } = await world();
  const [ann, bob, eve] = [await add(ANN), await add(BOB), await hostile(EVE)];
  await settle();
  await eve.say(about([eve], as(EVE)));
  for (const state of [as(EVE), as(ANN), null]) {
    await eve.say(about([ann], state));
    await eve.say(about([eve, ann], state, 1001));
    await eve.say(about([ann, eve], state, 1001));
    await eve.send(FRAME.awareness, about([ann], state));
  }
  for (const one of [ann, bob]) {
    assert.equal(one.name(ann), 'Ann');
    assert.equal(one.seen(ann)?.['at'], 0);
    assert.equal(one.name(eve), 'Eve');
  }
  ann.move(4);
  await settle(200);
  assert.equal(bob.seen(ann)?.['at'], 4, 'and what it says itself is still heard');
});

test('without a signature nobody is seen and nobody goes', async () => {
  const { add, settle, hostile } = await world();
  const [ann, bob, eve] = [await add(ANN), await add(BOB), await hostile(EVE)];
  await settle();
  await eve.send(FRAME.awareness, about([eve], as(EVE)));
  await eve.send(FRAME.awareness, about([bob], null));
  await eve.send(FRAME.signed, about([eve], as(EVE)));
  assert.equal(ann.seen(eve), undefined);
  assert.equal(ann.name(bob), 'Bob');
});

test('a badge that is over, or of another site, names nobody', async () => {
  const { add, settle, hostile, site, clock } = await world();
  const [ann, eve] = [await add(ANN), await hostile(EVE)];
  await settle();
  await eve.say(about([eve], as(EVE)), await site.badge(EVE, eve.key, { exp: START_S - 61 }));
  await eve.say(about([eve], as(EVE)), await site.copy('t', 1).badge(EVE, eve.key));
  await eve.say(about([eve], as(EVE)), await site.copy('s', 2).badge(EVE, eve.key));
  await eve.say(about([eve], as(EVE)), await (await Site.make()).badge(EVE, eve.key));
  assert.equal(ann.seen(eve), undefined);
  await eve.say(about([eve], as(EVE)));
  assert.equal(ann.name(eve), 'Eve');
  clock.go(430_000);
  await ann.renew();
  await eve.say(about([eve], as(EVE, 1), 1001));
  assert.equal(ann.seen(eve)?.['at'], 666, 'one that was good before');
});

test('who leaves says so, and the client is free again', async () => {
  const { add, settle, hostile } = await world();
  const [ann, bob, eve] = [await add(ANN), await add(BOB), await hostile(EVE)];
  await settle();
  bob.room.destroy();
  await settle(100);
  assert.equal(ann.seen(bob), undefined);
  await eve.say(about([bob], as(BOB)));
  assert.equal(ann.name(bob), 'Eve', 'under no name but its own');
});

test('a renewed badge and another page of the same user go on', async () => {
  const { add, settle, clock } = await world();
  const [ann, bob] = [await add(ANN), await add(BOB)];
  await settle();
  for (let i = 1; i < 4; i++) {
    clock.go(300_000);
    await ann.renew();
    await bob.renew();
    ann.move(i);
    await settle(200);
    assert.equal(bob.seen(ann)?.['at'], i);
  }
  const other = await add(ANN);
  await settle();
  assert.equal(bob.name(other), 'Ann');
  assert.equal(bob.awareness.getStates().size, 3);
});

for (const [about, cipher] of [['sealed', SEALED], ['plain', PLAIN]] as const) {
  const see = (all: Editor[]): unknown[][] => all.map((one) => all.map((other) => one.name(other)));
  const NAMES = ['Ann', 'Bob', 'Cat'];

  test(`${about}: who comes sees everybody at once, and so they do after a break`, async () => {
    const { add, settle } = await world(cipher);
    const all = [await add(ANN), await add(BOB)];
    await settle(5000);
    all.push(await add(CAT));
    await settle(400);
    assert.deepEqual(see(all), [NAMES, NAMES, NAMES]);
    all.forEach(({ down }) => down());
    assert.deepEqual(all.map(({ awareness }) => awareness.getStates().size), [1, 1, 1]);
    all.forEach(({ up }) => up());
    await settle(400);
    assert.deepEqual(see(all), [NAMES, NAMES, NAMES]);
    all[0]?.down();
    all[0]?.up();
    await settle(400);
    assert.deepEqual(see(all), [NAMES, NAMES, NAMES]);
  });

  test(`${about}: a site without badges shows no names`, async () => {
    const { add, settle } = await world(cipher);
    const [one, other] = [await add(undefined, ANN), await add(undefined, BOB)];
    await settle();
    assert.equal(one.name(other), STRANGER.name);
    assert.equal((one.seen(other)?.['collaboratorInfo'] as Identity).id, 0);
    other.move(2);
    await settle(200);
    assert.equal(one.seen(other)?.['at'], 2);
    other.room.destroy();
    await settle(100);
    assert.equal(one.seen(other), undefined);
  });
}

test('twenty who come at once greet each other a few times and are quiet then', async () => {
  const { add, settle, hub } = await world(PLAIN);
  const all: Editor[] = [];
  for (let i = 1; i <= 20; i++) {
    all.push(await add(person(i, `User ${i}`)));
  }
  await settle(2000);
  assert.ok(all.every((one) => all.every((other) => one.name(other))));
  const said = hub.log.filter(({ bytes }) => bytes[0] === FRAME.awareness).length;
  assert.ok(said <= 20 * 5, `${said} frames`);
  hub.log.length = 0;
  await settle(5000);
  assert.ok(!hub.log.some(({ bytes }) => bytes[0] === FRAME.awareness));
});

test('sealed: cursors are signed, and nothing else is', async () => {
  const { add, settle, hostile } = await world();
  const [ann, eve] = [await add(ANN), await hostile(EVE)];
  await settle(1500);
  for (let i = 0; i < 5; i++) {
    ann.move(i);
    ann.doc.getText('t').insert(0, 'x');
    await settle(200);
  }
  const count = (type: number): number => eve.heard.filter((one) => one.type === type).length;
  assert.equal(count(FRAME.awareness), 0);
  assert.ok(count(FRAME.signed) >= 6);
  assert.ok(count(FRAME.update) >= 5);
});

test("plain: the ecosystem's editors see and are seen, under no name", async () => {
  const { add, settle, hub } = await world(PLAIN);
  const [ann, bob] = [await add(ANN), await add(BOB)];
  await settle();
  // Knows types 1 to 4.
  const awareness = quiet(new Y.Doc());
  const wire = hub.join((bytes) => {
    if (bytes[0] === FRAME.awareness) {
      applyAwarenessUpdate(awareness, bytes.subarray(1), 'wire');
    }
  });
  wire.up();
  awareness.setLocalState({ collaboratorInfo: { ...ANN }, at: 1 });
  const say = (): boolean =>
    wire.send(
      encodeFrame(FRAME.awareness, encodeAwarenessUpdate(awareness, [awareness.clientID])),
    );
  say();
  await settle(500);
  assert.equal(ann.name({ id: awareness.clientID }), STRANGER.name);
  assert.equal(ann.seen({ id: awareness.clientID })?.['at'], 1);
  assert.equal(awareness.getStates().size, 3);
  ann.move(8);
  await settle(200);
  assert.equal(awareness.getStates().get(ann.id)?.['at'], 8);
  assert.equal(bob.name(ann), 'Ann', 'and others go on under theirs');
  awareness.setLocalState({ collaboratorInfo: { ...ANN }, at: 2 });
  say();
  await settle(100);
  assert.equal(bob.seen({ id: awareness.clientID })?.['at'], 2);
});

test('plain: the badge goes along at first, for whoever comes, and with each renewal', async () => {
  const { add, settle, hub } = await world(PLAIN);
  const ann = await add(ANN);
  await settle();
  const bob = await add(BOB);
  await settle();
  const types = (): number[] =>
    hub.log
      .filter(({ from }) => from === 0)
      .map(({ bytes }) => bytes[0] as number)
      .filter((type) => type === FRAME.awareness || type === FRAME.signed);
  assert.deepEqual(types().slice(0, 2), [FRAME.signed, FRAME.awareness], 'first of both');
  hub.log.length = 0;
  for (let i = 0; i < 10; i++) {
    ann.move(i);
    await settle(150);
  }
  assert.deepEqual(types(), new Array(10).fill(FRAME.awareness));
  assert.equal(bob.name(ann), 'Ann');
  await settle(15_000);
  hub.log.length = 0;
  ann.move(11);
  await settle(150);
  assert.deepEqual(types(), [FRAME.signed, FRAME.awareness]);
});

test('plain: nobody takes the name of another', async () => {
  const { add, settle, hostile } = await world(PLAIN);
  const [ann, bob, eve] = [await add(ANN), await add(BOB), await hostile(EVE)];
  await settle();
  await eve.send(FRAME.awareness, about([eve], as(ANN)));
  assert.equal(bob.name(eve), STRANGER.name);
  await eve.send(FRAME.awareness, about([bob], as(EVE)));
  assert.equal(ann.name(bob), 'Bob', 'with plain frames a cursor can be moved, not renamed');
  await eve.say(about([ann], as(EVE)));
  assert.equal(bob.name(ann), 'Ann');
  await eve.say(about([eve], as(ANN), 1001));
  assert.equal(bob.name(eve), 'Eve');
  await eve.send(FRAME.awareness, about([bob], as(BOB, 9), 2000));
  assert.equal(bob.seen(bob)?.['at'], 0, 'and a page alone says where its own is');
  await eve.send(FRAME.awareness, about([bob], null, 3000));
  await settle(200);
  assert.equal(bob.name(bob), 'Bob');
});
