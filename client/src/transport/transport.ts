/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every transport is: one way to one relay, opened once, closed once.
 *
 * Promise   `opened` comes at most once and before anything received; `closed`
 *           at most once and last. Nothing comes after `close()`, which says
 *           nothing itself. Every way to fail has a deadline.
 * Owner     The ladder makes transports and decides which one speaks.
 */

import type { CloseInfo } from '../codes.js';
import type { Platform } from '../platform.js';
import type { TransportName } from '../state.js';
import type { ClientFrame, RelayFrame } from '../wire.js';

/** The states of a WebSocket, used for every transport. */
export const READY = { connecting: 0, open: 1, closing: 2, closed: 3 } as const;

/** What streams and polls have to say beside frames. */
export type Notice =
  /** The first id of a stream: the head of the log before any replay. */
  | { readonly kind: 'head'; readonly id: string }
  /** Everything up to this id has been sent. */
  | { readonly kind: 'settled'; readonly id: string }
  /** A stream ended as planned and opens again by itself. */
  | { readonly kind: 'paused' }
  /** A stream opened and brings nothing, of a relay not known to speak first. */
  | { readonly kind: 'mute' }
  /** Sending works from now on, under this id. */
  | { readonly kind: 'stream'; readonly id: string };

export interface TransportEvents {
  opened(): void;
  frame(frame: RelayFrame): void;
  binary(frame: Uint8Array): void;
  notice(notice: Notice): void;
  closed(info: CloseInfo): void;
}

/** Asked anew for every request, so that each carries what is true then. */
export interface Situation {
  token(): string;
  channels(): readonly string[];
  since(): string | undefined;
}

export interface Endpoints {
  readonly ws: string;
  readonly sse: string;
  readonly poll: string;
  readonly send: string;
}

/** What was learned of the relay; outlives the connection that taught it. */
export interface Relay {
  /**
   * Whether its streams begin with a word. If they do, one that brings only
   * its head is held by a front; if not, there may be nothing to say.
   */
  speaksFirst?: boolean;
}

export interface TransportContext {
  readonly platform: Platform;
  readonly endpoints: Endpoints;
  readonly situation: Situation;
  readonly relay: Relay;
}

export interface Transport {
  readonly name: TransportName;
  /** Whether subscribe, auth and pong travel as frames of this transport. */
  readonly inBand: boolean;
  readonly readyState: number;
  /** Whether a frame could be sent now. */
  readonly canSend: boolean;
  /** When it last heard from the relay; undefined if it needs no watching. */
  readonly heardAtMs: number | undefined;
  open(): void;
  /** False if the frame was dropped. */
  send(frame: ClientFrame): boolean;
  sendBinary(frame: Uint8Array<ArrayBuffer>): boolean;
  /** Token or channels changed; for transports that carry them in the URL. */
  renew(): void;
  close(): void;
}

/** `base` with parameters; those that are undefined are left out. */
export function urlWith(
  base: string,
  parameters: { readonly [name: string]: string | undefined },
): string {
  const pairs = Object.entries(parameters).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${encodeURIComponent(value)}`],
  );
  return base + (base.includes('?') ? '&' : '?') + pairs.join('&');
}
