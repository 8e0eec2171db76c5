/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one connection of all tabs of a user, in a shared worker. To each tab it
 * is a relay: it takes the frames of the wire and gives them.
 *
 * Channels  Held while one tab holds them. A tab that subscribes to what is
 *           held already gets the list of presence as it is known here.
 * Presence  The tabs of a user are one member. The newest state counts; when
 *           its tab leaves, that of the tab before does; the member leaves
 *           with the last.
 * Binary    What a tab sends reaches its siblings, whom the relay leaves out.
 *           Messages come back from the relay, to their sender as well.
 * Resume    A tab that joins with a cursor gets what it missed, or a gap, and
 *           then what came meanwhile. Of what it sees twice its own cursor
 *           shows it once.
 * Bounds    A tab that does not read is sent no more than LIMIT.tab*; when it
 *           reads again it is told `lost`, joins anew and resumes.
 * Users     All tabs named the worker by the same user, and the client ends
 *           when a new token is of another. Each tab is told whose the
 *           connection is, and follows no new worker to another user. A page
 *           that could not say whose it is gets a visitor's connection or none.
 */

import { bareName } from './channel.js';
import { RELAY_ERROR_TOO_MANY_CHANNELS } from './codes.js';
import { TIMING } from './config.js';
import { HubClient } from './hub-client.js';
import type { ClientOptions } from './options.js';
import type { Platform, PortLike } from './platform.js';
import { Roster } from './roster.js';
import {
  type FromHub,
  type FromTab,
  SHARED_VERSION,
  userOf,
} from './shared-protocol.js';
import {
  type ClientFrame,
  type JsonObject,
  makeBinary,
  type MessageFrame,
  parseBinary,
  parseJson,
  type RelayFrame,
} from './wire.js';
import { Tab } from './tab.js';

const VISITOR = '0';

export class Hub {
  private client: HubClient | undefined;
  private readonly tabs = new Set<Tab>();
  private readonly roster = new Roster();
  /** Channels asked of the relay and not answered, by bare name. */
  private readonly unanswered = new Set<string>();
  private readonly waiting = new Set<() => void>();
  private ticking = false;

  constructor(private readonly platform: Platform) {}

  /** A tab has opened a port. */
  connect(port: PortLike): void {
    port.onmessage = ({ data }) => {
      const message = data as FromTab;
      if (message.t === 'join') {
        this.join(port, message);
      }
    };
  }

  private join(port: PortLike, message: FromTab & { t: 'join' }): void {
    const { options, version, lock } = message;
    if (version !== SHARED_VERSION || !this.isWelcome(options)) {
      port.postMessage({ t: 'refused' } satisfies FromHub);
      return;
    }
    const client = this.clientFor(options);
    const tab = new Tab(port, this.platform.clock, lock !== undefined);
    this.tabs.add(tab);
    port.onmessage = ({ data }) => this.hear(tab, data as FromTab);
    if (lock !== undefined && this.platform.locks) {
      // Ours only when the tab is no more.
      void this.platform.locks
        .request(`wordsocket:${lock}`, async () => this.leave(tab))
        .catch(() => {});
    }
    client.start();
    tab.post(this.stateOf(client));
    this.tick();
  }

  /** Whoever cannot say who it is for is a visitor's page, or nobody's. */
  private isWelcome(options: ClientOptions): boolean {
    const userId = this.client?.userId;
    return (
      userOf(options) !== undefined ||
      userId === undefined ||
      userId === VISITOR
    );
  }

  /** One that was refused for good is not asked again, but by a newer page. */
  private clientFor(options: ClientOptions): HubClient {
    if (this.client && this.client.phase !== 'halted') {
      return this.client;
    }
    // Their pages may be of another user than the newer one is.
    [...this.tabs].forEach((tab) => this.leave(tab));
    const { mint: _, ...rest } = options;
    const client = new HubClient(
      { ...rest, share: false, encryptionKey: undefined },
      this.platform,
    );
    this.client = client;
    const told = () => this.toAll(this.stateOf(client));
    client.on('state', (now, before) => {
      if (!now.connected) {
        this.forget();
      } else if (!before.connected && client.tellsSubscribed) {
        client.subscriptions.forEach((name) => this.unanswered.add(this.bare(name)));
      }
      told();
    });
    client.on('sendable', told);
    client.on('reopen', () => this.toAll({ t: 'reopen' }));
    client.on('message', (message) =>
      this.onMessage({ type: 'message', ...message }),
    );
    client.on('gap', (gap) => this.frameToAll({ type: 'gap', ...gap }));
    client.on('binary', (channel, payload) => {
      const frame = makeBinary(channel, payload);
      if (frame) {
        this.toHolders(channel, { t: 'binary', frame }, frame.length);
      }
    });
    client.on('error', (error) => {
      if (error.code === RELAY_ERROR_TOO_MANY_CHANNELS) {
        this.sendAway();
      }
      this.answered();
      this.frameToAll({ type: 'error', ...error });
    });
    client.heard = (frame) => this.onFrame(frame);
    return client;
  }

  private stateOf(client: HubClient): FromHub {
    const { connected, transport, error, retryInMs, failures } = client.state;
    return {
      t: 'state',
      state: {
        phase: connected ? 'open' : client.phase,
        transport,
        error,
        retryInMs,
        failures,
      },
      canSend: client.status.canPublish,
      channels: client.granted,
      siteId: client.siteId,
      userId: client.userId,
      encryptionKey: client.encryptionKey,
    };
  }

  private toAll(message: FromHub): void {
    this.tabs.forEach((tab) => tab.post(message));
  }

  private frameToAll(frame: RelayFrame): void {
    this.toAll({ t: 'frame', frame });
  }

  private toHolders(channel: string, message: FromHub, bytes = 0, but?: Tab): void {
    const bare = this.bare(channel);
    for (const tab of this.tabs) {
      if (tab !== but && tab.channels.has(bare)) {
        tab.post(message, bytes);
      }
    }
  }

  private bare(channel: string): string {
    return bareName(channel, this.client?.siteId);
  }

  private onMessage(frame: MessageFrame): void {
    if (frame.id === undefined) {
      this.roster.hear(frame, this.bare(frame.channel));
    }
    const bytes = JSON.stringify(frame.data)?.length ?? 0;
    this.toHolders(frame.channel, { t: 'frame', frame }, bytes);
  }

  /** What was true of a connection that is no more. */
  private forget(): void {
    this.roster.clear();
    this.answered();
  }

  private onFrame(frame: RelayFrame): void {
    if (frame.type === 'subscribed') {
      this.answered(frame.channels);
      // A tab without a place in the log begins where the relay says.
      const channels = frame.channels.map((name) => this.bare(name));
      for (const tab of this.tabs) {
        if (channels.some((bare) => tab.channels.has(bare))) {
          tab.post({ t: 'frame', frame });
        }
      }
    }
  }

  /** What together is too much for a connection may not be, each on its own. */
  private sendAway(): void {
    for (const tab of [...this.tabs]) {
      if ([...tab.channels.keys()].some((bare) => this.unanswered.has(bare))) {
        tab.refused();
        this.leave(tab);
      }
    }
  }

  private answered(channels?: readonly string[]): void {
    if (channels) {
      channels.forEach((name) => this.unanswered.delete(this.bare(name)));
    } else {
      this.unanswered.clear();
    }
    [...this.waiting].forEach((check) => check());
  }

  private hear(tab: Tab, message: FromTab): void {
    const { client } = this;
    if (!client || !this.tabs.has(tab)) {
      if (message.t !== 'leave') {
        tab.lost();
      }
      return;
    }
    tab.shows();
    switch (message.t) {
      case 'frame':
        this.take(tab, client, parseJson(message.text) as ClientFrame);
        break;
      case 'binary':
        this.takeBinary(tab, client, message.frame);
        break;
      case 'pong':
        if (tab.caughtUp()) {
          tab.lost();
          this.leave(tab);
        }
        break;
      case 'wake':
        tab.post({ t: 'ping', id: undefined });
        client.wake();
        break;
      case 'cycle':
        client.reconnect();
        break;
      case 'drop':
        client.drop();
        break;
      case 'leave':
        this.leave(tab);
        break;
      case 'join':
        break;
    }
  }

  private take(tab: Tab, client: HubClient, frame: ClientFrame): void {
    switch (frame.type) {
      case 'subscribe':
        this.subscribe(tab, client, frame.channels, frame.since);
        break;
      case 'unsubscribe':
        this.unsubscribe(tab, frame.channels);
        break;
      case 'presence':
        this.enter(tab, frame.channel, frame.state);
        break;
      case 'message':
        this.publish(tab, client, frame);
        break;
      case 'auth':
      case 'pong':
        break;
    }
  }

  private publish(
    tab: Tab,
    client: HubClient,
    { channel, event, data, ref }: ClientFrame & { type: 'message' },
  ): void {
    if (ref === undefined) {
      if (!client.publish(channel, event, data)) {
        this.unsent(tab);
      }
      return;
    }
    client.publishConfirmed(channel, event, data).then(
      (id) => tab.post({ t: 'frame', frame: { type: 'ack', ref, id } }),
      ({ code, message }: { code: string; message: string }) =>
        tab.post({ t: 'frame', frame: { type: 'error', code, message, ref } }),
    );
  }

  private unsent(tab: Tab): void {
    const message = 'the shared connection could not send it';
    tab.post({ t: 'frame', frame: { type: 'error', code: 'not-sent', message } });
  }

  private takeBinary(tab: Tab, client: HubClient, frame: Uint8Array): void {
    const binary = parseBinary(frame);
    if (!binary) {
      return;
    }
    if (client.publishBinary(binary.channel, binary.payload)) {
      this.toHolders(binary.channel, { t: 'binary', frame }, frame.length, tab);
    } else {
      this.unsent(tab);
    }
  }

  private subscribe(
    tab: Tab,
    client: HubClient,
    names: readonly string[],
    since: string | undefined,
  ): void {
    const isFirst = !tab.hasSubscribed;
    const added = names.filter((name) => !tab.channels.has(this.bare(name)));
    const held = this.held();
    const news = added.filter((name) => !held.has(this.bare(name)));
    added.forEach((name) => tab.channels.set(this.bare(name), name));
    tab.hasSubscribed = true;
    const place = client.position;
    if (news.length > 0) {
      const known = new Set(client.subscriptions.map((name) => this.bare(name)));
      client.subscribe(news);
      if (client.tellsSubscribed) {
        news
          .map((name) => this.bare(name))
          .filter((bare) => !known.has(bare))
          .forEach((bare) => this.unanswered.add(bare));
      }
    }
    const missedNothing =
      since === undefined || (since === place && news.length === 0);
    if (isFirst && !missedNothing) {
      void this.catchUp(tab, client, since);
    }
    this.welcome(tab, added, place);
  }

  /** What the relay answers who subscribes; to what is news, it does itself. */
  private welcome(tab: Tab, added: readonly string[], id: string | undefined): void {
    if (added.length > 0 && id !== undefined) {
      tab.post({ t: 'frame', frame: { type: 'subscribed', channels: added, id } });
    }
    added
      .flatMap((name) => this.roster.framesFor(this.bare(name)))
      .forEach((frame) => tab.post({ t: 'frame', frame }));
  }

  /** Bare names of what any tab holds. */
  private held(): Set<string> {
    return new Set([...this.tabs].flatMap((tab) => [...tab.channels.keys()]));
  }

  /** What comes meanwhile waits, or would make older ids look seen. */
  private async catchUp(tab: Tab, client: HubClient, since: string): Promise<void> {
    const resume = tab.hold();
    await this.subscribedAll(tab);
    const names = [...tab.channels.values()];
    const { frames, cursor } = await client.missed(names, since);
    resume(frames, cursor ?? client.position);
  }

  /** Asked before the relay has us on its list, a poll would leave a hole. */
  private subscribedAll(tab: Tab): Promise<void> {
    const { clock } = this.platform;
    return new Promise((resolve) => {
      const done = () => {
        this.waiting.delete(check);
        clock.clearTimeout(deadline);
        resolve();
      };
      const check = () => {
        if (![...tab.channels.keys()].some((bare) => this.unanswered.has(bare))) {
          done();
        }
      };
      const deadline = clock.setTimeout(done, TIMING.subscribedDeadlineMs);
      this.waiting.add(check);
      check();
    });
  }

  private unsubscribe(tab: Tab, names: readonly string[]): void {
    const gone = names.filter((name) => tab.channels.delete(this.bare(name)));
    const held = this.held();
    const free = gone.filter((name) => !held.has(this.bare(name)));
    free.forEach((name) => this.roster.drop(this.bare(name)));
    this.client?.unsubscribe(free);
  }

  private enter(tab: Tab, name: string, state: JsonObject | null): void {
    const bare = this.bare(name);
    if (state === null) {
      tab.presences.delete(bare);
    } else if (!tab.enters(bare, name, state)) {
      return;
    }
    this.tellPresence(name);
  }

  /** The newest state of the tabs that are there. */
  private tellPresence(name: string): void {
    const bare = this.bare(name);
    const newest = [...this.tabs]
      .map((tab) => tab.presences.get(bare))
      .reduce((a, b) => (a && (!b || a.at > b.at) ? a : b), undefined);
    this.client?.setPresence(name, newest?.state ?? null);
  }

  private leave(tab: Tab): void {
    if (!this.tabs.delete(tab)) {
      return;
    }
    const presences = [...tab.presences.values()];
    tab.presences.clear();
    presences.forEach(({ name }) => this.tellPresence(name));
    this.unsubscribe(tab, [...tab.channels.values()]);
    tab.gone();
    if (this.tabs.size === 0) {
      this.client?.dispose();
      this.client = undefined;
      this.forget();
    }
  }

  private tick(): void {
    if (this.ticking) {
      return;
    }
    this.ticking = true;
    this.platform.clock.setTimeout(() => {
      this.ticking = false;
      for (const tab of [...this.tabs]) {
        if (tab.isDead) {
          tab.lost();
          this.leave(tab);
        } else {
          tab.post({ t: 'ping', id: this.client?.position });
        }
      }
      if (this.tabs.size > 0) {
        this.tick();
      }
    }, TIMING.tabPingMs);
  }
}
