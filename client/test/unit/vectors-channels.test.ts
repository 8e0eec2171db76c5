/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vectors/channels.json: the two spellings, and which names can be one.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { bareName, isChannelName } from '../../src/channel.js';
import { LIMIT } from '../../src/config.js';
import { speaksOnlyRelay } from '../support/rights.js';
import { vectors } from '../support/vectors.js';

const channels = vectors<{
  site_id: string;
  max: number;
  spellings: { name: string; given: string; bare: string }[];
  names: { name: string; channel: string; valid: boolean }[];
  bytes: { name: string; hex: string; valid: boolean }[];
  reserved: { channel: string; reserved: boolean }[];
}>('channels.json');

test('the bound is that of the vectors', () => {
  assert.equal(LIMIT.channelBytes, channels.max);
});

for (const { name, given, bare } of channels.spellings) {
  test(`spelling: ${name}`, () => {
    assert.equal(bareName(given, channels.site_id), bare);
  });
}

for (const { name, channel, valid } of channels.names) {
  test(`name: ${name}`, () => {
    assert.equal(isChannelName(channel), valid);
  });
}

for (const { name, hex, valid } of channels.bytes) {
  test(`bytes: ${name}`, () => {
    // Text of JavaScript cannot hold what is not UTF-8; it ends at the decoder.
    const read = () =>
      new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(
        Buffer.from(hex, 'hex'),
      );
    if (valid) {
      assert.ok(isChannelName(read()));
    } else {
      assert.ok(!isChannelName(attempt(read) ?? ''));
    }
  });
}

function attempt(read: () => string): string | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

for (const { channel, reserved } of channels.reserved) {
  test(`only the relay speaks on ${channel}: ${reserved}`, () => {
    assert.equal(speaksOnlyRelay(channel), reserved);
  });
}
