/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a client tells: events as they happen, and how things are.
 */

import type { Delivery } from './inbox.js';
import type { State, TransportName } from './state.js';
import type { Gap } from './wire.js';

/** What `on` hears, with its arguments. */
export type ClientEvents = {
  message: [message: Delivery];
  binary: [channel: string, payload: Uint8Array];
  state: [now: State, before: State];
  connection: [connected: boolean];
  /** Some messages are gone; ask for the state of things again. */
  gap: [gap: Gap];
  /**
   * A stream was replaced while connected. Messages are complete, but binary
   * frames of the meantime are not: resynchronise.
   */
  reopen: [];
  /** Sending works from now on; a stream learns it later than it opens. */
  sendable: [];
  /** The relay refused something; the connection stays. */
  error: [error: { readonly code: string; readonly message: string }];
};

export interface Status {
  /** The transport in use. */
  readonly name: TransportName | null;
  readonly connected: boolean;
  /** As of a WebSocket: 0 connecting, 1 open, 2 closing, 3 closed. */
  readonly readyState: number;
  readonly canPublish: boolean;
  readonly canPublishBinary: boolean;
  /** Milliseconds since the epoch. */
  readonly lastMessageAt: number | null;
  readonly lastError: {
    readonly code: string;
    readonly message: string;
  } | null;
  readonly failures: number;
}
