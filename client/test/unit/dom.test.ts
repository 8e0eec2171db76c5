/* SPDX-License-Identifier: Apache-2.0 */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { announceGap, announceMessage, DOM_GAP_EVENT } from '../../src/dom.js';
import { FakePage } from '../support/world.js';

function heardOf(type: string, announce: (page: FakePage) => void) {
  const page = new FakePage();
  const heard: (CustomEvent & { channel?: unknown; data?: unknown })[] = [];
  EventTarget.prototype.addEventListener.call(page, type, (event) => {
    heard.push(event as CustomEvent);
  });
  announce(page);
  assert.equal(heard.length, 1);
  return heard[0]!;
}

test('a message is a CustomEvent named after its event', () => {
  const data = { n: 1 };
  const event = heardOf('wpsignal:post.updated', (page) =>
    announceMessage(page, 'post.updated', data, 'events'),
  );
  assert.ok(event instanceof CustomEvent);
  assert.deepEqual(event.detail, { channel: 'events', data });
  assert.equal(event.channel, 'events');
  assert.equal(event.data, data);
});

test('a gap is an event with a name no publisher has', () => {
  assert.equal(DOM_GAP_EVENT, 'wpsignal:wps.gap');
  const gap = { since: 'a', oldest: 'b' };
  const event = heardOf(DOM_GAP_EVENT, (page) => announceGap(page, gap));
  assert.deepEqual(event.detail, { channel: null, data: gap });
});
