/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The polling of WordPress 7.0, its own code, over a socket in memory. */

import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { Badges } from '../../src/collab/badge.js';
import { encodeFrame, FRAME, type FrameType } from '../../src/collab/frames.js';
import { World } from '../support/page.js';
import { person, Site, START_S, STRANGER } from '../support/site.js';

const POST = ['postType/post', 12] as const;
const CHANNEL = 'c:postType/post:12';

/** Runs with pages that are closed in the end, come what may. */
const inWorld = (name: string, run: (world: World) => Promise<void>): void => {
  test(name, async () => {
    const world = new World();
    try {
      await run(world);
    } finally {
      await world.end();
    }
  });
};

inWorld('two who edit one post see what the other writes, and who the other is', async (world) => {
  const [a, b] = [world.page(), world.page()];
  const [one, two] = [await a.edit(...POST), await b.edit(...POST)];
  one.awareness.setLocalState({ who: 'a' });
  two.awareness.setLocalState({ who: 'b' });
  await world.go(1000);
  one.text.insert(0, 'from a ');
  two.text.insert(0, 'from b ');
  await world.go(500);
  assert.equal(one.text.toString(), two.text.toString());
  assert.match(one.text.toString(), /from a /);
  assert.match(one.text.toString(), /from b /);
  assert.deepEqual(one.awareness.getStates().get(two.doc.clientID), { who: 'b' });
  assert.deepEqual(two.awareness.getStates().get(one.doc.clientID), { who: 'a' });
  assert.deepEqual([...a.faults, ...b.faults], []);
  assert.deepEqual([a.refused, b.refused], [0, 0]);
});

/** How many frames of a kind went over the post's channel; they are plain. */
const count = (world: World, type: number): number =>
  world.hubs.get(CHANNEL)?.log.filter(({ bytes }) => bytes[0] === type).length ?? 0;

inWorld('who comes late gets all of it, from one of those who are there', async (world) => {
  const [a, b, c] = [world.page(), world.page(), world.page()];
  const [one, two] = [await a.edit(...POST), await b.edit(...POST)];
  await world.go(1000);
  one.text.insert(0, 'early ');
  await world.go(300);
  two.text.insert(0, 'later ');
  await world.go(2000);
  const before = count(world, FRAME.step2);
  const three = await c.edit(...POST);
  await world.go(2500);
  assert.equal(three.text.toString(), 'later early ');
  assert.equal(count(world, FRAME.step2) - before, 1);
  assert.equal(three.awareness.getStates().size, 3);
  three.text.insert(0, 'newest ');
  await world.go(500);
  assert.deepEqual([one, two].map(({ text }) => text.toString()), ['newest later early ', 'newest later early ']);
});

inWorld('one whose page is not seen answers late, so another one does', async (world) => {
  const [a, b, c] = [world.page(), world.page(), world.page()];
  const [one, two] = [await a.edit(...POST), await b.edit(...POST)];
  await world.go(1000);
  one.text.insert(0, 'text');
  await world.go(1000);
  const hidden = one.doc.clientID < two.doc.clientID ? a : b;
  hidden.see(false);
  await world.go(500);
  const before = count(world, FRAME.step2);
  const three = await c.edit(...POST);
  await world.go(3000);
  assert.equal(three.text.toString(), 'text');
  await world.go(30_000);
  assert.equal(count(world, FRAME.step2) - before, 1, 'and the hidden one has nothing to add');
  hidden.see(true);
  three.text.insert(4, ' more');
  await world.go(300);
  assert.equal((hidden === a ? one : two).text.toString(), 'text more');
});

for (const [name, ms, refused] of [['a short', 5000, false], ['a long', 20_000, true]] as const) {
  inWorld(`${name} break loses nothing that was written meanwhile, and doubles nothing`, async (world) => {
    const [a, b] = [world.page(), world.page()];
    const [one, two] = [await a.edit(...POST), await b.edit(...POST)];
    await world.go(1000);
    one.text.insert(0, '.');
    await world.go(500);
    b.link.down();
    await world.go(100);
    for (let i = 0; i < 5; i++) {
      one.text.insert(0, `a${i} `);
      two.text.insert(two.text.length, ` b${i}`);
      await world.go(ms / 5);
    }
    assert.equal(b.refused > 0, refused);
    assert.equal(b.statuses.includes('disconnected'), refused);
    b.link.up();
    await world.go(refused ? 32_000 : 2000);
    assert.equal(one.text.toString(), 'a4 a3 a2 a1 a0 . b0 b1 b2 b3 b4');
    assert.equal(two.text.toString(), one.text.toString());
    assert.equal(b.statuses.at(-1), 'connected');
    assert.deepEqual([...two.awareness.getStates().keys()].sort(), [one.doc.clientID, two.doc.clientID].sort());
  });
}

inWorld('what is larger than WordPress saves ends, and is not sent for ever', async (world) => {
  world.maxDocument = 20_000;
  const [a, b] = [world.page(), world.page()];
  const [one] = [await a.edit(...POST), await b.edit(...POST)];
  await world.go(1000);
  for (let i = 0; i < 7; i++) {
    one.text.insert(0, String(i).padEnd(3000, 'x'));
    await world.go(300);
  }
  assert.deepEqual([a.refused, b.refused], [0, 0], 'each is small');
  const c = await world.page().edit(...POST);
  await world.go(10_000);
  const told = [...a.grown, ...b.grown];
  assert.deepEqual(new Set(told), new Set(['postType/post:12']), 'whoever was to answer with all of it is told');
  assert.equal(a.refused + b.refused, told.length, 'and asked no more');
  assert.ok(c.awareness.getStates().size <= 3 - told.length, 'nor seen');
  await world.go(60_000);
  assert.deepEqual([...a.grown, ...b.grown], told, 'once');
  assert.equal(a.refused + b.refused, told.length);
});

inWorld('a relay that is gone is told, and the first poll after it is back is answered', async (world) => {
  const [a, b] = [world.page(), world.page()];
  const [one, two] = [await a.edit(...POST), await b.edit(...POST)];
  await world.go(1000);
  b.link.down(4);
  await world.go(20_000);
  assert.equal(b.refused, 5, 'the dialog is open');
  assert.equal(b.statuses.at(-1), 'disconnected');
  one.text.insert(0, 'meanwhile');
  two.text.insert(0, 'alone ');
  a.link.down();
  await world.go(40_000);
  a.close();
  assert.equal(b.statuses.at(-1), 'connecting');
  b.link.up();
  await world.go(100);
  assert.equal(b.statuses.at(-1), 'connected');
  assert.equal(two.awareness.getStates().size, 2, 'the other one may be there still');
  await world.go(25_000);
  assert.equal(two.awareness.getStates().size, 1, 'and has gone');
});

inWorld('frames that nobody got are made up for, whosever they were', async (world) => {
  const pages = [world.page(), world.page(), world.page()];
  const editors = [];
  for (const page of pages) {
    editors.push(await page.edit(...POST));
  }
  await world.go(3000);
  const hub = world.hubs.get(CHANNEL);
  assert.ok(hub);
  hub.lose = 1;
  editors[0]?.text.insert(0, 'x');
  await world.go(500);
  assert.equal(editors[1]?.text.toString(), '', 'it is lost');
  pages[2]?.link.lost();
  await world.go(2500);
  assert.deepEqual(editors.map(({ text }) => text.toString()), ['x', 'x', 'x'], 'whoever noticed asks');
  hub.lose = 1;
  editors[0]?.text.insert(1, 'y');
  await world.go(500);
  pages[0]?.link.lost();
  await world.go(2500);
  assert.deepEqual(editors.map(({ text }) => text.toString()), ['xy', 'xy', 'xy'], 'whoever sent it sends it again');
});

inWorld('what the connection does not take is sent again, once', async (world) => {
  const [a, b] = [world.page(), world.page()];
  const [one, two] = [await a.edit(...POST), await b.edit(...POST)];
  await world.go(1000);
  one.text.insert(0, 'first ');
  await world.go(500);
  a.link.refuses = 1;
  one.text.insert(6, 'second ');
  await world.go(100);
  one.text.insert(13, 'third');
  await world.go(3000);
  assert.equal(a.refused, 1);
  assert.equal(two.text.toString(), 'first second third');
});

inWorld('a page that is still connecting waits, and complains about nothing', async (world) => {
  const [a, b] = [world.page(), world.page()];
  b.link.down();
  const [one, two] = [await a.edit(...POST), await b.edit(...POST)];
  await world.go(500);
  one.text.insert(0, 'there');
  await world.go(2000);
  assert.equal(b.requests, 1);
  b.link.up();
  await world.go(2000);
  assert.equal(two.text.toString(), 'there');
  assert.deepEqual([b.refused, ...b.faults], [0]);
});

inWorld('a post that one may not edit any more is given up, and the rest goes on', async (world) => {
  const [a, b] = [world.page(), world.page()];
  const [one, two] = [await a.edit(...POST), await b.edit(...POST)];
  const [first, second] = [await a.edit('taxonomy/category', 3), await b.edit('taxonomy/category', 3)];
  await world.go(1500);
  b.link.closed.get('postType/post:12')?.();
  await world.go(1500);
  one.text.insert(0, 'unseen');
  first.text.insert(0, 'seen');
  await world.go(1000);
  assert.equal(two.text.toString(), '');
  assert.equal(second.text.toString(), 'seen');
  assert.equal(b.refused, 1);
  assert.ok(b.link.left.includes('postType/post:12'));
});

inWorld('a list that one may not share does not hinder the post; others share it', async (world) => {
  const [a, b, c] = [world.page(), world.page(), world.page()];
  c.link.entryOf = (room) => (room.includes(':') ? { channel: `c:${room}`, key: undefined } : undefined);
  const lists = [];
  const posts = [];
  for (const page of [a, b, c]) {
    // The list first: by it the editor tells whether it is alone.
    lists.push(await page.edit('root/comment', null));
    posts.push(await page.edit(...POST));
  }
  await world.go(2000);
  posts[0]?.text.insert(0, 'post');
  lists[0]?.text.insert(0, 'list');
  await world.go(1500);
  assert.deepEqual(posts.map(({ text }) => text.toString()), ['post', 'post', 'post']);
  assert.deepEqual(lists.map(({ text }) => text.toString()), ['list', 'list', '']);
  assert.deepEqual([a, b, c].map(({ refused }) => refused), [0, 0, 0]);
});

inWorld('what no document is kept for stays on its page', async (world) => {
  const isAlone = (room: string): boolean => room.startsWith('postType/thing:');
  const [a, b] = [world.page(isAlone), world.page(isAlone)];
  const [one, two] = [await a.edit('postType/thing', 1), await b.edit('postType/thing', 1)];
  await world.go(1000);
  one.text.insert(0, 'mine');
  await world.go(1000);
  assert.equal(two.text.toString(), '');
  assert.equal(a.link.sent, 0);
  assert.deepEqual([a.refused, b.refused], [0, 0]);
});

inWorld('who leaves is gone at once', async (world) => {
  const [a, b] = [world.page(), world.page()];
  const [one, two] = [await a.edit(...POST), await b.edit(...POST)];
  await world.go(1000);
  assert.equal(one.awareness.getStates().size, 2);
  b.close();
  await world.go(300);
  assert.deepEqual([...one.awareness.getStates().keys()], [one.doc.clientID]);
  assert.deepEqual(b.link.left, ['postType/post:12']);
  one.text.insert(0, 'alone');
  await world.go(300);
  assert.equal(two.text.toString(), '');
});

inWorld('who loads it anew at once is in it again', async (world) => {
  const [a, b] = [world.page(), world.page()];
  const one = await a.edit(...POST);
  await b.edit(...POST);
  await world.go(1000);
  one.text.insert(0, 'there');
  await world.go(500);
  b.close();
  const again = await b.edit(...POST);
  await world.go(2500);
  assert.equal(again.text.toString(), 'there');
  again.text.insert(0, 'still ');
  await world.go(500);
  assert.equal(one.text.toString(), 'still there');
  assert.equal(b.refused, 0);
});

inWorld('what is large goes in pieces, to who is there and to who comes', async (world) => {
  const [a, b, c] = [world.page(), world.page(), world.page()];
  const [one, two] = [await a.edit(...POST), await b.edit(...POST)];
  await world.go(1000);
  const large = Array.from({ length: 40_000 }, (_, i) => `word ${i} `).join('');
  one.text.insert(0, large);
  await world.go(4000);
  assert.equal(two.text.length, large.length);
  assert.ok(count(world, FRAME.piece) > 4);
  const three = await c.edit(...POST);
  await world.go(6000);
  assert.equal(three.text.toString(), large);
  assert.ok(count(world, FRAME.have) > 4, 'who waits for it confirms it');
});

/** A member that says what it likes. */
const stranger = (world: World): { say(type: FrameType, data: Uint8Array): void; heard: Uint8Array[] } => {
  const heard: Uint8Array[] = [];
  const seat = world.hubs.get(CHANNEL)!.join((bytes) => heard.push(bytes));
  seat.up();
  return { heard, say: (type, data) => void seat.send(encodeFrame(type, data)) };
};

inWorld('one who never stops asking is answered four times a second at most', async (world) => {
  const [a, b] = [world.page(), world.page()];
  const [one] = [await a.edit(...POST), await b.edit(...POST)];
  await world.go(1000);
  one.text.insert(0, 'text');
  await world.go(1000);
  const { say, heard } = stranger(world);
  const from = count(world, FRAME.step2);
  for (let i = 0; i < 150; i++) {
    // Each has something else, and says that it lost all.
    say(FRAME.step1, Uint8Array.of(1, i % 100, 1));
    say(FRAME.lost, new Uint8Array(0));
    await world.go(30);
  }
  const answers = count(world, FRAME.step2) - from;
  assert.ok(heard.length > 0 && answers > 4);
  // 4.5 s, two pages; and all that each has, every three.
  assert.ok(answers <= 2 * (4 * 4.5 + 1) + 4, String(answers));
});

inWorld('a question that no editor can read leaves what it is asked in order', async (world) => {
  const [a, b] = [world.page(), world.page()];
  const [one] = [await a.edit(...POST), await b.edit(...POST)];
  await world.go(1000);
  one.text.insert(0, 'text');
  await world.go(1000);
  const { say } = stranger(world);
  for (let i = 0; i < 20; i++) {
    say(FRAME.step1, Uint8Array.of(9, i));
    await world.go(100);
  }
  assert.deepEqual([...a.faults, ...b.faults], []);
  const from = count(world, FRAME.update);
  // It asks its own editor for all there is, which is no answer to anybody.
  a.link.lost();
  await world.go(1000);
  assert.equal(count(world, FRAME.update) - from, 1);
});

inWorld('who was not looking while too much came still says all it has', async (world) => {
  const [a, b] = [world.page(), world.page()];
  const [one, two] = [await a.edit(...POST), await b.edit(...POST)];
  await world.go(1000);
  a.see(false);
  await world.go(1000);
  const { say } = stranger(world);
  // Asked for all it has, and what asks it is thrown away with the rest.
  say(FRAME.lost, new Uint8Array(0));
  await world.go(100);
  for (let i = 0; i < 5; i++) {
    say(FRAME.update, new Uint8Array(4 * 1024 * 1024));
  }
  await world.go(100);
  world.hubs.get(CHANNEL)!.lose = 1;
  one.text.insert(0, 'text');
  a.see(true);
  await world.go(8000);
  assert.equal(two.text.toString(), 'text');
});

inWorld('sealed, the relay sees nothing, and a frame of another key is nothing', async (world) => {
  const key = (fill: number): Uint8Array<ArrayBuffer> => new Uint8Array(32).fill(fill);
  const [a, b, c] = [world.page(), world.page(), world.page()];
  for (const [page, fill] of [[a, 1], [b, 1], [c, 2]] as const) {
    page.link.entryOf = (room) => ({ channel: `c:${room}`, key: key(fill) });
  }
  const [one, two, three] = [await a.edit(...POST), await b.edit(...POST), await c.edit(...POST)];
  await world.go(1500);
  one.text.insert(0, 'secret');
  three.text.insert(0, 'other');
  await world.go(1000);
  assert.deepEqual([one, two, three].map(({ text }) => text.toString()), ['secret', 'secret', 'other']);
  assert.ok(world.hubs.get(CHANNEL)?.log.every(({ bytes }) => bytes[0] === 0x80));
});

inWorld('cursors have the name that WordPress vouches for, and none without', async (world) => {
  const site = await Site.make();
  const join = async (user: ReturnType<typeof person>, isKnown: boolean) => {
    const badges = new Badges(globalThis.crypto as Crypto, () => START_S * 1000, STRANGER);
    const key = (await badges.key()) as string;
    if (isKnown) {
      badges.take(await site.badge(user, key), site.issuer);
    }
    const page = world.page(() => false, badges);
    page.link.entryOf = (room) => ({ channel: `c:${room}`, key: new Uint8Array(32).fill(1) });
    const editor = await page.edit(...POST);
    editor.awareness.setLocalState({ collaboratorInfo: { name: 'The boss' }, at: user.id });
    return editor;
  };
  const [ann, bob] = [await join(person(1, 'Ann'), true), await join(person(2, 'Bob'), true)];
  const eve = await join(person(3, 'Eve'), false);
  await world.go(2000);
  const seen = ({ awareness }: typeof ann, of: typeof ann): unknown => {
    const { collaboratorInfo: info, at } = (awareness.getStates().get(of.doc.clientID) ?? {}) as { collaboratorInfo?: { name: string }; at?: number };
    return [info?.name, at];
  };
  assert.deepEqual(seen(ann, bob), ['Bob', 2]);
  assert.deepEqual(seen(bob, ann), ['Ann', 1]);
  assert.deepEqual(seen(ann, eve), [undefined, undefined], 'who shows no badge in a sealed room is not shown');
});

inWorld('any other request goes its way', async (world) => {
  const { polling } = world.page();
  const went = async (request: object): Promise<unknown> => polling.middleware(request, async () => 'server');
  assert.equal(await went({ path: '/wp/v2/posts' }), 'server');
  assert.equal(await went({ url: 'https://example.test/wp-sync/v1/updates' }), 'server');
  assert.equal(await went({ path: '/wp-sync/v1/save', data: { rooms: [] } }), 'server');
  assert.equal(await went({ path: '/wp-sync/v1/updates', body: 'no JSON' }), 'server');
  assert.deepEqual(await went({ path: '/wp-sync/v1/updates', data: { rooms: [] } }), { rooms: [] });
  assert.ok((await went({ path: 'wp-sync/v1/updates?_locale=user', body: '{"rooms":[]}', parse: false })) instanceof Response);
});

test('whatever breaks, in the end all have all of it once', async () => {
  for (let seed = 1; seed <= 5; seed++) {
    const world = new World(seed);
    const { clock } = world;
    const pages = [world.page(), world.page(), world.page()];
    const editors: Awaited<ReturnType<(typeof pages)[number]['edit']>>[] = [];
    for (const page of pages) {
      editors.push(await page.edit(...POST));
    }
    await world.go(1500);
    const marks: string[] = [];
    for (let step = 0; step < 60; step++) {
      const at = Math.floor(clock.random() * 3);
      const [page, editor] = [pages[at], editors[at]];
      assert.ok(page && editor);
      const dice = clock.random();
      if (dice < 0.6) {
        const mark = `<${seed}.${step}>`;
        marks.push(mark);
        // At the start or the end: no mark lands in another.
        editor.text.insert(clock.random() < 0.5 ? 0 : editor.text.length, mark);
      } else if (dice < 0.7) {
        page.link.down();
      } else if (dice < 0.85) {
        page.link.up();
      } else if (dice < 0.92) {
        page.link.refuses = 1 + Math.floor(clock.random() * 3);
      } else {
        page.see(clock.random() < 0.5);
      }
      await world.go(10 + Math.floor(clock.random() * 400));
    }
    for (const page of pages) {
      page.link.refuses = 0;
      page.link.up();
      page.see(true);
    }
    await world.go(40_000);
    const texts = editors.map(({ text }) => text.toString());
    assert.equal(texts[1], texts[0], `seed ${seed}`);
    assert.equal(texts[2], texts[0], `seed ${seed}`);
    assert.deepEqual((texts[0]?.match(/<[\d.]+>/g) ?? []).sort(), marks.sort(), `seed ${seed}`);
    await world.end();
  }
});
