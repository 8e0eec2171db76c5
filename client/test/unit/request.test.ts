/* SPDX-License-Identifier: Apache-2.0 */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { requestJson, retryAfterMsOf } from '../../src/request.js';
import { settle } from '../support/clock.js';
import { json, never, noNetwork, World } from '../support/world.js';

const URL = 'https://r.example/x';

test('an answer is its status and its JSON', async () => {
  const world = new World();
  world.answers.set('x', () => json({ a: 1 }, 418));
  const { status, json: body } = await requestJson(world.platform, URL, {});
  assert.deepEqual([status, body], [418, { a: 1 }]);
  assert.equal(world.requests[0]?.init.cache, 'no-store');
  assert.equal(world.clock.pending, 0);
});

test('what is not JSON has no value, and no network no status', async () => {
  const world = new World();
  world.answers.set('x', () => new Response('<html>'));
  assert.equal((await requestJson(world.platform, URL, {})).json, undefined);
  world.answers.set('x', noNetwork);
  assert.equal((await requestJson(world.platform, URL, {})).status, 0);
  const without = new World({ fetch: undefined });
  assert.equal((await requestJson(without.platform, URL, {})).status, 0);
});

test('it ends at the deadline, or when told', async () => {
  const world = new World();
  world.answers.set('x', never);
  let late = requestJson(world.platform, URL, {});
  await world.clock.advance(10_000);
  assert.equal((await late).status, 0);
  const abort = new AbortController();
  late = requestJson(world.platform, URL, {}, abort.signal);
  await settle();
  abort.abort();
  assert.equal((await late).status, 0);
});

test('Retry-After is read in seconds only', () => {
  const of = (value: string) => retryAfterMsOf(new Headers({ 'Retry-After': value }));
  assert.deepEqual(['5', '0', '-1', '1.5', 'Fri, 31 Dec 1999 23:59:59 GMT', '9999999'].map(of), [
    5_000, 0, undefined, undefined, undefined, undefined,
  ]);
  assert.equal(retryAfterMsOf(undefined), undefined);
});
