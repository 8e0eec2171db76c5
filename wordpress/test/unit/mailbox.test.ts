/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What waits for an editor that does not fetch. */

import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { Mailbox } from '../../src/collab/mailbox.js';

test('many updates of nothing take memory, too', () => {
  let overflows = 0;
  const mailbox = new Mailbox(() => (overflows += 1));
  for (let i = 0; i < 300_000; i++) {
    mailbox.put({ type: 'update', data: '' });
  }
  assert.equal(overflows, 1);
  assert.ok(mailbox.after(0).length < 200_000);
});

test('what was fetched makes room', () => {
  let overflows = 0;
  const mailbox = new Mailbox(() => (overflows += 1));
  for (let i = 0; i < 10; i++) {
    mailbox.put({ type: 'update', data: 'A'.repeat(4_000_000) });
    assert.equal(mailbox.after(mailbox.cursor - 1).length, 1);
  }
  assert.equal(overflows, 0);
});
