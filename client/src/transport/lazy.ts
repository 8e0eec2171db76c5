/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A transport whose code is fetched when it is opened. Closed before that, it
 * never opens; code that cannot be had is a transport that failed to open.
 */

import type { CloseInfo } from '../codes.js';
import { loadHttp } from '../parts.js';
import type { ClientFrame } from '../wire.js';
import {
  READY,
  type Transport,
  type TransportContext,
  type TransportEvents,
} from './transport.js';

abstract class LazyTransport implements Transport {
  abstract readonly name: 'sse' | 'poll';
  readonly inBand = false;
  private inner: Transport | undefined;
  private state: number = READY.connecting;

  constructor(
    private readonly context: TransportContext,
    private readonly events: TransportEvents,
  ) {}

  get readyState(): number {
    return this.inner?.readyState ?? this.state;
  }

  get canSend(): boolean {
    return this.inner?.canSend ?? false;
  }

  get heardAtMs(): number | undefined {
    return this.inner?.heardAtMs;
  }

  open(): void {
    loadHttp().then(
      (http) => {
        if (this.state === READY.connecting) {
          this.inner = new http[
            this.name === 'sse' ? 'EventSourceTransport' : 'PollTransport'
          ](this.context, this.events);
          this.inner.open();
        }
      },
      (error: Error) => this.failed(error.message),
    );
  }

  private failed(message: string): void {
    if (this.state === READY.connecting) {
      this.state = READY.closed;
      const info: CloseInfo = { opened: false, code: 0, message };
      this.events.closed(info);
    }
  }

  send(frame: ClientFrame): boolean {
    return this.inner?.send(frame) ?? false;
  }

  sendBinary(frame: Uint8Array<ArrayBuffer>): boolean {
    return this.inner?.sendBinary(frame) ?? false;
  }

  renew(): void {
    this.inner?.renew();
  }

  close(): void {
    this.state = READY.closed;
    this.inner?.close();
  }
}

export class LazyStream extends LazyTransport {
  readonly name = 'sse';
}

export class LazyPoll extends LazyTransport {
  readonly name = 'poll';
}
