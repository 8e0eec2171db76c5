/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages between the connection and the listeners: sealed ones are opened
 * here, and since opening takes its time, the rest wait their turn.
 *
 * Promise   Delivered in the order pushed, each at most once. What cannot be
 *           opened is dropped and reported, and holds up nothing.
 * Bounds    A full inbox says so; the caller then gives up the connection and
 *           resumes later from its cursor, so nothing is lost.
 */

import { EVENT_ENCRYPTED } from './codes.js';
import { LIMIT } from './config.js';
import { type Opened, type Opener, sealedTextOf } from './crypto.js';
import type { MessageFrame } from './wire.js';

export interface Delivery {
  readonly event: string;
  readonly data: unknown;
  readonly channel: string;
  /** As the relay spells it; what it says by itself has none. */
  readonly id?: string | undefined;
}

interface Entry {
  readonly sealed: string | undefined;
  /** What to do when its turn has come; gets what the seal held. */
  readonly act: (opened: Opened | undefined) => void;
}

export class Inbox {
  private readonly queue: Entry[] = [];
  private queuedBytes = 0;
  private busy = false;

  /** Opens what is sealed; without it, it is delivered as it came. */
  opener: Opener | undefined;

  constructor(
    private readonly deliver: (delivery: Delivery) => void,
    private readonly spoiled: () => void,
  ) {}

  /** Nothing may be pushed then. */
  get isFull(): boolean {
    return (
      this.queue.length >= LIMIT.inboxEntries ||
      this.queuedBytes >= LIMIT.inboxBytes
    );
  }

  push(message: MessageFrame): void {
    const sealed =
      this.opener && message.event === EVENT_ENCRYPTED
        ? sealedTextOf(message.data)
        : undefined;
    const { channel, id } = message;
    this.queuedBytes += sealed?.length ?? 0;
    this.enqueue({
      sealed,
      act: (opened) => {
        const { event, data } = opened ?? message;
        this.deliver({ channel, event, data, ...(id !== undefined && { id }) });
      },
    });
  }

  /** Does something after everything that was pushed before. */
  after(act: () => void): void {
    this.enqueue({ sealed: undefined, act });
  }

  private enqueue(entry: Entry): void {
    this.queue.push(entry);
    this.drain();
  }

  /** Until the queue is empty or an opening takes its time. */
  private drain(): void {
    while (!this.busy) {
      const entry = this.queue.shift();
      if (!entry) {
        return;
      }
      this.queuedBytes -= entry.sealed?.length ?? 0;
      this.busy = true;
      const later = this.handle(entry);
      if (later) {
        void later.then(() => this.resume());
        return;
      }
      this.busy = false;
    }
  }

  private resume(): void {
    this.busy = false;
    this.drain();
  }

  /** A promise, which never rejects, if the opening takes its time. */
  private handle({ sealed, act }: Entry): Promise<void> | undefined {
    if (sealed === undefined || !this.opener) {
      act(undefined);
      return undefined;
    }
    try {
      const opened = this.opener(sealed);
      if (opened instanceof Promise) {
        return opened.then(act).catch(() => this.spoiled());
      }
      act(opened);
    } catch {
      this.spoiled();
    }
    return undefined;
  }
}
