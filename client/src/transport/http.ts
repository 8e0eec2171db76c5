/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The transports behind the socket. Loaded only where a socket failed.
 */

export { EventSourceTransport } from './event-source.js';
export { PollTransport } from './poll.js';
