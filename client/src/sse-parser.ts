/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text/event-stream, read as the HTML standard interprets it (section 9.2.6),
 * from bytes that may be cut anywhere.
 *
 * Promise   Events, ids and `retry` come in order and do not depend on where
 *           the input was cut. An event that is unfinished when the stream
 *           ends is not delivered.
 * Bounds    An event whose data or one of whose lines exceeds `maxEventChars` is
 *           skipped as a whole and reported; its id still counts.
 */

import { STREAM_EVENT } from './codes.js';

export interface SseEvent {
  readonly type: string;
  readonly data: string;
  /** The last event id at this event, sent with it or earlier; or empty. */
  readonly lastEventId: string;
}

export interface SseHandlers {
  event(event: SseEvent): void;
  /** A block that was only an `id:`: nothing to dispatch, but a position. */
  id(lastEventId: string): void;
  retry(delayMs: number): void;
  oversize(): void;
}

export class SseParser {
  // Not fatal and without its BOM: the standard's "UTF-8 decode".
  private readonly decoder = new TextDecoder('utf-8');
  private parts: string[] = [];
  private lineLength = 0;
  private lastWasCr = false;

  private type = '';
  private data: string[] = [];
  private size = 0;
  private oversized = false;
  private idBuffer = '';
  private idInBlock = false;

  constructor(
    private readonly handlers: SseHandlers,
    private readonly maxEventChars: number,
  ) {}

  /** The next bytes, as they come. */
  push(bytes: Uint8Array): void {
    this.pushText(this.decoder.decode(bytes, { stream: true }));
  }

  private pushText(text: string): void {
    let start = 0;
    for (let at = 0; at < text.length; at += 1) {
      const char = text.charCodeAt(at);
      const secondOfPair = char === 0x0a && this.lastWasCr;
      this.lastWasCr = char === 0x0d;
      if (secondOfPair) {
        start = at + 1;
      } else if (char === 0x0a || char === 0x0d) {
        this.endLine(text.slice(start, at));
        start = at + 1;
      }
    }
    this.keepPart(text.slice(start));
  }

  /** A part of an unfinished line; past the bound it is only counted. */
  private keepPart(part: string): void {
    this.lineLength += part.length;
    if (this.lineLength + this.size <= this.maxEventChars) {
      this.parts.push(part);
    } else {
      this.parts = [];
    }
  }

  private endLine(tail: string): void {
    this.keepPart(tail);
    const line = this.parts.join('');
    const length = this.lineLength;
    this.parts = [];
    this.lineLength = 0;
    if (length === 0) {
      this.endBlock();
    } else if (length + this.size > this.maxEventChars) {
      this.oversized = true;
      this.data = [];
      this.size = 0;
    } else {
      this.field(line);
    }
  }

  private field(line: string): void {
    const colon = line.indexOf(':');
    const name = colon === -1 ? line : line.slice(0, colon);
    let value = colon === -1 ? '' : line.slice(colon + 1);
    if (value.startsWith(' ')) {
      value = value.slice(1);
    }
    switch (name) {
      case 'event':
        this.type = value;
        break;
      case 'data':
        this.addData(value, line.length);
        break;
      case 'id':
        if (!value.includes('\0')) {
          this.idBuffer = value;
          this.idInBlock = true;
        }
        break;
      case 'retry':
        if (/^[0-9]+$/.test(value)) {
          this.handlers.retry(Number(value));
        }
        break;
      default:
        // A comment, or a field the standard does not know.
        break;
    }
  }

  private addData(value: string, lineLength: number): void {
    if (!this.oversized) {
      this.data.push(value);
      this.size += lineLength;
    }
  }

  private endBlock(): void {
    const { type, data, oversized, idInBlock } = this;
    this.type = '';
    this.data = [];
    this.size = 0;
    this.oversized = false;
    this.idInBlock = false;
    if (oversized) {
      this.handlers.oversize();
    } else if (data.length > 0) {
      this.handlers.event({
        type: type === '' ? STREAM_EVENT.message : type,
        data: data.join('\n'),
        lastEventId: this.idBuffer,
      });
      return;
    }
    if (idInBlock) {
      this.handlers.id(this.idBuffer);
    }
  }
}
