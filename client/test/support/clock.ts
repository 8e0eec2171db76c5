/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A clock that only moves when told to.
 */
import type { Clock, TimerHandle } from '../../src/platform.js';

interface Timer {
  readonly dueMs: number;
  readonly run: () => void;
}

/** Lets everything that is ready run: promises, streams of memory. */
export async function settle(): Promise<void> {
  for (let round = 0; round < 12; round += 1) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Waits, in real time, for what takes a thread or a network. */
export async function until(
  holds: () => boolean,
  what = 'what was waited for',
): Promise<void> {
  const deadline = performance.now() + 5_000;
  while (!holds()) {
    if (performance.now() > deadline) {
      throw new Error(`${what} did not come: ${holds.toString()}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

export class ManualClock implements Clock {
  private readonly timers = new Map<number, Timer>();
  private count = 0;

  constructor(private nowMs = 1_700_000_000_000) {}

  now(): number {
    return this.nowMs;
  }

  setTimeout(run: () => void, delayMs: number): TimerHandle {
    this.count += 1;
    this.timers.set(this.count, { dueMs: this.nowMs + delayMs, run });
    return this.count;
  }

  clearTimeout(handle: TimerHandle): void {
    this.timers.delete(handle as number);
  }

  get pending(): number {
    return this.timers.size;
  }

  /** Runs what falls due on the way, in order. */
  async advance(ms: number): Promise<void> {
    const endMs = this.nowMs + ms;
    for (;;) {
      const next = [...this.timers]
        .filter(([, { dueMs }]) => dueMs <= endMs)
        .sort(([a, x], [b, y]) => x.dueMs - y.dueMs || a - b)[0];
      if (!next) {
        break;
      }
      const [handle, { dueMs, run }] = next;
      this.timers.delete(handle);
      this.nowMs = Math.max(this.nowMs, dueMs);
      run();
      await settle();
    }
    this.nowMs = endMs;
    await settle();
  }

  /** As a machine that slept: time is over, but no timer has run yet. */
  sleep(ms: number): void {
    this.nowMs += ms;
  }
}
