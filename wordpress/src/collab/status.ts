/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the editor is told of a connection: the shape and codes of WordPress. */

export type ErrorCode =
  | 'authentication-failed'
  | 'connection-expired'
  | 'connection-limit-exceeded'
  | 'document-size-limit-exceeded'
  | 'protocol-mismatch'
  | 'unknown-error';

export type SyncError = Error & { code: ErrorCode };

export interface Status {
  readonly status: 'connecting' | 'connected' | 'disconnected';
  readonly error?: SyncError;
  /** In how many milliseconds the next try is; absent if there is none. */
  readonly willAutoRetryInMs?: number;
  readonly consecutiveFailures?: number;
  /** So many tries failed that the editor should say so. */
  readonly backgroundRetriesFailed?: boolean;
}

const KNOWN: ReadonlySet<string> = new Set([
  'authentication-failed',
  'connection-expired',
  'connection-limit-exceeded',
  'document-size-limit-exceeded',
  'protocol-mismatch',
]);

/** After so many tries the editor's dialog opens. */
const PATIENCE = 5;

export function syncError(code: string, message = code): SyncError {
  const known = KNOWN.has(code) ? code : 'unknown-error';
  return Object.assign(new Error(message), { code: known as ErrorCode });
}

/** What `window.WPS` says of its connection. */
export interface LinkState {
  readonly connected: boolean;
  readonly error?: { readonly code: string; readonly message: string } | undefined;
  readonly retryInMs?: number | undefined;
  readonly failures: number;
}

/** The editor's word for it. */
export function statusOf(link: LinkState): Status {
  if (link.connected) {
    return { status: 'connected' };
  }
  if (!link.error) {
    return { status: 'connecting' };
  }
  const error = syncError(link.error.code, link.error.message);
  if (link.retryInMs === undefined) {
    return { status: 'disconnected', error };
  }
  return {
    status: 'disconnected',
    error,
    willAutoRetryInMs: link.retryInMs,
    consecutiveFailures: link.failures,
    backgroundRetriesFailed: link.failures >= PATIENCE,
  };
}
