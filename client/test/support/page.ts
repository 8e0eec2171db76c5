/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client on a page of a world that is driven by hand.
 */
import { Client } from '../../src/client.js';
import type { ClientOptions } from '../../src/options.js';
import type { Platform } from '../../src/platform.js';
import type { State } from '../../src/state.js';
import { settle } from './clock.js';
import { makeToken } from './token.js';
import { json, World } from './world.js';

export const NOW_S = 1_700_000_000;
export const FIRST = makeToken(NOW_S, 300, 'first');
export const EPOCH = '5f1c0a9e77b2';
export const id = (sequence: number) => `${EPOCH}-${sequence}`;

export function message(n: number, channel = 'events', event = 'e') {
  return { type: 'message', channel, event, data: { n }, id: id(n) };
}

/** The same as an event of a stream. */
export function sse(n: number): string {
  const { channel, event, data } = message(n);
  return `id: ${id(n)}\ndata: ${JSON.stringify({ channel, event, data, id: id(n) })}\n\n`;
}

export class Page {
  readonly world: World;
  readonly client: Client;
  readonly states: State[] = [];
  readonly heard: unknown[] = [];
  readonly gaps: unknown[] = [];
  readonly errors: string[] = [];
  /** Tokens the site has given out. */
  readonly minted: string[] = [];

  constructor(
    options: Partial<ClientOptions> = {},
    changes: Partial<Platform> = {},
  ) {
    this.world = new World(changes);
    this.world.answers.set('token', () => {
      const nowS = Math.floor(this.world.clock.now() / 1000);
      const token = makeToken(nowS, 300, `minted ${this.minted.length}`);
      this.minted.push(token);
      return json({ token, channels: ['events'], exp: nowS + 300 });
    });
    this.client = new Client(
      {
        baseUrl: 'https://relay.example/wps',
        restUrl: 'https://site.example/wp-json/wpsignal/v1/',
        token: FIRST,
        channels: ['events'],
        ...options,
      },
      this.world.platform,
    );
    this.client.on('state', (now) => this.states.push(now));
    this.client.on('message', ({ data }) => {
      this.heard.push((data as { n?: unknown } | null)?.n);
    });
    this.client.on('gap', (gap) => this.gaps.push(gap));
    this.client.on('error', ({ code }) => this.errors.push(code));
  }

  /** Starts, with the first socket open. */
  static async connected(
    options?: Partial<ClientOptions>,
    changes?: Partial<Platform>,
  ): Promise<Page> {
    const page = new Page(options, changes);
    await page.start();
    await page.world.opens();
    return page;
  }

  /** Starts, with sockets that fail and a stream that is open. */
  static async streaming(options?: Partial<ClientOptions>): Promise<Page> {
    const page = new Page(options);
    page.world.allowStreams();
    await page.start();
    await page.world.fails();
    return page;
  }

  async start(): Promise<void> {
    this.client.start();
    await settle();
  }

  get state(): State {
    return this.client.state;
  }

  /** Of the newest socket: what the relay sends. */
  async receives(...frames: unknown[]): Promise<void> {
    frames.forEach((frame) => this.world.socket.deliver(frame));
    await settle();
  }

  async ends(code: number, reason = ''): Promise<void> {
    this.world.socket.end(code, reason);
    await settle();
  }

  /** Of a URL asked for: the token in it. */
  static tokenOf(url: string | URL): string | null {
    return new URL(url).searchParams.get('token');
  }
}
