/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One event stream, read by ourselves. The browser's EventSource keeps ids
 * that come without data to itself; read with `fetch`, they are a position to
 * resume from, and every byte is a sign of life.
 *
 * Promise   Either `failed` alone, or `opened`, then events, then `ended`.
 *           Nothing after `close()`. Where the relay speaks first, `opened`
 *           waits for the first byte, within the same deadline.
 */

import { LIMIT, TIMING } from '../config.js';
import type { Platform, TimerHandle } from '../platform.js';
import { retryAfterMsOf } from '../request.js';
import { type SseEvent, type SseHandlers, SseParser } from '../sse-parser.js';

export interface StreamHandlers {
  opened(): void;
  /** Bytes came, whatever they say. */
  heard(): void;
  event(event: SseEvent): void;
  id(lastEventId: string): void;
  retry(delayMs: number): void;
  oversize(): void;
  /** It was open; `clean` if the relay ended it and nothing broke. */
  ended(clean: boolean): void;
  /** It never opened; `status` is 0 if there was no answer. */
  failed(status: number, retryAfterMs: number | undefined): void;
}

/** A stream of either kind, which can only be closed. */
export interface EventStream {
  close(): void;
}

const EVENT_STREAM = /^text\/event-stream(;|$)/i;

export class FetchStream implements EventStream {
  private readonly abort = new AbortController();
  private deadline: TimerHandle;
  private opened = false;

  constructor(
    private readonly platform: Platform,
    url: string,
    private readonly handlers: StreamHandlers,
    private readonly speaksFirst: boolean,
  ) {
    void this.run(url);
  }

  close(): void {
    this.platform.clock.clearTimeout(this.deadline);
    this.abort.abort();
  }

  private get closed(): boolean {
    return this.abort.signal.aborted;
  }

  private async run(url: string): Promise<void> {
    const response = await this.request(url);
    if (this.closed) {
      return;
    }
    const type = response?.headers.get('Content-Type') ?? '';
    if (!response?.body || response.status !== 200 || !EVENT_STREAM.test(type)) {
      this.close();
      const retryAfterMs = retryAfterMsOf(response?.headers);
      this.handlers.failed(response?.status ?? 0, retryAfterMs);
      return;
    }
    if (!this.speaksFirst) {
      this.open();
    }
    const clean = await this.read(response.body);
    if (this.closed) {
      return;
    }
    this.close();
    if (this.opened) {
      this.handlers.ended(clean);
    } else {
      this.handlers.failed(0, undefined);
    }
  }

  private open(): void {
    this.platform.clock.clearTimeout(this.deadline);
    this.opened = true;
    this.handlers.opened();
  }

  private async request(url: string): Promise<Response | undefined> {
    const { fetch, clock } = this.platform;
    this.deadline = clock.setTimeout(() => {
      this.abort.abort();
      this.handlers.failed(0, undefined);
    }, TIMING.openDeadlineMs);
    try {
      return await fetch?.(url, {
        headers: { Accept: 'text/event-stream' },
        cache: 'no-store',
        credentials: 'omit',
        signal: this.abort.signal,
      });
    } catch {
      return undefined;
    }
  }

  /** The handlers, deaf once closed: one chunk may hold many events. */
  private guarded(): SseHandlers {
    const { handlers } = this;
    return {
      event: (event) => this.closed || handlers.event(event),
      id: (lastEventId) => this.closed || handlers.id(lastEventId),
      retry: (delayMs) => this.closed || handlers.retry(delayMs),
      oversize: () => this.closed || handlers.oversize(),
    };
  }

  private hear(): void {
    if (!this.opened) {
      this.open();
    }
    if (!this.closed) {
      this.handlers.heard();
    }
  }

  /** True if the body came to its end. */
  private async read(body: ReadableStream<Uint8Array>): Promise<boolean> {
    const parser = new SseParser(this.guarded(), LIMIT.streamEventChars);
    const reader = body.getReader();
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done || this.closed) {
          return true;
        }
        this.hear();
        parser.push(value);
      }
    } catch {
      return false;
    }
  }
}
