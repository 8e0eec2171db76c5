/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The numbers and words relay and client agree on, and what each makes the
 * client do. PROTOCOL.md explains them; here they have their names.
 */

/** WebSocket close codes the relay gives a meaning to. */
export const CLOSE = {
  normal: 1000,
  /** The process ends on purpose; a successor takes over. */
  restart: 1012,
  /** The token is invalid or past its end. */
  tokenRefused: 4001,
  /** The token names a site the relay does not know. */
  siteUnknown: 4003,
  /** The user, the site or the address has too many connections. */
  connectionLimit: 4029,
} as const;

/** HTTP statuses with a meaning of their own to the client. */
export const HTTP = {
  unauthorized: 401,
  forbidden: 403,
  notFound: 404,
  tooLarge: 413,
  tooMany: 429,
} as const;

/**
 * Our own, in the place of a close code: a stream or a poll asks for channels,
 * and there is none.
 */
export const NO_CHANNELS = -1;

/** `code` of an error frame that is more than a remark. */
export const RELAY_ERROR_UNAUTHORIZED = 'unauthorized';

/** Refused with it: every channel of that `subscribe`. */
export const RELAY_ERROR_TOO_MANY_CHANNELS = 'too_many_channels';

/** `error` of a refusal of `/send`: the stream is not, or no longer, there. */
export const SEND_ERROR_UNKNOWN_STREAM = 'invalid_stream';

/** `event` of a message whose `data` is an envelope. */
export const EVENT_ENCRYPTED = 'encrypted';

/** `event` of the named events of a stream. */
export const STREAM_EVENT = {
  message: 'message',
  open: 'wps.open',
  gap: 'wps.gap',
  expired: 'wps.expired',
  binary: 'wps.binary',
} as const;

/**
 * What `state.error.code` can be. The words are those of WordPress's own
 * collaboration errors, so a sync provider hands them on as they are.
 */
export type ErrorCode =
  | 'authentication-failed'
  | 'connection-expired'
  | 'connection-limit-exceeded'
  | 'unknown-error';

/** How a connection ended, in the terms of the transport that had it. */
export interface CloseInfo {
  /** Whether it had been open; if not, the next transport is tried at once. */
  readonly opened: boolean;
  /**
   * Close code (1000 and up), HTTP status (below), 0 for the network, or
   * NO_CHANNELS.
   */
  readonly code: number;
  readonly message: string;
  /** What the relay asked to be waited for, if it did. */
  readonly retryAfterMs?: number;
}

/**
 * halt     no further attempt until the page is loaded again
 * refresh  a fresh token, at once; halts when that is refused too
 * remint   a fresh token, after the backoff
 * retry    the same token, after the backoff
 * rest     nothing has failed; the first channel ends it
 */
export type Reaction = 'halt' | 'refresh' | 'remint' | 'retry' | 'rest';

/** What the client does about an ended connection. */
export function reactionTo(info: CloseInfo): Reaction {
  switch (info.code) {
    case CLOSE.siteUnknown:
      return 'halt';
    case CLOSE.tokenRefused:
      return 'refresh';
    case HTTP.unauthorized:
      return 'remint';
    case NO_CHANNELS:
      return 'rest';
    default:
      return 'retry';
  }
}

/** The public word for an ended connection. */
export function errorCodeOf(info: CloseInfo): ErrorCode {
  switch (info.code) {
    case CLOSE.siteUnknown:
      return 'authentication-failed';
    case CLOSE.tokenRefused:
    case HTTP.unauthorized:
      return 'connection-expired';
    case CLOSE.connectionLimit:
    case HTTP.tooMany:
      return 'connection-limit-exceeded';
    default:
      return 'unknown-error';
  }
}
