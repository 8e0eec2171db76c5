/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whose the cursors are. An editor writes its own name into its state; what is
 * shown instead is the name in the badge that came with it, and where none came,
 * that of a stranger. A client belongs to the user who showed a badge for it
 * first, until it is gone.
 *
 * Whoever is in the room can invent members, so their number has bounds: of one
 * user, and of all that showed no badge, which leave those with one their place.
 */

import * as decoding from 'lib0/decoding';
import * as encoding from 'lib0/encoding';
import { applyAwarenessUpdate, type Awareness } from 'y-protocols/awareness';
import type { Identity, Said } from './badge.js';

/** The pages of one user. */
export const MOST_OF_ONE = 20;
/** Members without a badge. */
export const MOST_UNSIGNED = 200;
/** Beyond so many, those who have gone are forgotten. */
export const MOST_KNOWN = 1000;
/** But for so many pages of each user who showed a badge. */
export const MOST_LEFT = 50;
/** Characters of what one member says of itself; an editor needs some 2,000. */
export const MOST_SAID = 16 * 1024;

type State = { readonly [field: string]: unknown };

/** A state of one client; null is one that leaves. */
interface Entry {
  readonly client: number;
  readonly clock: number;
  readonly state: State | null;
}

function isObject(value: unknown): value is State {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Throws for what is no awareness update. */
function entriesOf(update: Uint8Array): Entry[] {
  const decoder = decoding.createDecoder(update);
  const entries: Entry[] = [];
  const count = decoding.readVarUint(decoder);
  if (count > MOST_KNOWN) {
    throw new Error('nobody knows so many');
  }
  for (let left = count; left > 0; left--) {
    const client = decoding.readVarUint(decoder);
    const clock = decoding.readVarUint(decoder);
    const said = decoding.readVarString(decoder);
    if (said.length > MOST_SAID) {
      throw new Error('nobody says so much');
    }
    const state: unknown = JSON.parse(said);
    if (state !== null && !isObject(state)) {
      throw new Error('no state');
    }
    entries.push({ client, clock, state });
  }
  if (decoding.hasContent(decoder)) {
    throw new Error('more than an update');
  }
  return entries;
}

function updateOf(entries: readonly Entry[]): Uint8Array {
  const encoder = encoding.createEncoder();
  encoding.writeVarUint(encoder, entries.length);
  for (const { client, clock, state } of entries) {
    encoding.writeVarUint(encoder, client);
    encoding.writeVarUint(encoder, clock);
    encoding.writeVarString(encoder, JSON.stringify(state));
  }
  return encoding.toUint8Array(encoder);
}

/** The state with that name on it. Browser and time of arrival are told, not proven. */
function named(state: State, { id, name, slug, avatar_urls }: Identity): State {
  const told = isObject(state['collaboratorInfo']) ? state['collaboratorInfo'] : {};
  const { browserType, enteredAt } = told;
  return {
    ...state,
    collaboratorInfo: {
      id,
      name,
      slug,
      avatar_urls,
      ...(typeof browserType === 'string' ? { browserType } : {}),
      ...(typeof enteredAt === 'number' ? { enteredAt } : {}),
    },
  };
}

export class Presence {
  private readonly owners = new Map<number, Identity>();
  /** Clients that a user had and that are gone, by user, the oldest first. */
  private readonly left = new Map<number, Set<number>>();

  /** Changes are made with `origin`. Without a stranger, names are believed. */
  constructor(
    private readonly awareness: Awareness,
    private readonly origin: unknown,
    private readonly stranger: Identity | undefined,
  ) {}

  /** Takes what has a signature. True if somebody is new. */
  takeSigned({ user, update }: Said): boolean {
    const [entry, more] = entriesOf(update);
    if (!entry || more || !this.isOpenTo(user, entry) || !this.hasPlaceFor(user, entry)) {
      return false;
    }
    const isNew = this.apply([this.as(user, entry)]);
    if (this.awareness.getStates().has(entry.client)) {
      this.owners.set(entry.client, user);
    }
    return isNew;
  }

  /** Takes what anybody in the room may have said. True if somebody is new. */
  takePlain(update: Uint8Array): boolean {
    const { stranger } = this;
    const entries = this.withinBounds(entriesOf(update));
    return this.apply(
      stranger
        ? entries
            .filter(({ client, state }) => !this.isOwn(client) || state === null)
            .map((entry) => this.as(this.owners.get(entry.client) ?? stranger, entry))
        : entries,
    );
  }

  /** Those are gone. */
  forget(clients: readonly number[]): void {
    for (const client of clients) {
      const owner = this.owners.get(client);
      if (owner) {
        this.owners.delete(client);
        this.remember(owner.id, client);
      }
    }
  }

  private remember(user: number, client: number): void {
    const left = this.left.get(user) ?? new Set();
    const [oldest] = left;
    if (oldest !== undefined && left.size >= MOST_LEFT) {
      left.delete(oldest);
    }
    this.left.set(user, left.add(client));
  }

  private isOpenTo(user: Identity, { client, state }: Entry): boolean {
    const owner = this.owners.get(client);
    return (
      !this.isOwn(client) &&
      (owner ? owner.id === user.id : state !== null)
    );
  }

  private hasPlaceFor(user: Identity, { client }: Entry): boolean {
    const owned = [...this.owners.values()].filter(({ id }) => id === user.id);
    return this.owners.has(client) || owned.length < MOST_OF_ONE;
  }

  /** Those without a badge who are known, and as many more as there is place for. */
  private withinBounds(entries: readonly Entry[]): Entry[] {
    const states = this.awareness.getStates();
    let places = MOST_UNSIGNED - [...states.keys()].filter((id) => !this.owners.has(id)).length;
    return entries.filter(
      ({ client, state }) => states.has(client) || (places > 0 && (!state || places-- > 0)),
    );
  }

  /**
   * y-protocols remembers of everybody who ever was there how often they spoke. Of
   * those who showed a badge it goes on to, or what they once said would show them
   * again; and of this page.
   */
  private forgetGone(): void {
    const { meta, states } = this.awareness;
    if (meta.size <= MOST_KNOWN) {
      return;
    }
    const left = new Set([...this.left.values()].flatMap((clients) => [...clients]));
    for (const client of [...meta.keys()]) {
      if (!states.has(client) && !this.isOwn(client) && !left.has(client)) {
        meta.delete(client);
      }
    }
  }

  /** Nobody speaks for this page; that it is gone, it puts right by itself. */
  private isOwn(client: number): boolean {
    return client === this.awareness.clientID;
  }

  private as(user: Identity, entry: Entry): Entry {
    return entry.state ? { ...entry, state: named(entry.state, user) } : entry;
  }

  private apply(entries: readonly Entry[]): boolean {
    const { awareness } = this;
    this.forgetGone();
    const unseen = entries.filter(({ client }) => !awareness.getStates().has(client));
    applyAwarenessUpdate(awareness, updateOf(entries), this.origin);
    return unseen.some(({ client }) => awareness.getStates().has(client));
  }
}
