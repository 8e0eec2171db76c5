/* SPDX-License-Identifier: Apache-2.0 */
/* People who edit one post together, and what each of them did. */
import { readdirSync, readFileSync } from 'node:fs';
import { logIn, openEditor, SITE } from './editor.mjs';
import { demo, faultsOf, launch, note, until, wp } from './lib.mjs';
import { Peer } from './yjs-peer.mjs';

export const ROOM = (post) => `postType/post:${post}`;

/** A small generator, so that a seed is a script. */
export function randomOf(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** A browser, on a site that edits together until the end. */
export async function start(atEnd) {
  wp('option', 'update', 'wpsignal_yjs_provider_enabled', '1');
  atEnd(() => wp('option', 'delete', 'wpsignal_yjs_provider_enabled'));
  const browser = await launch();
  atEnd(() => browser.close());
  return browser;
}

/** PHP by which the site is connected at an address, itself in PHP. */
export function connectedAt(url) {
  const { site_key, publish_secret, jwt_secret } = JSON.parse(readFileSync(demo.WORDSOCKET_SITE_FILE, 'utf8'));
  return `<?php\ndefine( 'WORDSOCKET_URL', ${url} );\ndefine( 'WPSIGNAL_SITE_KEY', '${site_key}' );\ndefine( 'WPSIGNAL_SITE_SECRET', '${publish_secret}' );\ndefine( 'WPSIGNAL_JWT_SECRET', '${jwt_secret}' );\ndefine( 'WPSIGNAL_SIGNATURE', 2 );\n`;
}

export const pause = (ms) => new Promise((wake) => setTimeout(wake, ms));

/** A user with a role; the password is the name. */
export function user(name, role) {
  try {
    wp('user', 'create', name, `${name}@example.test`, `--role=${role}`, `--user_pass=${name}`);
  } catch {
    wp('user', 'set-role', name, role);
  }
  return name;
}

export function newPost(title, content = '<!-- wp:paragraph --><p>The first.</p><!-- /wp:paragraph -->', ...more) {
  return Number(wp('post', 'create', '--post_status=publish', `--post_title=${title}`, `--post_content=${content}`, '--porcelain', ...more));
}

/**
 * A transport that cannot fail, in the place of the plugin's: what the editor
 * itself does wrong it does with this one, too.
 */
export class Memory {
  /** With `waits` its creator resolves after the first sync, as it must not. */
  constructor({ waits = false } = {}) {
    this.waits = waits;
    this.pages = [];
    this.log = [];
  }

  async take(page) {
    const tell = { page, last: Promise.resolve() };
    await page.exposeFunction('memorySend', (room, update) => {
      this.log.push([room, update]);
      for (const other of this.pages) {
        if (other !== tell) this.give(other, room, update);
      }
    });
    await page.exposeFunction('memoryJoin', (room) => {
      for (const [of, update] of this.log) {
        if (of === room) this.give(tell, room, update);
      }
    });
    await page.route('**/assets/wpsignal-yjs.js*', (route) => route.fulfill({ contentType: 'text/javascript', body: `(${Memory.provider})(${this.waits});` }));
    this.pages.push(tell);
  }

  give(to, room, update) {
    to.last = to.last.then(() => to.page.evaluate(([of, data]) => window.memoryTake[of]?.(data), [room, update])).catch(() => {});
  }

  static provider = (waits) => {
    window.memoryTake = {};
    window.wp.hooks.addFilter('sync.providers', 'test/memory', () => [async ({ objectType, objectId, ydoc, Y }) => {
      const room = objectId === null ? objectType : `${objectType}:${objectId}`;
      const join = async () => {
        window.memoryTake[room] = (text) => Y.applyUpdate(ydoc, Uint8Array.from(atob(text), (char) => char.charCodeAt(0)), 'memory');
        await window.memoryJoin(room);
        const say = (bytes) => window.memorySend(room, btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join('')));
        say(Y.encodeStateAsUpdate(ydoc));
        ydoc.on('update', (update, origin) => {
          if (origin !== 'memory') say(update);
        });
      };
      if (waits) {
        await join();
        await new Promise((wake) => setTimeout(wake, 1000));
      } else {
        setTimeout(join, 0);
      }
      return { destroy() {}, on: (_event, hear) => hear({ status: 'connected' }) };
    }]);
  };
}

/** An editor of a post, in a browser of his own. */
export async function openAs(browser, name, post, password = name, memory = null) {
  const context = await browser.newContext({ viewport: { width: 1000, height: 700 } });
  if (!await logIn(context, name, password)) throw new Error(`${name} cannot log in`);
  const page = await context.newPage();
  await memory?.take(page);
  const faults = faultsOf(page);
  await openEditor(page, post);
  return { name, context, page, faults, close: () => context.close() };
}

/** Whether an editor is in the room of its post. */
export const isIn = ({ page }, post, ms = 20000) => until(() => page.evaluate((room) => {
  const client = window.wordsocketCollaboration?.client;
  return client?.state.connected && client.status.canPublishBinary && client.subscriptions.some((one) => one.endsWith(room));
}, ROOM(post)), ms);

/** The paragraphs an editor shows, in their order. */
export const paragraphs = ({ page }) => page.evaluate(() =>
  window.wp.data.select('core/block-editor').getBlocks().map(({ attributes }) => String(attributes.content ?? '')));

/** What WordPress tells a logged-in page of rooms. */
export async function askRooms({ context }, rooms) {
  const nonce = await (await context.request.get(`${SITE}/wp-admin/admin-ajax.php?action=rest-nonce`)).text();
  const answer = await context.request.post(`${SITE}/wp-json/wpsignal/v1/token`, { headers: { 'X-WP-Nonce': nonce }, data: { rooms } });
  return { status: answer.status(), ...await answer.json() };
}

/** A second implementation, in the room by this person's right. */
export async function peerOf(person, post, more = {}) {
  const { token, rooms } = await askRooms(person, [ROOM(post)]);
  const entry = rooms?.[ROOM(post)];
  if (!entry) return null;
  const peer = new Peer({ url: demo.WORDSOCKET_URL, token, ...entry, ...more });
  return await peer.connect() ? peer : null;
}

/** Children of httpd, now. */
export const children = () => readdirSync('/proc').filter((pid) => {
  try {
    return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')[1] === String(demo.HTTPD_PID);
  } catch {
    return false;
  }
}).map(Number);

/**
 * What one person does to his own blocks, by a script of random numbers, and
 * what of it must be there in the end: text by the mark it begins with.
 */
export class Writer {
  constructor(person, seed, byKeyboard) {
    this.person = person;
    this.byKeyboard = byKeyboard;
    this.random = randomOf(seed);
    this.mine = new Map();
    this.made = 0;
  }

  async act() {
    const dice = this.random();
    const marks = [...this.mine.keys()];
    const mark = marks[Math.floor(this.random() * marks.length)];
    if (!mark || (dice < 0.3 && marks.length < 8)) {
      await this.insert();
    } else if (dice < 0.9) {
      await this.type(mark);
    } else {
      await this.remove(mark);
    }
  }

  async insert() {
    const mark = `${this.person.name}-${++this.made}:`;
    await this.person.page.evaluate(([text, at]) => {
      const { dispatch, select } = window.wp.data;
      const index = Math.floor(at * (select('core/block-editor').getBlockCount() + 1));
      dispatch('core/block-editor').insertBlock(window.wp.blocks.createBlock('core/paragraph', { content: text }), index, '', false);
    }, [mark, this.random()]);
    this.mine.set(mark, mark);
  }

  /** At the end of one of his blocks. */
  async type(mark) {
    const word = ` w${Math.floor(this.random() * 1000)}`;
    if (await (this.byKeyboard ? this.press(mark, word) : this.append(mark, word))) {
      this.mine.set(mark, this.mine.get(mark) + word);
    }
  }

  append(mark, word) {
    return this.person.page.evaluate(([start, more]) => {
      const { dispatch, select } = window.wp.data;
      const block = select('core/block-editor').getBlocks().find(({ attributes }) => String(attributes.content).startsWith(start));
      if (!block) return false;
      dispatch('core/block-editor').updateBlockAttributes(block.clientId, { content: String(block.attributes.content) + more });
      return true;
    }, [mark, word]);
  }

  /** By the keyboard; a caret that the editor did not put there is no typing. */
  async press(mark, word) {
    const { page } = this.person;
    const found = await page.evaluate((start) => {
      const { dispatch, select } = window.wp.data;
      const block = select('core/block-editor').getBlocks().find(({ attributes }) => String(attributes.content).startsWith(start));
      if (block) dispatch('core/block-editor').selectBlock(block.clientId, -1);
      return block?.clientId;
    }, mark);
    const ready = found && await until(() => page.evaluate((id) => {
      const canvas = document.querySelector('iframe[name="editor-canvas"]')?.contentDocument ?? document;
      return canvas.activeElement?.closest?.('[data-block]')?.dataset.block === id;
    }, found), 1000);
    if (!ready) return false;
    await page.keyboard.press('End');
    await page.keyboard.type(word, { delay: 100 });
    return true;
  }

  async remove(mark) {
    await this.person.page.evaluate((start) => {
      const { dispatch, select } = window.wp.data;
      const block = select('core/block-editor').getBlocks().find(({ attributes }) => String(attributes.content).startsWith(start));
      if (block) dispatch('core/block-editor').removeBlock(block.clientId, false);
    }, mark);
    this.mine.delete(mark);
  }
}

/** Everything that must be there, of all of them, sorted. */
export const written = (writers) => writers.flatMap(({ mine }) => [...mine.values()]).sort();

/** Their faults, but for those of a network that was cut. */
export function faultsBut(people, allowed) {
  const all = people.flatMap(({ name, faults }) => faults.filter((fault) => !allowed.test(fault)).map((fault) => `${name}: ${fault}`));
  for (const fault of all) note(fault.slice(0, 300));
  return all;
}
