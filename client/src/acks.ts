/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Confirmed publishes that wait for their acknowledgement, by reference.
 *
 * Promise   Every promise given out settles: by the answer, at the deadline,
 *           or when the connection is lost. Lost means not known: the message
 *           may have been published.
 * Bounds    At most `LIMIT.pendingAcks` at a time.
 */

import { LIMIT, TIMING } from './config.js';
import type { Clock, TimerHandle } from './platform.js';

/** Why a confirmed publish was not confirmed. */
export class PublishError extends Error {
  constructor(
    /** The relay's code, or `not-connected`, `timed-out`, `connection-lost`. */
    readonly code: string,
    message: string,
  ) {
    super(message || code);
    this.name = 'PublishError';
  }
}

interface Pending {
  resolve(id: string | undefined): void;
  reject(error: PublishError): void;
  readonly deadline: TimerHandle;
}

export class Acks {
  private readonly pending = new Map<string, Pending>();
  private count = 0;

  constructor(private readonly clock: Clock) {}

  /**
   * `send` gets the reference to put into the frame and says whether the frame
   * went out. Resolves with the id the message got.
   */
  expect(send: (ref: string) => boolean): Promise<string | undefined> {
    this.count += 1;
    const ref = `r${this.count}`;
    return new Promise((resolve, reject) => {
      if (this.pending.size >= LIMIT.pendingAcks) {
        reject(new PublishError('not-connected', 'too many are unanswered'));
        return;
      }
      const deadline = this.clock.setTimeout(() => {
        this.fail(ref, 'timed-out', 'no acknowledgement came');
      }, TIMING.ackDeadlineMs);
      this.pending.set(ref, { resolve, reject, deadline });
      if (!send(ref)) {
        this.fail(ref, 'not-connected', 'there is no connection to send over');
      }
    });
  }

  confirm(ref: string, id: string | undefined): void {
    this.take(ref)?.resolve(id);
  }

  fail(ref: string, code: string, message: string): void {
    this.take(ref)?.reject(new PublishError(code, message));
  }

  /** The answers of a lost connection will not come. */
  failAll(): void {
    for (const ref of [...this.pending.keys()]) {
      this.fail(ref, 'connection-lost', 'the connection was lost');
    }
  }

  private take(ref: string): Pending | undefined {
    const pending = this.pending.get(ref);
    this.pending.delete(ref);
    this.clock.clearTimeout(pending?.deadline);
    return pending;
  }
}
