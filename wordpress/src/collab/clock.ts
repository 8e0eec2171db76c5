/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Time and chance, as arguments. */

export interface Clock {
  /** Milliseconds of a clock that never jumps. */
  now(): number;
  /** Returns what takes it back. */
  after(ms: number, task: () => void): () => void;
  /** From 0 to below 1. */
  random(): number;
}

export function browserClock(): Clock {
  return {
    now: () => performance.now(),
    after: (ms, task) => {
      const timer = setTimeout(task, ms);
      return () => clearTimeout(timer);
    },
    random: Math.random,
  };
}
