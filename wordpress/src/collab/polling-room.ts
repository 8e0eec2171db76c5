/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A room of WordPress 7.0's own polling, over the socket. The editor's Yjs is out
 * of reach, so nobody here knows what a document lacks:
 *
 * - What the editor sends goes to all others, and what they send is put into its
 *   mailbox, where its next poll finds it.
 * - After a break, a gap, or anything the relay did not take, all others are asked
 *   for all they have. The own editor is asked as well, and what it answers goes
 *   to them: so what was lost either way is made up for.
 * - What a newcomer asks goes to one of the editors, the lowest client ID, and to
 *   the others only if no answer passed by. The relay keeps the order of a room,
 *   so that one has what the others said before the question.
 */

import { ANSWER_GAP_MS, UNDER_WAY_MS } from './answers.js';
import { createCipher, PLAIN } from './cipher.js';
import { Crowd, type State } from './crowd.js';
import { FRAME, type FrameType } from './frames.js';
import { Line } from './line.js';
import { Mailbox, type Question, type Update } from './mailbox.js';
import {
  areSame, base64Of, dataOf, isVector, listOf, message, STEP1, STEP2, updatesOf,
} from './messages.js';
import { type Entry, RoomLimitError, type Surroundings } from './provider.js';
import { AGAIN_MS, MAX_DOCUMENT } from './room.js';
import { Timers } from './timers.js';

/** Tries again to ask WordPress for a room after 1, 2, 4 .. 30 s. */
const ASK_MS = 1000;
const ASK_MOST_MS = 30_000;
/**
 * The first answers at once, each of the others so much after the one before,
 * and up to so much more, unless an answer passed by. So does anybody in a list.
 */
const RANK_MS = 400;
const RANK_MORE_MS = 200;
const MAX_RANK = 8;
/** Everybody who breaks asks everybody: one answer in so long is for all of them. */
const FOR_ALL_MS = 3000;
/** Whoever is there and did not answer within this is asked again. */
const UNANSWERED_MS = 30_000;
/** The state vector of who has nothing. */
const NOTHING = Uint8Array.of(0);
/** Questions that wait for an answer of somebody else. */
const MAX_QUESTIONS = 16;
/** Bytes of a state vector; that of some 20,000 who wrote is shorter. */
const MAX_VECTOR = 256 * 1024;

/** A link that may count who holds a room. */
interface Hold {
  enter(room: string, who: object): Promise<Entry | undefined>;
  leave(room: string, who: object): void;
}

function bytesIn(updates: readonly Update[]): number {
  return updates.reduce((sum, { data }) => sum + (data.length * 3) / 4, 0);
}

/** The relay did not take it: the editor is to send it again. */
export class NotTaken extends Error {}

export class PollingRoom {
  /** Why it is over: WordPress said no, or would not save so much. */
  refusal: 'rights' | 'size' | undefined;
  private readonly listeners = new Set<() => void>();
  private readonly mailbox = new Mailbox(() => {
    // They were in it.
    this.forgetQuestions();
    this.resyncSoon();
  });
  private readonly timers: Timers;
  private readonly off: (() => void)[] = [];
  private line: Line | undefined;
  private crowd: Crowd | undefined;
  private ended = false;
  private isAlone = false;
  private tries = 0;
  private wasOpen = false;
  /** The editor has begun to say something, so others may lack some of it. */
  private hasSaid = false;
  /** Questions that another one may answer, the oldest first. */
  private questions: Question[] = [];
  /** The one for all there is, until it is fetched. */
  private forAll: Question | undefined;
  private answeredAll = -Infinity;
  private askedEditor = -Infinity;
  /** What the editor was asked and has not answered. */
  private asked: Question[] = [];
  private state: State = {};

  /**
   * One that may not be shared is `isAlone` from the beginning. Nothing is done
   * before `isFree`: until then another one of that name is leaving.
   */
  constructor(
    private readonly around: Surroundings,
    readonly name: string,
    readonly client: number,
    isAlone: boolean,
    isFree: Promise<void> = Promise.resolve(),
  ) {
    this.timers = new Timers(around.clock);
    this.isAlone = isAlone;
    if (!isAlone) {
      void isFree.then(() => this.enter());
    }
  }

  /** Lists have no number, and nobody has a cursor in one. */
  get isList(): boolean {
    return !this.name.includes(':');
  }

  private get most(): number {
    return this.around.maxDocument ?? MAX_DOCUMENT;
  }

  /** The link, told who enters and leaves. */
  private get hold(): Hold {
    return this.around.link;
  }

  /** Whether it takes a connection. */
  get isShared(): boolean {
    return !this.isAlone && !this.refusal;
  }

  /** Told when isShared changes. */
  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Client IDs of the other members, where they say so. */
  get others(): readonly number[] {
    return this.crowd?.others ?? [];
  }

  get cursor(): number {
    return this.mailbox.cursor;
  }

  /** Everybody in the room by client ID, this one always. */
  get people(): { [client: string]: State } {
    const people = Object.fromEntries(this.crowd?.states ?? []);
    return { ...people, [this.client]: this.state };
  }

  /** The editor's cursor, and what it has to say. Throws NotTaken. */
  async send(state: State, updates: readonly Update[]): Promise<void> {
    this.state = state;
    this.crowd?.set(state);
    if (updates.length === 0 || !this.isShared) {
      return;
    }
    this.hasSaid = true;
    const { line } = this;
    if (!line?.isOpen) {
      this.asked = [];
      // When it opens, the editor is asked for all it has.
      return;
    }
    const taken: Promise<boolean>[] = [];
    const changes = updates.filter(({ type }) => type === 'update' || type === 'compaction');
    const answers = updates.filter(({ type }) => type === 'sync_step2');
    if ([changes, ...answers.map((one) => [one])].some((one) => bytesIn(one) > this.most)) {
      // Sent again it would be no smaller.
      this.grown();
      return;
    }
    if (changes.length > 0) {
      taken.push(line.say(FRAME.updates2, listOf(changes)));
    }
    for (const { type, data } of updates) {
      if (type === 'sync_step1') {
        line.asked();
        taken.push(line.say(FRAME.step1, dataOf(data)));
      } else if (type === 'sync_step2') {
        const question = this.asked.shift();
        // What it says by itself is no answer, and nobody confirms its pieces.
        const isAnswer = question?.isOwn === false;
        taken.push(
          line.say(isAnswer ? FRAME.step2 : FRAME.update, dataOf(data), {
            awaited: isAnswer,
            repeated: question?.isOwn === true,
          }),
        );
      }
    }
    if ((await Promise.all(taken)).includes(false)) {
      throw new NotTaken();
    }
  }

  /** What others sent after that cursor. */
  fetch(after: number): Update[] {
    return this.mailbox.after(after).map(({ update, question }) => {
      if (question) {
        // It will be answered.
        this.asked.push(question);
        if (question === this.forAll) {
          this.forAll = undefined;
          this.answeredAll = this.around.clock.now();
        }
        this.questions = this.questions.filter((one) => one !== question);
      }
      return update;
    });
  }

  /** A request failed: the editor has put all it has in the place of its answers. */
  failed(): void {
    this.asked = [];
  }

  /** The editor leaves the room; resolves when it has. */
  async leave(): Promise<void> {
    this.ended = true;
    this.timers.clear();
    this.forgetQuestions();
    const { line, crowd } = this;
    await (crowd ? crowd.leave() : line?.idle());
    line?.closed();
    this.stop();
    this.hold.leave(this.name, this);
  }

  /** For tests. */
  async idle(): Promise<void> {
    await this.line?.idle();
  }

  private stop(): void {
    for (const off of this.off.splice(0)) {
      off();
    }
  }

  private async enter(): Promise<void> {
    if (this.ended) {
      return;
    }
    let entry: Entry | undefined;
    try {
      entry = await this.hold.enter(this.name, this);
    } catch (error) {
      if (error instanceof RoomLimitError) {
        this.isAlone = true;
        this.changed();
      } else if (!this.ended) {
        const ms = Math.min(ASK_MS * 2 ** this.tries, ASK_MOST_MS);
        this.tries += 1;
        this.timers.set('enter', ms, () => void this.enter());
      }
      return;
    }
    if (this.ended) {
      return;
    }
    if (entry) {
      this.join(entry);
    } else {
      this.refused();
    }
  }

  /** A list that one may not share is one's own; the editor does not hear of it. */
  private refused(): void {
    this.timers.clear();
    this.forgetQuestions();
    this.stop();
    this.line?.closed();
    this.crowd?.closed();
    if (this.isList) {
      this.isAlone = true;
    } else {
      this.refusal = 'rights';
    }
    this.changed();
  }

  /** The editor is told when it polls, and leaves with a goodbye. */
  private grown(): void {
    this.timers.clear();
    this.forgetQuestions();
    this.refusal = 'size';
    this.around.grown?.(this.name);
    this.changed();
  }

  private changed(): void {
    this.listeners.forEach((listener) => listener());
  }

  private join({ channel, key }: Entry): void {
    const { link, clock, crypto, badges } = this.around;
    const cipher = key ? createCipher(key, crypto) : PLAIN;
    const line = new Line({
      channel,
      cipher,
      clock,
      randomBytes: (n) => crypto.getRandomValues(new Uint8Array(n)),
      send: (bytes) => link.send(channel, bytes),
      heard: (type, data) => this.heard(type, data),
      heardPart: () => this.postpone(),
      broke: () => this.resyncSoon(),
      most: this.most + 1024,
    });
    this.line = line;
    if (!this.isList) {
      this.crowd = new Crowd(this.client, channel, cipher.isSealed, line, clock, badges);
      this.crowd.set(this.state);
    }
    this.off.push(
      link.onFrame(channel, (bytes) => line.take(bytes)),
      link.onClosed(this.name, () => this.refused()),
      link.onLoss(() => this.resync()),
      link.onState(() => this.follow()),
    );
    this.follow();
  }

  private follow(): void {
    const open = this.around.link.state.canSend;
    if (open !== this.wasOpen && !this.ended) {
      this.wasOpen = open;
      if (open) {
        this.opened();
      } else {
        this.forgetQuestions();
        this.timers.clear();
        this.line?.closed();
        this.crowd?.closed();
      }
    }
  }

  private opened(): void {
    this.line?.opened();
    this.crowd?.opened();
    // Who has said nothing will ask, as soon as there is somebody to ask.
    if (this.hasSaid) {
      this.resync();
    }
  }

  /** Something may be lost, either way. */
  private resync(): void {
    const { line } = this;
    if (line?.isOpen && !this.ended) {
      line.lost();
      if (this.hasSaid) {
        this.askForAll(true);
      }
      this.ask();
    }
  }

  private resyncSoon(): void {
    this.timers.set('again', AGAIN_MS, () => this.resync());
  }

  /** Others are to say all they have. */
  private ask(): void {
    this.line?.asked();
    void this.line?.say(FRAME.lost, new Uint8Array(0)).then((taken) => {
      if (!taken && !this.ended && this.line?.isOpen) {
        this.resyncSoon();
      }
    });
    this.timers.set('unanswered', UNANSWERED_MS, () => {
      if (this.others.length > 0) {
        this.ask();
      }
    });
  }

  private heard(type: FrameType, data: Uint8Array): void | Promise<void> {
    switch (type) {
      case FRAME.step1:
        this.question(data);
        this.crowd?.greet();
        break;
      case FRAME.lost:
        this.askForAll(false);
        this.crowd?.greet();
        break;
      case FRAME.step2:
        this.timers.cancel('unanswered');
        this.questions.shift()?.cancel();
        this.mailbox.put({ type: 'sync_step2', data: message(STEP2, data) });
        break;
      case FRAME.update:
        this.timers.cancel('unanswered');
        this.mailbox.put({ type: 'sync_step2', data: message(STEP2, data) });
        break;
      case FRAME.updates2:
        for (const update of updatesOf(data)) {
          this.mailbox.put({ type: 'update', data: base64Of(update) });
        }
        break;
      case FRAME.awareness:
        this.crowd?.heardPlain(data);
        break;
      case FRAME.signed:
        return this.crowd?.heardSigned(data);
    }
  }

  /** Somebody lacks what is not in that vector. */
  private question(vector: Uint8Array): void {
    if (
      this.questions.length < MAX_QUESTIONS &&
      vector.length <= MAX_VECTOR &&
      isVector(vector) &&
      // One answer is for all who ask the same before it.
      !this.questions.some((one) => areSame(one.vector, vector))
    ) {
      const question: Question = {
        vector: vector.slice(),
        isOwn: false,
        cancel: () => {},
      };
      this.questions.push(question);
      this.wait(question, this.delay());
    }
  }

  /** The editor is to say all it has. */
  private askForAll(isOwn: boolean): void {
    if (this.forAll) {
      this.forAll.isOwn ||= isOwn;
      return;
    }
    this.forAll = { vector: NOTHING, isOwn, cancel: () => {} };
    this.wait(this.forAll, Math.max(0, this.answeredAll + FOR_ALL_MS - this.around.clock.now()));
  }

  private wait(question: Question, ms: number): void {
    const { clock } = this.around;
    question.cancel = clock.after(ms, () => {
      if (question !== this.forAll) {
        const left = this.askedEditor + ANSWER_GAP_MS - clock.now();
        if (left > 0) {
          this.wait(question, left);
          return;
        }
        this.askedEditor = clock.now();
      }
      const update: Update = { type: 'sync_step1', data: message(STEP1, question.vector) };
      // A page that is not seen polls rarely: another may have answered by then.
      question.cancel = this.mailbox.put(update, question);
    });
  }

  private delay(): number {
    const { clock } = this.around;
    const rank = this.crowd?.rank ?? 1 + Math.floor(clock.random() * MAX_RANK);
    return rank === 0 ? 0 : Math.min(rank, MAX_RANK) * RANK_MS + clock.random() * RANK_MORE_MS;
  }

  /** An answer comes in pieces: whether it comes whole is waited for. */
  private postpone(): void {
    const [question] = this.questions;
    if (question) {
      question.cancel();
      this.wait(question, UNDER_WAY_MS + this.delay());
    }
  }

  private forgetQuestions(): void {
    for (const question of [...this.questions.splice(0), ...(this.forAll ? [this.forAll] : [])]) {
      question.cancel();
    }
    this.forAll = undefined;
  }
}
