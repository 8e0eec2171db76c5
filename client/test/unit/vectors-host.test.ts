/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vectors/host.json: what host mode derives, by node's own HKDF. A browser never
 * does it; this is a third opinion for C and PHP.
 */
import assert from 'node:assert/strict';
import { createHash, createHmac, hkdfSync } from 'node:crypto';
import { test } from 'node:test';

import { vectors } from '../support/vectors.js';

const host = vectors<{
  derived: {
    name: string;
    host_key: string;
    server_name: string;
    uid: number;
    epoch: number;
    home: string;
    generation: number;
    vhost_key: string;
    tag: string;
    site_key: string;
    publish_secret: string;
    jwt_secret: string;
  }[];
  proofs: { name: string; secret: string; challenge: string; proof: string }[];
}>('host.json');

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

for (const one of host.derived) {
  const name = [one.server_name.toLowerCase(), one.uid < 0 ? 'none' : one.uid, one.epoch].join('|');

  test(`${one.name}: names`, () => {
    assert.equal(sha256(`wordsocket-vhost-id-v1|${name}`).slice(0, 24), one.tag);
    const site = sha256(`wordsocket-site-v1|${one.tag}|${one.home}`).slice(0, 24);
    assert.equal(`h${one.tag}-${site}`, one.site_key);
  });

  test(`${one.name}: secrets`, () => {
    const key = Buffer.from(
      hkdfSync('sha256', Buffer.from(one.host_key, 'hex'), 'wordsocket-host-v1', `wordsocket-vhost-v1|${name}`, 32),
    );
    assert.equal(key.toString('hex'), one.vhost_key);
    const secret = (kind: string) =>
      createHmac('sha256', key)
        .update(`wordsocket-${kind}-v1|${sha256(one.home)}|${one.generation}\u0001`)
        .digest('hex');
    assert.equal(secret('publish'), one.publish_secret);
    assert.equal(secret('token'), one.jwt_secret);
  });
}

for (const one of host.proofs) {
  test(one.name, () => {
    const proof = createHmac('sha256', one.secret).update(`wordsocket-whoami-v1\n${one.challenge}`).digest('hex');
    assert.equal(proof, one.proof);
  });
}
