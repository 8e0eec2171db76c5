/* SPDX-License-Identifier: Apache-2.0 */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { type State, StateStore } from '../../src/state.js';

function made() {
  const seen: [State, State][] = [];
  return { seen, store: new StateStore((now, before) => seen.push([now, before])) };
}

test('it begins disconnected', () => {
  const { store } = made();
  assert.deepEqual(store.current, { connected: false, transport: null, failures: 0 });
  assert.equal(store.phase, 'idle');
});

test('a change is told with what was before, and what is no change is not', () => {
  const { seen, store } = made();
  assert.equal(store.setState({ phase: 'connecting' }), false);
  assert.equal(store.setState({ phase: 'open', transport: 'ws' }), true);
  assert.equal(store.setState({ phase: 'open', transport: 'ws' }), false);
  assert.deepEqual(seen, [
    [
      { connected: true, transport: 'ws', failures: 0 },
      { connected: false, transport: null, failures: 0 },
    ],
  ]);
});

test('error and delay are there only while they are known', () => {
  const { store } = made();
  const error = { code: 'unknown-error', message: 'm' } as const;
  store.setState({ phase: 'waiting', error, retryInMs: 0, failures: 1 });
  assert.deepEqual(store.current, {
    connected: false, transport: null, failures: 1, error, retryInMs: 0,
  });
  store.setState({ phase: 'open', transport: 'sse', error: undefined, retryInMs: undefined });
  assert.deepEqual(Object.keys(store.current).sort(), ['connected', 'failures', 'transport']);
});

test('a transport that only opens is none yet', () => {
  const { store } = made();
  store.setState({ phase: 'connecting', transport: 'ws' });
  assert.equal(store.current.transport, null);
});
