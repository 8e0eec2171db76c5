/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Somebody opens a post in which others have written much that is not saved,
 * over a slow link: he sees how far it is, may write meanwhile, and in the end
 * has everything.
 */
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { logIn, openEditor } from './editor.mjs';
import { demo, faultsOf, is, note, ok, run, shoot, until, wp } from './lib.mjs';
import { connectedAt, isIn, newPost, openAs, paragraphs, pause, start, user } from './together-parts.mjs';

const LONG = process.env.WSK_LONG === '1';
const BLOCKS = LONG ? 80 : 10;
const BLOCK_BYTES = 65536;
const PLUGIN = join(demo.WORDPRESS_PATH, 'wp-content/mu-plugins/large.php');
const SPACE = `wsk${process.pid}`;

const relay = new URL(demo.WORDSOCKET_URL);

/** Passes bytes on, and holds no more of them than a socket does. */
const bridge = (to) => createServer((from) => {
  const onward = connect(to);
  from.on('error', () => onward.destroy());
  onward.on('error', () => from.destroy());
  from.pipe(onward).pipe(from);
});

const listening = (server, at) => new Promise((up) => server.listen(at, up));

/**
 * The relay once more, behind 1 Mbit/s for both ways. The link is the loopback
 * of a network namespace, and sockets with a name lead in and out: a browser
 * starts all it has under way anew when the machine gets another interface.
 */
async function slowLink(atEnd) {
  const folder = mkdtempSync(join(tmpdir(), 'wordsocket-link-'));
  atEnd(() => rmSync(folder, { recursive: true }));
  const [into, out] = [join(folder, 'in'), join(folder, 'out')];
  execFileSync('ip', ['netns', 'add', SPACE]);
  atEnd(() => execFileSync('ip', ['netns', 'del', SPACE]));
  const inside = (...args) => execFileSync('ip', ['netns', 'exec', SPACE, ...args]);
  inside('ip', 'link', 'set', 'lo', 'mtu', '1500', 'up');
  inside('tc', 'qdisc', 'add', 'dev', 'lo', 'root', 'tbf', 'rate', '1mbit', 'burst', '32kbit', 'latency', '400ms');
  const servers = [bridge({ path: into }), bridge({ host: relay.hostname, port: Number(relay.port) })];
  await listening(servers[0], { host: '127.0.0.1', port: 0 });
  await listening(servers[1], { path: out });
  const code = `const { connect, createServer } = require('node:net');
    const bridge = ${bridge};
    bridge({ path: ${JSON.stringify(out)} }).listen(9000, '127.0.0.1', () =>
      bridge({ host: '127.0.0.1', port: 9000 }).listen(${JSON.stringify(into)}, () => console.log('up')));`;
  const child = spawn('ip', ['netns', 'exec', SPACE, process.execPath, '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  atEnd(() => {
    child.kill();
    for (const server of servers) server.close();
  });
  await new Promise((up) => child.stdout.once('data', up));
  return `http://127.0.0.1:${servers[0].address().port}${relay.pathname}`;
}

run(async (atEnd) => {
  const slow = await slowLink(atEnd);
  writeFileSync(PLUGIN, connectedAt(`isset( $_COOKIE['slow'] ) ? '${slow}' : '${demo.WORDSOCKET_URL}'`), { mode: 0o644 });
  atEnd(() => rmSync(PLUGIN, { force: true }));
  const browser = await start(atEnd);

  const post = newPost('Large');
  const first = await openAs(browser, demo.WORDPRESS_ADMIN, post, demo.WORDPRESS_PASSWORD);
  ok(await isIn(first, post), 'an editor is in the room');
  await pause(1500);
  for (let i = 0; i < BLOCKS; i++) {
    await first.page.evaluate(([n, size]) => {
      let state = n + 1;
      let text = `${n}:`;
      while (text.length < size) {
        state = (state * 1103515245 + 12345) % 2147483648;
        text += state.toString(36);
      }
      window.wp.data.dispatch('core/block-editor').insertBlock(window.wp.blocks.createBlock('core/paragraph', { content: text.slice(0, size) }), undefined, '', false);
    }, [i, BLOCK_BYTES]);
  }
  const written = await paragraphs(first);
  is(written.length, BLOCKS + 1, `${BLOCKS} blocks of 64 KiB are written, and not saved`);
  // Until the first editor's own changes are on their way no more.
  await pause(BLOCKS * 450);

  user('far', 'editor');
  const context = await browser.newContext({ viewport: { width: 1000, height: 700 } });
  await context.addCookies([{ name: 'slow', value: '1', url: demo.WORDPRESS_URL }]);
  await logIn(context, 'far', 'far');
  const page = await context.newPage();
  const faults = faultsOf(page);
  await openEditor(page, post);
  const begun = Date.now();
  const far = { page };
  const shares = new Set();
  const look = async () => {
    const text = await page.locator('.components-snackbar').allInnerTexts().catch(() => []);
    for (const [, share] of text.join(' ').matchAll(/(\d+)%/g)) shares.add(Number(share));
    return shares.size >= 2;
  };
  // The editor itself comes over the same link.
  ok(await until(look, LONG ? 60000 : 20000), 'he sees how far it is');
  await shoot(page, 'large-progress');
  await page.evaluate(() => window.wp.data.dispatch('core/block-editor').insertBlock(window.wp.blocks.createBlock('core/paragraph', { content: 'Written meanwhile' }), 0, '', false));
  const all = async () => {
    await look();
    return (await page.evaluate(() => window.wp.data.select('core/block-editor').getBlockCount())) >= BLOCKS + 2;
  };
  ok(await until(all, LONG ? 180000 : 60000), 'he has all of it');
  const seconds = (Date.now() - begun) / 1000;
  note(`${BLOCKS * BLOCK_BYTES / 1048576} MiB over 1 Mbit/s in ${seconds.toFixed(1)} s; told of ${[...shares].sort((a, b) => a - b).join(', ')} %`);
  is((await paragraphs(far)).filter((text) => text !== 'Written meanwhile'), written, 'just as it was written');
  ok(await until(async () => (await paragraphs(first)).includes('Written meanwhile'), 20000), 'and what he wrote meanwhile is there, too');
  ok(await until(async () => (await page.locator('.components-snackbar').allInnerTexts()).every((text) => !/%/.test(text)), 5000), 'nothing says that it is still coming');
  is(await page.evaluate(() => window.wordsocketCollaboration.client.state.failures), 0, 'the connection held');
  is(faults.filter((fault) => !/ERR_|Failed to load|exceeded the quota/.test(fault)), [], 'the page has nothing to complain of');
});
