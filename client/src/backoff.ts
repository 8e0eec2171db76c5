/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When to try again. Full jitter: every attempt draws its own delay between
 * nothing and a ceiling that doubles, so that a thousand pages that lost their
 * relay in the same instant do not come back in the same instant.
 *
 * The service this client's names come from draws from the upper half of the
 * ceiling. Ceilings and reset are the same here; the lower half is ours, since
 * without it half the crowd's room is empty.
 */

import { TIMING } from './config.js';

export class Backoff {
  private failures = 0;

  /** `random` is uniform in [0, 1) and asked once per delay. */
  constructor(private readonly random: () => number) {}

  /** Upper bound of the next delay. */
  get ceilingMs(): number {
    const doubled = TIMING.backoffFirstCeilingMs * 2 ** this.failures;
    return Math.min(doubled, TIMING.backoffLastCeilingMs);
  }

  /** Counts a failure and says how long to wait after it. */
  nextDelayMs(): number {
    const delayMs = Math.floor(this.random() * this.ceilingMs);
    if (this.ceilingMs < TIMING.backoffLastCeilingMs) {
      this.failures += 1;
    }
    return delayMs;
  }

  /** The connection proved itself; the next failure is a first one again. */
  reset(): void {
    this.failures = 0;
  }
}
