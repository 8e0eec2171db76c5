/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The editor's one connection, with all its rooms on it.
 *
 * It is not the page's: its token names the rooms, and binary frames of a room
 * are nobody else's. Rooms that are asked for in one turn share one request to
 * WordPress, and so does every refresh, which asks for all of them again: a room
 * that is not in the answer any more is closed, and one that is in it again opens.
 */

import { Client } from '../../../client/src/client.js';
import type { ClientOptions } from '../../../client/src/options.js';
import { MintError, type TokenGrant } from '../../../client/src/token.js';
import type { Clock } from './clock.js';
import { type Entry, type Link, RoomLimitError } from './provider.js';

/** What the token route answers when it is asked for rooms. */
export interface TokenAnswer {
  readonly token: string;
  readonly exp?: number;
  readonly rooms: {
    readonly [room: string]: { readonly channel: string; readonly key?: string };
  };
  /** Says who this user is, in WordPress's word, and by which key. See badge.ts. */
  readonly badge?: string;
  readonly badgeIssuer?: string;
}

/**
 * Asks WordPress. Rejects with what has a `status` and a `code`; 403 says that
 * whoever asks is not wanted, anything else that it should be asked again. So
 * does a 403 for the nonce alone, which is that of a login that is over.
 */
export type AskWordPress = (rooms: readonly string[]) => Promise<TokenAnswer>;

/** Listeners by name. */
class Listeners<T extends unknown[]> {
  private readonly all = new Map<string, Set<(...args: T) => void>>();

  add(name: string, listener: (...args: T) => void): () => void {
    const own = this.all.get(name) ?? new Set();
    this.all.set(name, own.add(listener));
    return () => {
      own.delete(listener);
      if (own.size === 0 && this.all.get(name) === own) {
        this.all.delete(name);
      }
    };
  }

  tell(name: string, ...args: T): void {
    for (const listener of [...(this.all.get(name) ?? [])]) {
      listener(...args);
    }
  }
}

/** As many as WordPress lets one token name. */
export const MAX_ROOMS = 100;

/** How long after a refusal what was refused is made up for. */
const REFUSED_MS = 2000;

/** What was said last is posted in so long, where there is no socket. */
const POST_MS = 1000;

/** Asks for a new token when told to, while connected: a room has come up. */
export class RoomsClient extends Client {
  renew(): void {
    this.link.verify();
  }
}

const FORBIDDEN = 403;
const BAD_NONCE = 'rest_cookie_invalid_nonce';

/** A room that is wanted. */
interface Wish {
  /** A page may have a successor for a room before it ends what it had. */
  readonly members: Set<object>;
  /** Known once WordPress has answered. */
  entry?: Entry | undefined;
  /** WordPress said no; it is asked again with each refresh. */
  isClosed?: boolean;
}

interface Waiting {
  resolve(entry: Entry | undefined): void;
  reject(error: unknown): void;
}

function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
}

export class ClientLink implements Link {
  private readonly client: RoomsClient;
  private readonly wanted = new Map<string, Wish>();
  private readonly waiting = new Map<string, Waiting[]>();
  private readonly frames = new Listeners<[Uint8Array]>();
  private readonly closed = new Listeners<[]>();
  private readonly openAgain = new Listeners<[Entry]>();
  private isAskedFor = false;

  constructor(
    options: ClientOptions,
    private readonly ask: AskWordPress,
    private readonly clock: Clock,
    private readonly badged: (badge: string, issuer: string) => void,
    makeClient = (made: ClientOptions) => new RoomsClient(made),
  ) {
    const { baseUrl, endpoints, forceSSE, user } = options;
    this.client = makeClient({
      baseUrl,
      endpoints,
      forceSSE,
      user,
      share: false,
      mint: () => this.mint(),
    });
    this.client.on('connection', (connected) => {
      if (connected && this.waiting.size > 0) {
        this.askSoon();
      }
    });
    this.client.on('binary', (channel, bytes) => this.frames.tell(channel, bytes));
  }

  get state(): Link['state'] {
    const { connected, error, retryInMs, failures } = this.client.state;
    return {
      connected,
      error,
      retryInMs,
      failures,
      canSend: this.client.status.canPublishBinary,
    };
  }

  onState(listener: () => void): () => void {
    const offs = [
      this.client.on('state', listener),
      this.client.on('sendable', listener),
    ];
    return () => offs.forEach((off) => off());
  }

  onFrame(channel: string, listener: (bytes: Uint8Array) => void): () => void {
    return this.frames.add(channel, listener);
  }

  /** Also what the relay refused, for it comes too fast: it is gone as well. */
  onLoss(listener: () => void): () => void {
    let off: (() => void) | undefined;
    const offs = [
      this.client.on('gap', listener),
      this.client.on('reopen', listener),
      this.client.on('error', () => {
        off ??= this.clock.after(REFUSED_MS, () => {
          off = undefined;
          listener();
        });
      }),
      () => off?.(),
    ];
    return () => offs.forEach((end) => end());
  }

  onClosed(room: string, listener: () => void): () => void {
    return this.closed.add(room, listener);
  }

  onGranted(room: string, listener: (entry: Entry) => void): () => void {
    return this.openAgain.add(room, listener);
  }

  enter(room: string, who: object): Promise<Entry | undefined> {
    const wish = this.wanted.get(room) ?? { members: new Set() };
    if (this.wanted.size >= MAX_ROOMS && !this.wanted.has(room)) {
      return Promise.reject(new RoomLimitError('too many rooms on one page'));
    }
    wish.members.add(who);
    this.wanted.set(room, wish);
    return new Promise((resolve, reject) => {
      const others = this.waiting.get(room) ?? [];
      this.waiting.set(room, [...others, { resolve, reject }]);
      this.askSoon();
    });
  }

  leave(room: string, who: object): void {
    const wish = this.wanted.get(room);
    if (wish?.members.delete(who) && wish.members.size === 0) {
      const { connected, transport } = this.client.state;
      const isPosting = connected && transport !== 'ws';
      // One that was made meanwhile enters in its own turn.
      this.clock.after(isPosting ? POST_MS : 0, () => this.drop(room, wish));
    }
  }

  private drop(room: string, wish: Wish): void {
    if (wish.members.size > 0 || this.wanted.get(room) !== wish) {
      return;
    }
    this.wanted.delete(room);
    this.answer(room, undefined);
    if (wish.entry) {
      this.client.unsubscribe([wish.entry.channel]);
    }
    if (this.wanted.size === 0) {
      this.client.stop();
    }
  }

  send(channel: string, bytes: Uint8Array): boolean {
    return this.client.publishBinary(channel, bytes);
  }

  /** For tests of a page, and for a page that wakes. */
  get connection(): RoomsClient {
    return this.client;
  }

  private askSoon(): void {
    if (!this.isAskedFor) {
      this.isAskedFor = true;
      this.clock.after(0, () => {
        this.isAskedFor = false;
        if (this.waiting.size === 0) {
          return;
        }
        if (this.client.state.connected) {
          this.client.renew();
        } else {
          // Takes the rooms along, or asks again once it is there.
          this.client.start();
        }
      });
    }
  }

  private async mint(): Promise<TokenGrant> {
    const rooms = [...this.wanted.keys()];
    let answer: TokenAnswer;
    try {
      answer = await this.ask(rooms);
    } catch (error) {
      throw this.refusedOf(error, rooms);
    }
    if (answer.badge && answer.badgeIssuer) {
      this.badged(answer.badge, answer.badgeIssuer);
    }
    const entries = new Map<string, Entry>();
    for (const [room, { channel, key }] of Object.entries(answer.rooms)) {
      if (rooms.includes(room) && this.wanted.has(room)) {
        entries.set(room, { channel, key: key === undefined ? undefined : bytesOf(key) });
      }
    }
    // The client takes the token in first: then frames of a new room may follow.
    this.clock.after(0, () => this.granted(rooms, entries));
    return {
      token: answer.token,
      exp: answer.exp,
      channels: [...entries.values()].map(({ channel }) => channel),
    };
  }

  private refusedOf(error: unknown, rooms: readonly string[]): MintError {
    const { status, code, message = '' } = error as {
      status?: number;
      code?: string;
      message?: string;
    };
    const refused = status === FORBIDDEN && code !== BAD_NONCE;
    for (const room of rooms) {
      if (refused) {
        this.close(room);
        this.answer(room, undefined);
      } else {
        this.answer(room, error instanceof Error ? error : new Error(message));
      }
    }
    // It may be otherwise when the next one asks.
    return new MintError(message, false);
  }

  private granted(asked: readonly string[], entries: ReadonlyMap<string, Entry>): void {
    for (const room of asked) {
      const entry = entries.get(room);
      const wish = this.wanted.get(room);
      if (!wish) {
        // Left meanwhile; the client took it from the token.
        this.client.unsubscribe(entry ? [entry.channel] : []);
      } else if (entry) {
        wish.entry = entry;
        // A channel that was given up is not taken from a token again.
        this.client.subscribe([entry.channel]);
        if (wish.isClosed) {
          wish.isClosed = false;
          this.openAgain.tell(room, entry);
        }
      } else {
        this.close(room);
      }
      this.answer(room, entry);
    }
    // Those that came up meanwhile.
    if (this.waiting.size > 0) {
      this.askSoon();
    }
  }

  /** WordPress does not let this user in, or no more. */
  private close(room: string): void {
    const wish = this.wanted.get(room);
    if (!wish || wish.isClosed) {
      return;
    }
    wish.isClosed = true;
    if (wish.entry) {
      this.client.unsubscribe([wish.entry.channel]);
      wish.entry = undefined;
    }
    this.closed.tell(room);
  }

  private answer(room: string, entry: Entry | Error | undefined): void {
    const waiting = this.waiting.get(room) ?? [];
    this.waiting.delete(room);
    for (const { resolve, reject } of waiting) {
      if (entry instanceof Error) {
        reject(entry);
      } else {
        resolve(entry);
      }
    }
  }
}
