/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The frames of one room, each way in their order: sealed and opened, and what
 * is too large in pieces. Knows nothing of what they say.
 */

import { Bulk } from './bulk.js';
import type { Cipher } from './cipher.js';
import type { Clock } from './clock.js';
import { decodeFrame, encodeFrame, FRAME, type FrameType } from './frames.js';
import { Incoming } from './incoming.js';
import { PIECE_BYTES } from './pieces.js';

export interface LineOptions {
  readonly channel: string;
  readonly cipher: Cipher;
  readonly clock: Clock;
  readonly randomBytes: (n: number) => Uint8Array;
  /** False if there is no connection that can send. */
  readonly send: (bytes: Uint8Array) => boolean;
  /** A frame came. What it throws is a frame that cannot be read. */
  readonly heard: (type: FrameType, data: Uint8Array) => void | Promise<void>;
  /** A part of one came. */
  readonly heardPart: () => void;
  /** What went in pieces was not all taken, though the connection is there. */
  readonly broke: () => void;
  /** The largest frame. */
  readonly most: number;
}

interface How {
  readonly awaited?: boolean;
  readonly repeated?: boolean;
}

export class Line {
  private readonly incoming: Incoming;
  private readonly bulk: Bulk;
  private session = 0;
  private open = false;
  private sending: Promise<unknown> = Promise.resolve();
  private reading: Promise<void> = Promise.resolve();

  constructor(private readonly line: LineOptions) {
    this.incoming = new Incoming(
      line.clock,
      line.most,
      (frame) => void this.sayMade(async () => frame),
      () => {},
    );
    this.bulk = new Bulk(line.clock, line.randomBytes, (piece) => this.handPiece(piece));
  }

  opened(): void {
    this.closed();
    this.open = true;
  }

  /** The connection is gone, and with it what was under way. */
  closed(): void {
    this.open = false;
    this.session += 1;
    this.bulk.stop();
    this.incoming.clear();
  }

  get isOpen(): boolean {
    return this.open;
  }

  /** Frames may have been lost: wholes that lack a piece never will be whole. */
  lost(): void {
    this.incoming.clear();
  }

  /** This one has asked: what comes in pieces now is confirmed. */
  asked(): void {
    this.incoming.asked();
  }

  /** A frame came, as the relay delivered it. */
  take(bytes: Uint8Array): void {
    const { cipher, channel } = this.line;
    const { session } = this;
    this.reading = this.reading.then(async () => {
      const frame = await cipher.open(channel, bytes);
      if (frame && session === this.session) {
        await this.read(frame);
      }
    });
  }

  /**
   * Whether the connection took it; what goes in pieces counts as taken. Where
   * somebody waits for it, and so confirms the pieces, it is `awaited`; what has all
   * that the one before it had is `repeated`.
   */
  say(type: FrameType, data: Uint8Array, how: How = {}): Promise<boolean> {
    return this.sayMade(async () => encodeFrame(type, data), how);
  }

  /** The same with a frame that takes time to make; nothing is nothing to say. */
  sayMade(
    made: () => Promise<Uint8Array | undefined>,
    { awaited = false, repeated = false }: How = {},
  ): Promise<boolean> {
    const { session } = this;
    const taken = this.sending.then(async () => {
      if (!this.open || session !== this.session) {
        return false;
      }
      const frame = await made();
      if (!frame) {
        return true;
      }
      if (session !== this.session || frame.length > this.line.most) {
        return false;
      }
      if (frame.length > PIECE_BYTES) {
        this.bulk.push(frame, awaited, repeated);
        return true;
      }
      return this.hand(frame);
    });
    this.sending = taken.catch(() => {});
    return taken;
  }

  /** Resolves when what was said is handed over, and what came is read. */
  idle(): Promise<void> {
    return this.reading.then(() => this.sending).then(() => {});
  }

  private async hand(frame: Uint8Array): Promise<boolean> {
    const { cipher, channel, send } = this.line;
    const { session } = this;
    try {
      const bytes = await cipher.seal(channel, frame);
      return session === this.session && send(bytes);
    } catch {
      return false;
    }
  }

  private async handPiece(piece: Uint8Array): Promise<boolean> {
    const { session } = this;
    const taken = await this.hand(piece);
    if (!taken && session === this.session) {
      this.line.broke();
    }
    return taken;
  }

  private async read(bytes: Uint8Array): Promise<void> {
    const frame = decodeFrame(bytes);
    if (!frame) {
      return;
    }
    try {
      if (frame.type === FRAME.piece) {
        this.line.heardPart();
        const whole = this.incoming.take(frame.data);
        if (whole && whole[0] !== FRAME.piece) {
          await this.read(whole);
        }
      } else if (frame.type === FRAME.have) {
        this.bulk.heard(frame.data);
      } else {
        await this.line.heard(frame.type, frame.data);
      }
    } catch {
      // What cannot be read is not ours.
    }
  }
}
