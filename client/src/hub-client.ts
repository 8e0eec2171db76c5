/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hub's client: one that hands on what it hears, and says where it is.
 */

import { missedSince } from './catch-up.js';
import { Client } from './client.js';
import { claimsOf } from './token.js';
import type { RelayFrame } from './wire.js';

export class HubClient extends Client {
  heard: (frame: RelayFrame) => void = () => {};

  protected override onFrame(frame: RelayFrame): void {
    super.onFrame(frame);
    this.heard(frame);
  }

  /** Tabs open what is sealed. */
  protected override unlock(): void {}

  get phase() {
    return this.store.phase;
  }

  /** Up to here everything has been given to the tabs. */
  get position(): string | undefined {
    return this.cursor.since;
  }

  get userId(): string | undefined {
    return claimsOf(this.context.situation.token()).userId;
  }

  get siteId(): string | undefined {
    return this.session.grant.siteId;
  }

  get encryptionKey(): string | undefined {
    return this.session.grant.encryptionKey;
  }

  get granted(): readonly string[] {
    return this.session.grant.channels;
  }

  get tellsSubscribed(): boolean {
    return this.session.transport?.inBand ?? false;
  }

  missed(channels: readonly string[], since: string) {
    return missedSince(this.context, channels, since);
  }
}
