/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One types, the other reads, by each way through. A machine that does other
 * things besides shows only that nothing is lost; WSK_LONG=1 holds to the times.
 */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { demo, is, log, note, ok, proxy, run, until, wp } from './lib.mjs';
import { connectedAt, faultsBut, isIn, newPost, openAs, paragraphs, pause, peerOf, start, user } from './together-parts.mjs';

const LONG = process.env.WSK_LONG === '1';
const KEYS = LONG ? 200 : 25;
const QUIET_MS = LONG ? 120000 : 3000;
const APART_MS = 110;
const PLUGIN = join(demo.WORDPRESS_PATH, 'wp-content/mu-plugins/typing.php');

/** Notes when a page's first paragraph grows, by one clock for both. */
const watch = ({ page }) => page.evaluate(() => {
  const { select, subscribe } = window.wp.data;
  window.grown = [];
  subscribe(() => {
    const { length } = String(select('core/block-editor').getBlocks()[0]?.attributes.content ?? '');
    while (window.grown.length < length) window.grown.push(performance.timeOrigin + performance.now());
  });
});

/** Puts the caret into the first paragraph. */
async function enter({ page }) {
  await page.evaluate(() => {
    const { dispatch, select } = window.wp.data;
    dispatch('core/block-editor').selectBlock(select('core/block-editor').getBlocks()[0].clientId, -1);
  });
  return until(() => page.evaluate(() => {
    const canvas = document.querySelector('iframe[name="editor-canvas"]')?.contentDocument ?? document;
    return !!canvas.activeElement?.closest?.('[data-block]');
  }), 15000);
}

const at = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];

async function through(browser, { name, transport, median, slowest }) {
  const post = newPost(`Typing by ${name}`, '<!-- wp:paragraph --><p>x</p><!-- /wp:paragraph -->');
  const people = [
    { ...await openAs(browser, demo.WORDPRESS_ADMIN, post, demo.WORDPRESS_PASSWORD), name: 'admin' },
    await openAs(browser, user('reader', 'editor'), post),
  ];
  const [typist, reader] = people;
  try {
    for (const person of people) {
      ok(await isIn(person, post), `${name}: ${person.name} is in the room`);
      is(await person.page.evaluate(() => window.wordsocketCollaboration.client.state.transport), transport, `by ${transport}`);
    }
    await pause(1500);
    for (const person of people) await watch(person);
    ok(await enter(typist), 'the caret is there');
    for (let i = 0; i < KEYS; i++) {
      await typist.page.keyboard.type(String(i % 10));
      await pause(APART_MS);
    }
    const [typed] = await paragraphs(typist);
    ok(await until(async () => (await paragraphs(reader))[0] === typed && typed.length === KEYS + 1, 10000), `${name}: all of it arrives`);
    const [from, to] = await Promise.all(people.map(({ page }) => page.evaluate(() => window.grown)));
    const took = from.map((when, i) => to[i] - when).slice(1).sort((a, b) => a - b);
    note(`${name}: keystroke to the other editor, p50 ${at(took, 0.5).toFixed(1)} ms, p99 ${at(took, 0.99).toFixed(1)} ms, of ${took.length}`);
    if (LONG) {
      ok(at(took, 0.5) < median, `${name}: p50 under ${median} ms`);
      ok(at(took, 0.99) < slowest, `${name}: p99 under ${slowest} ms`);
    }
    const witness = await peerOf(typist, post);
    is(await until(() => witness.blocks()[0]?.attributes.content === typed && typed), typed, `${name}: and a member of another make has it`);
    witness.close();
    await quiet(name, people);
    is(faultsBut(people, /ERR_|Failed to load resource|WebSocket connection/), [], `${name}: no page complains`);
  } finally {
    await Promise.all(people.map((person) => person.close()));
  }
}

/** While nobody writes, PHP is asked for nothing but what WordPress itself asks. */
async function quiet(name, people) {
  const asked = [];
  for (const { page } of people) {
    page.on('request', (one) => {
      if (/wp-json|rest_route|admin-ajax|\.php/.test(one.url())) {
        const { pathname } = new URL(one.url());
        const action = /(?:^|&)action=([\w-]+)/.exec(one.postData() ?? '')?.[1] ?? '';
        asked.push(`${one.method()} ${pathname} ${action}`.trim());
      }
    });
  }
  await pause(QUIET_MS);
  const others = asked.filter((one) => !/\/token$|admin-ajax\.php heartbeat$|\/autosaves$/.test(one));
  note(`${name}: of PHP in ${QUIET_MS / 1000} s of quiet, two editors: ${asked.length ? asked.join(', ') : 'nothing'}`);
  is(others, [], `${name}: nothing but tokens and WordPress's own`);
}

/** The way for sockets is closed in the middle of a session, and opened again. */
async function meanwhile(browser, way) {
  const post = newPost('On the way', '<!-- wp:paragraph --><p>x</p><!-- /wp:paragraph -->');
  const context = await browser.newContext({ proxy: { server: way.url, bypass: '<-loopback>' } });
  const traveller = { ...await openAs({ newContext: () => context }, demo.WORDPRESS_ADMIN, post, demo.WORDPRESS_PASSWORD), name: 'admin' };
  const reader = await openAs(browser, user('reader', 'editor'), post);
  const transport = (wanted) => until(() => traveller.page.evaluate((name) => {
    const { client } = window.wordsocketCollaboration;
    return client.state.transport === name && client.status.canPublishBinary;
  }, wanted), 30000);
  const writes = async (from, to, content) => {
    await from.page.evaluate((text) => window.wp.data.dispatch('core/block-editor').insertBlock(window.wp.blocks.createBlock('core/paragraph', { content: text }), undefined, '', false), content);
    return until(async () => (await paragraphs(to)).includes(content), 10000);
  };
  try {
    ok(await isIn(reader, post) && await transport('ws'), 'on the way: connected by WebSocket');
    way.allow(false);
    ok(await writes(traveller, reader, 'while it changes'), 'the way is closed to sockets, and what is written then arrives');
    ok(await transport('sse'), 'the editor goes on by an event stream');
    ok(await writes(reader, traveller, 'to the stream') && await writes(traveller, reader, 'from the stream'), 'both ways');
    way.allow(true);
    await traveller.page.evaluate(() => window.wordsocketCollaboration.client.renew());
    ok(await transport('ws'), 'the way is open again: with the next token it is back on the socket');
    ok(await writes(reader, traveller, 'to the socket') && await writes(traveller, reader, 'from the socket'), 'both ways');
    is(await paragraphs(traveller), await paragraphs(reader), 'and both show the same');
  } finally {
    await traveller.close();
    await reader.close();
  }
}

run(async (atEnd) => {
  atEnd(() => rmSync(PLUGIN, { force: true }));
  const browser = await start(atEnd);

  await through(browser, { name: 'WebSocket', transport: 'ws', median: 40, slowest: 200 });

  const way = await proxy({ tunnels: true });
  atEnd(() => way.close());
  await meanwhile(browser, way);

  writeFileSync(PLUGIN, "<?php\nadd_filter( 'wpsignal_force_sse', '__return_true' );\n", { mode: 0o644 });
  await through(browser, { name: 'an event stream', transport: 'sse', median: 150, slowest: 1000 });

  writeFileSync(PLUGIN, connectedAt(`'${process.env.FRONT}'`), { mode: 0o644 });
  await through(browser, { name: 'a front with HTTP/1.0', transport: 'sse', median: 150, slowest: 1000 });
  ok(!/PHP (?:Fatal|Parse|Warning|Notice)/.test(log('php.log')), 'PHP has nothing to complain of');
});
