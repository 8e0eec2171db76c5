/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Channel names. A name has two spellings, bare (`events`) and qualified
 * (`site:<site id>:events`); they are one channel to the relay, which delivers
 * JSON under the bare one and binary frames under the sender's.
 */

import { LIMIT } from './config.js';

const encoder = new TextEncoder();

/**
 * Whether a delivered name is the one a listener expects, in either spelling.
 * Only the delivered side may be longer: `a:events` is heard by `events`.
 */
export function onChannel(channel: string, expected: string): boolean {
  return channel === expected || channel.endsWith(`:${expected}`);
}

/**
 * The bare spelling: the site's own prefix dropped, however often it stands
 * there. Another site's prefix is part of the name.
 */
export function bareName(name: string, siteId: string | undefined): string {
  const prefix = `site:${siteId}:`;
  let bare = name;
  while (siteId !== undefined && bare.startsWith(prefix)) {
    bare = bare.slice(prefix.length);
  }
  return bare;
}

/**
 * Whether the relay could accept the bare name: no control characters, not the
 * comma that separates names in a URL, no space at either end, short enough.
 */
export function isChannelName(bare: string): boolean {
  return (
    bare !== '' &&
    !/[\u0000-\u001f\u007f-\u009f,]|^ | $/.test(bare) &&
    encoder.encode(bare).length <= LIMIT.channelBytes
  );
}

/**
 * The channels of one page: those that came with the token and those that were
 * asked for, without those that were given up.
 *
 * Promise   Each channel once, whatever its spelling, under the first spelling
 *           it came with. Names no relay could accept are left out.
 * Bounds    At most `LIMIT.channels`.
 */
export class ChannelSet {
  private siteId: string | undefined;
  /** By bare name, the spelling to use. */
  private granted = new Map<string, string>();
  private readonly wanted = new Map<string, string>();
  private readonly dropped = new Set<string>();

  /** In a stable order, in the spelling given. */
  list(): string[] {
    const all = new Map([...this.granted, ...this.wanted, ...this.granted]);
    this.dropped.forEach((bare) => all.delete(bare));
    return [...all.values()].slice(0, LIMIT.channels);
  }

  /** A token brought its own list. Returns the names that are new by it. */
  grant(names: readonly string[], siteId: string | undefined): string[] {
    return this.added(() => {
      if (siteId !== undefined && siteId !== this.siteId) {
        this.siteId = siteId;
        this.respell();
      }
      this.granted = new Map(this.spellings(names));
    });
  }

  /** Returns the names that were not held before. */
  add(names: readonly string[]): string[] {
    return this.added(() => {
      this.spellings(names).forEach(([bare]) => this.dropped.delete(bare));
      this.want(names);
    });
  }

  /** Returns the names that were held until now, in the spelling held. */
  remove(names: readonly string[]): string[] {
    const before = this.list();
    for (const [bare] of this.spellings(names)) {
      this.wanted.delete(bare);
      if (this.granted.has(bare)) {
        this.dropped.add(bare);
      }
    }
    const after = new Set(this.list());
    return before.filter((name) => !after.has(name));
  }

  /** Only now is it known which spellings were qualified ones. */
  private respell(): void {
    const given = [...this.wanted.values()];
    this.wanted.clear();
    this.want(given);
  }

  private want(names: readonly string[]): void {
    for (const [bare, given] of this.spellings(names)) {
      if (!this.wanted.has(bare) && this.wanted.size < LIMIT.channels) {
        this.wanted.set(bare, given);
      }
    }
  }

  private added(change: () => void): string[] {
    const before = new Set(this.list());
    change();
    return this.list().filter((name) => !before.has(name));
  }

  private spellings(names: readonly string[]): [string, string][] {
    return names
      .map((given): [string, string] => [bareName(given, this.siteId), given])
      .filter(([bare]) => isChannelName(bare))
      .slice(0, LIMIT.channels);
  }
}
