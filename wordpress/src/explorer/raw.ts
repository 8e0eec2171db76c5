/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A socket of its own that shows frames as the relay sends them: sealed, with
 * their ids. It ends with its token, since nobody renews it here.
 */

export interface RawEvents {
  frame(text: string): void;
  ended(code: number, reason: string): void;
}

/** Returns what closes it. */
export function listenRaw(
  url: string,
  token: string,
  channels: readonly string[],
  events: RawEvents,
): () => void {
  const socket = new WebSocket(`${url}?token=${encodeURIComponent(token)}`);
  socket.binaryType = 'arraybuffer';
  socket.onopen = () =>
    socket.send(JSON.stringify({ type: 'subscribe', channels }));
  socket.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
    if (typeof data !== 'string') {
      events.frame(binary(new Uint8Array(data)));
      return;
    }
    events.frame(data);
    if (data.startsWith('{"type":"ping"')) {
      socket.send('{"type":"pong"}');
    }
  };
  socket.onclose = ({ code, reason }) => events.ended(code, reason);
  return () => {
    socket.onclose = null;
    socket.close();
  };
}

/** A binary frame: length and name of its channel, then the payload. */
export function binary(bytes: Uint8Array): string {
  const length = ((bytes[0] ?? 0) << 8) | (bytes[1] ?? 0);
  const channel = new TextDecoder().decode(bytes.subarray(2, 2 + length));
  const payload = bytes.subarray(2 + length);
  const shown = [...payload.subarray(0, 32)]
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join(' ');
  return `${channel}: ${payload.length} B: ${shown}${payload.length > 32 ? ' …' : ''}`;
}
