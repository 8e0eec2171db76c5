/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The policy of staying connected: when to connect, with which token, what to
 * do about each way a connection ends, when to give up.
 *
 * Promise   One attempt at a time. State changes only through the store. After
 *           `halted` nothing is asked of anybody again.
 * Not here  What is said over the connection; see client.ts.
 */

import { Backoff } from './backoff.js';
import {
  CLOSE,
  type CloseInfo,
  errorCodeOf,
  reactionTo,
} from './codes.js';
import { MUTE_SOCKETS_ALLOWED, TIMING } from './config.js';
import { Ladder } from './ladder.js';
import type { Grant, Link, LinkEvents } from './link.js';
import type { Platform, TimerHandle } from './platform.js';
import type { StateStore, TransportName } from './state.js';
import { MintError, type TokenKeeper } from './token.js';
import type { Transport, TransportContext } from './transport/transport.js';

export class Session implements Link {
  private readonly ladder: Ladder;
  private readonly backoff: Backoff;
  private readonly refreshBackoff: Backoff;
  /** Attempts are numbered; what belongs to an older one is ignored. */
  private attempt = 0;
  private refusedOnce = false;
  private hintMs: number | undefined;
  private heard = false;
  private muteSockets = 0;
  private retryTimer: TimerHandle;
  private retryIsPlanned = false;
  /** Waiting for a channel to listen to. */
  private resting = false;
  private stableTimer: TimerHandle;
  private watchTimer: TimerHandle;
  private refreshTimer: TimerHandle;
  /** The attempt whose token is being refreshed. */
  private refreshing: number | undefined;

  constructor(
    private readonly platform: Platform,
    context: TransportContext,
    private readonly tokens: TokenKeeper,
    private readonly store: StateStore,
    private readonly forceSSE: boolean,
    private readonly events: LinkEvents,
  ) {
    this.backoff = new Backoff(platform.random);
    this.refreshBackoff = new Backoff(platform.random);
    this.ladder = new Ladder(context, {
      opened: (transport) => this.onOpened(transport),
      frame: (frame) => {
        this.heard = true;
        events.frame(frame);
      },
      binary: (frame) => {
        this.heard = true;
        events.binary(frame);
      },
      notice: (notice) => events.notice(notice),
      closed: (name, info) => this.onClosed(name, info),
    });
  }

  get transport(): Transport | undefined {
    return this.ladder.current;
  }

  get grant(): Grant {
    return this.tokens;
  }

  start(): void {
    if (this.store.phase === 'idle') {
      void this.connect();
    }
  }

  stop(): void {
    if (this.store.phase !== 'halted') {
      this.teardown();
      this.store.setState({
        phase: 'idle',
        transport: null,
        retryInMs: undefined,
      });
    }
  }

  hint(delayMs: number): void {
    this.hintMs = Math.min(delayMs, TIMING.relayDelayMaxMs);
  }

  abandon(code: number, message: string): void {
    this.ladder.abandon({ opened: true, code, message });
  }

  drop(): void {
    this.abandon(0, 'dropped on request');
  }

  renewChannels(): void {
    if (this.resting) {
      this.backoff.reset();
      void this.connect();
    } else {
      this.ladder.renew();
    }
  }

  wake(): void {
    if (this.store.phase === 'waiting' && !this.retryIsPlanned) {
      void this.connect();
    } else if (this.store.phase === 'open') {
      if (this.isSilent()) {
        this.cycle();
      } else if (this.tokens.refreshInMs === 0) {
        void this.refresh();
      }
    }
  }

  cycle(): void {
    if (this.store.phase === 'open' || this.store.phase === 'waiting') {
      void this.connect();
    }
  }

  private async connect(): Promise<void> {
    this.teardown();
    const { attempt } = this;
    this.store.setState({
      phase: 'connecting',
      transport: null,
      retryInMs: undefined,
    });
    try {
      await this.tokens.acquire();
    } catch (error) {
      if (attempt === this.attempt) {
        const message = error instanceof Error ? error.message : '';
        this.mintFailed(error, () =>
          this.failed({ opened: false, code: 0, message }),
        );
      }
      return;
    }
    if (attempt === this.attempt) {
      this.events.granted(undefined);
    }
    // Whoever was told may have ended it.
    if (attempt === this.attempt) {
      this.hintMs = undefined;
      this.ladder.start(this.rungs());
    }
  }

  private rungs(): TransportName[] {
    const distrusted = this.muteSockets >= MUTE_SOCKETS_ALLOWED;
    if (distrusted) {
      this.muteSockets = 0;
    }
    return this.forceSSE || distrusted
      ? ['sse', 'poll']
      : ['ws', 'sse', 'poll'];
  }

  private mintFailed(error: unknown, otherwise: () => void): void {
    if (error instanceof MintError && error.refused) {
      this.halt(error.message);
    } else {
      otherwise();
    }
  }

  private onOpened(transport: Transport): void {
    const { clock } = this.platform;
    this.heard = false;
    this.events.opened(transport);
    this.clearTimers();
    this.stableTimer = clock.setTimeout(
      () => this.proved(),
      TIMING.stableAfterMs,
    );
    this.watch();
    this.scheduleRefresh(this.tokens.refreshInMs);
    this.store.setState({
      phase: 'open',
      transport: transport.name,
      error: undefined,
      retryInMs: undefined,
    });
  }

  /** It lasted: the next failure is a first one. */
  private proved(): void {
    this.backoff.reset();
    this.refusedOnce = false;
    this.store.setState({ failures: 0 });
  }

  private onClosed(name: TransportName, info: CloseInfo): void {
    const { hintMs } = this;
    const isRelaysOwn = info.code >= CLOSE.restart;
    const wasMute =
      name === 'ws' && info.opened && !this.heard && !isRelaysOwn;
    this.muteSockets = wasMute ? this.muteSockets + 1 : 0;
    this.teardown();
    if (info.code === CLOSE.restart && hintMs !== undefined) {
      this.waitAsTold(hintMs);
      return;
    }
    switch (reactionTo(info)) {
      case 'halt':
        this.halt(info.message);
        break;
      case 'refresh':
        this.refused(info);
        break;
      case 'remint':
        this.tokens.discard();
        this.failed(info);
        break;
      case 'retry':
        this.failed(info);
        break;
      case 'rest':
        this.rest();
        break;
    }
  }

  private refused(info: CloseInfo): void {
    if (this.refusedOnce || !this.tokens.canMint) {
      this.halt(info.message);
      return;
    }
    this.refusedOnce = true;
    this.tokens.discard();
    void this.connect();
  }

  private failed(info: CloseInfo): void {
    const toldMs = Math.min(info.retryAfterMs ?? 0, TIMING.relayDelayMaxMs);
    const delayMs = Math.max(this.backoff.nextDelayMs(), toldMs);
    this.retryIn(delayMs, toldMs > 0);
    this.store.setState({
      phase: 'waiting',
      transport: null,
      error: { code: errorCodeOf(info), message: info.message },
      retryInMs: delayMs,
      failures: this.store.current.failures + 1,
    });
  }

  /** A socket would do without channels, so that is tried now and then. */
  private rest(): void {
    const delayMs = this.forceSSE ? undefined : this.backoff.nextDelayMs();
    if (delayMs !== undefined) {
      this.retryIn(delayMs, false);
    }
    this.resting = true;
    this.store.setState({
      phase: 'waiting',
      transport: null,
      error: undefined,
      retryInMs: delayMs,
    });
  }

  private waitAsTold(delayMs: number): void {
    this.retryIn(delayMs, true);
    this.store.setState({
      phase: 'waiting',
      transport: null,
      retryInMs: delayMs,
    });
  }

  /** A delay of the relay's is not cut short by waking: it spreads a crowd. */
  private retryIn(delayMs: number, planned: boolean): void {
    this.retryIsPlanned = planned;
    this.retryTimer = this.platform.clock.setTimeout(
      () => void this.connect(),
      delayMs,
    );
  }

  halt(message: string): void {
    this.teardown();
    this.store.setState({
      phase: 'halted',
      transport: null,
      error: { code: 'authentication-failed', message },
      retryInMs: undefined,
    });
  }

  /** The next connection asks for a new token; the present one does so now. */
  verify(): void {
    if (!this.tokens.canMint) {
      return;
    }
    if (this.store.phase === 'open') {
      void this.refresh();
    } else {
      this.tokens.discard();
    }
  }

  /** Ends what runs and makes sure that nothing of it comes back. */
  private teardown(): void {
    this.attempt += 1;
    this.resting = false;
    this.clearTimers();
    this.ladder.stop();
    if (this.store.phase === 'open') {
      this.events.lost();
    }
  }

  private clearTimers(): void {
    const { clock } = this.platform;
    clock.clearTimeout(this.retryTimer);
    clock.clearTimeout(this.stableTimer);
    clock.clearTimeout(this.watchTimer);
    clock.clearTimeout(this.refreshTimer);
  }

  private isSilent(): boolean {
    const heardAtMs = this.ladder.current?.heardAtMs;
    const now = this.platform.clock.now();
    return heardAtMs !== undefined && now - heardAtMs > TIMING.silenceMs;
  }

  private watch(): void {
    this.watchTimer = this.platform.clock.setTimeout(() => {
      if (this.isSilent()) {
        this.abandon(0, 'the relay fell silent');
      } else {
        this.watch();
      }
    }, TIMING.silenceCheckMs);
  }

  private scheduleRefresh(delayMs: number): void {
    const { clock } = this.platform;
    clock.clearTimeout(this.refreshTimer);
    if (this.tokens.canMint) {
      this.refreshTimer = clock.setTimeout(() => void this.refresh(), delayMs);
    }
  }

  private async refresh(): Promise<void> {
    const { attempt } = this;
    if (this.refreshing === attempt) {
      return;
    }
    this.refreshing = attempt;
    try {
      await this.tokens.mint();
      if (attempt === this.attempt) {
        this.refreshed();
      }
    } catch (error) {
      if (attempt === this.attempt) {
        this.mintFailed(error, () =>
          this.scheduleRefresh(this.refreshBackoff.nextDelayMs()),
        );
      }
    } finally {
      if (this.refreshing === attempt) {
        this.refreshing = undefined;
      }
    }
  }

  private refreshed(): void {
    const { current } = this.ladder;
    this.refreshBackoff.reset();
    this.scheduleRefresh(this.tokens.refreshInMs);
    this.events.granted(current);
    if (current && current === this.ladder.current && !current.inBand) {
      this.ladder.renew();
      this.ladder.tryUp();
    }
  }
}
