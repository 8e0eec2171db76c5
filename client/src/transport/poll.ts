/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Polling downstream, POST /send upstream: for networks that let neither a
 * socket nor a stream pass. The relay says how soon to come again.
 */

import { bytesOfBase64 } from '../base64.js';
import { type CloseInfo, HTTP, NO_CHANNELS } from '../codes.js';
import { STREAM_MISSES_ALLOWED, TIMING } from '../config.js';
import type { TimerHandle } from '../platform.js';
import { type Answer, requestJson, retryAfterMsOf } from '../request.js';
import {
  type ClientFrame,
  frameOf,
  isJsonObject,
  type JsonObject,
} from '../wire.js';
import { Outbox } from './outbox.js';
import {
  READY,
  type Transport,
  type TransportContext,
  type TransportEvents,
  urlWith,
} from './transport.js';

/** Told in the place of a close code, as a socket would be closed. */
const CLOSE_TRY_AGAIN = 1013;

/** What stays the same when a lease is renewed. */
function whoseLease(id: string): string {
  return id.slice(8, 16);
}

export class PollTransport implements Transport {
  readonly name = 'poll';
  readonly inBand = false;
  /** Each exchange has its own deadline. */
  readonly heardAtMs = undefined;
  private readonly outbox: Outbox;
  private readonly abort = new AbortController();
  private state: number = READY.connecting;
  private timer: TimerHandle;
  private misses = 0;
  private stream: string | undefined;
  /** How far we know presence and binary frames, and of which channels. */
  private place = '';
  private placeOf = '';
  /** Presences were entered under one of its leases, and none has lapsed. */
  private known = false;

  constructor(
    private readonly context: TransportContext,
    private readonly events: TransportEvents,
  ) {
    this.outbox = new Outbox(context, {
      answered: (frame) => events.frame(frame),
      // The next poll brings another lease.
      streamUnknown: () => {
        this.known = false;
      },
    });
  }

  get readyState(): number {
    return this.state;
  }

  get canSend(): boolean {
    return this.state === READY.open && this.outbox.usable;
  }

  send(frame: ClientFrame): boolean {
    return this.canSend && this.outbox.send(frame);
  }

  sendBinary(frame: Uint8Array<ArrayBuffer>): boolean {
    return this.canSend && this.outbox.sendBinary(frame);
  }

  open(): void {
    void this.poll();
  }

  renew(): void {
    // The next poll asks with what is true then.
  }

  close(): void {
    this.state = READY.closed;
    this.context.platform.clock.clearTimeout(this.timer);
    this.abort.abort();
    this.outbox.close();
  }

  private async poll(): Promise<void> {
    const { platform, endpoints, situation } = this.context;
    const channels = situation.channels();
    if (channels.length === 0) {
      this.end(NO_CHANNELS, 'there are no channels to hear');
      return;
    }
    const asked = channels.join(',');
    const url = urlWith(endpoints.poll, {
      token: situation.token(),
      channels: asked,
      since: situation.since(),
      binary: '1',
      stream: this.stream,
      state: this.placeFor(asked),
    });
    const answer = await requestJson(
      platform,
      url,
      { method: 'GET', credentials: 'omit' },
      this.abort.signal,
    );
    if (this.state === READY.closed) {
      return;
    }
    const { status, json } = answer;
    if (status === 200 && isJsonObject(json) && Array.isArray(json.messages)) {
      this.succeeded(json, json.messages);
    } else {
      this.failed(answer);
    }
  }

  /** For other channels than before, who is there has to be told anew. */
  private placeFor(channels: string): string {
    if (channels !== this.placeOf) {
      this.placeOf = channels;
      this.place = this.place.slice(Math.max(this.place.indexOf('.'), 0));
    }
    return this.place;
  }

  private succeeded(json: JsonObject, messages: readonly unknown[]): void {
    this.misses = 0;
    // Only relays whose streams begin with a word have a poll.
    this.context.relay.speaksFirst = true;
    if (this.state === READY.connecting) {
      this.state = READY.open;
      this.events.opened();
    }
    for (const message of messages) {
      this.receive(message);
    }
    if (typeof json.cursor === 'string') {
      this.notify({ kind: 'settled', id: json.cursor });
    }
    if (typeof json.state === 'string') {
      this.place = json.state;
    }
    if (typeof json.stream === 'string') {
      this.lease(json.stream);
    }
    if (json.lost === true) {
      // Whoever works with binary frames starts over when it is open again.
      this.end(CLOSE_TRY_AGAIN, 'binary frames were lost');
    }
    this.again(typeof json.retry === 'number' ? json.retry : undefined);
  }

  /** Renewed ones are one stream; one that is another has no presences. */
  private lease(id: string): void {
    if (this.stream !== undefined && whoseLease(id) !== whoseLease(this.stream)) {
      this.known = false;
    }
    this.stream = id;
    this.outbox.setStream(id);
    if (!this.known) {
      this.known = true;
      this.notify({ kind: 'stream', id });
    }
  }

  /** A listener of the message before may have closed us. */
  private receive(message: unknown): void {
    if (this.state !== READY.open || !isJsonObject(message)) {
      return;
    }
    if (typeof message.binary === 'string') {
      const bytes = bytesOfBase64(message.binary);
      if (bytes) {
        this.events.binary(bytes);
      }
      return;
    }
    const frame = frameOf(message, 'message');
    if (frame) {
      this.events.frame(frame);
    }
  }

  private notify(notice: { kind: 'settled' | 'stream'; id: string }): void {
    if (this.state === READY.open) {
      this.events.notice(notice);
    }
  }

  private failed({ status, headers }: Answer): void {
    const retryAfterMs = retryAfterMsOf(headers);
    this.misses += 1;
    this.known = false;
    const final =
      this.state === READY.connecting ||
      status === HTTP.unauthorized ||
      this.misses > STREAM_MISSES_ALLOWED;
    if (!final) {
      this.again(retryAfterMs);
      return;
    }
    this.end(status, `no answer to the poll (${status})`, retryAfterMs);
  }

  private end(code: number, message: string, retryAfterMs?: number): void {
    const info: CloseInfo = {
      opened: this.state === READY.open,
      code,
      message,
      ...(retryAfterMs !== undefined && { retryAfterMs }),
    };
    this.close();
    this.events.closed(info);
  }

  private again(delayMs: number | undefined): void {
    if (this.state !== READY.open) {
      return;
    }
    const bounded = Math.max(
      Math.min(delayMs ?? TIMING.pollEveryMs, TIMING.relayDelayMaxMs),
      TIMING.relayDelayMinMs,
    );
    this.timer = this.context.platform.clock.setTimeout(
      () => void this.poll(),
      bounded,
    );
  }
}
