/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The script of the shared worker.
 */

import { Hub } from './hub.js';
import { browserPlatform, type BroadcastConstructor, type PortLike } from './platform.js';

interface SharedWorkerScope {
  readonly BroadcastChannel?: BroadcastConstructor;
  onconnect: ((event: { readonly ports: readonly PortLike[] }) => void) | null;
}

const scope = globalThis as unknown as SharedWorkerScope;
const hub = new Hub({
  ...browserPlatform(),
  BroadcastChannel: scope.BroadcastChannel,
});
scope.onconnect = ({ ports }) => ports.forEach((port) => hub.connect(port));
