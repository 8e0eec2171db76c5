/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the client needs from the world around it, as one record that can be
 * handed in: a clock, chance, the network, storage, the page. Tests and other
 * runtimes pass their own; `browserPlatform()` is the browser's.
 *
 * Not here: what any JavaScript of our target has (URL, TextDecoder, atob,
 * AbortController, CustomEvent).
 */

/** Whatever the clock hands out for `clearTimeout`. */
export type TimerHandle = unknown;

export interface Clock {
  /** Milliseconds since the epoch; may jump after sleep. */
  now(): number;
  setTimeout(run: () => void, delayMs: number): TimerHandle;
  clearTimeout(handle: TimerHandle): void;
}

/** The part of `WebSocket` that is used. */
export interface SocketLike {
  binaryType: string;
  readonly readyState: number;
  readonly bufferedAmount: number;
  onopen: (() => void) | null;
  onmessage: ((event: { readonly data: unknown }) => void) | null;
  onclose:
    | ((event: { readonly code: number; readonly reason: string }) => void)
    | null;
  send(data: string | Uint8Array): void;
  close(code?: number, reason?: string): void;
}
export type SocketConstructor = new (url: string) => SocketLike;

/** The part of an event of `EventSource` that is used. */
export interface StreamEventLike {
  readonly data?: unknown;
  readonly lastEventId?: string;
}
/** The part of `EventSource` that is used. */
export interface EventSourceLike {
  readonly readyState: number;
  addEventListener(
    type: string,
    listener: (event: StreamEventLike) => void,
  ): void;
  close(): void;
}
export type EventSourceConstructor = new (url: string) => EventSourceLike;

export type FetchLike = (url: string, init: RequestInit) => Promise<Response>;

export interface StorageLike {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
}

/** Where DOM events go, and who tells when the page comes back. */
export interface PageLike {
  readonly visibilityState: string;
  addEventListener(type: string, listener: () => void): void;
  dispatchEvent(event: Event): boolean;
}

/** The part of `crypto` that is used; `subtle` is absent on plain HTTP. */
export interface CryptoLike {
  readonly subtle?: SubtleCrypto | undefined;
  getRandomValues(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer>;
}

/** The part of `MessagePort` that is used. Starts by `onmessage` being set. */
export interface PortLike {
  onmessage: ((event: { readonly data: unknown }) => void) | null;
  postMessage(message: unknown): void;
  close(): void;
}
export interface SharedWorkerLike {
  readonly port: PortLike;
  onerror: (() => void) | null;
}
export type SharedWorkerConstructor = new (
  url: string,
  name: string,
) => SharedWorkerLike;

/** The part of `navigator.locks` that is used; absent on plain HTTP. */
export interface LocksLike {
  request(name: string, held: () => Promise<void>): Promise<unknown>;
}

/** The part of `BroadcastChannel` that is used. */
export interface BroadcastLike {
  onmessage: ((event: { readonly data: unknown }) => void) | null;
  postMessage(message: unknown): void;
  close(): void;
}
export type BroadcastConstructor = new (name: string) => BroadcastLike;

export interface Platform {
  readonly clock: Clock;
  /** Uniform in [0, 1); for jitter, not for secrets. */
  readonly random: () => number;
  readonly crypto?: CryptoLike | undefined;
  readonly WebSocket?: SocketConstructor | undefined;
  readonly EventSource?: EventSourceConstructor | undefined;
  readonly fetch?: FetchLike | undefined;
  /** Whether the bodies of `fetch` can be read while they arrive. */
  readonly streams: boolean;
  readonly storage?: StorageLike | undefined;
  readonly document?: PageLike | undefined;
  readonly window?:
    | { addEventListener(type: string, listener: () => void): void }
    | undefined;
  /** What tabs know of one another by; each may be missing. */
  readonly SharedWorker?: SharedWorkerConstructor | undefined;
  readonly locks?: LocksLike | undefined;
  readonly BroadcastChannel?: BroadcastConstructor | undefined;
  /** One line for developers. Gets neither tokens nor payloads. */
  readonly debug: (line: string) => void;
  /** Somebody's listener threw; nobody else may notice. */
  readonly report: (error: unknown) => void;
}

/** Reading the property alone throws where cookies are blocked. */
function localStorageIfAllowed(): StorageLike | undefined {
  try {
    return globalThis.localStorage ?? undefined;
  } catch {
    return undefined;
  }
}

function reportOnConsole(error: unknown): void {
  if (typeof globalThis.reportError === 'function') {
    globalThis.reportError(error);
  } else {
    globalThis.console.error(error);
  }
}

/**
 * The browser's own world. Also right in a worker, where document and window
 * are missing and so are DOM events.
 */
export function browserPlatform(): Platform {
  const world = globalThis as {
    crypto?: CryptoLike;
    WebSocket?: unknown;
    EventSource?: unknown;
    fetch?: FetchLike;
    SharedWorker?: SharedWorkerConstructor;
    BroadcastChannel?: BroadcastConstructor;
    navigator?: { locks?: LocksLike };
    document?: PageLike;
    window?: Platform['window'];
  };
  const { fetch } = world;
  return {
    clock: {
      now: () => Date.now(),
      setTimeout: (run, delayMs) => globalThis.setTimeout(run, delayMs),
      clearTimeout: (handle) => globalThis.clearTimeout(handle as number),
    },
    random: () => Math.random(),
    crypto: world.crypto,
    WebSocket: world.WebSocket as SocketConstructor | undefined,
    EventSource: world.EventSource as EventSourceConstructor | undefined,
    fetch: fetch && ((url, init) => fetch(url, init)),
    streams:
      typeof Response === 'function' && 'body' in Response.prototype &&
      typeof AbortController === 'function',
    storage: localStorageIfAllowed(),
    SharedWorker: world.SharedWorker,
    locks: world.navigator?.locks,
    BroadcastChannel: world.document && world.BroadcastChannel,
    document: world.document,
    window: world.window,
    debug: () => {},
    report: reportOnConsole,
  };
}
