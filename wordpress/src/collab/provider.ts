/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sync provider that WordPress's editor asks for, for each thing it edits.
 *
 * A creator resolves at once and connects after: what reaches the document
 * before the editor listens to it would be in it and never be shown.
 */

import type { Awareness } from 'y-protocols/awareness';
import type * as Yjs from 'yjs';
import type { YModule } from './answers.js';
import type { Badges } from './badge.js';
import { type Cipher, createCipher, PLAIN } from './cipher.js';
import type { Clock } from './clock.js';
import type { Share } from './incoming.js';
import { Room } from './room.js';
import { type LinkState, type Status, statusOf, syncError } from './status.js';

export interface CreatorOptions {
  readonly objectType: string;
  /** Null for a collection; a number at run time. */
  readonly objectId: string | number | null;
  readonly ydoc: Yjs.Doc;
  readonly awareness?: Awareness;
  readonly Y?: YModule;
}

export interface Provider {
  destroy(): void;
  on(event: string, listener: (status: Status) => void): void;
}

export interface Entry {
  /** Full name of the room's channel. */
  readonly channel: string;
  /** Undefined where the site's frames are plain. */
  readonly key: Uint8Array<ArrayBuffer> | undefined;
}

/** A page has as many rooms as it may; this one is edited by one at a time. */
export class RoomLimitError extends Error {}

/** The connection of the page, and who may go where. */
export interface Link {
  readonly state: LinkState & { readonly canSend: boolean };
  onState(listener: () => void): () => void;
  onFrame(channel: string, listener: (bytes: Uint8Array) => void): () => void;
  /** Frames may have been lost while connected. */
  onLoss(listener: () => void): () => void;
  /** WordPress does not let this user into a room, for now. */
  onClosed(room: string, listener: () => void): () => void;
  /** It does again, into a room that it was asked for and said no. */
  onGranted(room: string, listener: (entry: Entry) => void): () => void;
  /**
   * Asks WordPress for `who`; undefined if it says no. Rejects if it cannot be
   * asked. The room is held until all who entered have left, each once.
   */
  enter(room: string, who: object): Promise<Entry | undefined>;
  leave(room: string, who: object): void;
  send(channel: string, bytes: Uint8Array): boolean;
}

export interface Surroundings {
  readonly link: Link;
  readonly clock: Clock;
  readonly crypto: Crypto;
  readonly badges?: Badges | undefined;
  /** Told how much of a room has come, while it comes; then undefined. */
  readonly progress?: ((room: string, of: Share | undefined) => void) | undefined;
  /** The editor's Yjs where it does not hand it over itself. */
  readonly Y?: YModule | undefined;
  /** On WordPress 7.0. Bytes that a room may hold, if not as many as it saves. */
  readonly maxDocument?: number;
  /** On WordPress 7.0, which does not tell by itself: the room holds more, and is over. */
  readonly grown?: ((room: string) => void) | undefined;
}

/** How WordPress names what is shared. */
export function roomName(
  objectType: string,
  objectId: string | number | null,
): string {
  return objectId === null ? objectType : `${objectType}:${objectId}`;
}

/** Tries again to ask WordPress for a room after 1, 2, 4 .. 30 s. */
const ASK_MS = 1000;
const ASK_MOST_MS = 30_000;

class RoomProvider implements Provider {
  private readonly listeners = new Set<(status: Status) => void>();
  private status: Status = { status: 'connecting' };
  private readonly off: (() => void)[] = [];
  private room: Room | undefined;
  private ended = false;
  /** A status of this room that goes before that of the connection. */
  private own: Status | undefined;
  private tries = 0;
  private wasOpen = false;

  constructor(
    private readonly around: Surroundings,
    private readonly options: CreatorOptions,
    private readonly Y: YModule,
    private readonly name: string,
  ) {
    // Not before the editor listens to the document.
    this.off.push(around.clock.after(0, () => void this.enter()));
  }

  on(event: string, listener: (status: Status) => void): void {
    if (event === 'status') {
      this.listeners.add(listener);
      listener(this.status);
    }
  }

  destroy(): void {
    if (!this.ended) {
      this.ended = true;
      this.leave();
      this.listeners.clear();
    }
  }

  /** Once what was said last is out. */
  private leave(): void {
    const { link } = this.around;
    this.stop();
    void (this.room?.destroy() ?? Promise.resolve()).then(() => link.leave(this.name, this));
  }

  private stop(): void {
    for (const off of this.off.splice(0)) {
      off();
    }
  }

  private async enter(): Promise<void> {
    const { link } = this.around;
    let entry: Entry | undefined;
    try {
      entry = await link.enter(this.name, this);
    } catch (error) {
      if (!this.ended) {
        this.notEntered(error);
      }
      return;
    }
    if (this.ended) {
      return;
    }
    this.own = undefined;
    if (entry) {
      this.join(entry);
    } else {
      this.refused();
    }
  }

  private notEntered(error: unknown): void {
    if (error instanceof RoomLimitError) {
      // To say "disconnected" would take the whole editor away.
      this.own = { status: 'connected' };
      this.tell();
      return;
    }
    const ms = Math.min(ASK_MS * 2 ** this.tries, ASK_MOST_MS);
    this.tries += 1;
    this.own = statusOf({
      connected: false,
      error: {
        code: 'unknown-error',
        message: error instanceof Error ? error.message : 'WordPress did not answer',
      },
      retryInMs: ms,
      failures: this.tries,
    });
    this.tell();
    this.off.push(this.around.clock.after(ms, () => void this.enter()));
  }

  /**
   * A list that one may not share says nothing: the editor shows the worst of
   * all rooms, and would be blocked by it.
   */
  private refused(): void {
    this.own =
      this.options.objectId === null
        ? { status: 'connected' }
        : {
            status: 'disconnected',
            error: syncError('authentication-failed', 'You may not edit this.'),
          };
    this.off.push(
      this.around.link.onGranted(this.name, (entry) => {
        this.stop();
        this.own = undefined;
        this.join(entry);
      }),
    );
    this.tell();
  }

  private join({ channel, key }: Entry): void {
    const { link, clock, crypto, badges } = this.around;
    this.wasOpen = false;
    const cipher: Cipher = key ? createCipher(key, crypto) : PLAIN;
    this.room = new Room({
      Y: this.Y,
      doc: this.options.ydoc,
      awareness: this.options.awareness,
      channel,
      cipher,
      badges,
      clock,
      randomBytes: (n) => crypto.getRandomValues(new Uint8Array(n)),
      send: (bytes) => link.send(channel, bytes),
      progress: (of) => this.around.progress?.(this.name, of),
      trouble: (why) => {
        this.own = { status: 'disconnected', error: syncError(why) };
        this.tell();
        this.leave();
      },
    });
    this.off.push(
      link.onFrame(channel, (bytes) => this.room?.take(bytes)),
      link.onClosed(this.name, () => {
        void this.room?.destroy();
        this.stop();
        this.refused();
      }),
      link.onLoss(() => this.room?.resync()),
      link.onState(() => this.follow()),
    );
    this.follow();
  }

  private follow(): void {
    const open = this.around.link.state.canSend;
    if (open !== this.wasOpen) {
      this.wasOpen = open;
      if (open) {
        this.room?.opened();
      } else {
        this.room?.closed();
      }
    }
    this.tell();
  }

  private tell(): void {
    const next = this.own ?? statusOf(this.around.link.state);
    if (JSON.stringify(next) !== JSON.stringify(this.status) || next.error) {
      this.status = next;
      for (const listener of this.listeners) {
        listener(next);
      }
    }
  }
}

/** For what cannot be shared; the editor goes on alone. */
const INERT: Provider = {
  destroy: () => {},
  on: (event, listener) => {
    if (event === 'status') {
      listener({ status: 'connected' });
    }
  },
};

/** Attachments are opened by the hundred, and edited by one. */
const ALONE: ReadonlySet<string> = new Set(['postType/attachment']);

export const isForOne = (objectType: string): boolean => ALONE.has(objectType);

export function createCreator(
  around: Surroundings,
): (options: CreatorOptions) => Promise<Provider> {
  return async (options) => {
    const Y = options.Y ?? around.Y;
    return !Y || isForOne(options.objectType)
      ? INERT
      : new RoomProvider(
          around,
          options,
          Y,
          roomName(options.objectType, options.objectId),
        );
  };
}
