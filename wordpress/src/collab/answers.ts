/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who answers a state vector. Everybody in a room hears the question and every
 * answer. So each waits for a moment of its own, and says nothing if an answer
 * that passed by held all that it would have said. Questions that come together
 * get one answer. What a resync costs grows with the editors that come back, and
 * not with their number times that of the others.
 *
 * An answer goes out even if there is nothing to add: it tells a newcomer that
 * it has everything.
 */

import type * as Yjs from 'yjs';
import type { Clock } from './clock.js';
import { beginsAnswer, nameOf } from './pieces.js';

export type YModule = typeof Yjs;
type Vector = Map<number, number>;

/** An answer in pieces is under way; it went on no longer ago than this. */
export const UNDER_WAY_MS = 4000;
/** So many at a time are waited for. */
const MAX_UNDER_WAY = 8;

/** The one whose turn it is answers at once, the others within these. */
const EARLIEST_MS = 40;
const LATEST_MS = 240;
/**
 * No two go sooner after each other: one who never stops asking would have this
 * page use up what the relay takes of it, for all its rooms.
 */
export const ANSWER_GAP_MS = 250;

function clockOf(vector: Vector, client: number): number {
  return vector.get(client) ?? 0;
}

/** For every client the smaller of both. */
function lowerOf(a: Vector, b: Vector): Vector {
  const lower: Vector = new Map();
  for (const [client, clock] of a) {
    const least = Math.min(clock, clockOf(b, client));
    if (least > 0) {
      lower.set(client, least);
    }
  }
  return lower;
}

/** Whether somebody at `theirs` has something that `ours` lacks. */
export function hasMore(theirs: Vector, ours: Vector): boolean {
  return [...theirs].some(([client, clock]) => clock > clockOf(ours, client));
}

interface Range {
  readonly clock: number;
  readonly len: number;
}

/** Whether every part of `inner` lies within one of `outer`; both are sorted. */
function within(inner: readonly Range[], outer: readonly Range[]): boolean {
  return inner.every(({ clock, len }) =>
    outer.some(
      (range) =>
        range.clock <= clock && range.clock + range.len >= clock + len,
    ),
  );
}

export class Answers {
  /** What whoever asked has at least; undefined while nobody asks. */
  private asked: Vector | undefined;
  private cancel: (() => void) | undefined;
  private answeredAt = -Infinity;
  /** Answers in pieces that began after all that is asked. */
  private readonly underWay = new Set<string>();

  /**
   * `isFirst` says whether it is this one's turn, `send` sends a step 2.
   */
  constructor(
    private readonly Y: YModule,
    private readonly doc: Yjs.Doc,
    private readonly clock: Clock,
    private readonly isFirst: () => boolean,
    private readonly send: (update: Uint8Array) => void,
  ) {}

  /** Somebody asked. */
  ask(vector: Vector): void {
    const before = this.asked;
    this.asked = before ? lowerOf(before, vector) : vector;
    if (before && this.underWay.size > 0 && hasMore(before, this.asked)) {
      // What is under way was for somebody who lacks less.
      this.underWay.clear();
      this.answerIn(this.delay());
    } else if (!this.cancel) {
      this.answerIn(this.delay());
    }
  }

  /** An answer passed by. */
  heard(update: Uint8Array): void {
    if (this.asked && this.covers(update, this.asked)) {
      this.stop();
    }
  }

  /**
   * A piece passed by: if it is of an answer to what is asked, whoever is next
   * waits whether the rest comes.
   */
  heardPart(piece: Uint8Array): void {
    if (!this.asked) {
      return;
    }
    const id = nameOf(piece);
    if (beginsAnswer(piece) && this.underWay.size < MAX_UNDER_WAY) {
      this.underWay.add(id);
    }
    if (this.underWay.has(id)) {
      this.answerIn(UNDER_WAY_MS + this.delay());
    }
  }

  stop(): void {
    this.cancel?.();
    this.cancel = undefined;
    this.asked = undefined;
    this.underWay.clear();
  }

  private answerIn(ms: number): void {
    this.cancel?.();
    const gap = this.answeredAt + ANSWER_GAP_MS - this.clock.now();
    this.cancel = this.clock.after(Math.max(ms, gap), () => this.answer());
  }

  private delay(): number {
    return this.isFirst()
      ? 0
      : EARLIEST_MS + this.clock.random() * (LATEST_MS - EARLIEST_MS);
  }

  private answer(): void {
    const { Y, doc, asked } = this;
    this.stop();
    if (asked) {
      this.answeredAt = this.clock.now();
      this.send(Y.encodeStateAsUpdate(doc, Y.encodeStateVector(asked)));
    }
  }

  /** Whether `update` gives somebody at `asked` all that this document has. */
  private covers(update: Uint8Array, asked: Vector): boolean {
    const { Y, doc } = this;
    const { structs, ds } = Y.decodeUpdate(update);
    // What came after something lost goes along in answers, behind a hole.
    if (structs.some((struct) => struct instanceof Y.Skip)) {
      return false;
    }
    const { from, to } = Y.parseUpdateMeta(update);
    const mine = Y.decodeStateVector(Y.encodeStateVector(doc));
    for (const [client, clock] of mine) {
      const has = clockOf(asked, client);
      if (
        clock > has &&
        (clockOf(to, client) < clock || (from.get(client) ?? Infinity) > has)
      ) {
        return false;
      }
    }
    const gone = ds.clients;
    return [...Y.snapshot(doc).ds.clients].every(([client, ranges]) =>
      within(ranges, gone.get(client) ?? []),
    );
  }
}
