/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A WebSocket (RFC 6455): JSON in text frames, binary frames as they are.
 */

import { CLOSE, type CloseInfo } from '../codes.js';
import { LIMIT, TIMING } from '../config.js';
import type { SocketLike, TimerHandle } from '../platform.js';
import { type ClientFrame, parseFrame, textOfFrame } from '../wire.js';
import {
  READY,
  type Transport,
  type TransportContext,
  type TransportEvents,
  urlWith,
} from './transport.js';

export class WebSocketTransport implements Transport {
  readonly name = 'ws';
  readonly inBand = true;
  private socket: SocketLike | undefined;
  private deadline: TimerHandle;
  private wasOpen = false;
  private heardAt = 0;

  constructor(
    private readonly context: TransportContext,
    private readonly events: TransportEvents,
  ) {}

  get readyState(): number {
    return this.socket?.readyState ?? READY.closed;
  }

  get canSend(): boolean {
    return this.readyState === READY.open;
  }

  get heardAtMs(): number | undefined {
    return this.wasOpen ? this.heardAt : undefined;
  }

  open(): void {
    const { platform, endpoints, situation } = this.context;
    if (!platform.WebSocket) {
      this.end(0, 'this browser has no WebSocket');
      return;
    }
    try {
      this.socket = new platform.WebSocket(
        urlWith(endpoints.ws, { token: situation.token() }),
      );
    } catch {
      // An insecure socket on a secure page, for one.
      this.end(0, 'the browser refused to open a WebSocket');
      return;
    }
    this.deadline = platform.clock.setTimeout(() => {
      this.end(0, 'the WebSocket did not open in time');
    }, TIMING.openDeadlineMs);
    this.listen(this.socket);
  }

  private listen(socket: SocketLike): void {
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => {
      this.context.platform.clock.clearTimeout(this.deadline);
      this.wasOpen = true;
      this.heardAt = this.context.platform.clock.now();
      this.events.opened();
    };
    socket.onmessage = ({ data }) => {
      this.heardAt = this.context.platform.clock.now();
      this.receive(data);
    };
    socket.onclose = ({ code, reason }) => {
      this.end(code, reason || `the connection closed (${code})`);
    };
  }

  private receive(data: unknown): void {
    if (data instanceof ArrayBuffer) {
      this.events.binary(new Uint8Array(data));
      return;
    }
    const frame = typeof data === 'string' ? parseFrame(data) : undefined;
    if (!frame) {
      this.context.platform.debug('a frame of the relay was not understood');
    } else {
      this.events.frame(frame);
    }
  }

  send(frame: ClientFrame): boolean {
    const text = textOfFrame(frame);
    return text !== undefined && this.sendData(text, text.length);
  }

  sendBinary(frame: Uint8Array<ArrayBuffer>): boolean {
    return this.sendData(frame, frame.length);
  }

  /** Drops what a slow network would only pile up. */
  private sendData(data: string | Uint8Array, size: number): boolean {
    const { socket } = this;
    if (
      !socket ||
      !this.canSend ||
      socket.bufferedAmount + size > LIMIT.socketBufferBytes
    ) {
      return false;
    }
    socket.send(data);
    return true;
  }

  renew(): void {
    // Token and channels change in band.
  }

  close(): void {
    const { socket } = this;
    this.context.platform.clock.clearTimeout(this.deadline);
    this.socket = undefined;
    if (socket) {
      socket.onopen = null;
      socket.onmessage = null;
      socket.onclose = null;
      socket.close(CLOSE.normal);
    }
  }

  private end(code: number, message: string): void {
    const info: CloseInfo = { opened: this.wasOpen, code, message };
    this.close();
    this.events.closed(info);
  }
}
