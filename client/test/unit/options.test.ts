/* SPDX-License-Identifier: Apache-2.0 */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { endpointsOf } from '../../src/options.js';
import { urlWith } from '../../src/transport/transport.js';

test('endpoints follow from the base, with and without a path', () => {
  assert.deepEqual(endpointsOf({ baseUrl: 'http://127.0.0.1:8080' }), {
    ws: 'ws://127.0.0.1:8080/ws',
    sse: 'http://127.0.0.1:8080/sse',
    poll: 'http://127.0.0.1:8080/poll',
    send: 'http://127.0.0.1:8080/send',
  });
  assert.equal(endpointsOf({ baseUrl: 'https://a.example/wps/' }).ws, 'wss://a.example/wps/ws');
});

test('a single endpoint may be elsewhere; the rest still follows', () => {
  const baseUrl = 'https://a.example';
  const endpoints = endpointsOf({
    baseUrl,
    endpoints: { ws: 'wss://b.example/x' },
  });
  assert.equal(endpoints.ws, 'wss://b.example/x');
  assert.equal(endpoints.sse, `${baseUrl}/sse`);
});

test('parameters are encoded, joined to what is there, and left out if undefined', () => {
  assert.equal(
    urlWith('http://a/sse', { token: 'a.b', channels: 'x:1,grüße', since: undefined }),
    'http://a/sse?token=a.b&channels=x%3A1%2Cgr%C3%BC%C3%9Fe',
  );
  assert.equal(urlWith('http://a/?r=sse', { t: '&' }), 'http://a/?r=sse&t=%26');
});
