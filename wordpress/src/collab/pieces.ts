/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Frames too large for the wire, in pieces: 8 random bytes that name the whole,
 * its length, where this piece begins (both 32 bit, big-endian), and the bytes.
 * The relay keeps the order of a room, so a piece that does not begin where the
 * last one ended means that some were lost; the whole is then given up, and the
 * resync after every reconnect asks again.
 */

import type { Clock } from './clock.js';
import { encodeFrame, FRAME } from './frames.js';

export const NAME_BYTES = 8;
const HEAD_BYTES = NAME_BYTES + 8;

/** What is held for wholes that may never be completed. */
const MAX_WHOLES = 8;
const PATIENCE_MS = 30_000;

/** Half a second of a slow link, so that whoever waits hears that it goes on. */
export const PIECE_BYTES = 64 * 1024;

/** Whether a piece is the first of an answer to somebody's question. */
export function beginsAnswer(piece: Uint8Array): boolean {
  return (
    piece.length > HEAD_BYTES &&
    piece[HEAD_BYTES] === FRAME.step2 &&
    piece.subarray(NAME_BYTES + 4, HEAD_BYTES).every((byte) => byte === 0)
  );
}

/** As a key of a map. */
export const nameOf = (data: Uint8Array): string =>
  data.subarray(0, NAME_BYTES).join();

/** A frame as it is, or as pieces of at most `most` bytes of it. */
export function* inPieces(
  frame: Uint8Array,
  name: () => Uint8Array,
  most = PIECE_BYTES,
): Generator<Uint8Array> {
  if (frame.length <= most) {
    yield frame;
    return;
  }
  const id = name();
  for (let at = 0; at < frame.length; at += most) {
    const part = frame.subarray(at, at + most);
    const data = new Uint8Array(HEAD_BYTES + part.length);
    const view = new DataView(data.buffer);
    data.set(id.subarray(0, NAME_BYTES));
    view.setUint32(NAME_BYTES, frame.length);
    view.setUint32(NAME_BYTES + 4, at);
    data.set(part, HEAD_BYTES);
    yield encodeFrame(FRAME.piece, data);
  }
}

/** How far a whole has come. */
export interface Progress {
  readonly name: Uint8Array;
  readonly have: number;
  readonly length: number;
  /** Set once it is complete. */
  readonly whole: Uint8Array | undefined;
}

/** What is held of it grows with what came: a length alone reserves nothing. */
interface Whole {
  readonly length: number;
  bytes: Uint8Array;
  have: number;
  at: number;
}

export class Assembler {
  private readonly wholes = new Map<string, Whole>();

  /** `most` is the largest frame that is put together. */
  constructor(
    private readonly clock: Clock,
    private readonly most: number,
  ) {}

  /** Undefined for a piece of which nothing can be made. */
  take(piece: Uint8Array): Progress | undefined {
    if (piece.length <= HEAD_BYTES) {
      return undefined;
    }
    const view = new DataView(piece.buffer, piece.byteOffset, piece.length);
    const name = piece.slice(0, NAME_BYTES);
    const id = nameOf(name);
    const length = view.getUint32(NAME_BYTES);
    const at = view.getUint32(NAME_BYTES + 4);
    const part = piece.subarray(HEAD_BYTES);
    const whole = this.wholeOf(id, length, at);
    if (
      !whole ||
      whole.length !== length ||
      whole.have !== at ||
      part.length > length - at
    ) {
      this.wholes.delete(id);
      return undefined;
    }
    whole.have += part.length;
    if (whole.have > whole.bytes.length) {
      const bytes = new Uint8Array(Math.min(length, Math.max(whole.have, 2 * at)));
      bytes.set(whole.bytes);
      whole.bytes = bytes;
    }
    whole.bytes.set(part, at);
    whole.at = this.clock.now();
    const { have } = whole;
    const isWhole = have === length;
    if (isWhole) {
      this.wholes.delete(id);
    }
    return {
      name,
      have,
      length,
      whole: isWhole ? whole.bytes : undefined,
    };
  }

  /** The connection broke: what is not whole never will be. */
  clear(): void {
    this.wholes.clear();
  }

  private wholeOf(id: string, length: number, at: number): Whole | undefined {
    const known = this.wholes.get(id);
    if (known || at !== 0 || length === 0 || length > this.most) {
      return known;
    }
    const now = this.clock.now();
    for (const [other, whole] of this.wholes) {
      if (now - whole.at > PATIENCE_MS || this.wholes.size >= MAX_WHOLES) {
        this.wholes.delete(other);
      }
    }
    const whole = { length, bytes: new Uint8Array(0), have: 0, at: now };
    this.wholes.set(id, whole);
    return whole;
  }
}
