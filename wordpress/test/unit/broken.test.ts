/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sequences in which something was lost once, or kept for ever. */

import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import * as Y from 'yjs';
import { ChannelSet } from '../../../client/src/channel.js';
import { Answers } from '../../src/collab/answers.js';
import { Bulk, confirmation } from '../../src/collab/bulk.js';
import { PLAIN } from '../../src/collab/cipher.js';
import { encodeFrame, FRAME } from '../../src/collab/frames.js';
import { ClientLink, type RoomsClient } from '../../src/collab/link.js';
import { inPieces, PIECE_BYTES } from '../../src/collab/pieces.js';
import { createCreator } from '../../src/collab/provider.js';
import { Room } from '../../src/collab/room.js';
import { TestClock } from '../support/clock.js';
import { Hub } from '../support/hub.js';

const C = 'site:s:yjs:postType/post:1';
const macro = (): Promise<void> => new Promise((done) => setImmediate(done));

function world() {
  const clock = new TestClock(1);
  const hub = new Hub();
  const rooms: Room[] = [];
  const add = (cipher = PLAIN) => {
    const doc = new Y.Doc();
    const wire = hub.join((bytes) => room.take(bytes));
    const room: Room = new Room({
      Y, doc, channel: C, cipher, clock,
      randomBytes: (n) => Uint8Array.from({ length: n }, () => clock.random() * 256),
      send: (bytes) => wire.send(bytes),
      trouble: () => {},
    });
    rooms.push(room);
    return { doc, text: doc.getText('t'), room, wire };
  };
  const settle = async (ms: number) => {
    for (let at = 0; at < ms; at += 10) {
      clock.go(10);
      for (let i = 0; i < 4; i++) {
        await Promise.all(rooms.map((r) => r.idle().catch(() => {})));
        await macro();
        await hub.deliver();
      }
    }
  };
  const up = (e: ReturnType<typeof add>) => { e.wire.up(); e.room.opened(); };
  return { clock, hub, add, settle, up };
}

test('a gap while it waits for an answer does not send ours first', async () => {
  const { add, up, settle, hub } = world();
  const a = add();
  a.text.insert(0, 'mine');
  up(a);
  a.room.resync();
  await settle(500);
  assert.ok(!hub.log.some(({ bytes }) => bytes[0] === FRAME.update));
});

test('a send that throws once does not silence the room', async () => {
  const { add, up, settle } = world();
  const a = add(), b = add();
  up(a); up(b);
  await settle(2000);
  const { send } = a.wire;
  process.once('unhandledRejection', () => {});
  a.wire.send = () => { throw new Error('socket'); };
  a.text.insert(0, 'x');
  await settle(100);
  a.wire.send = send;
  a.text.insert(1, 'y');
  await settle(65_000);
  assert.equal(b.text.toString(), 'xy');
});

test('a transfer that replaced one broken off hears its confirmations', async () => {
  const clock = new TestClock();
  const sent: Uint8Array[] = [];
  const bulk = new Bulk(clock,
    (n) => Uint8Array.from({ length: n }, () => clock.random() * 256),
    async (piece) => { sent.push(piece); return true; });
  const go = async (ms: number) => { for (let i = 0; i < ms; i += 5) { clock.go(5); await macro(); } };
  const frame = (n: number) => new Uint8Array(n * PIECE_BYTES);
  bulk.push(frame(4), false);
  await macro();
  assert.equal(sent.length, 1);
  bulk.stop();
  bulk.push(frame(6), true);
  await go(230);
  const mine = () => sent.slice(1);
  assert.equal(mine().length, 3);
  bulk.heard(confirmation(mine()[0]!.slice(1, 9), 3 * PIECE_BYTES).subarray(1));
  await go(400);
  assert.equal(mine().length, 6);
});

test('an answer with a hole does not pass for a whole one', () => {
  const x = new Y.Doc(); x.clientID = 7;
  const steps: Uint8Array[] = [];
  x.on('update', (u: Uint8Array) => steps.push(u));
  for (const s of 'abcdef') x.getMap('m').set(s, s);
  const whole = new Y.Doc();
  const holed = new Y.Doc();
  steps.forEach((u, i) => { Y.applyUpdate(whole, u); if (i !== 2) Y.applyUpdate(holed, u); });
  const clock = new TestClock();
  const said: Uint8Array[] = [];
  const answers = new Answers(Y, whole, clock, () => false, (u) => said.push(u));
  answers.ask(new Map());
  answers.heard(Y.encodeStateAsUpdate(holed));
  clock.go(1000);
  assert.equal(said.length, 1);
});

class Fake {
  state = { connected: true, error: undefined, retryInMs: undefined, failures: 0, transport: 'ws' };
  status = { canPublishBinary: true };
  private readonly set = new ChannelSet();
  /** As the real client would have it subscribed. */
  get subs(): string[] { return this.set.list(); }
  out: Uint8Array[] = [];
  stopped = false;
  heard = new Map<string, Set<(...a: never[]) => void>>();
  constructor(private readonly mint: () => Promise<{ channels?: readonly string[] | undefined }>) {}
  on(name: string, l: (...a: never[]) => void) {
    const s = this.heard.get(name) ?? new Set(); this.heard.set(name, s.add(l)); return () => s.delete(l);
  }
  emit(name: string, ...a: unknown[]) { for (const l of this.heard.get(name) ?? []) l(...(a as never[])); }
  async token() { const g = await this.mint(); this.set.grant(g.channels ?? [], undefined); }
  start() { void this.token(); }
  renew() { void this.token(); }
  stop() { this.stopped = true; }
  unsubscribe(c: string[]) { this.set.remove(c); }
  subscribe(c: string[]) { this.set.add(c); }
  publishBinary(_c: string, bytes: Uint8Array) { if (this.stopped) return false; this.out.push(bytes); return true; }
}
function linked() {
  const clock = new TestClock();
  let fake!: Fake;
  const open = new Set(['a', 'b', 'postType/post:1', 'postType/post:2']);
  const link = new ClientLink({ baseUrl: 'https://e.test/w' },
    async (rooms) => ({
      token: 't',
      rooms: Object.fromEntries(rooms.filter((r) => open.has(r)).map((r) => [r, { channel: `c:${r}` }])),
    }),
    clock, () => {}, ({ mint }) => (fake = new Fake(mint!)) as unknown as RoomsClient);
  const turn = async () => { for (let i = 0; i < 6; i++) { clock.go(1); await macro(); } };
  const create = createCreator({ link, clock, crypto: globalThis.crypto as Crypto });
  const make = async (id = 1) => {
    const ydoc = new Y.Doc();
    return { ydoc, made: await create({ objectType: 'postType/post', objectId: id, ydoc, Y }) };
  };
  return { clock, fake, link, turn, make, open };
}

test('a room left between token and grant is not subscribed to for ever', async () => {
  const { clock, fake, link, turn } = linked();
  void link.enter('a', link);
  void link.enter('b', link);
  clock.go(0);
  await macro(); // the token is here, the grant is not
  assert.deepEqual([...fake.subs], ['c:a', 'c:b']);
  link.leave('a', link);
  await turn();
  assert.deepEqual([...fake.subs], ['c:b']);
});

test('a room that is left and entered again is subscribed to again', async () => {
  const { fake, turn, make } = linked();
  await make(2);
  const first = await make(1);
  await turn();
  assert.deepEqual([...fake.subs].sort(), ['c:postType/post:1', 'c:postType/post:2']);
  first.made.destroy();
  await turn();
  assert.deepEqual([...fake.subs], ['c:postType/post:2']);
  await make(1);
  await turn();
  assert.deepEqual([...fake.subs].sort(), ['c:postType/post:1', 'c:postType/post:2']);
});


test('the late end of an overtaken provider leaves its successor alone', async () => {
  for (const turnsBetween of [0, 1]) {
    const { fake, turn, make } = linked();
    const first = await make(1);
    await turn();
    const second = await make(1);
    if (turnsBetween) await turn();
    first.made.destroy();
    await turn();
    assert.equal(fake.stopped, false);
    assert.deepEqual([...fake.subs], ['c:postType/post:1']);
    const other = new Y.Doc();
    other.getText('t').insert(0, 'heard');
    fake.emit('binary', 'c:postType/post:1', encodeFrame(FRAME.update, Y.encodeStateAsUpdate(other)));
    await turn();
    assert.equal(second.ydoc.getText('t').toString(), 'heard');
    second.made.destroy();
    await turn();
    assert.deepEqual([...fake.subs], []);
    assert.equal(fake.stopped, true);
  }
});

test('a room may be closed for two providers, and both hear of it', async () => {
  const { fake, turn, make, open } = linked();
  const told: string[][] = [[], []];
  for (const i of [0, 1]) {
    const { made } = await make(1);
    made.on('status', ({ error }) => { if (error) told[i]!.push(error.code); });
    await turn();
  }
  open.delete('postType/post:1');
  fake.renew();
  await turn();
  assert.deepEqual(told, [['authentication-failed'], ['authentication-failed']]);
});

test('the last room says what was typed last, and that it leaves, before the client stops', async () => {
  const { clock, fake, turn, make } = linked();
  const { ydoc, made } = await make(1);
  await turn();
  clock.go(1000); // alone
  await turn();
  const other = new Y.Doc();
  ydoc.getText('t').insert(0, 'first');
  ydoc.getText('t').insert(5, ' last');
  made.destroy();
  await turn();
  for (const bytes of fake.out) {
    if (bytes[0] === FRAME.update) Y.applyUpdate(other, bytes.subarray(1));
  }
  assert.equal(other.getText('t').toString(), 'first last');
  assert.equal(fake.stopped, true);
});

test('a room that cannot say its last word leaves all the same', async () => {
  const { add, up, clock } = world();
  const a = add({ ...PLAIN, seal: () => new Promise(() => {}) });
  up(a);
  let gone = false;
  void a.room.destroy().then(() => { gone = true; });
  clock.go(1900);
  await macro();
  assert.equal(gone, false);
  clock.go(200);
  await macro();
  assert.equal(gone, true);
});

test('by a stream, what was said last has time to be posted', async () => {
  const { clock, fake, turn, make } = linked();
  fake.state = { ...fake.state, transport: 'sse' };
  const { made } = await make(1);
  await turn();
  made.destroy();
  await turn();
  assert.equal(fake.stopped, false);
  assert.deepEqual(fake.subs, ['c:postType/post:1']);
  clock.go(2000);
  await turn();
  assert.equal(fake.stopped, true);
  assert.deepEqual(fake.subs, []);
});

/** Frames of a whole in pieces, without their type. */
const piecesOf = (type: number, pieces: number, name: number): Uint8Array[] =>
  [...inPieces(encodeFrame(type as 2, new Uint8Array(pieces * PIECE_BYTES - 1)), () => new Uint8Array(8).fill(name))]
    .map((frame) => frame.subarray(1));

function answering() {
  const doc = new Y.Doc();
  doc.getText('t').insert(0, 'x');
  const clock = new TestClock();
  const said: Uint8Array[] = [];
  return { clock, said, answers: new Answers(Y, doc, clock, () => false, (u) => said.push(u)) };
}

test('large updates that pass by defer nobody\'s answer', () => {
  const { answers, clock, said } = answering();
  const [first, second] = piecesOf(FRAME.update, 2, 1);
  answers.ask(new Map());
  answers.heardPart(first!);
  answers.heardPart(second!);
  clock.go(300);
  assert.equal(said.length, 1);
});

test('an answer that began before the question does not answer it', () => {
  const { answers, clock, said } = answering();
  const [first, second, third] = piecesOf(FRAME.step2, 3, 1);
  answers.heardPart(first!);
  answers.ask(new Map());
  answers.heardPart(second!);
  answers.heardPart(third!);
  clock.go(300);
  assert.equal(said.length, 1);
});

test('an answer under way does not hold up who lacks more', () => {
  const { answers, clock, said } = answering();
  const pieces = piecesOf(FRAME.step2, 3, 1);
  answers.ask(new Map([[7, 5]]));
  answers.heardPart(pieces[0]!);
  clock.go(300);
  assert.equal(said.length, 0, 'it is waited for');
  answers.ask(new Map([[7, 9]]));
  answers.heardPart(pieces[1]!);
  clock.go(300);
  assert.equal(said.length, 0, 'also for one who lacks less');
  answers.ask(new Map());
  answers.heardPart(pieces[2]!);
  clock.go(300);
  assert.equal(said.length, 1);
});

test('an answer that breaks off is given by the next one', () => {
  const { answers, clock, said } = answering();
  answers.ask(new Map());
  answers.heardPart(piecesOf(FRAME.step2, 3, 1)[0]!);
  clock.go(3900);
  assert.equal(said.length, 0);
  clock.go(500);
  assert.equal(said.length, 1);
});

test('who waits for an answer is not held up by a large update of another', async () => {
  const { add, up, settle, hub } = world();
  const a = add(), b = add();
  up(a);
  a.text.insert(0, 'a');
  await settle(1500);
  const [first] = piecesOf(FRAME.update, 8, 1);
  up(b);
  b.text.insert(0, 'b');
  a.room.destroy();
  await settle(20);
  b.room.take(encodeFrame(FRAME.piece, first!));
  await settle(1200);
  assert.ok(hub.log.some(({ from, bytes }) => from === 1 && bytes[0] === FRAME.update));
});

test('a post that was closed for a while is shared again, with all that was typed', async () => {
  const { clock, fake, turn, make, open } = linked();
  const { ydoc, made } = await make(1);
  const told: string[] = [];
  made.on('status', ({ status, error }) => told.push(error?.code ?? status));
  await turn();
  clock.go(1000);
  await turn();
  open.delete('postType/post:1');
  fake.renew();
  await turn();
  assert.equal(told.at(-1), 'authentication-failed');
  fake.out.length = 0;
  ydoc.getText('t').insert(0, 'meanwhile');
  await turn();
  assert.equal(fake.out.length, 0);
  open.add('postType/post:1');
  fake.renew();
  await turn();
  assert.equal(told.at(-1), 'connected');
  assert.deepEqual(fake.subs, ['c:postType/post:1']);
  clock.go(1000);
  await turn();
  const other = new Y.Doc();
  for (const bytes of fake.out) {
    if (bytes[0] === FRAME.update) Y.applyUpdate(other, bytes.subarray(1));
  }
  assert.equal(other.getText('t').toString(), 'meanwhile');
  made.destroy();
  await turn();
  assert.equal(fake.stopped, true);
});
