/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Badges: what a page signs, and what it believes. */

import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { Badges } from '../../src/collab/badge.js';
import {
  newPair,
  person,
  publicHalf,
  signedBy,
  Site,
  START_S,
  STRANGER,
} from '../support/site.js';
import vector from '../vectors/badge.json';

const CHANNEL = 'site:s:yjs:postType/post:1';
const ANN = person(1, 'Ann');
const BOB = person(2, 'Bob');
const UPDATE = Uint8Array.of(1, 2, 3);
const crypto = globalThis.crypto as Crypto;

/** A page of a user, with a clock that a test sets. */
async function page(site: Site, user = ANN, skewS = 0) {
  const clock = { s: START_S };
  const badges = new Badges(crypto, () => (clock.s + skewS) * 1000, STRANGER);
  const key = (await badges.key()) as string;
  const renew = async (claims: object = {}): Promise<void> =>
    badges.take(await site.badge(user, key, claims), site.issuer);
  await renew();
  return { badges, clock, key, renew };
}

test('what one page signs the other believes', async () => {
  const site = await Site.make();
  const [ann, bob] = [await page(site, ANN), await page(site, BOB)];
  const said = await ann.badges.sign(CHANNEL, UPDATE);
  assert.ok(said);
  const heard = await bob.badges.verify(CHANNEL, said);
  assert.deepEqual(heard?.user, ANN);
  assert.deepEqual([...(heard?.update ?? [])], [...UPDATE]);
  assert.ok(await bob.badges.verify(CHANNEL, said), 'also from memory');
});

test('not in another room, nor with one bit changed anywhere', async () => {
  const site = await Site.make();
  const [ann, bob] = [await page(site, ANN), await page(site, BOB)];
  const said = (await ann.badges.sign(CHANNEL, UPDATE)) as Uint8Array;
  assert.equal(await bob.badges.verify(`${CHANNEL}2`, said), undefined);
  for (let at = 0; at < said.length; at++) {
    const changed = said.slice();
    changed[at] = (changed[at] as number) ^ 1;
    assert.equal(await bob.badges.verify(CHANNEL, changed), undefined, `byte ${at}`);
  }
  for (const length of [0, 63, 66, 67, said.length - 1]) {
    assert.equal(await bob.badges.verify(CHANNEL, said.subarray(0, length)), undefined);
  }
});

test("another's badge is worth nothing without the key in it", async () => {
  const site = await Site.make();
  const bob = await page(site, BOB);
  const [own, others] = [await newPair(), await newPair()];
  const badge = await site.badge(ANN, await publicHalf(others));
  assert.equal(
    await bob.badges.verify(CHANNEL, await signedBy(own.privateKey, CHANNEL, badge, UPDATE)),
    undefined,
  );
  assert.ok(
    await bob.badges.verify(CHANNEL, await signedBy(others.privateKey, CHANNEL, badge, UPDATE)),
    'with it, it is good',
  );
});

test('a badge of another site, blog, issuer or version is none', async () => {
  const site = await Site.make();
  const bob = await page(site, BOB);
  const pair = await newPair();
  const key = await publicHalf(pair);
  const heard = async (badge: string) =>
    bob.badges.verify(CHANNEL, await signedBy(pair.privateKey, CHANNEL, badge, UPDATE));
  assert.ok(await heard(await site.badge(ANN, key)));
  const none = {
    'a copy of the site': await site.copy('t', 1).badge(ANN, key),
    'another blog': await site.copy('s', 2).badge(ANN, key),
    'another key': await (await Site.make()).badge(ANN, key),
    'another version': await site.badge(ANN, key, { v: 2 }),
    'no user': await site.badge(ANN, key, { user: null }),
    'a user without a name': await site.badge(ANN, key, { user: { id: 1 } }),
    'no end': await site.badge(ANN, key, { exp: null }),
    'no key': await site.badge(ANN, key, { key: 'AAAA' }),
    'no badge': 'x.y',
    nothing: '',
    'more than a badge may be': await site.badge(person(1, 'n'.repeat(9000)), key),
  };
  for (const [what, badge] of Object.entries(none)) {
    assert.equal(await heard(badge), undefined, what);
  }
});

test('a badge is over a minute after its end, also one seen before', async () => {
  const site = await Site.make();
  const [ann, bob] = [await page(site, ANN), await page(site, BOB)];
  const said = (await ann.badges.sign(CHANNEL, UPDATE)) as Uint8Array;
  assert.ok(await bob.badges.verify(CHANNEL, said));
  bob.clock.s += 360 + 60;
  assert.ok(await bob.badges.verify(CHANNEL, said));
  bob.clock.s += 1;
  assert.equal(await bob.badges.verify(CHANNEL, said), undefined);

  const { badges, clock } = await page(site, BOB);
  clock.s += 421;
  assert.equal(await badges.verify(CHANNEL, said), undefined, 'nor one not seen before');
  await ann.renew({ iat: START_S + 421, exp: START_S + 781 });
  assert.ok(await badges.verify(CHANNEL, (await ann.badges.sign(CHANNEL, UPDATE))!));
});

test('a computer whose clock is wrong by hours goes by that of WordPress', async () => {
  const site = await Site.make();
  const ann = await page(site, ANN);
  const said = (await ann.badges.sign(CHANNEL, UPDATE)) as Uint8Array;
  for (const skew of [-7200, 7200]) {
    const { badges, clock } = await page(site, BOB, skew);
    assert.ok(await badges.verify(CHANNEL, said), `${skew} s`);
    clock.s += 421;
    assert.equal(await badges.verify(CHANNEL, said), undefined, `${skew} s, after the end`);
  }
});

test('a page without a badge signs nothing and believes nothing', async () => {
  const site = await Site.make();
  const ann = await page(site, ANN);
  const said = (await ann.badges.sign(CHANNEL, UPDATE)) as Uint8Array;
  const none = new Badges(crypto, () => START_S * 1000, STRANGER);
  await none.key();
  none.take(await site.badge(BOB, ann.key), site.issuer);
  assert.equal(none.isReady, false, 'a badge for another key is not its own');
  none.take('x', site.issuer);
  assert.equal(none.isReady, false);
  assert.equal(await none.sign(CHANNEL, UPDATE), undefined);
  assert.equal(await none.verify(CHANNEL, said), undefined);

  const plain = new Badges({} as Crypto, () => 0, STRANGER);
  assert.equal(await plain.key(), undefined, 'nor has one a key that came without TLS');
});

test('of a new issuer only the badges count', async () => {
  const site = await Site.make();
  const [ann, bob] = [await page(site, ANN), await page(site, BOB)];
  const said = (await ann.badges.sign(CHANNEL, UPDATE)) as Uint8Array;
  assert.ok(await bob.badges.verify(CHANNEL, said));
  const next = await Site.make();
  bob.badges.take(await next.badge(BOB, bob.key), next.issuer);
  assert.equal(await bob.badges.verify(CHANNEL, said), undefined);
});

test('it remembers so many badges and no more', async () => {
  const site = await Site.make();
  const bob = await page(site, BOB);
  const pair = await newPair();
  const key = await publicHalf(pair);
  for (let id = 1; id <= 140; id++) {
    const badge = await site.badge(person(id, 'x'), key);
    const said = await signedBy(pair.privateKey, CHANNEL, badge, UPDATE);
    assert.equal((await bob.badges.verify(CHANNEL, said))?.user.id, id);
  }
  const { known } = bob.badges as unknown as { known: Map<string, unknown> };
  assert.equal(known.size, 128);
});

test('what PHP signed', async () => {
  const { subtle } = crypto;
  const ecdsa = { name: 'ECDSA', namedCurve: 'P-256' };
  const issuer = await subtle.importKey('raw', Buffer.from(vector.issuer, 'base64'), ecdsa, false, [
    'verify',
  ]);
  for (const { name, of, raw } of vector.signatures) {
    const is = { name: 'ECDSA', hash: 'SHA-256' };
    assert.ok(
      await subtle.verify(is, issuer, Buffer.from(raw, 'hex'), Buffer.from(of)),
      name,
    );
  }

  const { site: name, blog, user, iat } = vector.claims;
  const site = await Site.of(vector.pem, vector.issuer, name, blog);
  const bob = await page(site, BOB);
  assert.equal(iat, START_S);
  const pkcs8 = Buffer.from(vector.page_pkcs8, 'base64');
  const key = await subtle.importKey('pkcs8', pkcs8, ecdsa, false, ['sign']);
  const said = await signedBy(key, CHANNEL, vector.badge, UPDATE);
  assert.deepEqual((await bob.badges.verify(CHANNEL, said))?.user, user);
});
