/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a page loads.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';

const sizeOf = (name: string) =>
  gzipSync(readFileSync(`dist/${name}`), { level: 9 }).length;

test('the script of a page is less than 12 KiB compressed', () => {
  assert.ok(sizeOf('wpsignal.js') < 12 * 1024, `${sizeOf('wpsignal.js')} bytes`);
});

test('it does not carry what it fetches', () => {
  const script = readFileSync('dist/wpsignal.js', 'utf8');
  assert.doesNotMatch(script, /text\/event-stream|polyval/);
  assert.match(readFileSync('dist/wpsignal-http.js', 'utf8'), /text\/event-stream/);
  assert.match(readFileSync('dist/wpsignal-aes.js', 'utf8'), /wpsignalParts/);
});
