/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the relay tells whoever subscribes, as far as one connection has heard
 * it: who is on a channel, and the counts.
 *
 * Bounds   Those of the relay, which holds so many presences of a site.
 */

import { isJsonObject, type MessageFrame } from './wire.js';

const EVENT_PRESENCE = 'wps.presence';
const EVENT_CONNECTIONS = 'wps.connections';

export class Roster {
  /** By bare channel, states by member. */
  private readonly members = new Map<string, Map<string, unknown>>();
  private readonly counts = new Map<string, MessageFrame>();

  /** A message that the relay made, of the channel with this bare name. */
  hear(frame: MessageFrame, bare: string): void {
    const { event, data } = frame;
    if (event === EVENT_CONNECTIONS) {
      this.counts.set(bare, frame);
    }
    if (event !== EVENT_PRESENCE || !isJsonObject(data)) {
      return;
    }
    const id = String(data.id);
    if (data.action === 'sync' && Array.isArray(data.members)) {
      const list = data.members.filter(isJsonObject);
      this.members.set(
        bare,
        new Map(list.map((one) => [String(one.id), one.state])),
      );
    } else if (data.action === 'join') {
      this.members.get(bare)?.set(id, data.state);
    } else if (data.action === 'leave') {
      this.members.get(bare)?.delete(id);
    }
  }

  /** Nothing for a channel of which nothing was heard yet. */
  framesFor(bare: string): MessageFrame[] {
    const known = this.members.get(bare);
    const counts = this.counts.get(bare);
    const frames: MessageFrame[] = counts ? [counts] : [];
    if (known) {
      const members = [...known].map(([id, state]) => ({ id, state }));
      const data = { action: 'sync', members };
      frames.push({ type: 'message', channel: bare, event: EVENT_PRESENCE, data });
    }
    return frames;
  }

  drop(bare: string): void {
    this.members.delete(bare);
    this.counts.delete(bare);
  }

  clear(): void {
    this.members.clear();
    this.counts.clear();
  }
}
