/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A relay that can be away: in front of the real one, a port that refuses, takes
 * connections and never answers, or lets them pass and remembers what they said.
 */
import { connect, createServer } from 'node:net';

/** Requests in what a connection sent. */
function requestsIn(bytes) {
  const requests = [];
  let text = bytes.toString('latin1');
  for (;;) {
    const end = text.indexOf('\r\n\r\n');
    if (end < 0) return requests;
    const length = Number(/^content-length: *(\d+)/im.exec(text.slice(0, end))?.[1] ?? 0);
    const [method, path] = text.split(' ', 2);
    requests.push({ method, path, body: text.slice(end + 4, end + 4 + length) });
    text = text.slice(end + 4 + length);
  }
}

/** @param to URL of the relay. */
export async function gate(to) {
  const { hostname, port } = new URL(to);
  const self = { mode: 'refuse', connections: 0, requests: [] };
  const sockets = new Set();
  const server = createServer((socket) => {
    self.connections++;
    sockets.add(socket.on('error', () => {}).on('close', () => sockets.delete(socket)));
    if (self.mode === 'silent') return socket.pause();
    const said = [];
    const onward = connect(Number(port), hostname);
    onward.on('error', () => socket.destroy());
    socket.on('data', (bytes) => said.push(bytes));
    socket.on('close', () => self.requests.push(...requestsIn(Buffer.concat(said))));
    // The answer is held back, and lost.
    if (self.mode === 'deaf') socket.pipe(onward).resume();
    else socket.pipe(onward).pipe(socket);
    return undefined;
  });
  const listen = (at) => new Promise((listening) => server.listen(at, '127.0.0.1', listening));
  await listen(0);
  const at = server.address().port;
  self.url = `http://127.0.0.1:${at}${new URL(to).pathname}`;
  self.is = async (mode) => {
    for (const socket of sockets) socket.destroy();
    if (mode === 'refuse' && server.listening) await new Promise((closed) => server.close(closed));
    if (mode !== 'refuse' && !server.listening) await listen(at);
    self.mode = mode;
  };
  /** What was published since the last call: messages by request. */
  self.published = () => self.requests.splice(0)
    .filter(({ method, path }) => method === 'POST' && path.endsWith('/publish'))
    .map(({ body }) => [JSON.parse(body)].flat());
  self.close = () => self.is('refuse');
  await self.is('refuse');
  return self;
}
