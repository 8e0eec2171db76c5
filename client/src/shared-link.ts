/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tab's end of the connection that all tabs of a user share. The other end
 * is the hub in the shared worker (hub.ts); what passes between them are the
 * frames of the wire, so this tab's client subscribes, resumes, and hears of
 * gaps as over a socket of its own.
 *
 * Alone     Where there can be no shared worker, or none answers in time, the
 *           tab's own session takes over, for as long as the page lives.
 * Lost      A worker that is gone is looked for again, and the client resumes
 *           from its own cursor. So it does when the page comes back from the
 *           browser's back-forward cache.
 */

import { TIMING } from './config.js';
import type { Grant, Link, LinkEvents } from './link.js';
import type { ClientOptions } from './options.js';
import type { Platform, PortLike, TimerHandle } from './platform.js';
import {
  type FromHub,
  type FromTab,
  type SharedState,
  SHARED_VERSION,
  workerName,
} from './shared-protocol.js';
import type { Phase, StateStore, TransportName } from './state.js';
import { READY, type Transport } from './transport/transport.js';
import { uuid } from './visitor.js';
import { type ClientFrame, textOfFrame } from './wire.js';

type Standing = 'away' | 'joining' | 'joined' | 'alone';

export class SharedLink implements Link {
  private standing: Standing = 'away';
  private port: PortLike | undefined;
  private release: (() => void) | undefined;
  private timer: TimerHandle;
  private heardAt = 0;
  private reopened = 0;
  private shared: SharedTransport | undefined;
  private told: Grant = {
    channels: [],
    siteId: undefined,
    encryptionKey: undefined,
  };
  /** Another page is shown now; this one may come back. */
  private parked = false;

  constructor(
    private readonly platform: Platform,
    private readonly options: ClientOptions,
    private readonly own: Link,
    private readonly store: StateStore,
    private readonly events: LinkEvents,
  ) {
    platform.window?.addEventListener('pagehide', () => this.park());
  }

  get transport(): Transport | undefined {
    return this.standing === 'alone' ? this.own.transport : this.shared;
  }

  get grant(): Grant {
    return this.standing === 'joined' ? this.told : this.own.grant;
  }

  start(): void {
    if (this.standing === 'alone') {
      this.own.start();
    } else if (this.store.phase === 'idle' && this.standing === 'away') {
      this.join();
    }
  }

  stop(): void {
    this.parked = false;
    if (this.standing === 'alone') {
      this.own.stop();
    } else if (this.store.phase !== 'halted') {
      this.part();
      this.closed('idle');
    }
  }

  halt(message: string): void {
    this.part();
    this.closed('idle');
    this.standing = 'alone';
    this.own.halt(message);
  }

  /** The hub has heard of it, too. */
  verify(): void {
    if (this.standing === 'alone') {
      this.own.verify();
    }
  }

  wake(): void {
    if (this.standing === 'alone') {
      this.own.wake();
    } else if (this.parked) {
      this.parked = false;
      this.join();
    } else if (this.standing === 'joined') {
      this.ask();
    }
  }

  cycle(): void {
    this.act('cycle', () => this.own.cycle());
  }

  /** It is only we who were too slow: the others' connection stays. */
  abandon(code: number, message: string): void {
    if (this.standing === 'alone') {
      this.own.abandon(code, message);
    } else if (this.standing === 'joined') {
      this.rejoin();
    }
  }

  drop(): void {
    this.act('drop', () => this.own.drop());
  }

  hint(delayMs: number): void {
    this.own.hint(delayMs);
  }

  renewChannels(): void {
    this.own.renewChannels();
  }

  private act(act: 'cycle' | 'drop', otherwise: () => void): void {
    if (this.standing === 'alone') {
      otherwise();
    } else if (this.standing === 'joined') {
      this.post({ t: act });
    }
  }

  private join(): void {
    const { SharedWorker, clock, locks } = this.platform;
    this.standing = 'joining';
    this.store.setState({ phase: 'connecting', retryInMs: undefined });
    try {
      if (!SharedWorker) {
        throw new Error('no shared workers here');
      }
      const worker = new SharedWorker(
        this.options.workerUrl ?? '',
        workerName(this.options),
      );
      const { port } = worker;
      this.port = port;
      const alone = () => {
        if (this.port === port && this.standing === 'joining') {
          this.goAlone();
        }
      };
      worker.onerror = alone;
      port.onmessage = ({ data }) => {
        if (this.port === port) {
          this.hear(data as FromHub);
        }
      };
      this.timer = clock.setTimeout(alone, TIMING.workerDeadlineMs);
      this.introduce(port, locks && uuid(this.platform));
    } catch {
      this.goAlone();
    }
  }

  /** The lock is ours before the hub can wait for it. */
  private introduce(port: PortLike, lock: string | undefined): void {
    const introduce = (held: string | undefined) => {
      if (this.port === port) {
        // What cannot be said in JSON (`mint`) kept us from sharing at all.
        const { encryptionKey: _, ...options } = this.options;
        this.post({
          t: 'join',
          version: SHARED_VERSION,
          lock: held,
          options: JSON.parse(JSON.stringify(options)) as ClientOptions,
        });
      }
    };
    const { locks } = this.platform;
    if (lock === undefined || !locks) {
      introduce(undefined);
      return;
    }
    locks
      .request(`wordsocket:${lock}`, () => {
        introduce(lock);
        return new Promise<void>((resolve) => {
          if (this.port === port) {
            this.release = resolve;
          } else {
            resolve();
          }
        });
      })
      .catch(() => introduce(undefined));
  }

  private goAlone(): void {
    this.platform.debug('this tab has a connection of its own');
    this.part();
    this.closed('idle');
    this.standing = 'alone';
    this.own.start();
  }

  private post(message: FromTab): void {
    this.port?.postMessage(message);
  }

  private hear(message: FromHub): void {
    this.heardAt = this.platform.clock.now();
    switch (message.t) {
      case 'state':
        this.onState(message);
        break;
      case 'frame':
        this.events.frame(message.frame);
        break;
      case 'binary':
        this.events.binary(message.frame);
        break;
      case 'ping':
        this.post({ t: 'pong' });
        this.events.frame({ type: 'ping', id: message.id });
        break;
      case 'reopen':
        this.tellStream();
        break;
      case 'lost':
        this.rejoin();
        break;
      case 'refused':
        this.goAlone();
        break;
    }
  }

  private onState(message: FromHub & { t: 'state' }): void {
    const { state, canSend, channels, siteId, userId, encryptionKey } = message;
    if (this.standing === 'joining') {
      this.standing = 'joined';
      this.watch();
    }
    this.told = { channels, siteId, userId, encryptionKey };
    const was = this.shared;
    const name = state.phase === 'open' ? state.transport : null;
    if (!name) {
      this.closed(state.phase, state);
      if (state.phase === 'halted') {
        this.part();
      }
      return;
    }
    if (was?.name === name) {
      was.canSend = canSend;
      this.events.granted(was);
    } else {
      was?.close();
      this.opened(name, canSend);
    }
    // Unless it is of another user than this page is.
    if (this.shared?.name === name) {
      this.store.setState(state);
    }
  }

  private opened(name: TransportName, canSend: boolean): void {
    const transport = new SharedTransport(name, canSend, (m) => this.post(m));
    this.shared = transport;
    this.events.granted(undefined);
    if (this.shared === transport) {
      this.events.opened(transport);
      this.tellStream();
    }
  }

  /** The first one after `opened` is the stream; each further its successor. */
  private tellStream(): void {
    this.reopened += 1;
    this.events.notice({ kind: 'stream', id: String(this.reopened) });
  }

  private closed(
    phase: Phase,
    state: Partial<SharedState> = {},
  ): void {
    const { shared } = this;
    this.shared = undefined;
    if (shared) {
      shared.close();
      this.events.lost();
    }
    this.store.setState({ retryInMs: undefined, ...state, phase, transport: null });
  }

  /** Ends our end of it, without a word to the client. */
  private part(): void {
    const { port } = this;
    this.platform.clock.clearTimeout(this.timer);
    this.post({ t: 'leave' });
    this.port = undefined;
    if (port) {
      port.onmessage = null;
      port.close();
    }
    this.release?.();
    this.release = undefined;
    this.standing = 'away';
  }

  private rejoin(): void {
    this.part();
    this.closed('connecting');
    this.join();
  }

  /** A page in the back-forward cache may hold neither lock nor presence. */
  private park(): void {
    if (this.standing === 'joining' || this.standing === 'joined') {
      this.part();
      this.closed('waiting');
      this.parked = true;
    }
  }

  private watch(): void {
    const { clock } = this.platform;
    clock.clearTimeout(this.timer);
    this.timer = clock.setTimeout(() => {
      if (clock.now() - this.heardAt > TIMING.silenceMs) {
        this.ask();
      } else {
        this.watch();
      }
    }, TIMING.silenceCheckMs);
  }

  /** A worker that is there answers at once. */
  private ask(): void {
    const { clock } = this.platform;
    const askedAt = clock.now();
    this.post({ t: 'wake' });
    clock.clearTimeout(this.timer);
    this.timer = clock.setTimeout(() => {
      if (this.heardAt < askedAt) {
        this.rejoin();
      } else {
        this.watch();
      }
    }, TIMING.workerPatienceMs);
  }
}

/** The shared connection, as a transport of this tab's. */
class SharedTransport implements Transport {
  readonly inBand = true;
  readonly heardAtMs = undefined;
  readyState: number = READY.open;

  constructor(
    readonly name: TransportName,
    public canSend: boolean,
    private readonly post: (message: FromTab) => void,
  ) {}

  open(): void {}

  /** As text, so that it says what it would have said over a socket. */
  send(frame: ClientFrame): boolean {
    const { type } = frame;
    if (type === 'auth' || type === 'pong') {
      // Between the hub and the relay.
      return true;
    }
    const text = textOfFrame(frame);
    if (text === undefined || (type === 'message' && !this.canSend)) {
      return false;
    }
    this.post({ t: 'frame', text });
    return true;
  }

  sendBinary(frame: Uint8Array<ArrayBuffer>): boolean {
    if (this.canSend) {
      this.post({ t: 'binary', frame });
    }
    return this.canSend;
  }

  renew(): void {}

  close(): void {
    this.readyState = READY.closed;
  }
}
