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

/** A frame that confirms so many bytes of a whole. */
export function confirmation(name: Uint8Array, have: number): Uint8Array {
  const data = new Uint8Array(NAME_BYTES + 4);
  data.set(name);
  new DataView(data.buffer).setUint32(NAME_BYTES, have);
  return encodeFrame(FRAME.have, data);
}

export class Bulk {
  private readonly confirmed = new Map<string, number>();
  private wake: (() => void) | undefined;
  private run = 0;
  private line: Promise<void> = Promise.resolve();

  /** `send` says whether the connection took it. */
  constructor(
    private readonly clock: Clock,
    private readonly randomBytes: (n: number) => Uint8Array,
    private readonly send: (piece: Uint8Array) => Promise<boolean>,
  ) {}

  /** Whether somebody waits for it, and so will confirm, is `awaited`. */
  push(frame: Uint8Array, awaited: boolean): void {
    const { run } = this;
    this.line = this.line.then(() => this.go(frame, awaited, run));
  }

  /** Resolves when all that was pushed is out, or given up. */
  idle(): Promise<void> {
    return this.line;
  }

  /** Somebody has so much of something, maybe of ours. */
  heard(data: Uint8Array): void {
    if (data.length === NAME_BYTES + 4) {
      const id = nameOf(data);
      const had = this.confirmed.get(id);
      const have = new DataView(data.buffer, data.byteOffset).getUint32(NAME_BYTES);
      if (had !== undefined && have > had) {
        this.confirmed.set(id, have);
        this.wake?.();
      }
    }
  }

  /** The connection is gone, and all of it with it. */
  stop(): void {
    this.run += 1;
    this.wake?.();
    this.line = Promise.resolve();
  }

  private async go(frame: Uint8Array, awaited: boolean, run: number): Promise<void> {
    const name = this.randomBytes(NAME_BYTES);
    const id = nameOf(name);
    this.confirmed.set(id, 0);
    let at = 0;
    for (const piece of inPieces(frame, () => name)) {
      while (awaited && run === this.run && at - (this.confirmed.get(id) ?? 0) >= WINDOW_BYTES) {
        if (!(await this.wait(PATIENCE_MS))) {
          run = -1;
        }
      }
      if (run !== this.run || !(await this.send(piece))) {
        break;
      }
      at = Math.min(at + PIECE_BYTES, frame.length);
      if (at < frame.length) {
        await this.wait(awaited ? PACE_MS : BLIND_PACE_MS, false);
      }
    }
    this.confirmed.delete(id);
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
