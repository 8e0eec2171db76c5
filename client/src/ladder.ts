/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way down and up between transports: socket, stream, poll.
 *
 * Down      What fails before it opened is followed by the next one at once.
 * Up        Below the top, the better transports are tried while the present
 *           one works on: once when a stream opened, again and again (with
 *           backoff) where the relay only answers polls. The first that opens
 *           takes over.
 * Held      A stream that opened and stays mute may be one whose body a front
 *           holds back. Whether the relay answers a poll tells: one that does
 *           would have spoken, so the poll takes over.
 * Promise   One transport speaks at a time. On a move the old one is closed
 *           before the new one is announced. `closed` comes once, when the
 *           bottom is reached or an open transport is lost.
 */

import { Backoff } from './backoff.js';
import { type CloseInfo, HTTP } from './codes.js';
import type { TimerHandle } from './platform.js';
import type { TransportName } from './state.js';
import type {
  Notice,
  Transport,
  TransportContext,
  TransportEvents,
} from './transport/transport.js';
import type { RelayFrame } from './wire.js';
import { LazyPoll, LazyStream } from './transport/lazy.js';
import { WebSocketTransport } from './transport/websocket.js';

export interface LadderEvents {
  opened(transport: Transport): void;
  frame(frame: RelayFrame): void;
  binary(frame: Uint8Array): void;
  notice(notice: Notice): void;
  closed(name: TransportName, info: CloseInfo): void;
}

const TRANSPORTS: {
  readonly [name in TransportName]: new (
    context: TransportContext,
    events: TransportEvents,
  ) => Transport;
} = {
  ws: WebSocketTransport,
  sse: LazyStream,
  poll: LazyPoll,
};

export class Ladder {
  private rungs: readonly TransportName[] = [];
  private transport: Transport | undefined;
  private trial: Transport | undefined;
  private trialTimer: TimerHandle;
  private readonly trialBackoff: Backoff;
  private climbing = false;

  constructor(
    private readonly context: TransportContext,
    private readonly events: LadderEvents,
  ) {
    this.trialBackoff = new Backoff(context.platform.random);
  }

  /** The one that speaks, opening or open. */
  get current(): Transport | undefined {
    return this.transport;
  }

  /** Tries from the first rung down. */
  start(rungs: readonly TransportName[]): void {
    this.stop();
    this.rungs = rungs;
    this.trialBackoff.reset();
    this.descend(0);
  }

  /** Ends whatever there is without a word. */
  stop(): void {
    this.stopTrial();
    const { transport } = this;
    this.transport = undefined;
    transport?.close();
  }

  /** Gives up the present transport as if it had ended like this. */
  abandon(info: CloseInfo): void {
    const name = this.transport?.name;
    this.stop();
    if (name) {
      this.events.closed(name, info);
    }
  }

  /** Token or channels changed under a transport that has them in its URL. */
  renew(): void {
    this.transport?.renew();
    this.trial?.renew();
  }

  /** One attempt to get higher, now, if there is anything higher. */
  tryUp(): void {
    if (!this.trial && this.transport) {
      this.stopTrial();
      this.ascend(0);
    }
  }

  private make(name: TransportName): Transport {
    const transport: Transport = new TRANSPORTS[name](this.context, {
      opened: () => this.onOpened(transport),
      frame: (frame) => this.ifCurrent(transport, () => this.events.frame(frame)),
      binary: (frame) =>
        this.ifCurrent(transport, () => this.events.binary(frame)),
      notice: (notice) =>
        this.ifCurrent(transport, () => this.onNotice(notice)),
      closed: (info) => this.onClosed(transport, info),
    });
    return transport;
  }

  private ifCurrent(transport: Transport, act: () => void): void {
    if (transport === this.transport) {
      act();
    }
  }

  private descend(index: number): void {
    const name = this.rungs[index];
    if (name) {
      this.transport = this.make(name);
      this.transport.open();
    }
  }

  private onOpened(opened: Transport): void {
    if (opened === this.trial) {
      this.transport?.close();
      this.transport = opened;
      this.trial = undefined;
    }
    this.climbing = false;
    this.events.opened(opened);
    // A listener may have stopped everything.
    if (this.transport === opened) {
      this.climbing = opened.name === 'poll';
      this.tryUp();
    }
  }

  private onNotice(notice: Notice): void {
    if (notice.kind === 'mute') {
      this.stopTrial();
      this.trial = this.make('poll');
      this.trial.open();
    }
    if (notice.kind === 'paused' && !this.climbing) {
      this.climbing = true;
      this.tryUpLater();
    }
    this.events.notice(notice);
  }

  private onClosed(closed: Transport, info: CloseInfo): void {
    if (closed === this.trial) {
      this.trial = undefined;
      if (closed.name === 'poll' && info.code === HTTP.notFound) {
        this.context.relay.speaksFirst ??= false;
      }
      this.ascend(this.rungs.indexOf(closed.name) + 1);
    } else if (closed === this.transport) {
      this.stopTrial();
      this.transport = undefined;
      const next = this.rungs.indexOf(closed.name) + 1;
      const mayDescend = !info.opened && info.code !== HTTP.unauthorized;
      if (mayDescend && next < this.rungs.length) {
        this.descend(next);
      } else {
        this.events.closed(closed.name, info);
      }
    }
  }

  /** Tries the rung at `index`, if it is above the present one. */
  private ascend(index: number): void {
    const name = this.rungs[index];
    const present = this.transport && this.rungs.indexOf(this.transport.name);
    if (name && present !== undefined && index < present) {
      this.trial = this.make(name);
      this.trial.open();
    } else if (this.climbing && present !== 0) {
      this.tryUpLater();
    }
  }

  private tryUpLater(): void {
    const { clock } = this.context.platform;
    clock.clearTimeout(this.trialTimer);
    this.trialTimer = clock.setTimeout(
      () => this.tryUp(),
      this.trialBackoff.nextDelayMs(),
    );
  }

  private stopTrial(): void {
    this.context.platform.clock.clearTimeout(this.trialTimer);
    const { trial } = this;
    this.trial = undefined;
    trial?.close();
  }
}
