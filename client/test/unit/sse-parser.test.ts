/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The examples of the HTML standard, section 9.2.6, and what the network does
 * to them.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { SseParser } from '../../src/sse-parser.js';

function parse(chunks: readonly Uint8Array[], most = 1_000): string[] {
  const said: string[] = [];
  const parser = new SseParser(
    {
      event: ({ type, data, lastEventId }) =>
        said.push(`${type} ${JSON.stringify(data)} ${lastEventId}`),
      id: (id) => said.push(`id ${id}`),
      retry: (ms) => said.push(`retry ${ms}`),
      oversize: () => said.push('oversize'),
    },
    most,
  );
  chunks.forEach((chunk) => parser.push(chunk));
  return said;
}
const bytes = (text: string) => new TextEncoder().encode(text);
const parseText = (text: string, most?: number) => parse([bytes(text)], most);

const CASES: [string, string, string[]][] = [
  ['one line', 'data: a\n\n', ['message "a" ']],
  ['several lines', 'data: a\ndata: b\ndata\n\n', ['message "a\\nb\\n" ']],
  ['a named event', 'event: add\ndata: 1\n\ndata: 2\n\n', ['add "1" ', 'message "2" ']],
  ['one space is dropped, not two', 'data:a\n\ndata:  a\n\n', ['message "a" ', 'message " a" ']],
  ['comments and unknown fields', ': hello\nfoo: bar\n:\ndata: a\n\n', ['message "a" ']],
  ['no data, no event', 'event: add\n\n\n', []],
  ['an id stays', 'id: 1\ndata: a\n\ndata: b\n\nid\ndata: c\n\n',
    ['message "a" 1', 'message "b" 1', 'message "c" ']],
  ['only an id', 'id: 7\n\n', ['id 7']],
  ['an id with NUL is ignored', 'id: 1\n\nid: 2\0\n\n', ['id 1']],
  ['retry is digits only', 'retry: 50\nretry: -1\nretry: 1s\nretry:\n\n', ['retry 50']],
  ['CR, LF and both', 'data: a\r\rdata: b\r\n\r\ndata: c\n\n',
    ['message "a" ', 'message "b" ', 'message "c" ']],
  ['a colon in the data', 'data: {"a":1}\n\n', ['message "{\\"a\\":1}" ']],
  ['text beyond ASCII', 'data: grüße 日本 😀\n\n', ['message "grüße 日本 😀" ']],
  ['a BOM at the beginning', '\ufeffdata: a\n\n', ['message "a" ']],
  ['an unfinished event', 'data: a\n\ndata: b\n', ['message "a" ']],
];

for (const [name, text, said] of CASES) {
  test(name, () => {
    assert.deepEqual(parseText(text), said);
  });
}

test('it does not matter where the stream was cut', () => {
  for (const [name, text, said] of CASES) {
    const whole = bytes(text);
    assert.deepEqual(parse([...whole].map((byte) => Uint8Array.of(byte))), said, name);
    for (let at = 1; at < whole.length; at += 1) {
      assert.deepEqual(parse([whole.subarray(0, at), whole.subarray(at)]), said, `${name} at ${at}`);
    }
  }
});

test('an event that is too long is skipped as a whole, and its id counts', () => {
  const long = 'x'.repeat(60);
  assert.deepEqual(
    parseText(`id: 5\ndata: ${long}\ndata: y\n\ndata: z\n\n`, 50),
    ['oversize', 'id 5', 'message "z" 5'],
  );
  assert.deepEqual(
    parseText(`${'data: 0123456789\n'.repeat(9)}\ndata: z\n\n`, 50),
    ['oversize', 'message "z" '],
  );
});

test('a line without an end is not kept for ever', () => {
  const chunk = bytes('x'.repeat(40));
  assert.deepEqual(
    parse([bytes('data: '), ...Array.from({ length: 100 }, () => chunk), bytes('\n\ndata: z\n\n')], 50),
    ['oversize', 'message "z" '],
  );
});
