/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `window.WPS`: the client as themes and plugins know it. Methods may be taken
 * off the object; none needs `this`.
 *
 * Order     Each message goes to the DOM, then to `onMessage`, then to `on`.
 */

import { onChannel } from './channel.js';
import { Client, type Status } from './client.js';
import { announceGap, announceMessage } from './dom.js';
import { Emitter, type Unsubscribe } from './emitter.js';
import type { Delivery } from './inbox.js';
import type { ClientOptions } from './options.js';
import { browserPlatform, type Platform } from './platform.js';
import type { State, TransportName } from './state.js';
import { uuid, Visitor } from './visitor.js';
import type { Gap, JsonObject } from './wire.js';

export interface Wps {
  /** Connects; the page's script has done so already. */
  start(): void;
  /** Kept over reconnects. Not counted: one `unsubscribe` ends it. */
  subscribe(channels: readonly string[]): void;
  unsubscribe(channels: readonly string[]): void;
  /**
   * False if it was not sent, for want of a connection that can send; `onError`
   * hears of it, too. Nothing is queued.
   */
  publish(channel: string, event: string, data?: JsonObject): boolean;
  /** The same for bytes. */
  publishBinary(channel: string, payload: Uint8Array): boolean;
  /** Ours: resolves with the message's id once the relay has it. */
  publishConfirmed(
    channel: string,
    event: string,
    data?: JsonObject,
  ): Promise<string | undefined>;
  /** Null leaves. A state is entered again on every connect. */
  setPresence(channel: string, state: JsonObject | null): void;

  on(
    event: string,
    listener: (data: unknown, channel: string) => void,
  ): Unsubscribe;
  onMessage(
    listener: (event: string, data: unknown, channel: string) => void,
  ): Unsubscribe;
  onBinaryMessage(
    listener: (channel: string, payload: Uint8Array) => void,
  ): Unsubscribe;
  onConnectionChange(listener: (connected: boolean) => void): Unsubscribe;
  onStateChange(listener: (state: State) => void): Unsubscribe;
  /** Ours: messages are gone for good; fetch what they were about. */
  onGap(listener: (gap: Gap) => void): Unsubscribe;
  /**
   * Ours: an event stream was replaced while connected. Binary frames of the
   * meantime are gone; whoever builds on them resynchronises.
   */
  onReopen(listener: () => void): Unsubscribe;
  /**
   * Ours: the relay refused something, a sealed message did not open, or
   * something could not be sent (`not-sent`). The connection stays.
   */
  onError(listener: (error: WpsError) => void): Unsubscribe;

  /** A new random UUID. */
  uuid(): string;
  /** The UUID this browser keeps for this site. */
  visitorId(): string;
  /** Whether a delivered channel name is the expected one. */
  onChannel(channel: string, expected: string): boolean;

  readonly connected: boolean;
  readonly transport: TransportName | null;
  readonly status: Status;
  readonly state: State;
}

export interface WpsError {
  /** The relay's own, or one of the client's, with hyphens. */
  readonly code: string;
  readonly message: string;
}

interface Heard extends Record<string, readonly unknown[]> {
  readonly [event: string]: readonly [data: unknown, channel: string];
}

/** Sends each message to the DOM, to `all`, to the listeners of its event. */
function route(
  client: Client,
  platform: Platform,
  all: Emitter<{ message: [event: string, data: unknown, channel: string] }>,
  byEvent: Emitter<Heard>,
): void {
  const page = platform.document;
  client.on('message', ({ event, data, channel }: Delivery) => {
    if (page) {
      announceMessage(page, event, data, channel);
    }
    all.emit('message', event, data, channel);
    byEvent.emit(event, data, channel);
  });
  client.on('gap', (gap) => {
    if (page) {
      announceGap(page, gap);
    }
  });
}

/** The facade over a client of its own; `start` is left to the caller. */
export function createWps(
  client: Client,
  platform: Platform = browserPlatform(),
): Wps {
  const all = new Emitter<{
    message: [event: string, data: unknown, channel: string];
  }>(platform.report);
  const byEvent = new Emitter<Heard>(platform.report);
  const errors = new Emitter<{ error: [WpsError] }>(platform.report);
  const visitor = new Visitor(platform);
  const tell = (error: WpsError) => errors.emit('error', error);
  const sent = (wasSent: boolean) => {
    if (!wasSent) {
      tell({ code: 'not-sent', message: 'there is no way to send it now' });
    }
    return wasSent;
  };
  client.on('error', tell);
  route(client, platform, all, byEvent);
  return {
    start: () => client.start(),
    subscribe: (channels) => client.subscribe(channels),
    unsubscribe: (channels) => client.unsubscribe(channels),
    publish: (channel, event, data) =>
      sent(client.publish(channel, event, data)),
    publishBinary: (channel, payload) =>
      sent(client.publishBinary(channel, payload)),
    publishConfirmed: (channel, event, data) =>
      client.publishConfirmed(channel, event, data),
    setPresence: (channel, state) => client.setPresence(channel, state),
    on: (event, listener) => byEvent.on(event, listener),
    onMessage: (listener) => all.on('message', listener),
    onBinaryMessage: (listener) => client.on('binary', listener),
    onConnectionChange: (listener) => client.on('connection', listener),
    onStateChange: (listener) => client.on('state', (now) => listener(now)),
    onGap: (listener) => client.on('gap', listener),
    onReopen: (listener) => client.on('reopen', listener),
    onError: (listener) => errors.on('error', listener),
    uuid: () => uuid(platform),
    visitorId: () => visitor.id,
    onChannel,
    get connected() {
      return client.state.connected;
    },
    get transport() {
      return client.state.transport;
    },
    get status() {
      return client.status;
    },
    get state() {
      return client.state;
    },
  };
}

/** What the plugin puts into the page, beside the client's own options. */
export interface WpsConfig extends ClientOptions {
  readonly isDebug?: boolean | undefined;
  /**
   * Where `wpsignal.js` is, if the page has it as a part of another script. The
   * files it fetches are looked for beside it.
   */
  readonly scriptUrl?: string | undefined;
}
