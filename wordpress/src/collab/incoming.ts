/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What comes in pieces, put together. Who asked for it confirms each, since
 * whoever answers goes by that (bulk.ts), and says how far it is.
 */

import { confirmation } from './bulk.js';
import type { Clock } from './clock.js';
import { Assembler, beginsAnswer, nameOf, PIECE_BYTES } from './pieces.js';

/** Bytes. */
export interface Share {
  readonly have: number;
  readonly length: number;
}

/** An answer that begins to come so soon after a question is one to it. */
const ANSWER_MS = 15_000;
/** An answer whose next piece takes longer is given up, and may be asked for again. */
const PATIENCE_MS = 15_000;
/** So many answers at a time are waited for. */
const MAX_AWAITED = 8;
/** Or many small pieces would have as many confirmations. */
const CONFIRM_BYTES = PIECE_BYTES / 2;

export class Incoming {
  private readonly assembler: Assembler;
  private askedAt = -Infinity;
  /** What was confirmed of each, by name. */
  private readonly awaited = new Map<string, number>();
  private cancel: (() => void) | undefined;

  /** `most` is the largest frame that is put together; undefined is no progress. */
  constructor(
    private readonly clock: Clock,
    most: number,
    private readonly say: (frame: Uint8Array) => void,
    private readonly progress: (of: Share | undefined) => void,
  ) {
    this.assembler = new Assembler(clock, most);
  }

  /** This one has asked; several may answer. */
  asked(): void {
    this.askedAt = this.clock.now();
  }

  /** The frame that `piece` completes, if it does. */
  take(piece: Uint8Array): Uint8Array | undefined {
    const part = this.assembler.take(piece);
    if (!part) {
      return undefined;
    }
    const id = nameOf(part.name);
    if (beginsAnswer(piece) && this.clock.now() - this.askedAt < ANSWER_MS && this.awaited.size < MAX_AWAITED) {
      this.awaited.set(id, 0);
    }
    const confirmed = this.awaited.get(id);
    if (confirmed !== undefined) {
      if (part.whole || part.have - confirmed >= CONFIRM_BYTES) {
        this.awaited.set(id, part.have);
        this.say(confirmation(part.name, part.have));
      }
      if (part.whole) {
        this.awaited.delete(id);
      }
      this.progress(this.isComing ? part : undefined);
      this.cancel?.();
      this.cancel = this.isComing
        ? this.clock.after(PATIENCE_MS, () => this.giveUp())
        : undefined;
    }
    return part.whole;
  }

  /** Whether `piece` is of an answer that is waited for. */
  awaits(piece: Uint8Array): boolean {
    return this.awaited.has(nameOf(piece));
  }

  /** Whether an answer is under way. */
  get isComing(): boolean {
    return this.awaited.size > 0;
  }

  /** The connection broke, or frames were lost: what is not whole never will be. */
  clear(): void {
    this.assembler.clear();
    this.giveUp();
  }

  private giveUp(): void {
    this.cancel?.();
    this.cancel = undefined;
    this.awaited.clear();
    this.progress(undefined);
  }
}
