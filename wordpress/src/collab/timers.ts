/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Timers by name: one that is set again takes the place of the one before. */

import type { Clock } from './clock.js';

export class Timers {
  private readonly running = new Map<string, () => void>();

  constructor(private readonly clock: Clock) {}

  set(name: string, ms: number, task: () => void): void {
    this.cancel(name);
    this.running.set(
      name,
      this.clock.after(ms, () => {
        this.running.delete(name);
        task();
      }),
    );
  }

  has(name: string): boolean {
    return this.running.has(name);
  }

  cancel(name: string): void {
    this.running.get(name)?.();
    this.running.delete(name);
  }

  clear(): void {
    for (const name of [...this.running.keys()]) {
      this.cancel(name);
    }
  }
}
