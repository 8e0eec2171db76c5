/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One tab as the hub knows it: what it holds, and how far behind it is.
 */

import { LIMIT, TIMING } from './config.js';
import type { Clock, PortLike } from './platform.js';
import type { FromHub } from './shared-protocol.js';
import type { JsonObject, RelayFrame } from './wire.js';

export interface Entered {
  readonly name: string;
  readonly state: JsonObject;
  /** Counts up over all tabs. */
  readonly at: number;
}

interface Held {
  readonly message: FromHub;
  readonly bytes: number;
}

interface Amount {
  readonly messages: number;
  readonly bytes: number;
}
const NOTHING: Amount = { messages: 0, bytes: 0 };

function plus(amount: Amount, bytes: number): Amount {
  return { messages: amount.messages + 1, bytes: amount.bytes + bytes };
}

let entries = 0;

export class Tab {
  /** By bare name, as the tab spelled it. */
  readonly channels = new Map<string, string>();
  readonly presences = new Map<string, Entered>();
  hasSubscribed = false;
  private shownAt: number;
  /** Posted since the last sign that all before was read, and of those the
   * ones since the last question. */
  private unread = NOTHING;
  private asked = NOTHING;
  private probing = false;
  private behind = false;
  /** What waits for a catching up to end. */
  private held: Held[] | undefined;
  private heldBytes = 0;

  constructor(
    private readonly port: PortLike,
    private readonly clock: Clock,
    private readonly hasLock: boolean,
  ) {
    this.shownAt = clock.now();
  }

  /** `bytes` as far as they matter. Nothing goes to a tab that is behind. */
  post(message: FromHub, bytes = 0): void {
    if (this.held && message.t !== 'state') {
      this.keep(message, bytes);
      return;
    }
    if (!this.behind) {
      this.port.postMessage(message);
      this.count(bytes, message.t === 'ping');
    }
  }

  /** The tab is there. */
  shows(): void {
    this.shownAt = this.clock.now();
  }

  /** A tab with a lock is gone when its lock is. */
  get isDead(): boolean {
    return (
      !this.hasLock && this.clock.now() - this.shownAt > TIMING.tabPatienceMs
    );
  }

  /** It has read all that was posted. True if not all was. */
  caughtUp(): boolean {
    this.probing = false;
    this.unread = this.asked;
    this.asked = NOTHING;
    return this.behind;
  }

  /** Says so even to one that was behind. */
  lost(): void {
    this.port.postMessage({ t: 'lost' } satisfies FromHub);
  }

  /** It gets a connection of its own. */
  refused(): void {
    this.port.postMessage({ t: 'refused' } satisfies FromHub);
  }

  gone(): void {
    this.behind = true;
    this.held = undefined;
  }

  /** False if it is what is known. */
  enters(bare: string, name: string, state: JsonObject): boolean {
    const before = this.presences.get(bare);
    if (before && JSON.stringify(before.state) === JSON.stringify(state)) {
      return false;
    }
    if (!before && this.presences.size >= LIMIT.presences) {
      return false;
    }
    entries += 1;
    this.presences.set(bare, { name, state, at: entries });
    return true;
  }

  /**
   * Holds back what is posted from now on. The function that is returned lets
   * it go, after what was missed.
   */
  hold(): (missed: readonly RelayFrame[], cursor: string | undefined) => void {
    const held: Held[] = [];
    this.held = held;
    this.heldBytes = 0;
    return (missed, cursor) => {
      if (this.held !== held) {
        return;
      }
      this.held = undefined;
      missed.forEach((frame) => this.post({ t: 'frame', frame }));
      this.post({ t: 'ping', id: cursor });
      held.forEach(({ message, bytes }) => this.post(message, bytes));
    };
  }

  private keep(message: FromHub, bytes: number): void {
    const { held } = this;
    this.heldBytes += bytes;
    held?.push({ message, bytes });
    if (
      this.heldBytes > LIMIT.tabBytes ||
      (held?.length ?? 0) > LIMIT.tabMessages
    ) {
      // Too much for one go: it joins again, and resumes from where it is.
      this.held = undefined;
      this.behind = true;
      this.port.postMessage({ t: 'ping', id: undefined } satisfies FromHub);
    }
  }

  private count(bytes: number, isProbe: boolean): void {
    this.unread = plus(this.unread, bytes);
    this.asked = isProbe ? NOTHING : plus(this.asked, bytes);
    this.probing ||= isProbe;
    const { messages, bytes: all } = this.unread;
    if (
      !this.probing &&
      (messages >= LIMIT.tabProbeEvery || all > LIMIT.tabBytes / 4)
    ) {
      this.post({ t: 'ping', id: undefined });
    }
    this.behind ||= messages > LIMIT.tabMessages || all > LIMIT.tabBytes;
  }
}
