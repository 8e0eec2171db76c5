/* SPDX-License-Identifier: GPL-2.0-or-later */

import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import {
  aimed,
  errorsOf,
  type HookRow,
  isUnfinished,
  newRow,
  replaced,
  stillWrong,
  suggestion,
  without,
} from '../../src/triggers/rows.js';

test('the name of an event follows what it is about, until somebody names it', () => {
  const page = aimed(newRow('post_type'), 'page');
  assert.equal(page.event, 'page.updated');
  assert.equal(aimed(page, 'post').event, 'post.updated');
  assert.equal(aimed({ ...page, event: 'mine' }, 'post').event, 'mine');
  assert.equal(aimed(newRow('option'), 'blogname').event, 'option.blogname.updated');
  assert.equal(suggestion({ ...(newRow('hook') as HookRow), hook: '_user_register/x' }), 'user.register.x');
});

test('a row without aim or name is unfinished', () => {
  assert.ok(isUnfinished(newRow('hook')));
  assert.ok(isUnfinished({ ...aimed(newRow('hook'), 'init'), event: ' ' }));
  assert.ok(!isUnfinished(aimed(newRow('hook'), 'user_register')));
});

test('errors of the server are found by their path; anything else is none', () => {
  const found = errorsOf({
    code: 'wpsignal_invalid_triggers',
    message: 'no',
    data: { status: 400, errors: [{ row: 1, field: 'data.0.field', message: 'x' }, null, { row: 'a' }] },
  });
  assert.deepEqual([...found], [['1.data.0.field', 'x']]);
  assert.equal(errorsOf(new Error('offline')).size, 0);
  assert.equal(errorsOf(null).size, 0);
});

test('an error is gone with what it was about, and others stay', () => {
  const value = (name: string) => ({ name, arg: 1, kind: 'value', field: '' });
  const row: HookRow = { ...(newRow('hook') as HookRow), data: [value('a-b'), value('c-d')], channel: 'x,y' };
  const errors = new Map([['0.channel', 'x'], ['0.data.0.name', 'x'], ['0.data.1.name', 'x'], ['1.channel', 'x']]);
  const left = (now: HookRow): string[] => [...stillWrong(errors, 0, row, now).keys()];
  assert.deepEqual(left({ ...row, channel: 'xy' }), ['0.data.0.name', '0.data.1.name', '1.channel']);
  assert.deepEqual(left({ ...row, data: replaced(row.data, 0, value('ab')) }), ['0.channel', '0.data.1.name', '1.channel']);
  assert.deepEqual(left({ ...row, data: without(row.data, 0) }), ['0.channel', '1.channel']);
});

test('lists are changed without touching what they were', () => {
  const list = [1, 2, 3];
  assert.deepEqual(replaced(list, 1, 9), [1, 9, 3]);
  assert.deepEqual(without(list, 0), [2, 3]);
  assert.deepEqual(list, [1, 2, 3]);
});
