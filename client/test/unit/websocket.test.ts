/* SPDX-License-Identifier: Apache-2.0 */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { LIMIT } from '../../src/config.js';
import type { Platform } from '../../src/platform.js';
import { WebSocketTransport } from '../../src/transport/websocket.js';
import { World } from '../support/world.js';

function made(changes: Partial<Platform> = {}) {
  const world = new World(changes);
  const told: unknown[] = [];
  const endpoints = { ws: 'ws://r.example/ws', sse: '', poll: '', send: '' };
  const situation = { token: () => 'a.b', channels: () => [], since: () => undefined };
  const transport = new WebSocketTransport(
    { platform: world.platform, endpoints, situation, relay: {} },
    {
      opened: () => told.push('opened'),
      frame: ({ type }) => told.push(type),
      binary: (bytes) => told.push([...bytes]),
      notice: () => told.push('notice'),
      closed: ({ code, opened }) => told.push({ code, opened }),
    },
  );
  return { told, transport, world };
}

test('it opens, hears text and bytes, and closes, in that order', () => {
  const { told, transport, world } = made();
  transport.open();
  assert.equal(world.socket.binaryType, 'arraybuffer');
  world.socket.open();
  world.socket.deliver({ type: 'ping' });
  world.socket.deliver(Uint8Array.of(1).buffer);
  world.socket.end(4029, 'full');
  assert.deepEqual(told, ['opened', 'ping', [1], { code: 4029, opened: true }]);
  assert.equal(world.clock.pending, 0);
});

test('a browser without WebSocket, or one that refuses, is a way that failed', () => {
  const none = made({ WebSocket: undefined });
  none.transport.open();
  assert.deepEqual(none.told, [{ code: 0, opened: false }]);
  const refusing = made();
  refusing.world.socketsThrow = true;
  refusing.transport.open();
  assert.deepEqual(refusing.told, [{ code: 0, opened: false }]);
});

test('closed, it says nothing more', () => {
  const { told, transport, world } = made();
  transport.open();
  const { socket } = world;
  socket.open();
  transport.close();
  assert.equal(socket.closedWith, 1000);
  socket.deliver({ type: 'ping' });
  socket.end(1000);
  assert.deepEqual(told, ['opened']);
  assert.equal(transport.send({ type: 'pong' }), false);
});

test('what a slow network would only pile up is dropped', () => {
  const { transport, world } = made();
  transport.open();
  assert.equal(transport.send({ type: 'pong' }), false, 'not before it is open');
  world.socket.open();
  world.socket.bufferedAmount = LIMIT.socketBufferBytes - 15;
  assert.equal(transport.send({ type: 'pong' }), true);
  assert.equal(transport.sendBinary(new Uint8Array(16)), false);
  assert.equal(world.socket.sent.length, 1);
});
