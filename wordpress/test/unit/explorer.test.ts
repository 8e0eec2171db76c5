/* SPDX-License-Identifier: GPL-2.0-or-later */

import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import {
  canonical,
  channelsOf,
  EMPTY,
  type Log,
  matches,
  MOST,
  MOST_TEXT,
  NO_FILTER,
  parseData,
  reduce,
} from '../../src/explorer/log.js';
import { plot, roundUp, SPAN_MS, summaryOf } from '../../src/explorer/plot.js';
import { binary } from '../../src/explorer/raw.js';
import { clock, decode, rightsOf, timesOf } from '../../src/explorer/token.js';

const entry = (event: string, text = '{}') =>
  ({ kind: 'event', at: 0, channel: 'events', event, text }) as const;
const filled = (count: number, log: Log = EMPTY): Log => {
  let next = log;
  for (let i = 0; i < count; i++) {
    next = reduce(next, { type: 'add', entry: entry(`e${i}`) });
  }
  return next;
};

test('the log is newest first, bounded, and says what fell off', () => {
  const log = filled(MOST + 3);
  assert.equal(log.entries.length, MOST);
  assert.equal(log.entries[0]?.event, `e${MOST + 2}`);
  assert.equal(log.dropped, 3);
});

test('paused, what comes waits, and is all there after', () => {
  let log = filled(2);
  log = reduce(log, { type: 'pause' });
  log = filled(3, log);
  assert.equal(log.entries.length, 2);
  assert.equal(log.waiting.length, 3);
  log = reduce(log, { type: 'resume' });
  assert.deepEqual(
    log.entries.map(({ event }) => event),
    ['e2', 'e1', 'e0', 'e1', 'e0'],
  );
  assert.equal(new Set(log.entries.map(({ number }) => number)).size, 5);
});

test('cleared while paused, it stays paused', () => {
  const log = reduce(reduce(filled(2), { type: 'pause' }), { type: 'clear' });
  assert.equal(log.entries.length, 0);
  assert.equal(log.isPaused, true);
});

test('a huge text is cut', () => {
  const log = reduce(EMPTY, { type: 'add', entry: entry('e', 'x'.repeat(MOST_TEXT + 5)) });
  assert.equal(log.entries[0]?.text.length, MOST_TEXT + 1);
});

test('every field of the filter must be found, in any case', () => {
  const one = { ...entry('post.updated', '{"post_title":"Hello"}'), number: 1 };
  assert.ok(matches(one, NO_FILTER));
  assert.ok(matches(one, { channel: 'EVE', event: 'post', text: 'hello' }));
  assert.ok(!matches(one, { channel: '', event: 'comment', text: '' }));
  assert.ok(matches(one, { channel: '', event: '', text: 'updated' }));
});

test('channels and data as people type them', () => {
  assert.deepEqual(channelsOf(' a, b\nb  c,'), ['a', 'b', 'c']);
  assert.deepEqual(parseData(''), { data: {} });
  assert.deepEqual(parseData('{"a":1}'), { data: { a: 1 } });
  const problemOf = (typed: string): string => {
    const parsed = parseData(typed);
    return 'problem' in parsed ? parsed.problem : 'none';
  };
  assert.deepEqual(['[1]', 'null', '{a', '{}'].map(problemOf), ['shape', 'shape', 'syntax', 'none']);
  assert.equal(canonical({ b: [1, { d: 1, c: 2 }], a: 1 }), canonical({ a: 1, b: [1, { c: 2, d: 1 }] }));
});

const base64url = (json: object): string =>
  Buffer.from(JSON.stringify(json)).toString('base64url');

test('a token is read, and what is none is none', () => {
  const claims = { site_id: 's', iat: 1000, exp: 1300, user_id: 'ü' };
  const token = `${base64url({ alg: 'HS256' })}.${base64url(claims)}.sig`;
  assert.deepEqual(decode(token), { header: { alg: 'HS256' }, claims });
  for (const rubbish of ['', 'a.b', 'a.b.c', `${base64url({})}.!!.x`]) {
    assert.equal(decode(rubbish), undefined);
  }
});

test('how long it lasts, and when it is renewed', () => {
  const claims = { iat: 1000, exp: 1300 };
  assert.deepEqual(timesOf(claims, 1_000_000), { leftS: 300, refreshInS: 240, leftShare: 1 });
  assert.deepEqual(timesOf(claims, 1_400_000), { leftS: 0, refreshInS: 0, leftShare: 0 });
  assert.equal(timesOf({}, 5_000).leftS, 0);
  assert.equal(clock(247), '4:07');
});

test('rights of both lists, without the site, and of a careless filter', () => {
  assert.deepEqual(
    rightsOf({
      site_id: 's',
      allowed_channel_prefixes: { 0: 'site:s:', 3: 'site:s:woo:' },
      allowed_publish_prefixes: ['site:s:woo:', 'chat:', 7],
    }),
    [
      { prefix: '', read: true, write: false },
      { prefix: 'chat:', read: false, write: true },
      { prefix: 'woo:', read: true, write: true },
    ],
  );
});

const BOX = { width: 100, height: 100, left: 10, right: 10, top: 10, bottom: 10 };

test('the plot ends at now and reaches its longest', () => {
  const now = 1_000_000;
  const samples = [
    { at: now - SPAN_MS - 1, ms: 900 },
    { at: now - SPAN_MS, ms: 10 },
    { at: now, ms: 180 },
  ];
  const { points, most, ticks } = plot(samples, now, BOX);
  assert.equal(most, 200);
  assert.deepEqual(points.map(({ x }) => x), [10, 90]);
  assert.equal(points[0]?.y, 90 - (80 * 10) / 200);
  assert.deepEqual(ticks.map(({ ms }) => ms), [0, 100, 200]);
  assert.deepEqual([0, 9, 10, 11, 49, 51, 1000].map(roundUp), [10, 10, 10, 20, 50, 100, 1000]);
  assert.deepEqual(summaryOf(samples), { count: 3, median: 180, most: 900, last: 180 });
  assert.equal(summaryOf([]), undefined);
});

test('a binary frame is told by channel and size', () => {
  const name = Buffer.from('yjs:a');
  const frame = Uint8Array.from([0, name.length, ...name, 1, 255]);
  assert.equal(binary(frame), 'yjs:a: 2 B: 01 ff');
  assert.match(binary(Uint8Array.from([])), /0 B/);
});
