/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hub and its tabs over ports that are read when the test says so.
 */
import { Hub } from '../../src/hub.js';
import type { ClientOptions } from '../../src/options.js';
import type { Platform, PortLike } from '../../src/platform.js';
import { settle } from './clock.js';
import { Page } from './page.js';
import { makeToken } from './token.js';
import { json, World } from './world.js';

class FakePort implements PortLike {
  onmessage: PortLike['onmessage'] = null;
  other: FakePort | undefined;
  /** A page that is frozen reads nothing. */
  frozen = false;
  readonly waiting: unknown[] = [];

  postMessage(message: unknown): void {
    const { other } = this;
    other?.waiting.push(structuredClone(message));
    setImmediate(() => other?.read());
  }

  read(): void {
    while (!this.frozen && this.onmessage && this.waiting.length > 0) {
      this.onmessage({ data: this.waiting.shift() });
    }
  }

  close(): void {
    this.other = undefined;
  }
}

export class Tabs {
  /** The worker's. */
  readonly world: World;
  /** The newest one; a worker that died is followed by another. */
  hub: Hub;
  /** The tabs' ends, in the order they were opened. */
  readonly ports: FakePort[] = [];
  readonly names: string[] = [];
  /** The site gives out this user's tokens. */
  user = '1';

  constructor() {
    this.world = new World();
    this.world.answers.set('token', () => {
      const nowS = Math.floor(this.world.clock.now() / 1000);
      return json({ token: makeToken(nowS, 300, '', this.user), channels: ['events'] });
    });
    this.hub = new Hub(this.workerPlatform);
  }

  private get workerPlatform(): Platform {
    const { document: _, window: __, ...platform } = this.world.platform;
    return platform;
  }

  /** The worker is gone; the next tab that asks gets a new one. */
  die(): void {
    this.ports.forEach((port) => {
      if (port.other) {
        port.other.frozen = true;
      }
    });
    this.hub = new Hub(this.workerPlatform);
  }

  page(options: Partial<ClientOptions> = {}): Page {
    const { ports, names } = this;
    const hub = () => this.hub;
    return new Page(
      { workerUrl: 'https://site.example/wpsignal-worker.js', ...options },
      {
        SharedWorker: class {
          readonly port = new FakePort();
          onerror = null;
          constructor(_: string, name: string) {
            names.push(name);
            const theirs = new FakePort();
            theirs.other = this.port;
            this.port.other = theirs;
            ports.push(this.port);
            hub().connect(theirs);
          }
        },
      },
    );
  }

  async open(options: Partial<ClientOptions> = {}): Promise<Page> {
    const page = this.page(options);
    await page.start();
    return page;
  }

  /** So many tabs of a user whose connection is open. */
  async connected(count: number): Promise<Page[]> {
    const pages: Page[] = [];
    for (let at = 0; at < count; at += 1) {
      pages.push(await this.open());
    }
    await this.world.opens();
    await this.receives({ type: 'subscribed', channels: ['events'] });
    return pages;
  }

  /** What the relay sends the worker. */
  async receives(...frames: unknown[]): Promise<void> {
    frames.forEach((frame) => this.world.socket.deliver(frame));
    await settle();
  }

  async freeze(at: number): Promise<void> {
    await settle();
    (this.ports[at] as FakePort).frozen = true;
  }

  async thaw(at: number): Promise<void> {
    const port = this.ports[at] as FakePort;
    port.frozen = false;
    port.read();
    await settle();
  }
}
