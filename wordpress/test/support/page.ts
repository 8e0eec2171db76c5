/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pages of WordPress 7.0 that edit together: each with its own copy of the
 * editor's polling, and of the socket what a test says.
 */

import { readFileSync } from 'node:fs';
import type * as Yjs from 'yjs';
import type { Awareness } from 'y-protocols/awareness';
import type { Badges } from '../../src/collab/badge.js';
import { Polling } from '../../src/collab/polling.js';
import type { Entry, Link } from '../../src/collab/provider.js';
import type { Status } from '../../src/collab/status.js';
import { TestClock } from './clock.js';
import { Hub } from './hub.js';

interface Provider {
  destroy(): void;
  on(event: 'status', listener: (status: Status) => void): void;
}

interface BuiltIn {
  readonly Y: typeof Yjs;
  readonly Awareness: new (doc: Yjs.Doc) => Awareness;
  createHttpPollingProvider(): (options: object) => Promise<Provider>;
}

const CODE = readFileSync(new URL('built-in.js', import.meta.url), 'utf8');

/** What each of the hooks of 7.0 is set to by the page's scripts. */
const FILTERS: { readonly [hook: string]: number } = {
  'sync.pollingManager.pollingInterval': 250,
  'sync.pollingManager.pollingIntervalWithCollaborators': 60,
  'sync.pollingProvider.maxClientsPerRoom': 1000,
};

/** The connection of one page: each room a channel of its own. */
export class PageLink implements Link {
  state: Link['state'] = { connected: false, canSend: false, failures: 0 };
  /** What WordPress answers for a room; undefined is no. */
  entryOf: (room: string) => Entry | undefined = (room) => ({ channel: `c:${room}`, key: undefined });
  /** So many frames are not taken from now on. */
  refuses = 0;
  sent = 0;
  readonly closed = new Map<string, () => void>();
  readonly left: string[] = [];
  private readonly states = new Set<() => void>();
  private readonly losses = new Set<() => void>();
  private readonly frames = new Map<string, (bytes: Uint8Array) => void>();
  private readonly seats = new Map<string, ReturnType<Hub['join']>>();

  constructor(private readonly hubs: Map<string, Hub>) {}

  onState(listener: () => void): () => void {
    this.states.add(listener);
    return () => this.states.delete(listener);
  }
  onFrame(channel: string, listener: (bytes: Uint8Array) => void): () => void {
    this.frames.set(channel, listener);
    return () => this.frames.delete(channel);
  }
  onLoss(listener: () => void): () => void {
    this.losses.add(listener);
    return () => this.losses.delete(listener);
  }
  onClosed(room: string, listener: () => void): () => void {
    this.closed.set(room, listener);
    return () => this.closed.delete(room);
  }
  onGranted(): () => void {
    return () => {};
  }
  async enter(room: string): Promise<Entry | undefined> {
    const entry = this.entryOf(room);
    if (entry && !this.seats.has(entry.channel)) {
      const hub = this.hubs.get(entry.channel) ?? new Hub();
      this.hubs.set(entry.channel, hub);
      const seat = hub.join((bytes) => this.frames.get(entry.channel)?.(bytes));
      this.seats.set(entry.channel, seat);
    }
    if (entry && this.state.canSend) {
      this.seats.get(entry.channel)?.up();
    }
    return entry;
  }
  leave(room: string): void {
    this.left.push(room);
    this.seats.get(`c:${room}`)?.down();
  }
  send(channel: string, bytes: Uint8Array): boolean {
    if (this.refuses > 0) {
      this.refuses -= 1;
      return false;
    }
    this.sent += 1;
    return this.state.canSend && (this.seats.get(channel)?.send(bytes) ?? false);
  }

  up(): void {
    this.seats.forEach((seat) => seat.up());
    this.become(true);
  }
  /** After so many tries that failed. */
  down(failures = 0): void {
    this.seats.forEach((seat) => seat.down());
    this.become(false, failures);
  }
  /** The relay says that frames were lost. */
  lost(): void {
    this.losses.forEach((listener) => listener());
  }
  private become(canSend: boolean, failures = 0): void {
    this.state = { connected: canSend, canSend, failures };
    [...this.states].forEach((listener) => listener());
  }
}

const turn = (): Promise<void> => new Promise((done) => setImmediate(done));

export class Page {
  readonly Y: typeof Yjs;
  readonly link: PageLink;
  readonly polling: Polling;
  readonly providers: Provider[] = [];
  readonly statuses: string[] = [];
  readonly faults: unknown[] = [];
  /** Rooms of which a person was told that they are too large. */
  readonly grown: string[] = [];
  requests = 0;
  /** Requests that were refused. */
  refused = 0;
  private readonly builtIn: BuiltIn;
  private readonly document = {
    visibilityState: 'visible',
    heard: new Set<() => void>(),
    addEventListener: (_event: string, listener: () => void) => this.document.heard.add(listener),
    removeEventListener: () => {},
  };

  constructor(
    readonly name: string,
    clock: TestClock,
    hubs: Map<string, Hub>,
    isAlone: (room: string) => boolean,
    badges?: Badges,
    maxDocument?: number,
  ) {
    this.link = new PageLink(hubs);
    this.polling = new Polling(
      {
        link: this.link,
        clock,
        crypto: globalThis.crypto as Crypto,
        badges,
        grown: (room) => this.grown.push(room),
        ...(maxDocument === undefined ? {} : { maxDocument }),
      },
      isAlone,
    );
    const apiFetch = async (options: object): Promise<unknown> => {
      this.requests += 1;
      try {
        return await this.polling.middleware(options, () => {
          throw new Error('asked the server');
        });
      } catch (error) {
        this.refused += 1;
        throw error;
      }
    };
    const hooks = { applyFilters: (hook: string, value: unknown) => FILTERS[hook] ?? value };
    const log = (...all: unknown[]): unknown => this.faults.push(all);
    delete (globalThis as { [flag: string]: unknown })['__ $YJS$ __'];
    const load = new Function(
      'window', 'document', 'apiFetch', 'hooks', 'setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'console',
      `${CODE}; return builtIn;`,
    ) as (...all: unknown[]) => BuiltIn;
    this.builtIn = load(
      { addEventListener: () => {}, removeEventListener: () => {} },
      this.document,
      apiFetch,
      hooks,
      (task: () => void, ms: number) => clock.after(ms, task),
      (cancel: () => void) => cancel(),
      () => {},
      () => {},
      { log, warn: log, error: log },
    );
    this.Y = this.builtIn.Y;
  }

  /** The editor loads something; its text is `t`. */
  async edit(objectType: string, objectId: number | null): Promise<{ doc: Yjs.Doc; text: Yjs.Text; awareness: Awareness }> {
    const doc = new this.Y.Doc();
    const awareness = new this.builtIn.Awareness(doc);
    const provider = await this.builtIn.createHttpPollingProvider()({ objectType, objectId, ydoc: doc, awareness });
    provider.on('status', ({ status }) => this.statuses.push(status));
    this.providers.push(provider);
    return { doc, text: doc.getText('t'), awareness };
  }

  see(visible: boolean): void {
    this.document.visibilityState = visible ? 'visible' : 'hidden';
    this.document.heard.forEach((listener) => listener());
  }

  close(): void {
    this.providers.splice(0).forEach((provider) => provider.destroy());
  }
}

export class World {
  readonly clock: TestClock;
  readonly hubs = new Map<string, Hub>();
  readonly pages: Page[] = [];
  /** Bytes, of pages that are made from now on. */
  maxDocument: number | undefined;

  constructor(seed = 1) {
    this.clock = new TestClock(seed);
  }

  /** Connected, unless a test says otherwise before it edits. */
  page(isAlone: (room: string) => boolean = () => false, badges?: Badges): Page {
    const page = new Page(`page ${this.pages.length}`, this.clock, this.hubs, isAlone, badges, this.maxDocument);
    this.pages.push(page);
    page.link.up();
    return page;
  }

  async go(ms: number): Promise<void> {
    for (let at = 0; at < ms; at += 10) {
      this.clock.go(10);
      for (let i = 0; i < 3; i++) {
        await turn();
        await Promise.all(this.pages.map(({ polling }) => polling.idle()));
        for (const hub of this.hubs.values()) {
          await hub.deliver();
        }
      }
    }
  }

  async end(): Promise<void> {
    this.pages.forEach((page) => page.close());
    await this.go(50);
  }
}
