/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vectors/rights.json, read by a third opinion: test/support/rights.ts.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { type Grant, mayRead, mayWrite } from '../support/rights.js';
import { vectors } from '../support/vectors.js';

const { site_id, grants } = vectors<{
  site_id: string;
  grants: (Grant & {
    name: string;
    channels: { given: string; read: boolean; write: boolean }[];
  })[];
}>('rights.json');

for (const grant of grants) {
  test(grant.name, () => {
    for (const { given, read, write } of grant.channels) {
      assert.equal(mayRead(grant, given, site_id), read, `read ${given}`);
      assert.equal(mayWrite(grant, given, site_id), write, `write ${given}`);
    }
  });
}
