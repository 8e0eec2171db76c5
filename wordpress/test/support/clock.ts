/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A clock that goes when told, and chance that a seed decides. */

import { Awareness } from 'y-protocols/awareness';
import type * as Y from 'yjs';
import type { Clock } from '../../src/collab/clock.js';

export class TestClock implements Clock {
  private at = 0;
  private readonly tasks = new Set<{ due: number; task: () => void }>();

  constructor(private seed = 1) {}

  now(): number {
    return this.at;
  }

  after(ms: number, task: () => void): () => void {
    const entry = { due: this.at + ms, task };
    this.tasks.add(entry);
    return () => this.tasks.delete(entry);
  }

  /** mulberry32. */
  random(): number {
    this.seed = (this.seed + 0x6d2b79f5) | 0;
    let t = Math.imul(this.seed ^ (this.seed >>> 15), 1 | this.seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }

  go(ms: number): void {
    const until = this.at + ms;
    for (;;) {
      const due = [...this.tasks].filter((entry) => entry.due <= until);
      const next = due.sort((a, b) => a.due - b.due)[0];
      if (!next) {
        break;
      }
      this.tasks.delete(next);
      this.at = next.due;
      next.task();
    }
    this.at = until;
  }
}

export function quiet(doc: Y.Doc): Awareness {
  const awareness = new Awareness(doc);
  // y-protocols renews by the real clock; here only ours goes.
  clearInterval((awareness as unknown as { _checkInterval: NodeJS.Timeout })._checkInterval);
  return awareness;
}
