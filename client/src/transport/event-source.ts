/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An event stream downstream, POST /send upstream.
 *
 * A relay that cannot hold streams open (poll mode) replays, says `retry:` and
 * ends; one that restarts does the same. Such an end is planned: the stream
 * opens again by itself and the transport stays open meanwhile. Any other end
 * is a lost connection.
 */

import {
  CLOSE,
  type CloseInfo,
  HTTP,
  NO_CHANNELS,
  STREAM_EVENT,
} from '../codes.js';
import { bytesOfBase64 } from '../base64.js';
import { STREAM_MISSES_ALLOWED, TIMING } from '../config.js';
import type { TimerHandle } from '../platform.js';
import type { SseEvent } from '../sse-parser.js';
import {
  type ClientFrame,
  gapOf,
  isJsonObject,
  parseFrame,
  parseJson,
} from '../wire.js';
import { type EventStream, FetchStream, type StreamHandlers } from './fetch-stream.js';
import { NativeStream } from './native-stream.js';
import { Outbox } from './outbox.js';
import {
  READY,
  type Transport,
  type TransportContext,
  type TransportEvents,
  urlWith,
} from './transport.js';

export class EventSourceTransport implements Transport {
  readonly name = 'sse';
  readonly inBand = false;
  private readonly outbox: Outbox;
  private stream: EventStream | undefined;
  private state: number = READY.connecting;
  private timer: TimerHandle;
  private muteTimer: TimerHandle;
  private misses = 0;
  /** Bare ids come from relays that also send them as a sign of life. */
  private watched = false;
  private heardAt = 0;
  private native = false;
  private lastId = '';
  /** Of the stream at hand: its first id was seen; it said when to return. */
  private headSeen = false;
  private retryMs: number | undefined;

  constructor(
    private readonly context: TransportContext,
    private readonly events: TransportEvents,
  ) {
    this.outbox = new Outbox(context, {
      answered: (frame) => events.frame(frame),
      streamUnknown: () => this.reopenIn(TIMING.channelChangeMs),
    });
  }

  get readyState(): number {
    return this.state;
  }

  get canSend(): boolean {
    return this.state === READY.open && this.outbox.usable;
  }

  get heardAtMs(): number | undefined {
    return this.watched ? this.heardAt : undefined;
  }

  send(frame: ClientFrame): boolean {
    return this.canSend && this.outbox.send(frame);
  }

  sendBinary(frame: Uint8Array<ArrayBuffer>): boolean {
    return this.canSend && this.outbox.sendBinary(frame);
  }

  open(): void {
    const { platform, endpoints, situation, relay } = this.context;
    const channels = situation.channels();
    if (channels.length === 0) {
      this.end(NO_CHANNELS, 'there are no channels to hear');
      return;
    }
    this.watched = false;
    this.headSeen = false;
    this.lastId = '';
    this.retryMs = undefined;
    const url = urlWith(endpoints.sse, {
      token: situation.token(),
      channels: channels.join(','),
      since: situation.since(),
      binary: '1',
    });
    const handlers = this.handlers();
    const speaksFirst = relay.speaksFirst === true;
    const { fetch, streams, EventSource } = platform;
    if (fetch && streams) {
      this.stream = new FetchStream(platform, url, handlers, speaksFirst);
    } else if (EventSource) {
      this.native = true;
      this.stream = new NativeStream(
        platform,
        EventSource,
        url,
        handlers,
        speaksFirst,
      );
    } else {
      this.end(0, 'this browser reads no event streams');
    }
  }

  /** Several changes in a row make one new stream. */
  renew(): void {
    this.reopenIn(TIMING.channelChangeMs);
  }

  close(): void {
    const { clock } = this.context.platform;
    this.state = READY.closed;
    clock.clearTimeout(this.timer);
    clock.clearTimeout(this.muteTimer);
    this.stream?.close();
    this.outbox.close();
  }

  private handlers(): StreamHandlers {
    return {
      opened: () => this.streamOpened(),
      heard: () => this.heard(),
      event: (event) => this.receive(event),
      id: (lastEventId) => this.position(lastEventId),
      retry: (delayMs) => {
        this.retryMs = delayMs;
      },
      oversize: () => {
        this.context.platform.debug('an event was too long and was skipped');
      },
      ended: (clean) => this.streamEnded(clean),
      failed: (status, retryAfterMs) => this.streamFailed(status, retryAfterMs),
    };
  }

  private streamOpened(): void {
    this.misses = 0;
    this.heard();
    this.expectAWord();
    if (this.state === READY.connecting) {
      this.state = READY.open;
      this.events.opened();
    }
  }

  private heard(): void {
    this.context.platform.clock.clearTimeout(this.muteTimer);
    this.heardAt = this.context.platform.clock.now();
  }

  /** Of a relay of which it is not known; see Relay. */
  private expectAWord(): void {
    const { platform, relay } = this.context;
    if (relay.speaksFirst === undefined) {
      this.muteTimer = platform.clock.setTimeout(
        () => this.events.notice({ kind: 'mute' }),
        TIMING.firstByteMs,
      );
    }
  }

  private position(id: string): void {
    this.watched = !this.native;
    this.lastId = id;
    const kind = this.headSeen ? 'settled' : 'head';
    this.headSeen = true;
    this.events.notice({ kind, id });
  }

  private receive(event: SseEvent): void {
    switch (event.type) {
      case STREAM_EVENT.message:
        this.receiveMessage(event);
        break;
      case STREAM_EVENT.open:
        this.receiveOpen(event);
        break;
      case STREAM_EVENT.gap: {
        const json = parseJson(event.data);
        this.events.frame({
          type: 'gap',
          ...gapOf(isJsonObject(json) ? json : {}),
        });
        break;
      }
      case STREAM_EVENT.expired:
        this.end(CLOSE.tokenRefused, 'the token is past its end');
        break;
      case STREAM_EVENT.binary: {
        const bytes = bytesOfBase64(event.data);
        if (bytes) {
          this.events.binary(bytes);
        }
        break;
      }
      default:
        this.context.platform.debug('an unknown event of the stream');
    }
  }

  /** The id stands in the JSON; where it does not, the stream's own counts. */
  private receiveMessage(event: SseEvent): void {
    const frame = parseFrame(event.data, 'message');
    if (frame?.type !== 'message') {
      this.context.platform.debug('an event of the stream was not understood');
      return;
    }
    const id = frame.id ?? this.newId(event.lastEventId);
    this.events.frame({ ...frame, id });
  }

  /** An event without an id inherits the last one, which is not its own. */
  private newId(lastEventId: string): string | undefined {
    const isOwn = lastEventId !== this.lastId;
    this.lastId = lastEventId;
    return isOwn ? lastEventId : undefined;
  }

  private receiveOpen(event: SseEvent): void {
    const json = parseJson(event.data);
    this.context.relay.speaksFirst = true;
    if (!this.headSeen && event.lastEventId !== '') {
      this.position(event.lastEventId);
    }
    if (isJsonObject(json) && typeof json.stream === 'string') {
      this.outbox.setStream(json.stream);
      this.events.notice({ kind: 'stream', id: json.stream });
    }
  }

  /** A native stream does not tell a planned end from a broken one. */
  private streamEnded(clean: boolean): void {
    const planned = this.retryMs !== undefined;
    if (!planned && !this.native) {
      this.end(0, 'the event stream broke off');
      return;
    }
    if (planned && clean) {
      this.events.notice({ kind: 'paused' });
    }
    this.reopenIn(this.believed(this.retryMs));
  }

  private streamFailed(status: number, retryAfterMs: number | undefined): void {
    this.misses += 1;
    const final =
      this.state === READY.connecting ||
      status === HTTP.unauthorized ||
      this.misses > STREAM_MISSES_ALLOWED;
    if (final) {
      this.end(status, `no event stream (${status})`, retryAfterMs);
    } else {
      this.reopenIn(this.believed(retryAfterMs));
    }
  }

  private believed(delayMs: number | undefined): number {
    return Math.max(
      Math.min(delayMs ?? TIMING.streamRetryMs, TIMING.relayDelayMaxMs),
      TIMING.relayDelayMinMs,
    );
  }

  private reopenIn(delayMs: number): void {
    const { clock } = this.context.platform;
    this.watched = false;
    this.outbox.setStream(undefined);
    clock.clearTimeout(this.muteTimer);
    clock.clearTimeout(this.timer);
    this.timer = clock.setTimeout(() => {
      this.stream?.close();
      this.open();
    }, delayMs);
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
}
