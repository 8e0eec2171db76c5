/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vectors/tokens.json: the client judges no token, but it reads the times and
 * the site of those a relay accepts, and chokes on none.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { claimsOf, TokenKeeper } from '../../src/token.js';
import { cook, type Kitchen, type Recipe } from '../support/recipes.js';
import { vectors } from '../support/vectors.js';
import { World } from '../support/world.js';

const kitchen = vectors<
  Kitchen & { cases: Recipe[]; example: { name: string; token: string } }
>('tokens.json');

test('the example comes out', () => {
  const { name, token } = kitchen.example;
  const recipe = kitchen.cases.find((one) => one.name === name);
  assert.equal(recipe && cook(recipe, kitchen), token);
});

for (const recipe of kitchen.cases) {
  const token = cook(recipe, kitchen);
  if (recipe.accepted) {
    test(`read: ${recipe.name}`, () => {
      const { issuedAtS, expiresAtS, siteId } = claimsOf(token);
      const time = (claim: string) => {
        const match = new RegExp(`"${claim}": ?\\{NOW([+-]\\d+)?\\}`).exec(recipe.claims);
        return kitchen.now + Number(match?.[1] ?? 0);
      };
      assert.equal(issuedAtS, time('iat'));
      assert.equal(expiresAtS, time('exp'));
      assert.equal(siteId, kitchen.site_id);
    });
  } else {
    test(`survived: ${recipe.name}`, () => {
      const { issuedAtS, expiresAtS, siteId } = claimsOf(token);
      for (const time of [issuedAtS, expiresAtS]) {
        assert.ok(time === undefined || Number.isFinite(time));
      }
      assert.ok(siteId === undefined || typeof siteId === 'string');
      const { platform } = new World();
      const keeper = new TokenKeeper({ embedded: { token } }, platform);
      assert.equal(keeper.token, token);
      assert.ok(keeper.refreshInMs >= 0 && Number.isFinite(keeper.refreshInMs));
    });
  }
}
