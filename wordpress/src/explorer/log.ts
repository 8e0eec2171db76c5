/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The event log: the last events, what is shown of them, and a pause. Pure. */

export type Kind = 'event' | 'gap' | 'frame';

export interface Entry {
  readonly number: number;
  readonly kind: Kind;
  /** Unix time in milliseconds. */
  readonly at: number;
  readonly channel: string;
  readonly event: string;
  /** As JSON; of a frame its text as it came. */
  readonly text: string;
}

export interface Log {
  /** Newest first. */
  readonly entries: readonly Entry[];
  /** What came while paused, newest first. */
  readonly waiting: readonly Entry[];
  readonly isPaused: boolean;
  /** How many were pushed out by newer ones. */
  readonly dropped: number;
  readonly next: number;
}

/** Channels of measurements, of the plugin's class Test_Channel; not for the log. */
export const TEST_PREFIX = 'wordsocket:test:';

export const MOST = 500;

/** Longer ones are cut: a page must not choke on what it only shows. */
export const MOST_TEXT = 20_000;

export const EMPTY: Log = {
  entries: [],
  waiting: [],
  isPaused: false,
  dropped: 0,
  next: 1,
};

export type Action =
  | { readonly type: 'add'; readonly entry: Omit<Entry, 'number'> }
  | { readonly type: 'pause' }
  | { readonly type: 'resume' }
  | { readonly type: 'clear' };

function bounded(
  entries: readonly Entry[],
): readonly [kept: readonly Entry[], dropped: number] {
  return [entries.slice(0, MOST), Math.max(0, entries.length - MOST)];
}

function add(log: Log, given: Omit<Entry, 'number'>): Log {
  const text =
    given.text.length > MOST_TEXT
      ? `${given.text.slice(0, MOST_TEXT)}…`
      : given.text;
  const entry = { ...given, text, number: log.next };
  const [kept, dropped] = bounded([
    entry,
    ...(log.isPaused ? log.waiting : log.entries),
  ]);
  return {
    ...log,
    ...(log.isPaused ? { waiting: kept } : { entries: kept }),
    dropped: log.dropped + dropped,
    next: log.next + 1,
  };
}

export function reduce(log: Log, action: Action): Log {
  switch (action.type) {
    case 'add':
      return add(log, action.entry);
    case 'pause':
      return { ...log, isPaused: true };
    case 'resume': {
      const [entries, dropped] = bounded([...log.waiting, ...log.entries]);
      return {
        ...log,
        entries,
        waiting: [],
        isPaused: false,
        dropped: log.dropped + dropped,
      };
    }
    case 'clear':
      return { ...EMPTY, isPaused: log.isPaused, next: log.next };
  }
}

export interface Filter {
  readonly channel: string;
  readonly event: string;
  readonly text: string;
}

export const NO_FILTER: Filter = { channel: '', event: '', text: '' };

function has(whole: string, part: string): boolean {
  return whole.toLowerCase().includes(part.trim().toLowerCase());
}

/** Every field that says something must be found. */
export function matches(entry: Entry, filter: Filter): boolean {
  return (
    has(entry.channel, filter.channel) &&
    has(entry.event, filter.event) &&
    (has(entry.text, filter.text) ||
      has(entry.event, filter.text) ||
      has(entry.channel, filter.text))
  );
}

/** Names as people type them: separated by commas, spaces or lines. */
export function channelsOf(typed: string): string[] {
  return [...new Set(typed.split(/[\s,]+/).filter((name) => name !== ''))];
}

/** What was typed as data, or why it is none. */
export type Data =
  | { readonly data: Record<string, unknown> }
  | { readonly problem: 'syntax' | 'shape'; readonly detail: string };

export function parseData(typed: string): Data {
  if (typed.trim() === '') {
    return { data: {} };
  }
  try {
    const data: unknown = JSON.parse(typed);
    return typeof data === 'object' && data !== null && !Array.isArray(data)
      ? { data: data as Record<string, unknown> }
      : { problem: 'shape', detail: '' };
  } catch (error) {
    return { problem: 'syntax', detail: (error as Error).message };
  }
}

/** The same text for the same data, whatever the order of its names. */
export function canonical(data: unknown): string {
  return JSON.stringify(data, (_name, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(
          Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)),
        )
      : value,
  );
}
