/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The builder's list, as the route wpsignal/v1/triggers has it. See docs/triggers.md. */

import { get, isApiError, post } from '../api.js';

export interface DataField {
  readonly name: string;
  readonly arg: number;
  readonly kind: string;
  readonly field: string;
}

export interface Condition {
  readonly arg: number;
  readonly kind: string;
  readonly field: string;
  readonly operator: string;
  readonly value: string;
}

export interface SimpleRow {
  readonly type: 'post_type' | 'option';
  readonly target: string;
  readonly channel: string;
  readonly event: string;
}

export interface HookRow {
  readonly type: 'hook';
  readonly hook: string;
  readonly priority: number;
  readonly args: number;
  readonly channel: string;
  readonly event: string;
  readonly data: readonly DataField[];
  readonly match: 'all' | 'any';
  readonly conditions: readonly Condition[];
  readonly object: string;
}

export type Row = SimpleRow | HookRow;

export interface Registered {
  readonly event: string;
  readonly hook: string;
  readonly priority: number;
  readonly args: number;
  readonly channel: string;
  readonly condition: boolean;
  readonly source: 'built-in' | 'saved' | 'code';
}

export interface Named {
  readonly name: string;
  readonly label: string;
}

export interface Offer {
  readonly triggers: readonly Row[];
  readonly registered: readonly Registered[];
  readonly post_types: readonly Named[];
  readonly options: readonly Named[];
  /** Names that may be typed beside. */
  readonly other_options: readonly string[];
  readonly kinds: readonly (Named & { readonly fields: readonly string[] })[];
  readonly operators: readonly (Named & { readonly value: boolean })[];
  readonly limits: {
    readonly triggers: number;
    readonly data: number;
    readonly conditions: number;
    readonly args: number;
    readonly text: number;
  };
}

export const triggersApi = {
  load: () => get<Offer>('/triggers'),
  save: (triggers: readonly Row[]) =>
    post<Offer & { message: string }>('/triggers', { triggers }),
};

/** What the server found wrong, by path: "1.event", "1.data.0.field". */
export type Errors = ReadonlyMap<string, string>;

export function errorsOf(given: unknown): Errors {
  const found = new Map<string, string>();
  const data = isApiError(given) ? (given.data as { errors?: unknown }) : {};
  const list: unknown[] = Array.isArray(data?.errors) ? data.errors : [];
  for (const item of list) {
    const { row, field, message } = (item ?? {}) as Record<string, unknown>;
    if (typeof row === 'number' && typeof message === 'string') {
      found.set(`${row}.${String(field)}`, message);
    }
  }
  return found;
}

/** What stands at a path within a row, as JSON. */
function valueAt(row: Row, path: string): string {
  let at: unknown = row;
  for (const part of path === '' ? [] : path.split('.')) {
    at = (at as Record<string, unknown> | undefined)?.[part];
  }
  return JSON.stringify(at) ?? '';
}

/**
 * Errors that hold after row `at` became another: those of what was not
 * touched. Where a list is longer or shorter, none of its numbers holds.
 */
export function stillWrong(errors: Errors, at: number, before: Row, now: Row): Errors {
  const own = `${at}.`;
  const holds = (path: string): boolean => {
    const list = path.split('.')[0] as keyof HookRow;
    const length = (row: Row): number => ((row as HookRow)[list] as { length?: number } | undefined)?.length ?? 0;
    const inList = path.startsWith('data.') || path.startsWith('conditions.');
    return valueAt(before, path) === valueAt(now, path) && (!inList || length(before) === length(now));
  };
  return new Map([...errors].filter(([path]) => !path.startsWith(own) || holds(path.slice(own.length))));
}

export function newRow(type: Row['type']): Row {
  return type === 'hook'
    ? {
        type,
        hook: '',
        priority: 10,
        args: 1,
        channel: 'events',
        event: '',
        data: [],
        match: 'all',
        conditions: [],
        object: '',
      }
    : { type, target: '', channel: 'events', event: '' };
}

/** What the event of a row is usually called. */
export function suggestion(row: Row): string {
  if (row.type === 'hook') {
    return row.hook.replace(/[^A-Za-z0-9]+/g, '.').replace(/^\.|\.$/g, '');
  }
  if (row.target === '') {
    return '';
  }
  return row.type === 'option'
    ? `option.${row.target}.updated`
    : `${row.target}.updated`;
}

/** A row with another target or hook; its name follows as long as it was suggested. */
export function aimed(row: Row, at: string): Row {
  const follows = row.event === '' || row.event === suggestion(row);
  const next: Row =
    row.type === 'hook' ? { ...row, hook: at } : { ...row, target: at };
  return follows ? { ...next, event: suggestion(next) } : next;
}

/** Whether the server would drop or refuse it for being empty. */
export function isUnfinished(row: Row): boolean {
  const target = row.type === 'hook' ? row.hook : row.target;
  return target.trim() === '' || row.event.trim() === '';
}

export function replaced<T>(list: readonly T[], at: number, item: T): T[] {
  return list.map((old, index) => (index === at ? item : old));
}

export function without<T>(list: readonly T[], at: number): T[] {
  return list.filter((_item, index) => index !== at);
}
