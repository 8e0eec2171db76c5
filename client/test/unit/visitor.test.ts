/* SPDX-License-Identifier: Apache-2.0 */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { StorageLike } from '../../src/platform.js';
import { uuid, Visitor } from '../../src/visitor.js';
import { World } from '../support/world.js';

const UUID4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

function memory(content: Record<string, string> = {}): StorageLike {
  return {
    getItem: (key) => content[key] ?? null,
    setItem: (key, value) => {
      content[key] = value;
    },
  };
}

test('a UUID is one of version 4, and never the same', () => {
  const { platform } = new World();
  const made = new Set(Array.from({ length: 200 }, () => uuid(platform)));
  assert.equal(made.size, 200);
  made.forEach((text) => assert.match(text, UUID4));
});

test('it is one without crypto, too', () => {
  assert.match(uuid(new World({ crypto: undefined }).platform), UUID4);
});

test('the name is kept under the key of the plugin', () => {
  const content: Record<string, string> = {};
  const storage = memory(content);
  const { id } = new Visitor(new World({ storage }).platform);
  assert.equal(content['wordsocket-visitor'], id);
  assert.equal(new Visitor(new World({ storage }).platform).id, id);
});

test('what is not a name is replaced', () => {
  const content = { 'wordsocket-visitor': '<script>' };
  const { id } = new Visitor(new World({ storage: memory(content) }).platform);
  assert.match(id, UUID4);
  assert.equal(content['wordsocket-visitor'], id);
});

test('storage that is forbidden or missing costs only the permanence', () => {
  const forbidden: StorageLike = {
    getItem: () => {
      throw new Error('no');
    },
    setItem: () => {
      throw new Error('no');
    },
  };
  for (const storage of [forbidden, undefined]) {
    const visitor = new Visitor(new World({ storage }).platform);
    assert.match(visitor.id, UUID4);
    assert.equal(visitor.id, visitor.id);
  }
});
