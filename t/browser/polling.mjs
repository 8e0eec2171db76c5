/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Editing together as on WordPress 7.0: the editor's own polling runs, and the
 * page answers it from the socket. npm has no WordPress 7.0, so it is a 7.1 that
 * says to the plugin it were one; it has the same polling, which asks the same.
 * The polling of 7.0 itself runs in wordpress/test/unit/polling.test.ts.
 */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { save } from './editor.mjs';
import { demo, is, note, ok, run, until, wp } from './lib.mjs';
import { faultsBut, isIn, newPost, openAs, paragraphs, pause, start, user, Writer, written } from './together-parts.mjs';

const PLUGIN = join(demo.WORDPRESS_PATH, 'wp-content/mu-plugins/polling.php');
const ROUTE = /wp-sync\/v1\/updates/;
const SECONDS = 6;

/** The editor's scripts are those of 7.0 to the plugin, and to nobody else. */
const AS_7_0 = `<?php
add_action( 'enqueue_block_editor_assets', function () {
	$GLOBALS['real_version'] = $GLOBALS['wp_version'];
	$GLOBALS['wp_version']   = '7.0.4';
}, 1 );
add_action( 'enqueue_block_editor_assets', fn() => $GLOBALS['wp_version'] = $GLOBALS['real_version'], 99 );
`;

const kept = (shown) => shown.filter((text) => text !== 'The first.').sort();

async function enter(browser, post, name) {
  const asked = [];
  const watch = {
    take: (page) => page.on('request', (request) => {
      if (ROUTE.test(decodeURIComponent(request.url()))) asked.push(request.url());
    }),
  };
  const person = name === 'admin'
    ? await openAs(browser, demo.WORDPRESS_ADMIN, post, demo.WORDPRESS_PASSWORD, watch)
    : await openAs(browser, user(name, 'editor'), post, name, watch);
  return { ...person, name, asked };
}

const agree = (people) => until(async () => new Set((await Promise.all(people.map(paragraphs))).map(String)).size === 1, 15000);

/** Milliseconds from a block of one to its being shown to the other, a few times. */
async function latency(writer, other) {
  const took = [];
  for (let i = 0; i < 9; i++) {
    const begun = Date.now();
    await writer.insert();
    const mark = [...writer.mine.keys()].at(-1);
    if (!await until(async () => (await paragraphs(other)).includes(mark), 5000)) break;
    took.push(Date.now() - begun);
    await pause(50);
  }
  return took.sort((a, b) => a - b);
}

async function writeUntil(writers, people, end, trouble) {
  let turn = 0;
  while (Date.now() < end) {
    await writers[turn % writers.length].act();
    await trouble(turn);
    turn += 1;
    await pause(100);
  }
  return agree(people);
}

run(async (atEnd) => {
  writeFileSync(PLUGIN, AS_7_0);
  atEnd(() => rmSync(PLUGIN, { force: true }));
  const browser = await start(atEnd);
  const post = newPost('Polling');
  const people = [await enter(browser, post, 'admin')];
  ok(await isIn(people[0], post), 'one editor is in the room');
  const writers = [new Writer(people[0], 1, false)];
  await writers[0].insert();

  people.push(await enter(browser, post, 'ed1'));
  ok(await isIn(people[1], post), 'and another');
  writers.push(new Writer(people[1], 2, false));
  is([await agree(people), kept(await paragraphs(people[1]))], [true, ['admin-1:']], 'who comes later sees what is not saved');

  const took = await latency(writers[1], people[0]);
  is(took.length, 9, 'what one writes the other is shown');
  note(`ms from one to the other: ${took.join(' ')}`);

  const drop = ({ page }) => page.evaluate(() => window.wordsocketCollaboration.client.drop());
  const all = await writeUntil(writers, people, Date.now() + SECONDS * 1000, async (turn) => {
    if (turn % 8 === 4) await drop(people[(turn >> 3) % 2]);
    if (turn === 14) process.kill(Number(demo.HTTPD_PID), 'SIGUSR1');
  });
  ok(all, 'sockets were dropped and httpd reloaded, and both show the same');
  is(kept(await paragraphs(people[0])), written(writers), 'nothing is lost or doubled');

  people.push(await enter(browser, post, 'ed2'));
  ok(await isIn(people[2], post), 'a third comes');
  writers.push(new Writer(people[2], 3, false));
  ok(await agree(people), 'and is shown all of it');
  ok(await writeUntil(writers, people, Date.now() + 2000, async () => {}), 'three write, and all show the same');
  is(kept(await paragraphs(people[2])), written(writers), 'all of it, once');

  ok(!(await save(people[0].page, {})).failed, 'it is saved');
  const stored = wp('eval', `echo wp_json_encode( array_values( array_map( fn( $block ) => trim( wp_strip_all_tags( $block['innerHTML'] ), "\\n" ), array_filter( parse_blocks( get_post( ${post} )->post_content ), fn( $block ) => $block['blockName'] ) ) ) );`);
  is(JSON.parse(stored), await paragraphs(people[0]), 'as they saw it');
  is(people.flatMap(({ asked }) => asked), [], 'nobody asked the server for what others wrote');
  is(await people[0].page.evaluate(() => [['sync.pollingManager.pollingInterval', 'wordsocket/pace'], ['sync.providers', 'wpsignal/yjs-provider']].map(([hook, ours]) => window.wp.hooks.hasFilter(hook, ours))), [true, false], 'though the polling is what runs');
  is(faultsBut(people, /WebSocket connection|Failed to load resource|ERR_/), [], 'no page complains');
});
