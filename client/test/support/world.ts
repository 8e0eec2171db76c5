/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A platform whose clock stands still, whose sockets are driven by hand and
 * whose requests are answered by the test.
 */
import type {
  EventSourceLike,
  FetchLike,
  Platform,
  SocketLike,
  StreamEventLike,
} from '../../src/platform.js';
import { ManualClock, settle } from './clock.js';

export class FakeSocket implements SocketLike {
  binaryType = 'blob';
  readyState = 0;
  bufferedAmount = 0;
  onopen: SocketLike['onopen'] = null;
  onmessage: SocketLike['onmessage'] = null;
  onclose: SocketLike['onclose'] = null;
  readonly sent: (string | Uint8Array)[] = [];
  closedWith: number | undefined;

  constructor(readonly url: string) {}

  send(data: string | Uint8Array): void {
    this.sent.push(data);
  }

  close(code?: number): void {
    this.readyState = 3;
    this.closedWith = code;
  }

  /** What was sent as JSON. */
  get frames(): Record<string, unknown>[] {
    return this.sent
      .filter((data): data is string => typeof data === 'string')
      .map((text) => JSON.parse(text) as Record<string, unknown>);
  }

  framesOf(type: string): Record<string, unknown>[] {
    return this.frames.filter((frame) => frame.type === type);
  }

  open(): void {
    this.readyState = 1;
    this.onopen?.();
  }

  deliver(frame: unknown): void {
    const data = frame instanceof ArrayBuffer ? frame : JSON.stringify(frame);
    this.onmessage?.({ data });
  }

  /** The other side, or the network, ends it. */
  end(code: number, reason = ''): void {
    this.readyState = 3;
    this.onclose?.({ code, reason });
  }
}

export class FakeEventSource implements EventSourceLike {
  readyState = 0;
  private readonly listeners = new Map<
    string,
    ((event: StreamEventLike) => void)[]
  >();

  constructor(readonly url: string) {}

  addEventListener(
    type: string,
    listener: (event: StreamEventLike) => void,
  ): void {
    this.listeners.set(type, [...(this.listeners.get(type) ?? []), listener]);
  }

  close(): void {
    this.readyState = 2;
  }

  fire(type: string, event: StreamEventLike = {}): void {
    this.listeners.get(type)?.forEach((listener) => listener(event));
  }
}

/** The body of an event stream, written by hand. */
export class FakeStream {
  private controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  private over = false;
  readonly response: Response;

  constructor(readonly url: URL, signal?: AbortSignal | null) {
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.controller = controller;
      },
    });
    this.response = new Response(body, {
      headers: { 'Content-Type': 'text/event-stream' },
    });
    signal?.addEventListener('abort', () => this.fail());
  }

  get open(): boolean {
    return !this.over;
  }

  write(text: string): void {
    this.controller?.enqueue(new TextEncoder().encode(text));
  }

  end(): void {
    this.over = true;
    this.controller?.close();
  }

  fail(): void {
    if (!this.over) {
      this.over = true;
      this.controller?.error(new Error('the network broke'));
    }
  }
}

export interface Request {
  readonly url: URL;
  readonly init: RequestInit;
}
export type Answering = (request: Request) => Response | Promise<Response>;

export function json(
  body: unknown,
  status = 200,
  headers: Record<string, string> = {},
): Response {
  return new Response(JSON.stringify(body), { status, headers });
}

/** Rejects as `fetch` does without a network. */
export function noNetwork(): Promise<Response> {
  return Promise.reject(new TypeError('fetch failed'));
}

/** An answer that never comes; ends as `fetch` does when it is aborted. */
export function never({ init }: Request): Promise<Response> {
  return new Promise((_, reject) => {
    init.signal?.addEventListener('abort', () => reject(new Error('aborted')));
  });
}

type Handler = () => void;

/** The events of a page or a window. */
export class FakePage extends EventTarget {
  visibilityState = 'visible';

  override addEventListener(type: string, listener: Handler): void {
    super.addEventListener(type, listener);
  }

  fire(type: string): void {
    this.dispatchEvent(new Event(type));
  }
}

export class World {
  readonly clock = new ManualClock();
  readonly sockets: FakeSocket[] = [];
  readonly streams: FakeStream[] = [];
  readonly requests: Request[] = [];
  readonly reports: unknown[] = [];
  readonly page = new FakePage();
  readonly window = new FakePage();
  readonly debug: string[] = [];
  /** By the last part of the path; without an entry there is no network. */
  readonly answers = new Map<string, Answering>();
  /** What chance says; 0.5 of a ceiling is half of it. */
  chance = 0.5;
  /** Sockets that cannot even be made. */
  socketsThrow = false;
  readonly platform: Platform;

  constructor(changes: Partial<Platform> = {}) {
    const { sockets } = this;
    const throws = () => this.socketsThrow;
    this.platform = {
      clock: this.clock,
      random: () => this.chance,
      crypto: globalThis.crypto,
      WebSocket: class extends FakeSocket {
        constructor(url: string) {
          super(url);
          if (throws()) {
            throw new DOMException('refused', 'SecurityError');
          }
          sockets.push(this);
        }
      },
      fetch: this.fetch,
      streams: true,
      document: this.page,
      window: this.window,
      debug: (line) => this.debug.push(line),
      report: (error) => this.reports.push(error),
      ...changes,
    };
  }

  private readonly fetch: FetchLike = async (url, init) => {
    const request = { url: new URL(url), init };
    this.requests.push(request);
    const name = request.url.pathname.split('/').pop() ?? '';
    return (this.answers.get(name) ?? noNetwork)(request);
  };

  /** From now on a stream opens whenever one is asked for. */
  allowStreams(): void {
    this.answers.set('sse', ({ url, init }) => {
      const stream = new FakeStream(url, init.signal);
      this.streams.push(stream);
      return stream.response;
    });
  }

  asked(name: string): Request[] {
    return this.requests.filter(({ url }) => url.pathname.endsWith(`/${name}`));
  }

  get socket(): FakeSocket {
    return last(this.sockets, 'socket');
  }

  get stream(): FakeStream {
    return last(this.streams, 'stream');
  }

  /** The newest socket opens. */
  async opens(): Promise<FakeSocket> {
    const { socket } = this;
    socket.open();
    await settle();
    return socket;
  }

  /** The newest socket never gets there. */
  async fails(): Promise<void> {
    this.socket.end(1006);
    await settle();
  }

  async writes(text: string): Promise<void> {
    this.stream.write(text);
    await settle();
  }
}

function last<Item>(items: readonly Item[], what: string): Item {
  const item = items[items.length - 1];
  if (!item) {
    throw new Error(`there is no ${what}`);
  }
  return item;
}
