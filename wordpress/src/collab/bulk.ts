/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sends what is too large for one frame, in pieces, beside the small frames: what
 * is typed meanwhile does not wait for it.
 *
 * An answer goes no faster than whoever asked takes it, or the relay would close
 * a slow link again and again for what it cannot hold: each piece is confirmed,
 * and only so much is under way. Where nobody confirms, nobody is there any more,
 * and the rest stays here; who asks again gets it from its beginning.
 */

import type { Clock } from './clock.js';
import { encodeFrame, FRAME } from './frames.js';
import { inPieces, nameOf, NAME_BYTES, PIECE_BYTES } from './pieces.js';

/** Less than half of what the relay holds for one connection. */
const WINDOW_BYTES = 3 * PIECE_BYTES;
/** Together with all else below the relay's rate of a connection. */
const PACE_MS = 60;
/** Where nobody confirms: 2.6 Mbit/s. */
const BLIND_PACE_MS = 200;
const PATIENCE_MS = 10_000;
/**
 * Answers that wait for their turn may have so many bytes together, one may in any
 * case: whoever asks and confirms nothing would have them pile up.
 */
const MOST_WAITING = 16 * 1024 * 1024;

/** A frame that confirms so many bytes of a whole. */
export function confirmation(name: Uint8Array, have: number): Uint8Array {
  const data = new Uint8Array(NAME_BYTES + 4);
  data.set(name);
  new DataView(data.buffer).setUint32(NAME_BYTES, have);
  return encodeFrame(FRAME.have, data);
}

/** One whole under way. */
interface Transfer {
  sent: number;
  confirmed: number;
}

interface Job {
  frame: Uint8Array;
  readonly awaited: boolean;
}

export class Bulk {
  private readonly transfers = new Map<string, Transfer>();
  /** A repetition whose turn has not come. */
  private waiting: Job | undefined;
  /** Bytes of answers whose turn has not come. */
  private answers = 0;
  private wake: (() => void) | undefined;
  private run = 0;
  private line: Promise<void> = Promise.resolve();

  /** `send` says whether the connection took it. */
  constructor(
    private readonly clock: Clock,
    private readonly randomBytes: (n: number) => Uint8Array,
    private readonly send: (piece: Uint8Array) => Promise<boolean>,
  ) {}

  /**
   * Whether somebody waits for it, and so will confirm, is `awaited`. What is
   * `repeated` has all that the one before it had, and takes its place unless
   * that is under way. An answer may be left out: who lacks it asks again.
   */
  push(frame: Uint8Array, awaited: boolean, repeated = false): void {
    if (repeated && this.waiting) {
      this.waiting.frame = frame;
      return;
    }
    const bytes = awaited ? frame.length : 0;
    if (awaited && this.answers > 0 && this.answers + bytes > MOST_WAITING) {
      return;
    }
    this.answers += bytes;
    const { run } = this;
    const job = { frame, awaited };
    this.waiting = repeated ? job : this.waiting;
    this.line = this.line.then(() => {
      if (this.waiting === job) {
        this.waiting = undefined;
      }
      if (run === this.run) {
        this.answers -= bytes;
      }
      return this.go(job, run);
    });
  }

  /** Resolves when all that was pushed is out, or given up. */
  idle(): Promise<void> {
    return this.line;
  }

  /** Somebody has so much of something, maybe of ours. */
  heard(data: Uint8Array): void {
    if (data.length === NAME_BYTES + 4) {
      const id = nameOf(data);
      const transfer = this.transfers.get(id);
      const have = new DataView(data.buffer, data.byteOffset).getUint32(NAME_BYTES);
      // Nobody has what was not sent yet.
      if (transfer && have > transfer.confirmed && have <= transfer.sent) {
        transfer.confirmed = have;
        this.wake?.();
      }
    }
  }

  /** The connection is gone, and all of it with it. */
  stop(): void {
    this.run += 1;
    this.waiting = undefined;
    this.answers = 0;
    this.wake?.();
    this.line = Promise.resolve();
  }

  private async go({ frame, awaited }: Job, run: number): Promise<void> {
    if (run !== this.run) {
      return;
    }
    const name = this.randomBytes(NAME_BYTES);
    const id = nameOf(name);
    const transfer: Transfer = { sent: 0, confirmed: 0 };
    this.transfers.set(id, transfer);
    for (const piece of inPieces(frame, () => name)) {
      while (awaited && run === this.run && transfer.sent - transfer.confirmed >= WINDOW_BYTES) {
        if (!(await this.wait(PATIENCE_MS))) {
          run = -1;
        }
      }
      if (run !== this.run) {
        break;
      }
      // Before it goes: the answer may be here before `send` is back.
      transfer.sent = Math.min(transfer.sent + PIECE_BYTES, frame.length);
      if (!(await this.send(piece))) {
        break;
      }
      if (transfer.sent < frame.length) {
        await this.wait(awaited ? PACE_MS : BLIND_PACE_MS, false);
      }
    }
    this.transfers.delete(id);
  }

  /** Until something is confirmed, where that counts; false if the time is over. */
  private wait(ms: number, wakes = true): Promise<boolean> {
    return new Promise((resolve) => {
      const woken = (): void => done(true);
      const done = (isWoken: boolean): void => {
        // One that was stopped may end while the next one waits.
        if (this.wake === woken) {
          this.wake = undefined;
        }
        cancel();
        resolve(isWoken);
      };
      const cancel = this.clock.after(ms, () => done(false));
      if (wakes) {
        this.wake = woken;
      }
    });
  }
}
