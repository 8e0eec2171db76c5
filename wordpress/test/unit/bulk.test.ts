/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is large, in pieces, as fast as it is taken. */

import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import * as Y from 'yjs';
import { Answers } from '../../src/collab/answers.js';
import { Bulk, confirmation } from '../../src/collab/bulk.js';
import { FRAME } from '../../src/collab/frames.js';
import { Incoming } from '../../src/collab/incoming.js';
import { Assembler, PIECE_BYTES } from '../../src/collab/pieces.js';
import { TestClock } from '../support/clock.js';

function world() {
  const clock = new TestClock();
  const sent: Uint8Array[] = [];
  let takes = true;
  const bulk = new Bulk(
    clock,
    (n) => Uint8Array.from({ length: n }, () => clock.random() * 256),
    async (piece) => {
      if (takes) {
        sent.push(piece);
      }
      return takes;
    },
  );
  const go = async (ms: number): Promise<void> => {
    for (let at = 0; at < ms; at += 10) {
      clock.go(10);
      await new Promise((wake) => setImmediate(wake));
    }
  };
  return { clock, bulk, sent, go, refuse: () => (takes = false) };
}

const frame = (pieces: number) =>
  Uint8Array.from({ length: pieces * PIECE_BYTES }, (_, i) => i % 251);

test('what nobody waits for goes at a pace', async () => {
  const { clock, bulk, sent, go } = world();
  bulk.push(frame(5), false);
  await go(500);
  assert.equal(sent.length, 3);
  await go(2000);
  assert.equal(sent.length, 5);
  const assembler = new Assembler(clock, 1 << 20);
  const parts = sent.map((piece) => assembler.take(piece.subarray(1)));
  assert.deepEqual(parts.at(-1)?.whole, frame(5));
  assert.deepEqual(
    parts.map((part) => part?.have),
    [1, 2, 3, 4, 5].map((n) => n * PIECE_BYTES),
  );
});

test('an answer waits for whoever takes it', async () => {
  const { bulk, sent, go } = world();
  bulk.push(frame(8), true);
  await go(2000);
  assert.equal(sent.length, 3);
  const name = sent[0]!.slice(1, 9);
  bulk.heard(confirmation(name, 2 * PIECE_BYTES).subarray(1));
  await go(500);
  assert.equal(sent.length, 5);
  bulk.heard(confirmation(name, PIECE_BYTES).subarray(1));
  await go(500);
  assert.equal(sent.length, 5, 'what is older says nothing');
  for (let n = 5; n <= 8; n++) {
    bulk.heard(confirmation(name, n * PIECE_BYTES).subarray(1));
    await go(300);
  }
  assert.equal(sent.length, 8);
});

test('where nobody takes it, the rest stays here, and the next one goes', async () => {
  const { bulk, sent, go } = world();
  bulk.push(frame(8), true);
  bulk.push(frame(2), false);
  await go(9000);
  assert.equal(sent.length, 3);
  await go(3000);
  assert.equal(sent.length, 5);
});

test('a connection that is gone takes everything along', async () => {
  const { bulk, sent, go, refuse } = world();
  bulk.push(frame(8), false);
  await go(250);
  bulk.stop();
  await go(3000);
  const before = sent.length;
  assert.ok(before < 4);
  bulk.push(frame(2), true);
  await go(500);
  assert.equal(sent.length, before + 2);
  refuse();
  bulk.push(frame(8), false);
  await go(3000);
  assert.equal(sent.length, before + 2);
});

test('rubbish confirms nothing', async () => {
  const { bulk, sent, go } = world();
  bulk.push(frame(8), true);
  await go(500);
  for (const data of [new Uint8Array(), new Uint8Array(12), new Uint8Array(13)]) {
    bulk.heard(data);
  }
  await go(500);
  assert.equal(sent.length, 3);
});

test('what is repeated takes the place of what waits, and lets go on what is under way', async () => {
  const { bulk, sent, go } = world();
  bulk.push(frame(4), false, true);
  await go(250);
  for (let i = 0; i < 5; i++) {
    bulk.push(frame(5 + (i % 2)), false, true);
    await go(50);
  }
  await go(10_000);
  const names = sent.map((piece) => piece.subarray(1, 9).join());
  assert.equal(names.filter((name) => name === names[0]).length, 4, 'the first went on');
  assert.equal(sent.length, 4 + 5, 'and the last of those that waited came after it');
});

test('nothing takes the place of what is no repetition', async () => {
  const { bulk, sent, go } = world();
  bulk.push(frame(2), false);
  bulk.push(frame(3), false);
  bulk.push(frame(4), false, true);
  await go(5000);
  assert.equal(sent.length, 9);
});

test('nobody has more than what was sent', async () => {
  const { bulk, sent, go } = world();
  bulk.push(frame(8), true);
  await go(500);
  const name = sent[0]!.slice(1, 9);
  for (const have of [0xffffffff, 8 * PIECE_BYTES, 3 * PIECE_BYTES + 1]) {
    bulk.heard(confirmation(name, have).subarray(1));
    await go(500);
    assert.equal(sent.length, 3, `${have}`);
  }
  bulk.heard(confirmation(name, 3 * PIECE_BYTES).subarray(1));
  await go(500);
  assert.equal(sent.length, 6);
});

test('answers that nobody takes do not pile up', async () => {
  const { bulk, sent, go } = world();
  const large = frame(100);
  for (let i = 0; i < 20; i++) {
    bulk.push(large, true);
  }
  // Two of them fit; each gives three pieces, and is given up after ten seconds.
  await go(60_000);
  assert.equal(sent.length, 6);
  bulk.push(large, true);
  await go(200);
  assert.equal(sent.length, 9);
});

/** A piece of a whole of that length. */
function piece(name: number, length: number, at: number, part: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(16 + part.length);
  bytes.fill(name, 0, 8);
  new DataView(bytes.buffer).setUint32(8, length);
  new DataView(bytes.buffer).setUint32(12, at);
  bytes.set(part, 16);
  return bytes;
}

test('what is only announced takes no memory', () => {
  const assembler = new Assembler(new TestClock(), 16 << 20);
  const before = process.memoryUsage().arrayBuffers;
  for (let name = 1; name <= 8; name++) {
    assert.equal(assembler.take(piece(name, 16 << 20, 0, Uint8Array.of(name)))?.have, 1);
  }
  assert.ok(process.memoryUsage().arrayBuffers - before < 8 << 20);
});

test('a whole in pieces of any length is what was sent', () => {
  const assembler = new Assembler(new TestClock(), 1 << 20);
  const whole = frame(5);
  for (let at = 0, n = 1; at < whole.length; at += n, n = (n * 7) % 50_021) {
    const part = whole.subarray(at, at + n);
    const got = assembler.take(piece(9, whole.length, at, part));
    assert.equal(got?.have, at + part.length);
    if (at + n >= whole.length) {
      assert.deepEqual(got?.whole, whole);
    }
  }
});

test('a piece of an answer is confirmed where there is something to confirm', () => {
  const clock = new TestClock();
  const said: Uint8Array[] = [];
  const incoming = new Incoming(clock, 1 << 20, (confirms) => said.push(confirms), () => {});
  incoming.asked();
  const answer = Uint8Array.from(frame(1), (byte, i) => (i === 0 ? FRAME.step2 : byte));
  for (let at = 0; at < answer.length; at += 64) {
    incoming.take(piece(9, answer.length, at, answer.subarray(at, at + 64)));
  }
  assert.equal(said.length, 2);
});

test('one who asks without end is answered four times a second', () => {
  const clock = new TestClock();
  let answers = 0;
  const asked = new Answers(Y, new Y.Doc(), clock, () => true, () => (answers += 1));
  for (let i = 0; i < 100; i++) {
    asked.ask(new Map());
    clock.go(30);
  }
  assert.ok(answers >= 10 && answers <= 13, String(answers));
});
