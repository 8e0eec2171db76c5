/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A relay of real sockets on a free port: what the wire documents say, as far
 * as a client needs it, and switches for what a network may do to it.
 */
import { once } from 'node:events';
import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';

import { makeToken } from './token.js';

const EPOCH = '5f1c0a9e77b2';

interface Entry {
  readonly id: string;
  readonly channel: string;
  readonly event: string;
  readonly data: unknown;
}
interface Listener {
  readonly channels: Set<string>;
  give(entry: Entry): void;
}
/** A connection that may be a member. */
interface Member extends Listener {
  readonly member: string;
  readonly states: Map<string, unknown>;
  presence(channel: string, data: object): void;
  binary(frame: Buffer): void;
}

/** Content by path, beside the relay's own. */
export type Files = ReadonlyMap<string, { readonly type: string; readonly text: string }>;

export class Relay {
  /** Whether the network lets a WebSocket pass, and an event stream. */
  socketsPass = true;
  streamsPass = true;
  /** Streams say when to return, and end. */
  pollMode = false;
  /** How the site answers to a wish for a token. */
  mintStatus = 200;
  minted = 0;
  /** Whether it tells who is on a channel to whom subscribes. */
  presence = false;
  /** Headers of every answer from a file. */
  headers: Record<string, string> = {};
  /** Whose token the site gives; null refuses. */
  user: string | null = '1';
  readonly seen: string[] = [];
  readonly received: Record<string, unknown>[] = [];
  readonly sockets = new Set<WebSocket>();
  readonly streams = new Set<ServerResponse>();
  /** What came in binary frames. */
  readonly binaries: Buffer[] = [];
  private readonly members = new Set<Member>();
  private count = 0;
  private readonly log: Entry[] = [];
  private readonly listeners = new Set<Listener>();

  private constructor(
    private readonly server: Server,
    private readonly files: Files,
  ) {}

  static async start(files: Files = new Map()): Promise<Relay> {
    const server = createServer();
    const relay = new Relay(server, files);
    const upgrades = new WebSocketServer({ noServer: true });
    server.on('request', (request, response) => void relay.answer(request, response));
    server.on('upgrade', (request, socket, head) => {
      relay.note(request);
      if (relay.socketsPass) {
        upgrades.handleUpgrade(request, socket, head, (ws) => relay.accept(ws));
      } else {
        // Nobody else listens for the end of it, which may be a reset.
        socket.on('error', () => {});
        socket.end('HTTP/1.1 502 Bad Gateway\r\nConnection: close\r\n\r\n');
      }
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return relay;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async stop(): Promise<void> {
    this.breakAll();
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  /** Whether one is subscribed to the channel. */
  hears(channel: string): boolean {
    return [...this.listeners].some(({ channels }) => channels.has(channel));
  }

  publish(channel: string, event: string, data: unknown): string {
    const entry = { id: `${EPOCH}-${this.log.length + 1}`, channel, event, data };
    this.log.push(entry);
    for (const listener of this.listeners) {
      if (listener.channels.has(channel)) {
        listener.give(entry);
      }
    }
    return entry.id;
  }

  /** To every socket. */
  say(frame: object): void {
    this.sockets.forEach((socket) => socket.send(JSON.stringify(frame)));
  }

  closeSockets(code: number): void {
    this.sockets.forEach((socket) => socket.close(code));
  }

  /** As a network that goes away. */
  breakAll(): void {
    this.sockets.forEach((socket) => socket.terminate());
    this.streams.forEach((stream) => stream.destroy());
  }

  private note(request: IncomingMessage): void {
    this.seen.push(`${request.method} ${(request.url ?? '').split('?')[0]}`);
  }

  private after(since: string | null | undefined): Entry[] {
    const at = Number(since?.split('-')[1] ?? this.log.length);
    return this.log.slice(at);
  }

  private get head(): string {
    return `${EPOCH}-${this.log.length}`;
  }

  private accept(ws: WebSocket): void {
    this.count += 1;
    const say = (frame: object) => ws.send(JSON.stringify(frame));
    const listener: Member = {
      member: `m${this.count}`,
      channels: new Set<string>(),
      states: new Map<string, unknown>(),
      give: (entry: Entry) => say({ type: 'message', ...entry }),
      presence: (channel, data) =>
        say({ type: 'message', channel, event: 'wps.presence', data }),
      binary: (frame) => ws.send(frame),
    };
    this.sockets.add(ws);
    this.listeners.add(listener);
    this.members.add(listener);
    ws.on('close', () => {
      this.sockets.delete(ws);
      this.listeners.delete(listener);
      this.members.delete(listener);
      [...listener.states.keys()].forEach((channel) => this.enter(listener, channel, null));
    });
    ws.on('message', (bytes, isBinary) => {
      if (isBinary) {
        const frame = Buffer.from(bytes as Buffer);
        const channel = frame.subarray(2, 2 + frame.readUInt16BE(0)).toString();
        this.binaries.push(frame);
        for (const other of this.members) {
          if (other !== listener && other.channels.has(channel)) {
            other.binary(frame);
          }
        }
        return;
      }
      const frame = JSON.parse(String(bytes)) as Record<string, unknown>;
      this.received.push(frame);
      this.take(frame, ws, listener);
    });
  }

  private take(frame: Record<string, unknown>, ws: WebSocket, listener: Member): void {
    const reply = (answer: object) => ws.send(JSON.stringify(answer));
    const { channels, since, ref } = frame as {
      channels?: string[];
      since?: string;
      ref?: string;
    };
    switch (frame.type) {
      case 'subscribe':
        reply({ type: 'subscribed', channels, id: this.head });
        channels?.forEach((name) => listener.channels.add(name));
        this.after(since)
          .filter(({ channel }) => channels?.includes(channel))
          .forEach((entry) => listener.give(entry));
        if (this.presence) {
          channels?.forEach((name) =>
            listener.presence(name, { action: 'sync', members: this.present(name) }),
          );
        }
        break;
      case 'presence':
        this.enter(listener, String(frame.channel), frame.state);
        break;
      case 'unsubscribe':
        channels?.forEach((name) => listener.channels.delete(name));
        reply({ type: 'unsubscribed', channels });
        break;
      case 'auth':
        reply({ type: 'auth_ok', exp: 1 });
        break;
      case 'message': {
        const id = this.publish(String(frame.channel), String(frame.event), frame.data);
        reply({ type: 'ack', ref, id });
        break;
      }
    }
  }

  /** Who is on the channel. */
  present(channel: string): { id: string; state: unknown }[] {
    return [...this.members].flatMap(({ member, states }) =>
      states.has(channel) ? [{ id: member, state: states.get(channel) }] : [],
    );
  }

  private enter(who: Member, channel: string, state: unknown): void {
    const id = who.member;
    if (state) {
      who.states.set(channel, state);
    } else {
      who.states.delete(channel);
    }
    const data = state ? { action: 'join', id, state } : { action: 'leave', id };
    this.members.forEach((other) => {
      if (other.channels.has(channel)) {
        other.presence(channel, data);
      }
    });
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.note(request);
    const { pathname, searchParams } = new URL(request.url ?? '', this.url);
    const file = this.files.get(pathname);
    response.setHeader('Access-Control-Allow-Origin', request.headers.origin ?? '*');
    response.setHeader('Access-Control-Allow-Headers', 'Authorization, Content-Type, X-WordSocket-Stream');
    if (file) {
      response.setHeader('Content-Type', file.type);
      Object.entries(this.headers).forEach(([name, value]) => response.setHeader(name, value));
      response.end(file.text);
    } else if (request.method === 'OPTIONS') {
      response.end();
    } else if (pathname === '/sse' && this.streamsPass) {
      this.stream(searchParams, response);
    } else if (pathname === '/poll') {
      this.poll(searchParams, response);
    } else if (pathname === '/send') {
      await this.receive(request, response);
    } else if (pathname.endsWith('/token')) {
      this.mint(response);
    } else {
      response.writeHead(404).end();
    }
  }

  private stream(query: URLSearchParams, response: ServerResponse): void {
    const channels = new Set(query.get('channels')?.split(','));
    const give = ({ id, ...rest }: Entry) =>
      response.write(`id: ${id}\ndata: ${JSON.stringify({ ...rest, id })}\n\n`);
    const missed = this.after(query.get('since'));
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
    response.write('event: wps.open\ndata: {"stream":"00112233445566778899aabbccddeeff"}\n\n');
    missed.filter(({ channel }) => channels.has(channel)).forEach(give);
    if (this.pollMode) {
      response.end(`id: ${this.head}\nretry: 200\n\n`);
      return;
    }
    if (missed.length === 0) {
      response.write(`id: ${this.head}\n\n`);
    }
    const listener = { channels, give };
    this.listeners.add(listener);
    this.streams.add(response);
    response.on('close', () => {
      this.listeners.delete(listener);
      this.streams.delete(response);
    });
  }

  private poll(query: URLSearchParams, response: ServerResponse): void {
    const channels = query.get('channels')?.split(',') ?? [];
    const messages = this.after(query.get('since')).filter(({ channel }) =>
      channels.includes(channel),
    );
    const stream = '00112233445566778899aabbccddeeff';
    response.end(JSON.stringify({ messages, cursor: this.head, retry: 150, stream }));
  }

  private async receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) {
      chunks.push(chunk as Buffer);
    }
    const frame = JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>;
    this.received.push({ ...frame, stream: request.headers['x-wordsocket-stream'] });
    const id = this.publish(String(frame.channel), String(frame.event), frame.data);
    response.end(JSON.stringify({ ok: true, id }));
  }

  private mint(response: ServerResponse): void {
    this.minted += 1;
    const nowS = Math.floor(Date.now() / 1000);
    if (this.user === null) {
      response.writeHead(403).end('{}');
      return;
    }
    response.writeHead(this.mintStatus);
    response.end(
      JSON.stringify({
        token: makeToken(nowS, 300, String(this.minted), this.user),
        channels: ['events'],
        exp: nowS + 300,
      }),
    );
  }
}
