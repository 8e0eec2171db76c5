/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client: subscribe, publish, be present, and hear of it, over whatever
 * transport the network lets through.
 *
 * Promise   Messages reach listeners in the order of their ids, each once, over
 *           any number of reconnects; where that cannot be kept, `gap` says
 *           so. Nothing is queued while there is no connection: sending then
 *           returns false. Listeners that throw disturb nobody.
 * Not here  When to connect (session.ts), WordPress's facade (wps.ts).
 */

import { Acks } from './acks.js';
import { ChannelSet, bareName, isChannelName } from './channel.js';
import type { ClientEvents, Status } from './client-events.js';
import { CLOSE, RELAY_ERROR_UNAUTHORIZED } from './codes.js';
import { LIMIT } from './config.js';
import { createOpener } from './crypto.js';
import { Cursor } from './cursor.js';
import { Emitter, type Unsubscribe } from './emitter.js';
import { Inbox } from './inbox.js';
import type { Link, LinkEvents } from './link.js';
import { type ClientOptions, endpointsOf } from './options.js';
import { type BroadcastLike, browserPlatform, type Platform } from './platform.js';
import { Session } from './session.js';
import { type State, StateStore } from './state.js';
import { SharedLink } from './shared-link.js';
import { claimsOf, TokenKeeper } from './token.js';
import {
  type Notice,
  READY,
  type Transport,
  type TransportContext,
} from './transport/transport.js';
import {
  type Gap,
  type JsonObject,
  makeBinary,
  type MessageFrame,
  parseBinary,
  type RelayErrorFrame,
  type RelayFrame,
} from './wire.js';
import { announceUser, watchUsers } from './users.js';

export type { ClientEvents, Status };

interface Presence {
  /** In the spelling it was entered under. */
  readonly channel: string;
  readonly state: JsonObject;
}

export class Client {
  protected readonly platform: Platform;
  private readonly emitter: Emitter<ClientEvents>;
  private readonly channels = new ChannelSet();
  /** By bare name. */
  private readonly presences = new Map<string, Presence>();
  protected readonly cursor = new Cursor();
  private readonly acks: Acks;
  private readonly inbox: Inbox;
  private unlockedBy: string | undefined;
  private readonly tokens: TokenKeeper;
  protected readonly store: StateStore;
  protected readonly context: TransportContext;
  /** A connection of our own; not in use while `link` is another. */
  protected readonly session: Session;
  protected readonly link: Link;
  /** Whose the connection is. */
  private user: string | undefined;
  private users: BroadcastLike | undefined;
  private stream: string | undefined;
  private lastMessageAt: number | null = null;
  private lastError: Status['lastError'] = null;

  constructor(options: ClientOptions, platform: Platform = browserPlatform()) {
    const { embedded, forceSSE, ...minting } = tokenPartOf(options);
    this.platform = platform;
    this.emitter = new Emitter<ClientEvents>(platform.report);
    this.acks = new Acks(platform.clock);
    this.tokens = new TokenKeeper({ embedded, ...minting }, platform);
    this.channels.grant(options.channels ?? [], this.tokens.siteId);
    this.store = new StateStore((now, before) => this.onState(now, before));
    this.inbox = new Inbox(
      (delivery) => this.emitter.emit('message', delivery),
      () => this.note('decryption-failed', 'a sealed message did not open'),
    );
    this.unlock(options.encryptionKey);
    const situation = {
      token: () => this.tokens.token,
      channels: () => this.channels.list(),
      since: () => this.cursor.since,
    };
    this.context = {
      platform,
      endpoints: endpointsOf(options),
      situation,
      relay: {},
    };
    const events: LinkEvents = {
      opened: (transport) => this.onOpened(transport),
      lost: () => this.onLost(),
      granted: (transport) => this.onGranted(transport),
      frame: (frame) => this.onFrame(frame),
      binary: (frame) => this.onBinary(frame),
      notice: (notice) => this.onNotice(notice),
    };
    this.session = new Session(
      platform,
      this.context,
      this.tokens,
      this.store,
      forceSSE,
      events,
    );
    this.link = isShareable(options)
      ? new SharedLink(platform, options, this.session, this.store, events)
      : this.session;
    this.watchUsers(options);
    this.wakeWithThePage();
  }

  /** Connects, and stays connected; more than once does no harm. */
  start(): void {
    this.link.start();
  }

  /** Disconnects. What was subscribed is kept for the next `start`. */
  stop(): void {
    this.link.stop();
  }

  /** Stops, and hears no more of who uses the browser. */
  dispose(): void {
    this.stop();
    this.users?.close();
  }

  /** As if the page had just become visible or the network come back. */
  wake(): void {
    this.link.wake();
  }

  /** Leaves the present connection for a new one. */
  reconnect(): void {
    this.link.cycle();
  }

  /** Loses the present connection, as a network does. For tests of a page. */
  drop(): void {
    this.link.drop();
  }

  on<Name extends keyof ClientEvents>(
    name: Name,
    listener: (...args: ClientEvents[Name]) => void,
  ): Unsubscribe {
    return this.emitter.on(name, listener);
  }

  get state(): State {
    return this.store.current;
  }

  get status(): Status {
    const { transport } = this.link;
    const { connected, failures } = this.state;
    const canSend = connected && (transport?.canSend ?? false);
    return {
      name: this.state.transport,
      connected,
      readyState: transport?.readyState ?? READY.closed,
      canPublish: canSend,
      canPublishBinary: canSend,
      lastMessageAt: this.lastMessageAt,
      lastError: this.state.error ?? this.lastError,
      failures,
    };
  }

  /** The channels held, now and over reconnects. */
  get subscriptions(): readonly string[] {
    return this.channels.list();
  }

  subscribe(channels: readonly string[]): void {
    const added = this.channels.add(channels);
    if (added.length > 0) {
      this.tellChannels('subscribe', added);
    }
  }

  unsubscribe(channels: readonly string[]): void {
    const removed = this.channels.remove(channels);
    if (removed.length > 0) {
      this.tellChannels('unsubscribe', removed);
    }
  }

  /** False if it was dropped: no connection, or no way to send over it. */
  publish(channel: string, event: string, data: JsonObject = {}): boolean {
    return this.send({ type: 'message', channel, event, data });
  }

  /**
   * Publishes and waits for the relay's word. Resolves with the message's id,
   * rejects with a PublishError.
   */
  publishConfirmed(
    channel: string,
    event: string,
    data: JsonObject = {},
  ): Promise<string | undefined> {
    return this.acks.expect((ref) =>
      this.send({ type: 'message', channel, event, data, ref }),
    );
  }

  /** False if it was dropped. */
  publishBinary(channel: string, payload: Uint8Array): boolean {
    const frame = makeBinary(channel, payload);
    const { transport } = this.link;
    return (
      frame !== undefined &&
      this.state.connected &&
      (transport?.sendBinary(frame) ?? false)
    );
  }

  /**
   * Enters a channel with a state, changes it, or leaves with null. Held: it
   * is entered again on every connect.
   */
  setPresence(channel: string, state: JsonObject | null): void {
    const bare = bareName(channel, this.link.grant.siteId);
    const held = this.presences.get(bare);
    if (
      !isChannelName(bare) ||
      (!held && (state === null || this.presences.size >= LIMIT.presences))
    ) {
      return;
    }
    const name = held?.channel ?? channel;
    if (state === null) {
      this.presences.delete(bare);
    } else {
      this.presences.set(bare, { channel: name, state });
    }
    this.send({ type: 'presence', channel: name, state });
  }

  private send(frame: Parameters<Transport['send']>[0]): boolean {
    const { transport } = this.link;
    return this.state.connected && (transport?.send(frame) ?? false);
  }

  private tellChannels(
    type: 'subscribe' | 'unsubscribe',
    channels: readonly string[],
  ): void {
    // Without `since`: what was published before one asked is not wanted, and
    // would come after higher ids of the other channels.
    if (this.link.transport?.inBand) {
      this.send({ type, channels });
    } else {
      this.link.renewChannels();
    }
  }

  /** Subscribed before anybody hears that we are connected. */
  private onOpened(transport: Transport): void {
    this.acks.failAll();
    this.stream = undefined;
    if (transport.inBand) {
      const channels = this.channels.list();
      const { since } = this.cursor;
      if (channels.length > 0) {
        transport.send({
          type: 'subscribe',
          channels,
          ...(since !== undefined && { since }),
        });
      }
      this.enterAll(transport);
    }
  }

  private enterAll(transport: Transport | undefined): void {
    for (const presence of this.presences.values()) {
      transport?.send({ type: 'presence', ...presence });
    }
  }

  private onLost(): void {
    this.acks.failAll();
    // It ended before the relay said where we are: nobody can say what is missed.
    if (!this.cursor.since && this.subscriptions.length > 0) {
      this.emitter.emit('gap', { since: null, oldest: null });
    }
  }

  private onGranted(transport: Transport | undefined): void {
    const { token } = this.tokens;
    const own = claimsOf(token).userId;
    const userId = this.link.grant.userId ?? own;
    this.user ??= own ?? userId;
    if (userId !== undefined && userId !== this.user) {
      // Somebody else has logged in meanwhile: this page is not theirs.
      this.link.halt('the page is of another user');
      return;
    }
    const { channels, siteId, encryptionKey } = this.link.grant;
    this.unlock(encryptionKey);
    const added = this.channels.grant(channels, siteId);
    if (transport?.inBand) {
      transport.send({ type: 'auth', token });
      if (added.length > 0) {
        transport.send({ type: 'subscribe', channels: added });
      }
    }
  }

  /** The page's key, or a newer one that came with a token. */
  protected unlock(key: string | undefined): void {
    if (key && key !== this.unlockedBy) {
      this.unlockedBy = key;
      this.inbox.opener = createOpener(key, this.platform.crypto);
    }
  }

  private watchUsers(options: ClientOptions): void {
    this.users = watchUsers(
      options,
      this.platform,
      () => this.link.halt('logged out'),
      () => this.link.verify(),
    );
    if (this.platform.document) {
      announceUser(this.users, options);
    }
  }

  private onState(now: State, before: State): void {
    this.emitter.emit('state', now, before);
    if (now.connected !== before.connected) {
      this.emitter.emit('connection', now.connected);
    }
  }

  protected onFrame(frame: RelayFrame): void {
    switch (frame.type) {
      case 'message':
        this.onMessage(frame);
        break;
      case 'ping':
        this.cursor.settle(frame.id);
        this.send({ type: 'pong' });
        break;
      case 'subscribed':
        this.cursor.startAt(frame.id);
        break;
      case 'gap':
        this.onGap({ since: frame.since, oldest: frame.oldest });
        break;
      case 'ack':
        this.acks.confirm(frame.ref, frame.id);
        break;
      case 'reconnect':
        this.link.hint(frame.inMs);
        break;
      case 'error':
        this.onError(frame);
        break;
      case 'unsubscribed':
      case 'auth_ok':
        break;
    }
    this.platform.debug(`relay: ${frame.type}`);
  }

  /** Asked before the cursor moves: what has no room must come again. */
  private hasRoom(): boolean {
    if (this.inbox.isFull) {
      this.link.abandon(0, 'messages come faster than they can be opened');
      return false;
    }
    return true;
  }

  private onMessage(frame: MessageFrame): void {
    if (this.hasRoom() && this.cursor.accept(frame.id)) {
      this.lastMessageAt = this.platform.clock.now();
      this.inbox.push(frame);
    }
  }

  private onGap(gap: Gap): void {
    if (this.hasRoom()) {
      // What is gone is gone: the next resume need not ask, and be told, again.
      this.cursor.settle(gap.oldest ?? undefined);
      this.inbox.after(() => this.emitter.emit('gap', gap));
    }
  }

  private onError({ code, message, ref }: RelayErrorFrame): void {
    if (ref !== undefined) {
      this.acks.fail(ref, code, message);
    }
    if (code === RELAY_ERROR_UNAUTHORIZED) {
      this.link.abandon(CLOSE.tokenRefused, message);
    } else {
      this.note(code, message);
    }
  }

  private onBinary(bytes: Uint8Array): void {
    const frame = parseBinary(bytes);
    if (frame) {
      this.lastMessageAt = this.platform.clock.now();
      this.emitter.emit('binary', frame.channel, frame.payload);
    }
  }

  private onNotice(notice: Notice): void {
    switch (notice.kind) {
      case 'head':
        this.cursor.atHead(notice.id);
        break;
      case 'settled':
        this.cursor.settle(notice.id);
        break;
      case 'paused':
        this.cursor.settleHead();
        break;
      case 'stream':
        this.onStream(notice.id);
        break;
      case 'mute':
        break;
    }
  }

  private onStream(id: string): void {
    if (this.stream === id) {
      return;
    }
    const isSuccessor = this.stream !== undefined;
    this.stream = id;
    this.enterAll(this.link.transport);
    this.emitter.emit('sendable');
    if (isSuccessor) {
      this.emitter.emit('reopen');
    }
  }

  private note(code: string, message: string): void {
    this.lastError = { code, message };
    this.platform.debug(`error: ${code}`);
    this.emitter.emit('error', { code, message });
  }

  private wakeWithThePage(): void {
    const { document, window } = this.platform;
    const wake = () => this.wake();
    window?.addEventListener('online', wake);
    window?.addEventListener('pageshow', wake);
    document?.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'visible') {
        wake();
      }
    });
  }
}

/** Only what can be told a worker. */
function isShareable({ share, workerUrl, mint }: ClientOptions): boolean {
  return share !== false && !!workerUrl && !mint;
}

function tokenPartOf(options: ClientOptions) {
  const { token, exp, channels, forceSSE } = options;
  return {
    ...options,
    embedded: token === undefined ? undefined : { token, exp, channels },
    forceSSE: forceSSE === true,
  };
}

