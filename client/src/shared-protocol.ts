/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a tab and the shared worker say to each other over a port, and how the
 * worker is named. The frames are those of the wire.
 *
 * Isolation  A worker's name says whose it is: the relay, the site, the user.
 *            Pages of other users look for another worker.
 */

import { claimsOf } from './token.js';
import type { ClientOptions } from './options.js';
import type { Phase, State, TransportName } from './state.js';
import type { RelayFrame } from './wire.js';

/** Both sides are of one script's version, or the tab stays alone. */
export const SHARED_VERSION = 2;

export type FromTab =
  | {
      readonly t: 'join';
      readonly version: number;
      /** Held by the tab as long as it lives, where there are locks. */
      readonly lock: string | undefined;
      readonly options: ClientOptions;
    }
  /** A ClientFrame in JSON. */
  | { readonly t: 'frame'; readonly text: string }
  | { readonly t: 'binary'; readonly frame: Uint8Array }
  | { readonly t: 'pong' | 'wake' | 'cycle' | 'drop' | 'leave' };

/** The hub's state, as the tab's store takes it. */
export interface SharedState {
  readonly phase: Phase;
  readonly transport: TransportName | null;
  readonly error: State['error'] | undefined;
  readonly retryInMs: number | undefined;
  readonly failures: number;
}

export type FromHub =
  | {
      readonly t: 'state';
      readonly state: SharedState;
      readonly canSend: boolean;
      readonly channels: readonly string[];
      readonly siteId: string | undefined;
      readonly userId: string | undefined;
      readonly encryptionKey: string | undefined;
    }
  | { readonly t: 'frame'; readonly frame: RelayFrame }
  | { readonly t: 'binary'; readonly frame: Uint8Array }
  /** Answered by `pong`; `id` is where everything up to has been sent. */
  | { readonly t: 'ping'; readonly id: string | undefined }
  /** Binary frames are gone; see ClientEvents.reopen. */
  | { readonly t: 'reopen' }
  /** The hub knows this tab no more: it joins again, and resumes. */
  | { readonly t: 'lost' }
  /** Not with this tab. */
  | { readonly t: 'refused' };

/** Who a page is for; undefined if nothing says so, as a visitor's. */
export function userOf({ user, token, nonce }: ClientOptions): string | undefined {
  const { siteId, userId } = claimsOf(token ?? '');
  const told = user ?? (siteId && userId ? `${siteId}:${userId}` : nonce);
  return told || undefined;
}

/** What the pages of one site call each other by; see also `onLogout`. */
export function siteOf({ restUrl, baseUrl }: ClientOptions): string {
  return `wordsocket:${restUrl || baseUrl}`;
}

export function workerName(options: ClientOptions): string {
  const { baseUrl, endpoints, forceSSE } = options;
  return JSON.stringify([
    siteOf(options),
    userOf(options),
    baseUrl,
    endpoints,
    forceSSE === true,
    SHARED_VERSION,
  ]);
}
