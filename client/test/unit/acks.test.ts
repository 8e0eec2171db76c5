/* SPDX-License-Identifier: Apache-2.0 */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Acks, PublishError } from '../../src/acks.js';
import { LIMIT, TIMING } from '../../src/config.js';
import { ManualClock } from '../support/clock.js';

function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'confirmed',
    (error: unknown) => (error instanceof PublishError ? error.code : 'other'),
  );
}

test('a confirmed publish resolves with its id', async () => {
  const acks = new Acks(new ManualClock());
  const refs: string[] = [];
  const send = (ref: string) => refs.push(ref) > 0;
  const first = acks.expect(send);
  const second = acks.expect(send);
  assert.notEqual(refs[0], refs[1]);
  acks.confirm(refs[1] ?? '', 'b');
  acks.confirm(refs[0] ?? '', 'a');
  assert.deepEqual(await Promise.all([first, second]), ['a', 'b']);
});

test('what was not sent, was refused or was lost rejects with its code', async () => {
  const acks = new Acks(new ManualClock());
  let ref = '';
  const sent = () => acks.expect((given) => ((ref = given), true));
  assert.equal(await codeOf(acks.expect(() => false)), 'not-connected');
  const refused = codeOf(sent());
  acks.fail(ref, 'publish_forbidden', 'no');
  assert.equal(await refused, 'publish_forbidden');
  const lost = [codeOf(sent()), codeOf(sent())];
  acks.failAll();
  assert.deepEqual(await Promise.all(lost), ['connection-lost', 'connection-lost']);
});

test('an answer that does not come is waited for no longer than the deadline', async () => {
  const clock = new ManualClock();
  const acks = new Acks(clock);
  const outcome = codeOf(acks.expect(() => true));
  await clock.advance(TIMING.ackDeadlineMs - 1);
  assert.equal(await Promise.race([outcome, 'waits']), 'waits');
  await clock.advance(1);
  assert.equal(await outcome, 'timed-out');
});

test('an answer nobody waits for does nothing, and leaves no timer', async () => {
  const clock = new ManualClock();
  const acks = new Acks(clock);
  let ref = '';
  const outcome = acks.expect((given) => ((ref = given), true));
  acks.confirm(ref, 'x');
  acks.confirm(ref, 'y');
  acks.fail('r99', 'x', '');
  assert.equal(await outcome, 'x');
  assert.equal(clock.pending, 0);
});

test('no more wait than the bound', async () => {
  const acks = new Acks(new ManualClock());
  const waiting = Array.from({ length: LIMIT.pendingAcks }, () =>
    codeOf(acks.expect(() => true)),
  );
  assert.equal(await codeOf(acks.expect(() => true)), 'not-connected');
  acks.failAll();
  assert.equal((await Promise.all(waiting)).length, LIMIT.pendingAcks);
});
