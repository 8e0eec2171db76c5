/* SPDX-License-Identifier: Apache-2.0 */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { bareName, ChannelSet, isChannelName, onChannel } from '../../src/channel.js';
import { LIMIT } from '../../src/config.js';

const full = (bare: string) => `site:abc:${bare}`;

test('a delivered name is the expected one in either spelling', () => {
  assert.ok(onChannel('events', 'events'));
  assert.ok(onChannel(full('events'), 'events'));
  assert.ok(!onChannel('events', full('events')));
  assert.ok(!onChannel('myevents', 'events'));
  assert.ok(!onChannel('events:a', 'events'));
});

test("another site's prefix is part of the name", () => {
  assert.equal(bareName('site:xyz:events', 'abc'), 'site:xyz:events');
  assert.equal(bareName(full('events'), undefined), full('events'));
  assert.equal(bareName(full(''), 'abc'), '');
});

test('one channel in two spellings is held once, under the first', () => {
  const set = new ChannelSet();
  assert.deepEqual(set.grant([full('events')], 'abc'), [full('events')]);
  assert.deepEqual(set.add(['events', 'news', full('news')]), ['news']);
  assert.deepEqual(set.list(), [full('events'), 'news']);
});

test('spellings from before the first token fall together when it comes', () => {
  const set = new ChannelSet();
  set.add([full('events'), 'events']);
  set.grant(['news'], 'abc');
  assert.deepEqual(set.list(), ['news', full('events')]);
  set.remove(['events']);
  assert.deepEqual(set.list(), ['news']);
});

test('what is given up stays so, though the next token brings it', () => {
  const set = new ChannelSet();
  set.grant([full('events'), 'news'], 'abc');
  assert.deepEqual(set.remove(['events', 'never-held']), [full('events')]);
  assert.deepEqual(set.grant([full('events'), 'news', 'more'], 'abc'), ['more']);
  assert.deepEqual(set.list(), ['news', 'more']);
  assert.deepEqual(set.add(['events']), [full('events')]);
});

test('what was asked for stays, though the next token lacks it', () => {
  const set = new ChannelSet();
  set.grant(['events'], 'abc');
  set.add(['events', 'chat:a']);
  set.grant([], 'abc');
  assert.deepEqual(set.list(), ['events', 'chat:a']);
});

test('names no relay could accept are left out', () => {
  const set = new ChannelSet();
  set.add(['a,b', '', ' a', 'x'.repeat(LIMIT.channelBytes + 1), 'good']);
  assert.deepEqual(set.list(), ['good']);
  assert.ok(!isChannelName('é'.repeat(LIMIT.channelBytes / 2 + 1)));
});

test('no more are held than the bound', () => {
  const set = new ChannelSet();
  set.add(Array.from({ length: LIMIT.channels }, (_, at) => `a${at}`));
  assert.deepEqual(set.add(['one-more']), []);
  assert.equal(set.list().length, LIMIT.channels);
});
