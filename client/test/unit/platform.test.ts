/* SPDX-License-Identifier: Apache-2.0 */
import assert from 'node:assert/strict';
import { mock, test } from 'node:test';

import { browserPlatform } from '../../src/platform.js';

test('where there is no page, there is still a platform', () => {
  const { clock, crypto, document, fetch, random, streams, window } = browserPlatform();
  assert.equal(document, undefined);
  assert.equal(window, undefined);
  assert.equal(streams, true);
  assert.equal(typeof fetch, 'function');
  assert.ok(crypto?.subtle);
  assert.ok(random() < 1);
  assert.ok(Math.abs(clock.now() - Date.now()) < 1_000);
});

test('storage that throws when it is only looked at is none', () => {
  const before = Object.getOwnPropertyDescriptor(globalThis, 'localStorage');
  Object.defineProperty(globalThis, 'localStorage', {
    configurable: true,
    get: () => {
      throw new DOMException('denied', 'SecurityError');
    },
  });
  try {
    assert.equal(browserPlatform().storage, undefined);
  } finally {
    if (before) {
      Object.defineProperty(globalThis, 'localStorage', before);
    } else {
      delete (globalThis as { localStorage?: unknown }).localStorage;
    }
  }
});

test('errors of listeners are reported where developers look', () => {
  const shown = mock.method(console, 'error', () => {});
  browserPlatform().report(new Error('mine'));
  assert.equal(shown.mock.callCount(), 1);
  shown.mock.restore();
});
