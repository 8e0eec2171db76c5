/* SPDX-License-Identifier: Apache-2.0 */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { MintError, TokenKeeper, type TokenOptions, tokenRouteOf } from '../../src/token.js';
import { makeToken, SITE } from '../support/token.js';
import { type Answering, json, never, noNetwork, World } from '../support/world.js';

const NOW_S = 1_700_000_000;
const REST = 'https://site.example/wp-json/wpsignal/v1/';

function made(options: TokenOptions, answer?: Answering) {
  const world = new World();
  if (answer) {
    world.answers.set('token', answer);
  }
  return { world, keeper: new TokenKeeper(options, world.platform) };
}

const grantOf = (token: string) => () => json({ token, channels: ['events'] });

test('a token is renewed at 80 % of its life, at least 10 s ahead', () => {
  const dueAfterS = (lifeS: number) =>
    made({ embedded: { token: makeToken(NOW_S, lifeS) } }).keeper.refreshInMs / 1000;
  assert.deepEqual([300, 50, 30, 12, 5, 0, -40].map(dueAfterS), [240, 40, 20, 2, 1, 1, 1]);
});

test('of an embedded token only what is left counts', () => {
  const { keeper } = made({ embedded: { token: makeToken(NOW_S - 200) } });
  assert.equal(keeper.refreshInMs, 80_000);
});

test('a clock that is hours behind does not make its life longer', () => {
  const { keeper } = made({ embedded: { token: makeToken(NOW_S + 7200) } });
  assert.equal(keeper.refreshInMs, 240_000);
});

test('a life of years does not overflow the timers of a browser', () => {
  const { keeper } = made({ embedded: { token: makeToken(NOW_S, 400 * 86_400) } });
  assert.ok(keeper.refreshInMs < 2 ** 31);
});

test('a minted token is new, whatever this clock says', async () => {
  const token = makeToken(NOW_S - 7200);
  const { keeper } = made({ restUrl: REST }, grantOf(token));
  await keeper.acquire();
  assert.equal(keeper.token, token);
  assert.equal(keeper.refreshInMs, 240_000);
  assert.equal(keeper.siteId, SITE);
});

test('a token that says nothing of its life is trusted for a while', () => {
  const { keeper } = made({ embedded: { token: 'opaque' } });
  assert.equal(keeper.refreshInMs, 240_000);
});

test('minting is a POST with the nonce, to the route under the namespace', async () => {
  const { keeper, world } = made({ restUrl: REST, nonce: 'n1' }, grantOf('t'));
  await keeper.mint();
  const [{ url, init } = { url: '', init: {} }] = world.requests;
  assert.equal(String(url), `${REST}token`);
  assert.equal(init.method, 'POST');
  assert.equal(init.credentials, 'same-origin');
  assert.deepEqual(init.headers, { 'X-WP-Nonce': 'n1' });
  assert.deepEqual(keeper.channels, ['events']);
});

for (const [what, restUrl, route] of [
  ['permalinks', 'https://a/wp-json/wpsignal/v1', 'https://a/wp-json/wpsignal/v1/token'],
  ['a slash at the end', 'https://a/wp-json/wpsignal/v1/', 'https://a/wp-json/wpsignal/v1/token'],
  ['the route itself', 'https://a/wp-json/wpsignal/v1/token', 'https://a/wp-json/wpsignal/v1/token'],
  ['plain permalinks', 'https://a/?rest_route=/wpsignal/v1/', 'https://a/?rest_route=/wpsignal/v1/token'],
  ['plain ones in a folder', 'https://a/b/index.php?rest_route=/wpsignal/v1', 'https://a/b/index.php?rest_route=/wpsignal/v1/token'],
  ['plain ones, encoded', 'https://a/?rest_route=%2Fwpsignal%2Fv1', 'https://a/?rest_route=%2Fwpsignal%2Fv1/token'],
  ['a language in the path', 'https://a/de/api/wpsignal/v1', 'https://a/de/api/wpsignal/v1/token'],
  ['a language in the query', 'https://a/wp-json/wpsignal/v1/?lang=de', 'https://a/wp-json/wpsignal/v1/token?lang=de'],
  ['a language behind a plain one', 'https://a/?rest_route=/wpsignal/v1&lang=de', 'https://a/?rest_route=/wpsignal/v1/token&lang=de'],
  ['a language before a plain one', 'https://a/?lang=de&rest_route=/wpsignal/v1/', 'https://a/?lang=de&rest_route=/wpsignal/v1/token'],
] as const) {
  test(`the route is found with ${what}`, () => {
    assert.equal(tokenRouteOf(restUrl), route);
  });
}

test('a nonce that WordPress hands along is used from then on', async () => {
  const { keeper, world } = made({ restUrl: REST, nonce: 'n1' }, () =>
    json({ token: 't' }, 200, { 'X-WP-Nonce': 'n2' }),
  );
  await keeper.mint();
  await keeper.mint();
  assert.deepEqual(world.requests.map(({ init }) => init.headers), [
    { 'X-WP-Nonce': 'n1' },
    { 'X-WP-Nonce': 'n2' },
  ]);
});

test('a list of channels that became an object is a list', async () => {
  const { keeper } = made({ restUrl: REST }, () =>
    json({ token: 't', channels: { 0: 'a', 2: 'b', 3: 7 } }),
  );
  await keeper.mint();
  assert.deepEqual(keeper.channels, ['a', 'b']);
});

for (const status of [401, 403]) {
  test(`${status} is a refusal`, async () => {
    const { keeper } = made({ restUrl: REST }, () => json({ code: 'no' }, status));
    await assert.rejects(keeper.mint(), (error) => error instanceof MintError && error.refused);
  });
}

for (const [what, answer] of [
  ['500', () => json({}, 500)],
  ['404', () => json({ token: 't' }, 404)],
  ['200 without a token', () => json({})],
  ['200 with HTML', () => new Response('<html>')],
  ['no network', noNetwork],
] as [string, Answering][]) {
  test(`${what} is no refusal, and no token`, async () => {
    const { keeper } = made({ restUrl: REST }, answer);
    await assert.rejects(keeper.mint(), (error) => error instanceof MintError && !error.refused);
    assert.equal(keeper.token, '');
  });
}

test('a site that does not answer is given up at the deadline', async () => {
  const { keeper, world } = made({ restUrl: REST }, never);
  const outcome = assert.rejects(keeper.mint(), MintError);
  await world.clock.advance(10_000);
  await outcome;
});

test('who asks twice at a time asks once', async () => {
  const { keeper, world } = made({ restUrl: REST }, grantOf('t'));
  await Promise.all([keeper.mint(), keeper.mint(), keeper.acquire()]);
  assert.equal(world.requests.length, 1);
});

test('a token is used to its end, and until it is discarded', async () => {
  const embedded = { token: makeToken(NOW_S) };
  const { keeper, world } = made({ embedded, restUrl: REST }, grantOf(makeToken(NOW_S + 300)));
  await keeper.acquire();
  world.clock.sleep(299_999);
  await keeper.acquire();
  assert.equal(world.requests.length, 0);
  world.clock.sleep(1);
  await keeper.acquire();
  assert.equal(world.requests.length, 1);
  keeper.discard();
  await keeper.acquire();
  assert.equal(world.requests.length, 2);
});

test('without a way to another token the only one is used for ever', async () => {
  const { keeper, world } = made({ embedded: { token: makeToken(NOW_S) } });
  world.clock.sleep(1e9);
  await keeper.acquire();
  assert.equal(keeper.canMint, false);
  keeper.discard();
  await assert.rejects(keeper.acquire(), (error) => error instanceof MintError && error.refused);
});

test("a mint of one's own replaces the route", async () => {
  const { keeper, world } = made({ mint: async () => ({ token: 'mine', channels: ['x'] }) });
  await keeper.acquire();
  assert.equal(keeper.token, 'mine');
  assert.deepEqual(keeper.channels, ['x']);
  assert.equal(world.requests.length, 0);
});

test('a page for anybody asks as nobody, and lets a cache answer', async () => {
  const key = 'a'.repeat(44);
  const token = makeToken(NOW_S - 30);
  const { keeper, world } = made({ restUrl: REST, anonymous: true, nonce: 'unused' }, () =>
    json({ token, channels: ['events'], encryptionKey: key }),
  );
  await keeper.acquire();
  const [{ init } = { init: {} as RequestInit }] = world.requests;
  assert.equal(init.method ?? 'GET', 'GET');
  assert.equal(init.credentials, 'omit');
  assert.equal(init.cache, 'default');
  assert.equal(init.headers, undefined);
  assert.equal(keeper.encryptionKey, key);
  // As if a cache had kept it for a minute.
  assert.equal(keeper.refreshInMs, 192_000);
  await keeper.mint();
  assert.equal(String(world.requests[1]?.url), `${REST}token`);
});

test('once the relay refused one, caches are asked for what they cannot hold', async () => {
  const asked = async (restUrl: string, waitMs: number) => {
    const { keeper, world } = made({ restUrl, anonymous: true }, grantOf(makeToken(NOW_S)));
    world.answers.set('', grantOf(makeToken(NOW_S)));
    await keeper.acquire();
    keeper.discard();
    world.clock.sleep(waitMs);
    await keeper.acquire();
    await keeper.mint();
    return world.requests.map(({ url }) => String(url));
  };
  const slot = NOW_S / 10;
  assert.deepEqual(await asked(REST, 0), [`${REST}token`, `${REST}token?_=${slot}`, `${REST}token?_=${slot}`]);
  assert.equal((await asked(REST, 9_999))[1], `${REST}token?_=${slot}`, 'a crowd shares it');
  assert.equal((await asked(REST, 10_000))[1], `${REST}token?_=${slot + 1}`, 'for ten seconds');
  assert.equal(
    (await asked('https://a/?rest_route=/wpsignal/v1', 0))[1],
    `https://a/?rest_route=/wpsignal/v1/token&_=${slot}`,
  );
});

const NONCE_URL = 'https://site.example/wp-admin/admin-ajax.php?action=rest-nonce';

/** WordPress with a nonce that is over, and another one to be had. */
function aged(nonce: () => Response | Promise<Response>, answer: () => Response | Promise<Response>) {
  const { keeper, world } = made({ restUrl: REST, nonce: 'old', nonceUrl: NONCE_URL }, answer);
  world.answers.set('admin-ajax.php', nonce);
  return { keeper, world };
}

test('a nonce that is over is renewed once, and the token asked for again', async () => {
  let asked = 0;
  const { keeper, world } = aged(
    () => new Response('0123456789'),
    () => (asked++ === 0 ? json({ code: 'rest_cookie_invalid_nonce' }, 403) : json({ token: 't' })),
  );
  await keeper.mint();
  assert.equal(keeper.token, 't');
  assert.deepEqual(
    world.requests.map(({ url, init }) => [String(url), (init.headers as Record<string, string> | undefined)?.['X-WP-Nonce']]),
    [[`${REST}token`, 'old'], [NONCE_URL, undefined], [`${REST}token`, '0123456789']],
  );
  assert.equal(world.requests[1]?.init.credentials, 'same-origin');
});

for (const [what, nonce] of [
  ['of whoever logged out', () => new Response('0', { status: 400 })],
  ['of a login page instead', () => new Response('<html>')],
] as const) {
  test(`a nonce ${what} ends it, after one try`, async () => {
    const { keeper, world } = aged(nonce, () => json({}, 403));
    await assert.rejects(keeper.mint(), (error) => error instanceof MintError && error.refused);
    assert.equal(world.requests.length, 2);
  });
}

for (const [what, nonce] of [
  ['no network', noNetwork],
  ['a site that is being updated', () => new Response('', { status: 503 })],
  ['a site that has enough', () => new Response('', { status: 429 })],
] as const) {
  test(`${what} while the nonce is renewed ends nothing`, async () => {
    const { keeper, world } = aged(nonce, () =>
      world.requests.length < 4 ? json({}, 403) : json({ token: 't' }),
    );
    await assert.rejects(keeper.mint(), (error) => error instanceof MintError && !error.refused);
    assert.equal(world.requests.length, 2, 'and is not asked for at once again');
    world.answers.set('admin-ajax.php', () => new Response('0123456789'));
    await keeper.mint();
    assert.equal(keeper.token, 't');
    assert.equal(world.requests.length, 5);
  });
}

test('one that is refused with a fresh nonce is refused', async () => {
  const { keeper, world } = aged(() => new Response('0123456789'), () => json({}, 403));
  await assert.rejects(keeper.mint(), (error) => error instanceof MintError && error.refused);
  assert.equal(world.requests.length, 3);
});
