/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a room says, in the order in which it is said, and sealed; what is large
 * goes in pieces beside it. Nothing is kept for a connection that is not there.
 */

import { Bulk } from './bulk.js';
import type { Cipher } from './cipher.js';
import type { Clock } from './clock.js';
import { FRAME } from './frames.js';
import { PIECE_BYTES } from './pieces.js';

export interface OutgoingOptions {
  readonly channel: string;
  readonly cipher: Cipher;
  readonly clock: Clock;
  readonly randomBytes: (n: number) => Uint8Array;
  /** False if there is no connection that can send. */
  readonly send: (bytes: Uint8Array) => boolean;
}

export class Outgoing {
  private readonly bulk: Bulk;
  private line: Promise<void> = Promise.resolve();
  private run = 0;

  /** `refused` is told what the connection did not take, while it is there. */
  constructor(
    private readonly way: OutgoingOptions,
    private readonly refused: () => void,
  ) {
    this.bulk = new Bulk(way.clock, way.randomBytes, (piece) => this.hand(piece));
  }

  /**
   * When what was said before is under way. What is `repeated` has all that the
   * one before it had.
   */
  say(made: () => Promise<Uint8Array | undefined>, repeated = false): void {
    const { run } = this;
    this.line = this.line.then(async () => {
      const frame = await made();
      if (!frame || run !== this.run) {
        return;
      }
      if (frame.length > PIECE_BYTES) {
        this.bulk.push(frame, frame[0] === FRAME.step2, repeated);
      } else {
        await this.hand(frame);
      }
    });
  }

  /** Somebody has so much of something. */
  heard(data: Uint8Array): void {
    this.bulk.heard(data);
  }

  /** The connection is gone, and all of it with it. */
  stop(): void {
    this.run += 1;
    this.bulk.stop();
  }

  /** Resolves when what was said is handed over, or in pieces under way. */
  idle(): Promise<void> {
    return this.line;
  }

  /** Resolves when all that was said is handed over, at the latest after `ms`. */
  drained(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.way.clock.after(ms, resolve);
      void this.line
        .then(() => this.bulk.idle())
        .then(() => {
          cancel();
          resolve();
        });
    });
  }

  /** Whether the connection took it. Never rejects. */
  private async hand(frame: Uint8Array): Promise<boolean> {
    const { cipher, channel, send } = this.way;
    const { run } = this;
    let taken = false;
    try {
      const bytes = await cipher.seal(channel, frame);
      taken = run === this.run && send(bytes);
    } catch {
      // Nothing would ever be said in this room again.
    }
    // A connection that is gone is made up for by the next one.
    if (!taken && run === this.run) {
      this.refused();
    }
    return taken;
  }
}
