/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state of the connection, and the one door through which it changes.
 */

import type { ErrorCode } from './codes.js';

export type TransportName = 'ws' | 'sse' | 'poll';

/**
 * idle        not started, or stopped
 * connecting  a token is minted or a transport tried
 * open        connected
 * waiting     for the next attempt
 * halted      for good, until the page is loaded again
 */
export type Phase = 'idle' | 'connecting' | 'open' | 'waiting' | 'halted';

/** What listeners of a state change get; a snapshot, never changed later. */
export interface State {
  readonly connected: boolean;
  /** `poll` where neither a socket nor a stream gets through. */
  readonly transport: TransportName | null;
  readonly error?: { readonly code: ErrorCode; readonly message: string };
  /** Set while the next attempt is known and not yet begun. */
  readonly retryInMs?: number;
  /** Attempts that failed since the last stable connection. */
  readonly failures: number;
}

interface Internal {
  readonly phase: Phase;
  readonly transport: TransportName | null;
  readonly error: State['error'] | undefined;
  readonly retryInMs: number | undefined;
  readonly failures: number;
}

function snapshot(from: Internal): State {
  return {
    connected: from.phase === 'open',
    transport: from.phase === 'open' ? from.transport : null,
    failures: from.failures,
    ...(from.error && { error: from.error }),
    ...(from.retryInMs !== undefined && { retryInMs: from.retryInMs }),
  };
}

export class StateStore {
  private internal: Internal = {
    phase: 'idle',
    transport: null,
    error: undefined,
    retryInMs: undefined,
    failures: 0,
  };
  private published: State = snapshot(this.internal);

  constructor(private readonly changed: (now: State, before: State) => void) {}

  get phase(): Phase {
    return this.internal.phase;
  }

  get current(): State {
    return this.published;
  }

  /** The only way to change anything. Tells whether listeners could see it. */
  setState(patch: Partial<Internal>): boolean {
    this.internal = { ...this.internal, ...patch };
    const before = this.published;
    const now = snapshot(this.internal);
    if (JSON.stringify(now) === JSON.stringify(before)) {
      return false;
    }
    this.published = now;
    this.changed(now, before);
    return true;
  }
}
