/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One shared document among its editors, over a channel that keeps the order of
 * what is sent and may break at any time. The relay keeps nothing: peers answer
 * each other, and WordPress saves.
 *
 * First    What the others have is received before anything of ours is sent.
 * Broken   On every connect a state vector goes out, and those of our own
 *          changes of which no peer ever showed that it has them.
 * Names    Cursors are signed, and shown with the name that WordPress vouches
 *          for. Where frames are plain, others' unsigned ones are shown, too.
 * Quiet    A room in which nobody has asked for a while is asked by one of its
 *          members, so that whatever went wrong is mended.
 *
 * Knows neither sockets nor WordPress.
 */

import {
  type Awareness,
  encodeAwarenessUpdate,
  removeAwarenessStates,
} from 'y-protocols/awareness';
import type * as Yjs from 'yjs';
import { Answers, hasMore, type YModule } from './answers.js';
import type { Badges } from './badge.js';
import type { Cipher } from './cipher.js';
import type { Clock } from './clock.js';
import { decodeFrame, encodeFrame, FRAME, type FrameType } from './frames.js';
import { Incoming, type Share } from './incoming.js';
import { Outgoing } from './outgoing.js';
import { Presence } from './presence.js';
import { Timers } from './timers.js';

/** How long a newcomer waits for somebody to answer. */
const ALONE_MS = 1000;
/** How long it waits for the next piece of an answer. */
const UNDER_WAY_MS = 5000;
/**
 * Both together are less than what the relay takes of one connection, also of
 * somebody who never stops typing. The first key after a pause goes at once.
 */
const UPDATE_MS = 60;
export const AWARENESS_MS = 100;
/** Who sees somebody come says who is here, after this and up to so much more. */
export const GREETING_MS = 50;
export const GREETING_MORE_MS = 200;
/** Where frames are plain, a badge goes along no more often than this. */
export const INTRODUCE_MS = 14_000;
/** What the connection did not take is made up for after this. */
export const AGAIN_MS = 1000;
/** A room in which nobody asked for so long is asked; up to twice this. */
const QUIET_MS = 30_000;
/** Who sees that another has more asks after this, unless it came by then. */
const LACKING_MS = 400;
/** So long what was said last may take to go out. */
const LEAVE_MS = 2000;

/** What a room may hold; as much as WordPress saves. */
export const MAX_DOCUMENT = 16 * 1024 * 1024;

export type Trouble = 'document-size-limit-exceeded';

export interface RoomOptions {
  readonly Y: YModule;
  readonly doc: Yjs.Doc;
  /** Collections have none. */
  readonly awareness?: Awareness | undefined;
  readonly channel: string;
  readonly cipher: Cipher;
  /** Without them, names are believed. */
  readonly badges?: Badges | undefined;
  readonly clock: Clock;
  readonly randomBytes: (n: number) => Uint8Array;
  /** False if there is no connection that can send. */
  readonly send: (bytes: Uint8Array) => boolean;
  /** The room ended, and why; it has left already. */
  readonly trouble: (why: Trouble) => void;
  /** What others wrote is there, or nobody is. */
  readonly received?: () => void;
  /** How much of what others wrote has come; undefined when there is no more. */
  readonly progress?: ((of: Share | undefined) => void) | undefined;
  readonly maxDocument?: number;
}

export class Room {
  private readonly answers: Answers;
  private readonly incoming: Incoming;
  private readonly outgoing: Outgoing;
  private readonly presence: Presence | undefined;
  private readonly maxDocument: number;
  private open = false;
  private ended = false;
  /** Others' part is there; ours may be sent. */
  private settled = false;
  /** So much of our own changes was seen at a peer. */
  private confirmed = 0;
  private reading: Promise<void> = Promise.resolve();
  private session = 0;
  private readonly timers: Timers;
  /** Own changes that wait for their turn. */
  private pending: Uint8Array[] = [];
  /** The next cursor goes with the badge, where not every one does. */
  private introduces = true;
  private introduced = 0;
  private gone: Promise<void> | undefined;

  constructor(private readonly room: RoomOptions) {
    const { Y, doc, awareness, badges, clock } = room;
    this.presence = awareness && new Presence(awareness, this, badges?.stranger);
    this.maxDocument = room.maxDocument ?? MAX_DOCUMENT;
    this.timers = new Timers(clock);
    this.incoming = new Incoming(
      clock,
      this.maxDocument + 1024,
      (frame) => this.sayLater(async () => frame),
      (of) => room.progress?.(of),
    );
    this.outgoing = new Outgoing(room, () => {
      if (!this.ended) {
        this.timers.set('again', AGAIN_MS, () => this.resync());
      }
    });
    this.answers = new Answers(
      Y,
      doc,
      clock,
      () => this.isFirst(),
      (update) => this.say(FRAME.step2, update),
    );
    doc.on('update', this.onUpdate);
    awareness?.on('update', this.onAwareness);
  }

  /** The channel is subscribed to and frames can be sent; again after each break. */
  opened(): void {
    if (this.ended) {
      return;
    }
    this.closed();
    this.open = true;
    this.ask();
    this.announce();
    this.timers.set('alone', ALONE_MS, () => this.settle());
  }

  /** The connection is gone. */
  closed(): void {
    this.rest();
    this.outgoing.stop();
  }

  /** Nothing more is heard, and nothing more said than what was. */
  private rest(): void {
    const { awareness } = this.room;
    this.open = false;
    this.settled = false;
    this.session += 1;
    this.pending = [];
    this.answers.stop();
    this.incoming.clear();
    this.timers.clear();
    if (awareness) {
      const others = [...awareness.getStates().keys()].filter(
        (client) => client !== awareness.clientID,
      );
      removeAwarenessStates(awareness, others, this);
    }
  }

  /** A frame came, as the relay delivered it. */
  take(bytes: Uint8Array): void {
    const { cipher, channel } = this.room;
    const { session } = this;
    this.reading = this.reading.then(async () => {
      const frame = await cipher.open(channel, bytes);
      if (frame && this.isCurrent(session)) {
        await this.read(frame, session);
      }
    });
  }

  /** Frames may have been lost while connected. */
  resync(): void {
    if (this.open) {
      this.incoming.clear();
      this.ask();
      this.announce();
      // Until others' part is there, ours waits.
      if (this.settled) this.sayOwn();
    }
  }

  /**
   * Leaves, and says so where it can. Resolves when that and what was typed last
   * is handed over, or the time for it is over.
   */
  destroy(): Promise<void> {
    this.gone ??= this.leave();
    return this.gone;
  }

  private async leave(): Promise<void> {
    const { doc, awareness } = this.room;
    this.sayUpdates();
    if (this.open && awareness?.meta.has(awareness.clientID)) {
      this.sayPresence(
        encodeAwarenessUpdate(awareness, [awareness.clientID], new Map()),
        false,
      );
    }
    this.ended = true;
    doc.off('update', this.onUpdate);
    awareness?.off('update', this.onAwareness);
    this.rest();
    await this.outgoing.drained(LEAVE_MS);
    this.outgoing.stop();
  }

  /** Resolves when what was said is handed over. For tests. */
  idle(): Promise<void> {
    return this.reading.then(() => this.outgoing.idle());
  }

  private readonly onUpdate = (update: Uint8Array, origin: unknown): void => {
    if (origin !== this && this.open && this.settled) {
      this.pending.push(update);
      if (!this.timers.has('updates')) {
        this.sayUpdates();
      }
    }
  };

  private sayUpdates(): void {
    const updates = this.pending;
    this.pending = [];
    if (updates.length > 0) {
      this.say(FRAME.update, this.room.Y.mergeUpdates(updates));
      this.timers.set('updates', UPDATE_MS, () => this.sayUpdates());
    }
  }

  private readonly onAwareness = (
    { removed }: { readonly removed: readonly number[] },
    origin: unknown,
  ): void => {
    const { awareness } = this.room;
    this.presence?.forget(removed);
    if (origin === this || origin === 'timeout' || !awareness) {
      return;
    }
    if (this.open && !this.timers.has('awareness')) {
      this.timers.set('awareness', AWARENESS_MS, () => this.sayAwareness());
    }
  };

  private async read(bytes: Uint8Array, session: number): Promise<void> {
    const frame = decodeFrame(bytes);
    if (!frame) {
      return;
    }
    try {
      if (frame.type === FRAME.signed) {
        await this.checked(frame.data, session);
      } else if (frame.type === FRAME.piece) {
        const whole = this.piece(frame.data);
        if (whole && whole[0] !== FRAME.piece) {
          await this.read(whole, session);
        }
      } else if (frame.type === FRAME.have) {
        this.outgoing.heard(frame.data);
      } else {
        this.handle(frame.type, frame.data);
      }
    } catch {
      // What cannot be read is not ours; the document is as it was.
    }
  }

  private handle(type: FrameType, data: Uint8Array): void {
    const { Y, doc } = this.room;
    switch (type) {
      case FRAME.step1:
        this.asked(Y.decodeStateVector(data));
        this.greet();
        break;
      case FRAME.step2:
        Y.applyUpdate(doc, data, this);
        this.answers.heard(data);
        this.settle();
        break;
      case FRAME.update:
        Y.applyUpdate(doc, data, this);
        break;
      case FRAME.awareness:
        if (!this.areAllSigned) {
          this.greetIf(this.presence?.takePlain(data));
        }
        break;
    }
  }

  private piece(data: Uint8Array): Uint8Array | undefined {
    this.answers.heardPart(data);
    const whole = this.incoming.take(data);
    // Whoever waits for an answer sees that one is under way.
    if (this.incoming.awaits(data) && this.timers.has('alone')) {
      this.timers.set('alone', UNDER_WAY_MS, () => this.settle());
    }
    return whole;
  }

  private async checked(data: Uint8Array, session: number): Promise<void> {
    const { badges, channel } = this.room;
    const said = await badges?.verify(channel, data);
    if (said && this.isCurrent(session)) {
      this.greetIf(this.presence?.takeSigned(said));
    }
  }

  private isCurrent(session: number): boolean {
    return session === this.session && this.open;
  }

  /** Whether a cursor without a signature is nobody's. */
  private get areAllSigned(): boolean {
    const { badges, cipher } = this.room;
    return cipher.isSealed && !!badges?.isReady;
  }

  private asked(theirs: Map<number, number>): void {
    const mine = theirs.get(this.room.doc.clientID) ?? 0;
    this.confirmed = Math.max(this.confirmed, mine);
    this.waitForQuiet();
    this.answers.ask(theirs);
    if (!this.timers.has('lacking')) {
      this.askForMore(theirs);
    }
  }

  /** Somebody has more; if it does not come by itself, and nothing comes, asks. */
  private askForMore(theirs: Map<number, number>): void {
    if (hasMore(theirs, this.vector())) {
      this.timers.set('lacking', LACKING_MS * (1 + this.room.clock.random()), () => {
        if (this.incoming.isComing) {
          this.askForMore(theirs);
        } else if (hasMore(theirs, this.vector())) {
          this.ask();
        }
      });
    }
  }

  private greetIf(isNew: boolean | undefined): void {
    if (isNew) {
      this.greet();
    }
  }

  /** Somebody new, or back, does not know who is here. */
  private greet(): void {
    if (!this.timers.has('greeting')) {
      const ms = GREETING_MS + GREETING_MORE_MS * this.room.clock.random();
      this.timers.set('greeting', ms, () => this.announce());
    }
  }

  /** Says who is here; as news, or whoever has forgotten it would not take it. */
  private announce(): void {
    const { awareness } = this.room;
    const state = awareness?.getLocalState();
    if (!awareness || !state) {
      return;
    }
    const isPending = this.timers.has('awareness');
    this.introduces = true;
    // An empty start is nothing to tell.
    if ((awareness.meta.get(awareness.clientID)?.clock ?? 0) > 0) {
      awareness.setLocalState(state);
    }
    if (!isPending) {
      this.sayAwareness();
    }
  }

  /** Others' part is there, or nobody answered: ours goes out. */
  private settle(): void {
    this.timers.cancel('alone');
    if (!this.settled && this.open) {
      this.settled = true;
      this.sayOwn();
      this.room.received?.();
    }
  }

  private ask(): void {
    const { Y, doc } = this.room;
    this.incoming.asked();
    this.say(FRAME.step1, Y.encodeStateVector(doc));
    this.waitForQuiet();
  }

  private waitForQuiet(): void {
    const ms = QUIET_MS * (1 + this.room.clock.random());
    this.timers.set('quiet', ms, () => this.ask());
  }

  /** Those of our own changes that no peer is known to have. */
  private sayOwn(): void {
    const { Y, doc } = this.room;
    const vector = this.vector();
    const own = vector.get(doc.clientID) ?? 0;
    if (vector.size === 0) {
      return;
    }
    if (own > this.confirmed) {
      vector.set(doc.clientID, this.confirmed);
    }
    this.say(
      FRAME.update,
      Y.encodeStateAsUpdate(doc, Y.encodeStateVector(vector)),
      true,
    );
  }

  private sayAwareness(): void {
    const { awareness, clock } = this.room;
    this.timers.cancel('awareness');
    if (awareness?.getLocalState()) {
      this.sayPresence(
        encodeAwarenessUpdate(awareness, [awareness.clientID]),
        this.introduces || clock.now() - this.introduced >= INTRODUCE_MS,
      );
    }
  }

  /** The badge goes first: of two with one clock, peers take the first. */
  private sayPresence(update: Uint8Array, introduces: boolean): void {
    const { badges, channel, clock } = this.room;
    if (badges?.isReady && (introduces || this.areAllSigned)) {
      this.introduces = false;
      this.introduced = clock.now();
      this.sayLater(async () => {
        const data = await badges.sign(channel, update);
        return data && encodeFrame(FRAME.signed, data);
      });
    }
    if (!this.areAllSigned) {
      this.say(FRAME.awareness, update);
    }
  }

  private say(type: FrameType, data: Uint8Array, repeated = false): void {
    if (this.ended || !this.open) {
      return;
    }
    if (data.length > this.maxDocument) {
      this.end('document-size-limit-exceeded');
      return;
    }
    this.sayLater(async () => encodeFrame(type, data), repeated);
  }

  private sayLater(made: () => Promise<Uint8Array | undefined>, repeated = false): void {
    if (!this.ended && this.open) {
      this.outgoing.say(made, repeated);
    }
  }

  private end(why: Trouble): void {
    void this.destroy();
    this.room.trouble(why);
  }

  private vector(): Map<number, number> {
    const { Y, doc } = this.room;
    return Y.decodeStateVector(Y.encodeStateVector(doc));
  }

  /** Whether this is the first to answer, of those it knows. */
  private isFirst(): boolean {
    const { awareness } = this.room;
    return (
      !!awareness &&
      Math.min(...awareness.getStates().keys()) === awareness.clientID
    );
  }
}
