/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For developers, where the page says so: the last lines of what the client
 * did, and levers that imitate a bad network. No token and no payload passes
 * here.
 */

import type { Client, Status } from './client.js';
import { LIMIT } from './config.js';

export class DebugLog {
  private readonly lines: string[] = [];

  readonly add = (line: string): void => {
    this.lines.push(`${new Date().toISOString()} ${line}`);
    if (this.lines.length > LIMIT.debugLines) {
      this.lines.shift();
    }
    console.debug(`[wpsignal] ${line}`);
  };

  /** Oldest first. */
  readonly read = (): string[] => [...this.lines];
}

/** `window.wpsTest`. */
export interface TestLevers {
  status(): Status;
  /** Loses the connection, as a network does. */
  drop(): void;
  /** As if the tab had become visible. */
  wake(): void;
  /** Leaves the connection for a new one. */
  cycle(): void;
}

export function testLevers(client: Client): TestLevers {
  return {
    status: () => client.status,
    drop: () => client.drop(),
    wake: () => client.wake(),
    cycle: () => client.reconnect(),
  };
}
