/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rooms over a channel in memory, with a clock that only goes when told. */

import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import type { Awareness } from 'y-protocols/awareness';
import * as Y from 'yjs';
import { createCipher, PLAIN, type Cipher } from '../../src/collab/cipher.js';
import { FRAME } from '../../src/collab/frames.js';
import { Room } from '../../src/collab/room.js';
import { quiet, TestClock } from '../support/clock.js';
import { Hub } from '../support/hub.js';

const CHANNEL = 'site:s:yjs:postType/post:1';

interface Editor {
  readonly doc: Y.Doc;
  readonly text: Y.Text;
  readonly awareness: Awareness;
  readonly room: Room;
  readonly wire: ReturnType<Hub['join']>;
  readonly troubles: string[];
}

function world(cipher: Cipher = PLAIN, seed = 1) {
  const clock = new TestClock(seed);
  const hub = new Hub();
  const editors: Editor[] = [];
  const add = (maxDocument?: number): Editor => {
    const doc = new Y.Doc();
    const awareness = quiet(doc);
    awareness.setLocalState({ who: editors.length });
    const troubles: string[] = [];
    const wire = hub.join((bytes) => room.take(bytes));
    const room = new Room({
      Y,
      doc,
      awareness,
      channel: CHANNEL,
      cipher,
      clock,
      randomBytes: (n) => Uint8Array.from({ length: n }, () => clock.random() * 256),
      send: (bytes) => wire.send(bytes),
      trouble: (why) => troubles.push(why),
      ...(maxDocument ? { maxDocument } : {}),
    });
    const editor = { doc, text: doc.getText('t'), awareness, room, wire, troubles };
    editors.push(editor);
    return editor;
  };
  const settle = async (ms = 2000): Promise<void> => {
    for (let at = 0; at < ms; at += 10) {
      clock.go(10);
      for (let i = 0; i < 4; i++) {
        await Promise.all(editors.map(({ room }) => room.idle()));
        await hub.deliver();
      }
    }
  };
  return { clock, hub, editors, add, settle };
}

const connect = (...list: Editor[]): void => {
  for (const { wire, room } of list) {
    wire.up();
    room.opened();
  }
};
const drop = (...list: Editor[]): void => {
  for (const { wire, room } of list) {
    wire.down();
    room.closed();
  }
};
const texts = (list: Editor[]): string[] => list.map(({ text }) => text.toString());

test('a newcomer gets what is there, and others what it types', async () => {
  const { add, settle } = world();
  const a = add();
  connect(a);
  a.text.insert(0, 'hello');
  await settle();
  const b = add();
  connect(b);
  await settle();
  assert.equal(b.text.toString(), 'hello');
  b.text.insert(5, ' world');
  await settle(50);
  assert.equal(a.text.toString(), 'hello world');
});

test('what is there comes before what the newcomer has is sent', async () => {
  const { add, settle, hub } = world();
  const a = add();
  connect(a);
  await settle();
  const b = add();
  b.text.insert(0, 'mine');
  hub.log.length = 0;
  connect(b);
  await settle();
  const types = hub.log.map(({ bytes }) => bytes[0]);
  assert.ok(types.indexOf(FRAME.step2) >= 0, 'somebody answered');
  assert.ok(
    types.indexOf(FRAME.step2) < types.indexOf(FRAME.update),
    'before the update went out',
  );
  assert.equal(a.text.toString(), 'mine');
});

test('one alone goes on after a second', async () => {
  const { add, settle, hub } = world();
  const a = add();
  a.text.insert(0, 'x');
  connect(a);
  await settle(900);
  assert.ok(!hub.log.some(({ bytes }) => bytes[0] === FRAME.update));
  await settle(200);
  assert.ok(hub.log.some(({ bytes }) => bytes[0] === FRAME.update));
});

test('what was typed without a connection arrives, once', async () => {
  const { add, settle, editors } = world();
  const [a, b, c] = [add(), add(), add()] as const;
  connect(a, b, c);
  a.text.insert(0, '.');
  await settle();
  drop(b);
  b.text.insert(0, 'b');
  a.text.insert(1, 'a');
  await settle(500);
  connect(b);
  await settle();
  assert.equal(new Set(texts(editors)).size, 1);
  assert.equal(a.text.toString().split('').sort().join(''), '.ab');
});

test('a deletion made without a connection arrives', async () => {
  const { add, settle, editors } = world();
  const [a, b] = [add(), add()] as const;
  connect(a, b);
  a.text.insert(0, 'abc');
  await settle();
  drop(b);
  b.text.delete(1, 1);
  connect(b);
  await settle();
  assert.deepEqual(texts(editors), ['ac', 'ac']);
});

test('frames lost on the way are made up for', async () => {
  const { add, settle, editors, hub } = world();
  const [a, b] = [add(), add()] as const;
  connect(a, b);
  await settle();
  hub.lose = 1;
  a.text.insert(0, 'lost');
  await settle(100);
  assert.equal(b.text.toString(), '');
  drop(a);
  connect(a);
  await settle();
  assert.deepEqual(texts(editors), ['lost', 'lost']);
});

test('a quiet room mends itself', async () => {
  const { add, settle, editors, hub } = world();
  const [a, b] = [add(), add()] as const;
  connect(a, b);
  await settle();
  hub.lose = 1;
  a.text.insert(0, 'lost');
  await settle(65_000);
  assert.deepEqual(texts(editors), ['lost', 'lost']);
});

test('eight that come back at once cost a few answers', async () => {
  const { add, settle, editors, hub } = world();
  const all = Array.from({ length: 8 }, () => add());
  connect(...all);
  all[0]?.text.insert(0, 'shared');
  await settle();
  drop(...all);
  all.forEach(({ text }, i) => text.insert(0, `${i}`));
  hub.log.length = 0;
  connect(...all);
  await settle(5000);
  assert.equal(new Set(texts(editors)).size, 1);
  const answers = hub.log.filter(({ bytes }) => bytes[0] === FRAME.step2).length;
  assert.ok(answers <= 8, `${answers} answers`);
});

test('a quiet room of eight asks once or twice a minute', async () => {
  const { add, settle, hub } = world();
  connect(...Array.from({ length: 8 }, () => add()));
  await settle(3000);
  hub.log.length = 0;
  await settle(60_000);
  const asked = hub.log.filter(({ bytes }) => bytes[0] === FRAME.step1).length;
  const answered = hub.log.filter(({ bytes }) => bytes[0] === FRAME.step2).length;
  assert.ok(asked >= 1 && asked <= 3, `${asked} questions`);
  assert.ok(answered <= 2 * asked, `${answered} answers`);
});

test('a large document comes in pieces', async () => {
  const { add, settle, hub } = world();
  const a = add();
  connect(a);
  a.text.insert(0, 'x'.repeat(1_000_000));
  await settle();
  const b = add();
  connect(b);
  await settle(800);
  a.text.insert(0, 'typed meanwhile');
  await settle(3000);
  assert.equal(b.text.length, 1_000_015);
  assert.ok(hub.log.every(({ bytes }) => bytes.length < 70_000));
});

test('one over the limit ends the room and loses nothing', async () => {
  const { add, settle } = world();
  const a = add(10_000);
  connect(a);
  await settle();
  a.text.insert(0, 'x'.repeat(20_000));
  assert.deepEqual(a.troubles, ['document-size-limit-exceeded']);
  a.text.insert(0, 'on');
  assert.equal(a.text.length, 20_002);
});

test('cursors are seen, and gone when their editor is', async () => {
  const { add, settle } = world();
  const [a, b] = [add(), add()] as const;
  connect(a, b);
  await settle();
  assert.deepEqual(a.awareness.getStates().get(b.doc.clientID), { who: 1 });
  b.awareness.setLocalState({ who: 'b' });
  await settle(100);
  assert.deepEqual(a.awareness.getStates().get(b.doc.clientID), { who: 'b' });
  b.room.destroy();
  await settle(50);
  assert.equal(a.awareness.getStates().has(b.doc.clientID), false);
});

test('sealed: the wire holds no word, and no other room can open it', async () => {
  const key = (byte: number): Cipher =>
    createCipher(new Uint8Array(32).fill(byte), globalThis.crypto as Crypto);
  const { add, settle, editors, hub } = world(key(1));
  const [a] = [add(), add()] as const;
  connect(...editors);
  await settle();
  a.text.insert(0, 'a secret sentence');
  await settle(100);
  assert.equal(editors[1]?.text.toString(), 'a secret sentence');
  for (const { bytes } of hub.log) {
    assert.equal(bytes[0], 0x80);
    assert.ok(!Buffer.from(bytes).includes('secret'));
  }
  const frame = hub.log.at(-1)?.bytes as Uint8Array;
  assert.ok(await key(1).open(CHANNEL, frame));
  assert.equal(await key(1).open(`${CHANNEL}2`, frame), undefined);
  assert.equal(await key(2).open(CHANNEL, frame), undefined);
  assert.equal(await PLAIN.open(CHANNEL, frame), undefined);
  assert.equal(await key(1).open(CHANNEL, Uint8Array.of(3, 0, 0)), undefined);
});

test('rubbish is left alone', async () => {
  const { add, settle, editors } = world();
  const [a, b] = [add(), add()] as const;
  connect(a, b);
  await settle();
  for (const bytes of [[], [0], [1], [1, 255], [2, 9, 9], [3, 1, 1, 1], [4, 5], [5, 1], [9, 9]]) {
    a.room.take(Uint8Array.from(bytes));
  }
  await settle(100);
  b.text.insert(0, 'still');
  await settle(100);
  assert.deepEqual(texts(editors), ['still', 'still']);
});

for (const seed of [1, 2, 3, 4, 5, 6, 7, 8]) {
  test(`five editors, breaks and losses, seed ${seed}`, async () => {
    const { add, settle, editors, hub, clock } = world(PLAIN, seed);
    const all = Array.from({ length: 5 }, () => add());
    connect(...all);
    await settle();
    const typed: string[] = [];
    for (let i = 0; i < 120; i++) {
      const who = all[Math.floor(clock.random() * all.length)] as Editor;
      const dice = clock.random();
      if (dice < 0.08) {
        drop(who);
        hub.lose += 1;
      } else if (dice < 0.2) {
        drop(who);
        connect(who);
      } else if (dice < 0.3 && who.text.length > 20) {
        who.text.delete(Math.floor(clock.random() * 10), 1);
      } else {
        const mark = `<${i}>`;
        typed.push(mark);
        who.text.insert(Math.floor(clock.random() * (who.text.length + 1)), mark);
      }
      await settle(30);
    }
    hub.lose = 0;
    drop(...all);
    connect(...all);
    await settle(4000);
    assert.equal(new Set(texts(editors)).size, 1);
    const oracle = new Y.Doc();
    for (const { doc } of all) {
      Y.applyUpdate(oracle, Y.encodeStateAsUpdate(doc));
    }
    assert.equal(oracle.getText('t').toString(), all[0]?.text.toString());
    assert.ok(typed.length > 50);
  });
}

test('a fast typist sends fewer frames than keys, the first at once', async () => {
  const { hub, add, settle } = world();
  const [a, b] = [add(), add()];
  connect(a, b);
  await settle();
  const from = hub.log.length;
  const updates = () =>
    hub.log.slice(from).filter(({ bytes }) => bytes[0] === FRAME.update).length;
  a.text.insert(0, 'x');
  await a.room.idle();
  assert.equal(updates(), 1);
  for (let i = 0; i < 100; i++) {
    a.text.insert(0, 'x');
    await settle(10);
  }
  await settle(200);
  assert.equal(b.text.length, 101);
  assert.ok(updates() <= 20, `${updates()} frames`);
});

test('what the connection did not take is made up for', async () => {
  const { add, settle } = world();
  const [a, b] = [add(), add()];
  connect(a, b);
  await settle();
  const { send } = a.wire;
  a.wire.send = () => false;
  a.text.insert(0, 'lost');
  await settle(100);
  a.wire.send = send;
  assert.equal(b.text.toString(), '');
  await settle(2000);
  assert.equal(b.text.toString(), 'lost');
});

test('a cursor that the connection did not take is sent again', async () => {
  const { add, settle } = world();
  const [a, b] = [add(), add()] as const;
  connect(a, b);
  await settle();
  const { send } = a.wire;
  a.wire.send = () => false;
  a.awareness.setLocalState({ who: 'moved' });
  await settle(200);
  a.wire.send = send;
  await settle(2000);
  assert.deepEqual(b.awareness.getStates().get(a.doc.clientID), { who: 'moved' });
});

test('what is large and repeated is sent once more, and not once for each time', async () => {
  const { add, settle, hub } = world();
  const a = add();
  connect(a);
  a.text.insert(0, 'x'.repeat(600_000));
  await settle(1500);
  for (let i = 0; i < 10; i++) {
    a.room.resync();
    await settle(50);
  }
  await settle(20_000);
  const pieces = hub.log.filter(({ bytes }) => bytes[0] === FRAME.piece).length;
  assert.ok(pieces <= 20, `${pieces} pieces`);
});

test('whatever breaks, in the end all have everything', async () => {
  for (let seed = 1; seed <= 60; seed++) {
    const { clock, hub, add, settle } = world(PLAIN, seed);
    const all = Array.from({ length: 2 + Math.floor(clock.random() * 4) }, () => add());
    const up = new Set<Editor>();
    const words: string[] = [];
    for (let step = 0; step < 60; step++) {
      const one = all[Math.floor(clock.random() * all.length)]!;
      const dice = clock.random();
      if (dice < 0.2 && !up.has(one)) {
        connect(one);
        up.add(one);
      } else if (dice < 0.35 && up.has(one)) {
        drop(one);
        up.delete(one);
      } else if (dice < 0.42) {
        hub.lose = Math.floor(clock.random() * 4);
        one.room.resync();
      } else if (dice < 0.5) {
        const { send } = one.wire;
        one.wire.send = () => false;
        one.text.insert(0, 'r');
        await settle(20);
        one.wire.send = send;
      } else if (dice < 0.6 && one.text.length > 3) {
        one.text.delete(0, 1);
      } else if (dice < 0.64) {
        one.text.insert(one.text.length, 'L'.repeat(200_000));
      } else {
        const word = `<${step}>`;
        words.push(word);
        one.text.insert(one.text.length, word);
      }
      await settle(10 + 10 * Math.floor(clock.random() * 30));
    }
    hub.lose = 0;
    connect(...all.filter((one) => !up.has(one)));
    await settle(90_000);
    const [first, ...others] = all.map(({ text }) => text.toString());
    for (const other of others) {
      assert.ok(other === first, `seed ${seed}: they differ`);
    }
    for (const word of words.filter((one) => first!.includes(one))) {
      assert.equal(first!.split(word).length, 2, `seed ${seed}: ${word} once`);
    }
    for (const { room } of all) {
      room.destroy();
    }
  }
});
