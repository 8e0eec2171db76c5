/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a client comes by its connection: by one of its own (session.ts), or by
 * one that all tabs of a user share (shared-link.ts).
 *
 * Promise   Whichever it is says what happens through LinkEvents and the state
 *           store, in the same order: `opened` before the state says open,
 *           `lost` before it says otherwise.
 */

import type { LadderEvents } from './ladder.js';
import type { Transport } from './transport/transport.js';

/** What a token brought along. */
export interface Grant {
  /** Channels to subscribe to without being asked. */
  readonly channels: readonly string[];
  readonly siteId: string | undefined;
  /** Whose it is, where it was another's token. */
  readonly userId?: string | undefined;
  /** 32 bytes in base64, where the page did not bring them. */
  readonly encryptionKey: string | undefined;
}

export interface LinkEvents
  extends Pick<LadderEvents, 'frame' | 'binary' | 'notice'> {
  /** A transport opened; said before the state says so. */
  opened(transport: Transport): void;
  /** The connection is lost or given up; said before the state says so. */
  lost(): void;
  /** There is another `grant` than before, maybe. */
  granted(transport: Transport | undefined): void;
}

export interface Link {
  readonly transport: Transport | undefined;
  readonly grant: Grant;
  /** Connects; does nothing if that was done before, or is over for good. */
  start(): void;
  /** Disconnects; `start` begins anew. */
  stop(): void;
  /** Ends it for good: whoever the page was for is gone. */
  halt(message: string): void;
  /** Somebody else may use this browser now: asks the site. */
  verify(): void;
  /** The page is seen or online again: what waits is due, what is dead goes. */
  wake(): void;
  /** Leaves the present connection for a new one, without a failure. */
  cycle(): void;
  /** Ends the connection as if the relay had ended it like this. */
  abandon(code: number, message: string): void;
  /** Loses the present connection, as a network does. For tests of a page. */
  drop(): void;
  /** The relay said how long to stay away when it closes. */
  hint(delayMs: number): void;
  /** Channels changed where none can be told so in a frame. */
  renewChannels(): void;
}
