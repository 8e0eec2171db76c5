/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the pages of a site tell each other about who uses them, over a
 * BroadcastChannel named `wordsocket:<REST URL>`:
 *
 *   {"type":"logout"}            every connection of this site's ends
 *   {"type":"user","user":".."}  a page for this user was opened; connections
 *                                of others ask the site whether they still may
 */

import type { ClientOptions } from './options.js';
import type { BroadcastLike, Platform } from './platform.js';
import { siteOf, userOf } from './shared-protocol.js';
import { isJsonObject } from './wire.js';

export function watchUsers(
  options: ClientOptions,
  { BroadcastChannel }: Platform,
  ended: () => void,
  doubted: () => void,
): BroadcastLike | undefined {
  if (!BroadcastChannel) {
    return undefined;
  }
  const channel = new BroadcastChannel(siteOf(options));
  channel.onmessage = ({ data }) => {
    if (isJsonObject(data)) {
      if (data.type === 'logout') {
        ended();
      } else if (data.type === 'user' && data.user !== userNameOf(options)) {
        doubted();
      }
    }
  };
  return channel;
}

const userNameOf = (options: ClientOptions) => userOf(options) ?? '';

/** Said by each page when it begins. */
export function announceUser(
  channel: BroadcastLike | undefined,
  options: ClientOptions,
): void {
  channel?.postMessage({ type: 'user', user: userNameOf(options) });
}
