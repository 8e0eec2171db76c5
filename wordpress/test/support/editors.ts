/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Editors of one post, over a hub in memory, and a member who sends what it likes. */

import { strict as assert } from 'node:assert';
import { encodeAwarenessUpdate } from 'y-protocols/awareness';
import * as Y from 'yjs';
import { Badges, type Identity } from '../../src/collab/badge.js';
import { type Cipher, createCipher } from '../../src/collab/cipher.js';
import { encodeFrame, FRAME, type FrameType } from '../../src/collab/frames.js';
import { Room } from '../../src/collab/room.js';
import { quiet, TestClock } from './clock.js';
import { Hub } from './hub.js';
import { newPair, person, publicHalf, signedBy, Site, START_S, STRANGER } from './site.js';

export const CHANNEL = 'site:s:yjs:postType/post:1';
export const [ANN, BOB, CAT, EVE] = ['Ann', 'Bob', 'Cat', 'Eve'].map((name, i) =>
  person(i + 1, name),
) as [Identity, Identity, Identity, Identity];
const crypto = globalThis.crypto as Crypto;
export const SEALED = createCipher(new Uint8Array(32).fill(1), crypto);

export type Editor = Awaited<ReturnType<Awaited<ReturnType<typeof world>>['add']>>;

export async function world(cipher: Cipher = SEALED) {
  const clock = new TestClock();
  const hub = new Hub();
  const site = await Site.make();
  const idle: (() => Promise<unknown>)[] = [];

  /** An editor; with `user` undefined, of a site without badges. */
  const add = async (user: Identity | undefined, told: object = user ?? {}) => {
    const doc = new Y.Doc();
    const awareness = quiet(doc);
    const state = { collaboratorInfo: { ...told, browserType: 'Chrome', enteredAt: 7 }, at: 0 };
    awareness.setLocalState(state);
    const badges = new Badges(crypto, () => START_S * 1000 + clock.now(), STRANGER);
    const key = (await badges.key()) as string;
    const renew = async (): Promise<void> => {
      const iat = START_S + Math.floor(clock.now() / 1000);
      if (user) {
        badges.take(await site.badge(user, key, { iat, exp: iat + 360 }), site.issuer);
      }
    };
    await renew();
    const wire = hub.join((bytes) => room.take(bytes));
    const room = new Room({
      Y,
      doc,
      awareness,
      channel: CHANNEL,
      cipher,
      badges,
      clock,
      randomBytes: (n) => new Uint8Array(n),
      send: (bytes) => wire.send(bytes),
      trouble: assert.fail,
    });
    idle.push(() => room.idle());
    const up = (): void => {
      wire.up();
      room.opened();
    };
    const down = (): void => {
      wire.down();
      room.closed();
    };
    const move = (at: number): void => awareness.setLocalState({ ...state, at });
    const id = awareness.clientID;
    /** What this one is shown of another. */
    const seen = (other: { id: number }): Record<string, unknown> | undefined =>
      awareness.getStates().get(other.id);
    const name = (other: { id: number }): unknown =>
      (seen(other)?.['collaboratorInfo'] as Identity | undefined)?.name;
    up();
    return { doc, awareness, badges, key, room, wire, renew, up, down, move, id, seen, name };
  };

  const settle = async (ms = 600): Promise<void> => {
    for (let at = 0; at < ms; at += 10) {
      clock.go(10);
      for (let i = 0; i < 4; i++) {
        await Promise.all(idle.map((one) => one()));
        await hub.deliver();
      }
    }
  };

  /** A member with the room's key, who sends what it likes. */
  const hostile = async (user: Identity) => {
    const heard: { type: number; data: Uint8Array }[] = [];
    let reading: Promise<unknown> = Promise.resolve();
    const wire = hub.join((bytes) => {
      reading = reading.then(async () => {
        const frame = await cipher.open(CHANNEL, bytes);
        heard.push({ type: frame?.[0] ?? 0, data: frame?.subarray(1) ?? new Uint8Array() });
      });
    });
    idle.push(() => reading);
    wire.up();
    const { privateKey, ...pair } = await newPair();
    const key = await publicHalf({ privateKey, ...pair });
    const hand = async (type: FrameType, data: Uint8Array): Promise<void> => {
      wire.send(await cipher.seal(CHANNEL, encodeFrame(type, data)));
    };
    const send = async (type: FrameType, data: Uint8Array): Promise<void> => {
      await hand(type, data);
      await settle(50);
    };
    const badge = await site.badge(user, key);
    const say = async (update: Uint8Array, by = badge): Promise<void> =>
      send(FRAME.signed, await signedBy(privateKey, CHANNEL, by, update));
    const sayAll = async (updates: readonly Uint8Array[]): Promise<void> => {
      for (const update of updates) {
        await hand(FRAME.signed, await signedBy(privateKey, CHANNEL, badge, update));
      }
      await settle(50);
    };
    const doc = new Y.Doc();
    return { id: doc.clientID, heard, key, send, say, sayAll, wire };
  };
  return { clock, hub, site, add, settle, hostile };
}

/** An update about those clients, whoever they are. */
export function about(clients: { id: number }[], state: object | null, clock = 1000): Uint8Array {
  const awareness = quiet(new Y.Doc());
  for (const { id } of clients) {
    awareness.meta.set(id, { clock, lastUpdated: 0 });
    if (state) {
      awareness.states.set(id, { ...state });
    }
  }
  return encodeAwarenessUpdate(awareness, clients.map(({ id }) => id));
}

export const as = (user: Identity, at = 666): object => ({ collaboratorInfo: { ...user }, at });
