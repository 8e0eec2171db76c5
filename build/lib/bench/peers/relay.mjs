/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The least a relay on ws or Socket.IO can be, with the addresses of floor.c, or
 * Hocuspocus as it is, or what stands behind Pushpin:
 *
 *     node relay.mjs ws|socketio|hocuspocus|grip PORT
 */
import { createServer } from 'node:http';

const [kind, port] = process.argv.slice(2);
const streams = new Map(); // channel => Set of what takes a message

const add = (channel, take) => {
  if (!streams.has(channel)) streams.set(channel, new Set());
  streams.get(channel).add(take);
  return () => streams.get(channel).delete(take);
};

let publish = (channel, text) => {
  const event = `data: ${text}\n\n`;
  for (const take of streams.get(channel) ?? []) take(text, event);
};

const server = createServer((request, response) => {
  const [, what, channel] = request.url.split('/');
  if (what === 'pub') {
    const parts = [];
    request.on('data', (part) => parts.push(part));
    request.on('end', () => {
      publish(channel, Buffer.concat(parts).toString());
      response.writeHead(204).end();
    });
  } else if (kind === 'grip') {
    const hold = what === 'sse' ? { 'Grip-Hold': 'stream', 'Grip-Channel': channel } : {};
    response.writeHead(200, { 'Content-Type': 'text/event-stream', ...hold }).end();
  } else if (what === 'sse') {
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
    response.flushHeaders();
    request.on('close', add(channel, (_, event) => response.write(event)));
  } else {
    response.writeHead(404).end();
  }
});

if (kind === 'ws') {
  const { WebSocketServer } = await import('ws');
  new WebSocketServer({ server, perMessageDeflate: false, clientTracking: false }).on('connection', (socket, request) => {
    socket.on('close', add(request.url.split('/')[2], (text) => socket.send(text)));
    socket.on('error', () => socket.terminate());
  });
} else if (kind === 'socketio') {
  const { Server } = await import('socket.io');
  const io = new Server(server, { transports: ['websocket'], perMessageDeflate: false, serveClient: false });
  io.on('connection', (socket) => socket.join(socket.handshake.query.channel));
  publish = (channel, text) => io.to(channel).emit('message', text);
}
if (kind === 'hocuspocus') {
  const { Server } = await import('@hocuspocus/server');
  await new Server({ port: Number(port), address: '127.0.0.1', quiet: true }).listen();
} else {
  server.listen({ port: Number(port), host: '127.0.0.1', backlog: 4096 });
}
