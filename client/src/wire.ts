/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames: what is said over a connection, both ways, and the reading of what
 * came from the network. Pure; a frame that is not well formed is undefined,
 * never an exception and never half a frame.
 */

import { LIMIT } from './config.js';

export type JsonObject = { readonly [name: string]: unknown };

/** Client to relay. */
export type ClientFrame =
  | {
      readonly type: 'subscribe';
      readonly channels: readonly string[];
      readonly since?: string;
    }
  | { readonly type: 'unsubscribe'; readonly channels: readonly string[] }
  | {
      readonly type: 'message';
      readonly channel: string;
      readonly event: string;
      readonly data: JsonObject;
      readonly ref?: string;
    }
  | {
      readonly type: 'presence';
      readonly channel: string;
      readonly state: JsonObject | null;
    }
  | { readonly type: 'auth'; readonly token: string }
  | { readonly type: 'pong' };

export interface MessageFrame {
  readonly type: 'message';
  readonly channel: string;
  readonly event: string;
  readonly data: unknown;
  readonly id?: string | undefined;
}

/** Some messages after `since` are gone; what follows starts at `oldest`. */
export interface Gap {
  readonly since: string | null;
  readonly oldest: string | null;
}

export interface RelayErrorFrame {
  readonly type: 'error';
  readonly code: string;
  readonly message: string;
  readonly ref?: string | undefined;
}

/** Relay to client. */
export type RelayFrame =
  | MessageFrame
  | ({ readonly type: 'gap' } & Gap)
  | { readonly type: 'ping'; readonly id?: string | undefined }
  | {
      readonly type: 'subscribed' | 'unsubscribed';
      readonly channels: readonly string[];
      readonly id?: string | undefined;
    }
  | { readonly type: 'auth_ok' }
  | {
      readonly type: 'ack';
      readonly ref: string;
      readonly id?: string | undefined;
    }
  | { readonly type: 'reconnect'; readonly inMs: number }
  | RelayErrorFrame;

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function textOrUndefined(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function parseMessage(json: JsonObject): MessageFrame | undefined {
  const { channel, event, data } = json;
  return typeof channel === 'string' && typeof event === 'string'
    ? { type: 'message', channel, event, data, id: textOrUndefined(json.id) }
    : undefined;
}

/** A gap's own two fields, wherever they came. */
export function gapOf(json: JsonObject): Gap {
  return {
    since: textOrUndefined(json.since) ?? null,
    oldest: textOrUndefined(json.oldest) ?? null,
  };
}

function parseError(json: JsonObject): RelayErrorFrame {
  return {
    type: 'error',
    code: textOrUndefined(json.code) ?? '',
    message: textOrUndefined(json.message) ?? '',
    ref: textOrUndefined(json.ref),
  };
}

type Parser = (json: JsonObject) => RelayFrame | undefined;

function parseSubscription(type: 'subscribed' | 'unsubscribed'): Parser {
  return (json) => ({
    type,
    channels: Array.isArray(json.channels)
      ? json.channels.filter((name): name is string => typeof name === 'string')
      : [],
    id: textOrUndefined(json.id),
  });
}

const PARSERS: ReadonlyMap<string, Parser> = new Map<string, Parser>([
  ['message', parseMessage],
  ['gap', (json) => ({ type: 'gap', ...gapOf(json) })],
  ['ping', (json) => ({ type: 'ping', id: textOrUndefined(json.id) })],
  ['subscribed', parseSubscription('subscribed')],
  ['unsubscribed', parseSubscription('unsubscribed')],
  ['auth_ok', () => ({ type: 'auth_ok' })],
  [
    'ack',
    (json) =>
      typeof json.ref === 'string'
        ? { type: 'ack', ref: json.ref, id: textOrUndefined(json.id) }
        : undefined,
  ],
  [
    'reconnect',
    (json) =>
      typeof json.in === 'number' && json.in >= 0
        ? { type: 'reconnect', inMs: json.in }
        : undefined,
  ],
  ['error', parseError],
]);

/**
 * A frame from its JSON value. Messages of streams and polls come without a
 * `type`; `untyped` says what such a value is.
 */
export function frameOf(
  json: unknown,
  untyped?: 'message',
): RelayFrame | undefined {
  if (!isJsonObject(json)) {
    return undefined;
  }
  const type = json.type ?? untyped;
  return typeof type === 'string' ? PARSERS.get(type)?.(json) : undefined;
}

/** The same from its text. */
export function parseFrame(
  text: string,
  untyped?: 'message',
): RelayFrame | undefined {
  return frameOf(parseJson(text), untyped);
}

/** Undefined for what is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * The text of a frame; undefined if it cannot be said in JSON (a cycle, a big
 * integer) or is longer than the relay reads.
 */
export function textOfFrame(frame: ClientFrame): string | undefined {
  let text: string;
  try {
    text = JSON.stringify(frame);
  } catch {
    return undefined;
  }
  return fits(text) ? text : undefined;
}

/** Whether it is short enough in UTF-8; counted only where it matters. */
function fits(text: string): boolean {
  return (
    text.length * 3 <= LIMIT.frameBytes ||
    (text.length <= LIMIT.frameBytes &&
      new TextEncoder().encode(text).length <= LIMIT.frameBytes)
  );
}

export interface BinaryFrame {
  readonly channel: string;
  readonly payload: Uint8Array;
}

/** Bytes 0-1 the name's length, big-endian; the name in UTF-8; the payload. */
export function parseBinary(frame: Uint8Array): BinaryFrame | undefined {
  const nameBytes = ((frame[0] ?? 0) << 8) | (frame[1] ?? 0);
  if (frame.length < 2 + nameBytes || nameBytes === 0) {
    return undefined;
  }
  try {
    const channel = new TextDecoder('utf-8', { fatal: true }).decode(
      frame.subarray(2, 2 + nameBytes),
    );
    return { channel, payload: frame.subarray(2 + nameBytes) };
  } catch {
    return undefined;
  }
}

/** Undefined if the whole is longer than the relay reads. */
export function makeBinary(
  channel: string,
  payload: Uint8Array,
): Uint8Array<ArrayBuffer> | undefined {
  const name = new TextEncoder().encode(channel);
  const length = 2 + name.length + payload.length;
  if (name.length > 0xffff || length > LIMIT.frameBytes) {
    return undefined;
  }
  const frame = new Uint8Array(length);
  frame[0] = name.length >> 8;
  frame[1] = name.length & 0xff;
  frame.set(name, 2);
  frame.set(payload, 2 + name.length);
  return frame;
}
