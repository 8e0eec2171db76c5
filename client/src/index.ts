/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client for use without WordPress. Everything exported here is API.
 */

export { Client, type ClientEvents, type Status } from './client.js';
export type { ClientOptions } from './options.js';
export { MintError, type TokenGrant } from './token.js';
export { PublishError } from './acks.js';
export { onChannel } from './channel.js';
export { DOM_GAP_EVENT, type DomDetail } from './dom.js';
export { createWps, type Wps, type WpsConfig, type WpsError } from './wps.js';
export { browserPlatform, type Platform } from './platform.js';
export { CLOSE, type ErrorCode } from './codes.js';
export type { State, TransportName } from './state.js';
export type { Delivery } from './inbox.js';
export type { Unsubscribe } from './emitter.js';
export type { Gap, JsonObject } from './wire.js';
