/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rooms of a real WordPress: who may not edit a post neither reads nor writes
 * its room, whatever token he shows; somebody whose right is taken away is out
 * at the next refresh; the relay sees no word of what is sealed; and in the
 * clear a member that was written from the wire document alone takes part.
 */
import { createHash, createHmac } from 'node:crypto';
import { closeSync, openSync, readFileSync, readSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as Y from 'yjs';
import { demo, is, log, note, ok, run, until, wp } from './lib.mjs';
import { askRooms, children, faultsBut, isIn, newPost, openAs, paragraphs, pause, peerOf, ROOM, start, user } from './together-parts.mjs';
import { Peer } from './yjs-peer.mjs';

const PLUGIN = join(demo.WORDPRESS_PATH, 'wp-content/mu-plugins/rooms.php');
const site = JSON.parse(readFileSync(demo.WORDSOCKET_SITE_FILE, 'utf8'));
const hash = (text) => createHash('sha256').update(text).digest('hex');
const SITE_ID = hash(`site:${site.site_key}`);
const CHANNEL = (post) => `site:${SITE_ID}:yjs:${ROOM(post)}`;

/** A token of our own making. */
function forged(claims, secret = site.jwt_secret) {
  const now = Math.floor(Date.now() / 1000);
  const parts = [{ alg: 'HS256', typ: 'JWT' }, {
    v: 3, tenant_id: hash(`tenant:${site.site_key}`), site_id: SITE_ID, user_id: '77',
    allowed_channel_prefixes: [], allowed_publish_prefixes: [], iat: now, exp: now + 300, ...claims,
  }].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  return `${parts}.${createHmac('sha256', secret).update(parts).digest('base64url')}`;
}

/** Posts with these very IDs, one a prefix of another. */
function posts(ids, author) {
  for (const id of ids) {
    wp('eval', `wp_delete_post( ${id}, true ); wp_insert_post( array( 'import_id' => ${id}, 'post_title' => 'Number ${id}', 'post_content' => '<!-- wp:paragraph --><p>Number ${id}</p><!-- /wp:paragraph -->', 'post_status' => 'publish', 'post_author' => ${author} ) );`);
  }
}

/**
 * What a token can do in a room: hear an editor there, and be heard by one. Nothing
 * is waited for that long, everything longer.
 */
async function tries(token, post, insider, patience = 400) {
  const intruder = new Peer({ url: demo.WORDSOCKET_URL, token, channel: CHANNEL(post) });
  const before = insider.frames.length;
  const entered = await intruder.connect();
  const heard = () => intruder.frames.some(({ name }) => name === CHANNEL(post));
  const got = () => insider.frames.slice(before).some(({ payload }) => payload.includes(`intruder in ${post}`));
  if (entered) {
    await Promise.race([intruder.answered, intruder.closed, pause(5000)]);
    intruder.raw(Buffer.from(`\x03intruder in ${post}`));
    insider.say(3, Y.encodeStateAsUpdate(new Y.Doc()));
    await until(() => heard() && got(), patience);
  }
  const found = { heard: heard(), wrote: got() };
  intruder.close();
  return found;
}

async function rights(browser, admin) {
  user('author', 'author');
  const author = Number(wp('user', 'get', 'author', '--field=ID'));
  const own = newPost('The author\'s own');
  wp('post', 'update', String(own), `--post_author=${author}`);
  const [other, longer] = [Number(`${own}2`), Number(`${own}23`)];
  posts([other, longer], 1);
  const person = await openAs(browser, 'author', own);
  const asked = [own, other, longer].map(ROOM);
  const { rooms, token } = await askRooms(person, asked);
  is(Object.keys(rooms), [ROOM(own)], `who may edit ${own} is let into its room, and not into those of ${other} and ${longer}`);
  const reader = await browser.newContext();
  user('subscriber', 'subscriber');
  const { logIn } = await import('./editor.mjs');
  await logIn(reader, 'subscriber', 'subscriber');
  const none = await askRooms({ context: reader }, asked);
  is([none.status, none.rooms], [200, {}], 'a subscriber into none');

  const insiders = new Map();
  for (const post of [own, other, longer]) insiders.set(post, await peerOf(admin, post));
  const room = { [`yjs:${ROOM(own)}`]: 'rw' };
  const wide = { allowed_channel_prefixes: [`site:${SITE_ID}:`, `site:${SITE_ID}:yjs:`, CHANNEL(own)], allowed_publish_prefixes: [`site:${SITE_ID}:`, CHANNEL(own)] };
  const tokens = {
    'WordPress\'s token of the author': token,
    'WordPress\'s token of the subscriber': none.token,
    'a token for that one room': forged({ rooms: room }),
    'a token with every prefix': forged({ ...wide, rooms: room }),
    'a token signed by somebody else': forged({ rooms: { [`yjs:${ROOM(other)}`]: 'rw', [`yjs:${ROOM(longer)}`]: 'rw' } }, 'x'.repeat(48)),
    'a token without a signature': `${forged({ rooms: { [`yjs:${ROOM(other)}`]: 'rw' } }).split('.').slice(0, 2).join('.')}.`,
    'a token of another site': forged({ site_id: hash('site:other'), rooms: { [`yjs:${ROOM(other)}`]: 'rw' } }),
    'a token that is over': forged({ iat: 1000, exp: 1300, rooms: { [`yjs:${ROOM(other)}`]: 'rw' } }),
    'no token': '',
  };
  for (const [name, shown] of Object.entries(tokens)) {
    for (const post of [other, longer]) {
      is(await tries(shown, post, insiders.get(post)), { heard: false, wrote: false }, `${name} does nothing in the room of ${post}`);
    }
  }
  is(await tries(token, own, insiders.get(own), 10000), { heard: true, wrote: true }, 'while in his own room he hears and is heard');
  is(await tries(forged({ rooms: { [`yjs:${ROOM(own)}`]: 'r' } }), own, insiders.get(own)), { heard: true, wrote: false }, 'a right to read is none to write');

  ok(await isIn(person, own), 'the author edits');
  wp('user', 'set-role', 'author', 'subscriber');
  await person.page.evaluate(() => window.wordsocketCollaboration.client.renew());
  ok(await until(() => person.page.evaluate(() => window.wordsocketCollaboration.client.subscriptions.length === 0), 5000), 'his right is taken away: at the next refresh he is out');
  const before = insiders.get(own).frames.length;
  await person.page.evaluate((channel) => window.wordsocketCollaboration.client.publishBinary(channel, Uint8Array.of(3, 1, 2, 3)), CHANNEL(own));
  await pause(300);
  is(insiders.get(own).frames.slice(before).filter(({ name }) => name === CHANNEL(own)).length, 0, 'and nothing he sends arrives');
  for (const insider of insiders.values()) insider.close();
  await person.close();
  await reader.close();
}

/** Whether the memory of httpd's children, the segment included, has these words. */
function inMemory(words) {
  const found = new Set();
  for (const pid of children()) {
    const memory = openSync(`/proc/${pid}/mem`, 'r');
    for (const line of readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n')) {
      const [, from, to, mode] = /^([0-9a-f]+)-([0-9a-f]+) (\S+)/.exec(line) ?? [];
      if (!mode?.startsWith('rw')) continue;
      const step = 8 << 20;
      for (let at = parseInt(from, 16); at < parseInt(to, 16); at += step) {
        const part = Buffer.alloc(Math.min(step + 64, parseInt(to, 16) - at));
        try {
          const read = readSync(memory, part, 0, part.length, at);
          for (const word of words) if (part.subarray(0, read).includes(word)) found.add(word);
        } catch { /* Mapped, and not there. */ }
      }
    }
    closeSync(memory);
  }
  return [...found].sort();
}

/** Everything that goes over the sockets of a page, as it goes. */
async function capture({ context, page }) {
  const session = await context.newCDPSession(page);
  const seen = [];
  await session.send('Network.enable');
  for (const way of ['Received', 'Sent']) {
    session.on(`Network.webSocketFrame${way}`, ({ response }) => seen.push(Buffer.from(response.payloadData, response.opcode === 2 ? 'base64' : 'utf8')));
  }
  return () => Buffer.concat(seen);
}

async function writes(person, words) {
  for (const word of words) {
    await person.page.evaluate((content) => {
      window.wp.data.dispatch('core/block-editor').insertBlock(window.wp.blocks.createBlock('core/paragraph', { content }), undefined, '', false);
    }, word);
    await pause(150);
  }
}

async function blindness(browser, admin, sealed) {
  const name = sealed ? 'sealed' : 'in the clear';
  const post = newPost(`Words ${name}`);
  const [one, other] = [await openAs(browser, demo.WORDPRESS_ADMIN, post, demo.WORDPRESS_PASSWORD), await openAs(browser, user('reader', 'editor'), post)];
  for (const person of [one, other]) ok(await isIn(person, post), `${name}: an editor is in the room`);
  const wire = await capture(one);
  const peer = await peerOf(admin, post);
  is(Boolean(peer.key), sealed, `${name}: WordPress hands out ${sealed ? 'a key' : 'no key'}`);
  const words = ['Zebrafinkenschwarm', 'Quastenflosserherz'].map((word) => `${word}${sealed ? 'S' : 'P'}`);
  await writes(one, [words[0]]);
  await writes(other, [words[1]]);
  const all = (shown) => words.every((word) => shown.includes(word));
  ok(await until(async () => all(await paragraphs(one)) && all(await paragraphs(other)), 8000), `${name}: both have what both wrote`);
  ok(await until(() => all(peer.blocks().map(({ attributes }) => attributes.content)), 5000), `${name}: and so has a member of another make`);
  is(words.filter((word) => wire().includes(word)), sealed ? [] : words, `${name}: on the wire ${sealed ? 'is no word of it' : 'are the words, so the search finds what is there'}`);
  if (process.getuid() === 0) {
    const found = inMemory(words);
    if (sealed) is(found, [], 'sealed: nor in the memory of httpd');
    else ok(found.length > 0, 'in the clear: in the memory of httpd, too');
  } else {
    note('the memory of httpd is not ours to read');
  }

  // What another make writes reaches the editors as well.
  const blocks = peer.doc.getMap('document').get('blocks');
  const made = new Y.Map();
  const text = new Y.Text();
  peer.doc.transact(() => {
    const like = blocks.get(blocks.length - 1);
    for (const [key, value] of like.entries()) {
      if (key === 'attributes') {
        const attributes = new Y.Map();
        for (const [name_, one_] of value.entries()) attributes.set(name_, name_ === 'content' ? text : one_);
        made.set(key, attributes);
      } else {
        made.set(key, key === 'clientId' ? crypto.randomUUID() : key === 'innerBlocks' ? new Y.Array() : value);
      }
    }
    text.insert(0, 'By another make');
    blocks.push([made]);
  });
  ok(await until(async () => (await paragraphs(one)).includes('By another make') && (await paragraphs(other)).includes('By another make'), 5000), `${name}: what another make writes is in both editors`);
  is(faultsBut([one, other], /Failed to load resource/), [], `${name}: no page complains`);
  peer.close();
  await one.close();
  await other.close();
}

run(async (atEnd) => {
  atEnd(() => rmSync(PLUGIN, { force: true }));
  const browser = await start(atEnd);
  const admin = await openAs(browser, demo.WORDPRESS_ADMIN, newPost('The administrator\'s'), demo.WORDPRESS_PASSWORD);
  await rights(browser, admin);
  await blindness(browser, admin, true);
  writeFileSync(PLUGIN, "<?php\nadd_filter( 'wordsocket_collaboration_sealed', '__return_false' );\n", { mode: 0o644 });
  await blindness(browser, admin, false);
  ok(!/PHP (?:Fatal|Parse|Warning|Notice)/.test(log('php.log')), 'PHP has nothing to complain of');
});
