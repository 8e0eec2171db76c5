/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One event stream through the browser's EventSource, where bodies of `fetch`
 * cannot be read while they arrive. It is closed on its first error, because
 * we reopen with our own cursor and know more than it does; so `ended` is
 * never clean, `retry` and bare ids stay unseen. Where the relay speaks first
 * it counts as open from its first event on.
 */

import { STREAM_EVENT } from '../codes.js';
import { TIMING } from '../config.js';
import type {
  EventSourceConstructor,
  EventSourceLike,
  Platform,
  TimerHandle,
} from '../platform.js';
import type { EventStream, StreamHandlers } from './fetch-stream.js';

export class NativeStream implements EventStream {
  private readonly source: EventSourceLike;
  private deadline: TimerHandle;
  private opened = false;
  private closed = false;

  constructor(
    private readonly platform: Platform,
    EventSource: EventSourceConstructor,
    url: string,
    private readonly handlers: StreamHandlers,
    speaksFirst: boolean,
  ) {
    this.source = new EventSource(url);
    this.deadline = platform.clock.setTimeout(
      () => this.broke(),
      TIMING.openDeadlineMs,
    );
    this.source.addEventListener('open', () => {
      if (!speaksFirst) {
        this.open();
      }
    });
    this.source.addEventListener('error', () => this.broke());
    for (const type of Object.values(STREAM_EVENT)) {
      this.source.addEventListener(type, ({ data, lastEventId }) => {
        this.open();
        this.tell(() => handlers.heard());
        this.tell(() =>
          handlers.event({
            type,
            data: String(data ?? ''),
            lastEventId: lastEventId ?? '',
          }),
        );
      });
    }
  }

  close(): void {
    this.closed = true;
    this.platform.clock.clearTimeout(this.deadline);
    this.source.close();
  }

  private open(): void {
    if (!this.opened && !this.closed) {
      this.platform.clock.clearTimeout(this.deadline);
      this.opened = true;
      this.handlers.opened();
    }
  }

  private tell(what: () => void): void {
    if (!this.closed) {
      what();
    }
  }

  private broke(): void {
    if (this.closed) {
      return;
    }
    this.close();
    if (this.opened) {
      this.handlers.ended(false);
    } else {
      this.handlers.failed(0, undefined);
    }
  }
}
