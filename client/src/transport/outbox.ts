/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sending without a socket: POST /send, one request at a time so that frames
 * arrive in the order sent.
 *
 * Promise   Frames wait while a stream is being replaced and go out under the
 *           id of the new one. A frame whose request failed is given up, not
 *           repeated: the relay may have had it. One that was refused because
 *           its stream is unknown was not taken: it is repeated, once.
 * Bounds    A full outbox refuses.
 */

import { HTTP, SEND_ERROR_UNKNOWN_STREAM } from '../codes.js';
import { LIMIT, TIMING } from '../config.js';
import type { TimerHandle } from '../platform.js';
import { requestJson, retryAfterMsOf } from '../request.js';
import {
  type ClientFrame,
  isJsonObject,
  type RelayFrame,
  textOfFrame,
  textOrUndefined,
} from '../wire.js';
import type { TransportContext } from './transport.js';

interface Entry {
  readonly body: string | Uint8Array<ArrayBuffer>;
  /** To tell whoever waits for the acknowledgement of this frame. */
  readonly ref: string | undefined;
  /** It was refused for its stream before. */
  readonly repeated?: boolean;
}

/** The word, too: a 404 alone may be that of a front. */
function isUnknownStream(status: number, json: unknown): boolean {
  return (
    status === HTTP.notFound &&
    isJsonObject(json) &&
    json.error === SEND_ERROR_UNKNOWN_STREAM
  );
}

export interface OutboxEvents {
  /** What the relay said to a frame, in the words of a socket. */
  answered(frame: RelayFrame): void;
  /** The relay does not know the stream; there has to be another one. */
  streamUnknown(): void;
}

export class Outbox {
  private readonly queue: Entry[] = [];
  private queuedBytes = 0;
  private sending = false;
  private stream: string | undefined;
  private everHadStream = false;
  private pause: TimerHandle;
  private readonly abort = new AbortController();

  constructor(
    private readonly context: TransportContext,
    private readonly events: OutboxEvents,
  ) {}

  /** Whether the relay ever offered this way. */
  get usable(): boolean {
    return this.everHadStream && !this.abort.signal.aborted;
  }

  /** Undefined while there is no stream to send under. */
  setStream(id: string | undefined): void {
    this.stream = id;
    this.everHadStream ||= id !== undefined;
    void this.drain();
  }

  send(frame: ClientFrame): boolean {
    const body = textOfFrame(frame);
    const ref = frame.type === 'message' ? frame.ref : undefined;
    return body !== undefined && this.push({ body, ref });
  }

  sendBinary(frame: Uint8Array<ArrayBuffer>): boolean {
    return this.push({ body: frame, ref: undefined });
  }

  close(): void {
    this.abort.abort();
    this.context.platform.clock.clearTimeout(this.pause);
    this.queue.length = 0;
  }

  private push(entry: Entry): boolean {
    if (
      !this.usable ||
      this.queue.length >= LIMIT.outboxEntries ||
      this.queuedBytes + entry.body.length > LIMIT.outboxBytes
    ) {
      return false;
    }
    this.queue.push(entry);
    this.queuedBytes += entry.body.length;
    void this.drain();
    return true;
  }

  private async drain(): Promise<void> {
    if (this.sending) {
      return;
    }
    this.sending = true;
    while (this.stream !== undefined && !this.abort.signal.aborted) {
      const entry = this.queue.shift();
      if (!entry) {
        break;
      }
      this.queuedBytes -= entry.body.length;
      await this.post(entry, this.stream);
    }
    this.sending = false;
  }

  private async post(entry: Entry, stream: string): Promise<void> {
    const { platform, endpoints, situation } = this.context;
    const isText = typeof entry.body === 'string';
    const { status, json, headers } = await requestJson(
      platform,
      endpoints.send,
      {
        method: 'POST',
        credentials: 'omit',
        headers: {
          Authorization: `Bearer ${situation.token()}`,
          'X-WordSocket-Stream': stream,
          'Content-Type': isText
            ? 'application/json'
            : 'application/octet-stream',
        },
        body: entry.body,
      },
      this.abort.signal,
    );
    if (this.abort.signal.aborted) {
      return;
    }
    if (isUnknownStream(status, json) && !entry.repeated) {
      this.repeat(entry, stream);
      return;
    }
    this.answer(entry, status, json);
    if (status === HTTP.tooMany) {
      await this.rest(retryAfterMsOf(headers) ?? TIMING.streamRetryMs);
    }
  }

  private repeat(entry: Entry, stream: string): void {
    this.queue.unshift({ ...entry, repeated: true });
    this.queuedBytes += entry.body.length;
    // If there is another one already, there is nothing to wait for.
    if (this.stream === stream) {
      this.stream = undefined;
      this.events.streamUnknown();
    }
  }

  /** What the relay answered, in the words it uses over a socket. */
  private answer({ ref }: Entry, status: number, json: unknown): void {
    const body = isJsonObject(json) ? json : {};
    if (status < 200 || status > 299) {
      const code = textOrUndefined(body.error) ?? textOrUndefined(body.code);
      this.events.answered({
        type: 'error',
        code: code ?? `http_${status}`,
        message: textOrUndefined(body.message) ?? '',
        ref,
      });
    } else if (ref !== undefined) {
      this.events.answered({ type: 'ack', ref, id: textOrUndefined(body.id) });
    }
  }

  private rest(delayMs: number): Promise<void> {
    const { clock } = this.context.platform;
    const bounded = Math.min(delayMs, TIMING.relayDelayMaxMs);
    return new Promise((resolve) => {
      this.pause = clock.setTimeout(resolve, bounded);
    });
  }
}
