/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who is in a room whose document is elsewhere, and where their cursors are: said
 * and heard as room.ts does it. A member that does not renew what it said is
 * gone after 30 s, which y-protocols sees to.
 */

import {
  Awareness,
  encodeAwarenessUpdate,
  removeAwarenessStates,
} from 'y-protocols/awareness';
import type * as Yjs from 'yjs';
import type { Badges } from './badge.js';
import type { Clock } from './clock.js';
import { encodeFrame, FRAME } from './frames.js';
import type { Line } from './line.js';
import { Presence } from './presence.js';
import { AWARENESS_MS, GREETING_MORE_MS, GREETING_MS, INTRODUCE_MS } from './room.js';
import { Timers } from './timers.js';

/**
 * Who was there before a break and was not heard for so long after it has gone
 * meanwhile; everybody else renews what it said every 15 s.
 */
const UNHEARD_MS = 20_000;

export type State = { readonly [field: string]: unknown };

export class Crowd {
  private readonly awareness: Awareness;
  private readonly presence: Presence;
  private readonly timers: Timers;
  private introduces = true;
  private introduced = 0;
  private said = '';
  /** Those of before the break that were not heard since. */
  private unheard = new Set<number>();

  /** Where frames are plain, `areSealed` is false, and names without a badge are shown. */
  constructor(
    readonly client: number,
    private readonly channel: string,
    private readonly areSealed: boolean,
    private readonly line: Line,
    private readonly clock: Clock,
    private readonly badges: Badges | undefined,
  ) {
    // Of a document it wants no more than that.
    const doc = { clientID: client, on: () => {} } as unknown as Yjs.Doc;
    this.awareness = new Awareness(doc);
    this.presence = new Presence(this.awareness, this, badges?.stranger);
    this.timers = new Timers(clock);
    this.awareness.on('update', this.onUpdate);
  }

  /** Everybody, this one too. */
  get states(): ReadonlyMap<number, State> {
    return this.awareness.getStates();
  }

  /** The others. */
  get others(): number[] {
    return [...this.states.keys()].filter((client) => client !== this.client);
  }

  /** How many of those it knows come before this one. */
  get rank(): number {
    return this.others.filter((client) => client < this.client).length;
  }

  /** What the editor has this one say; said when it is news. */
  set(state: State): void {
    const text = JSON.stringify(state);
    if (text !== this.said) {
      this.said = text;
      this.awareness.setLocalState(state);
    }
  }

  /** Tells everybody; as news, or whoever has forgotten it would not take it. */
  announce(): void {
    const state = this.awareness.getLocalState();
    if (state) {
      this.introduces = true;
      this.awareness.setLocalState(state);
      this.say();
    }
  }

  /** Somebody new, or back, does not know who is here. */
  greet(): void {
    if (!this.timers.has('greeting')) {
      const ms = GREETING_MS + GREETING_MORE_MS * this.clock.random();
      this.timers.set('greeting', ms, () => this.announce());
    }
  }

  heardPlain(update: Uint8Array): void {
    if (!this.areAllSigned && this.presence.takePlain(update)) {
      this.greet();
    }
  }

  async heardSigned(data: Uint8Array): Promise<void> {
    const said = await this.badges?.verify(this.channel, data);
    if (said && this.line.isOpen && this.presence.takeSigned(said)) {
      this.greet();
    }
  }

  /** A connection is there, or again. */
  opened(): void {
    this.announce();
    if (this.unheard.size > 0) {
      this.timers.set('unheard', UNHEARD_MS, () =>
        removeAwarenessStates(this.awareness, [...this.unheard], this),
      );
    }
  }

  /** It is gone. Breaks are short: the others stay to be seen. */
  closed(): void {
    this.timers.clear();
    this.unheard = new Set(this.others);
  }

  /** Leaves, and says so where it can; resolves when it is said. */
  async leave(): Promise<void> {
    const { awareness, client } = this;
    this.timers.clear();
    awareness.off('update', this.onUpdate);
    this.sayUpdate(encodeAwarenessUpdate(awareness, [client], new Map()), false);
    awareness.destroy();
    await this.line.idle();
  }

  private readonly onUpdate = (
    { added, updated, removed }: { readonly [kind: string]: readonly number[] },
    origin: unknown,
  ): void => {
    this.presence.forget(removed ?? []);
    for (const client of [added, updated, removed].flatMap((some) => some ?? [])) {
      this.unheard.delete(client);
    }
    if (origin === 'local' && this.line.isOpen && !this.timers.has('awareness')) {
      this.timers.set('awareness', AWARENESS_MS, () => this.say());
    }
  };

  private say(): void {
    this.timers.cancel('awareness');
    if (this.awareness.getLocalState()) {
      this.sayUpdate(
        encodeAwarenessUpdate(this.awareness, [this.client]),
        this.introduces || this.clock.now() - this.introduced >= INTRODUCE_MS,
      );
    }
  }

  /** Whether a cursor without a signature is nobody's. */
  private get areAllSigned(): boolean {
    return this.areSealed && !!this.badges?.isReady;
  }

  /** The badge goes first: of two with one clock, others take the first. */
  private sayUpdate(update: Uint8Array, introduces: boolean): void {
    const { badges, channel, line } = this;
    if (badges?.isReady && (introduces || this.areAllSigned)) {
      this.introduces = false;
      this.introduced = this.clock.now();
      void line.sayMade(async () => {
        const data = await badges.sign(channel, update);
        return data && encodeFrame(FRAME.signed, data);
      });
    }
    if (!this.areAllSigned) {
      void line.say(FRAME.awareness, update);
    }
  }
}
