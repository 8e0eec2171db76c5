/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a tab has missed of channels that the shared connection hears anyway:
 * a subscription of its own would bring nothing, a poll does.
 *
 * Promise   Everything after `since`, in order, or a gap; never rejects.
 * Bounds    `LIMIT.catchUpAnswers` answers of the poll; more is a gap.
 */

import { LIMIT } from './config.js';
import { requestJson } from './request.js';
import {
  type TransportContext,
  urlWith,
} from './transport/transport.js';
import { frameOf, isJsonObject, type RelayFrame } from './wire.js';

export interface Missed {
  readonly frames: readonly RelayFrame[];
  /** Where the log is after them; undefined if that is not known. */
  readonly cursor: string | undefined;
}

export async function missedSince(
  { platform, endpoints, situation }: TransportContext,
  channels: readonly string[],
  since: string,
): Promise<Missed> {
  const frames: RelayFrame[] = [];
  let cursor = since;
  for (let answer = 0; answer < LIMIT.catchUpAnswers; answer += 1) {
    const { status, json } = await requestJson(
      platform,
      urlWith(endpoints.poll, {
        token: situation.token(),
        channels: channels.join(','),
        since: cursor,
      }),
      { method: 'GET', credentials: 'omit' },
    );
    if (
      status !== 200 ||
      !isJsonObject(json) ||
      !Array.isArray(json.messages) ||
      typeof json.cursor !== 'string'
    ) {
      break;
    }
    for (const message of json.messages) {
      const frame = frameOf(message, 'message');
      if (frame) {
        frames.push(frame);
      }
    }
    if (json.messages.length === 0 || json.cursor === cursor) {
      return { frames, cursor: json.cursor };
    }
    cursor = json.cursor;
  }
  const gap: RelayFrame = { type: 'gap', since: cursor, oldest: null };
  return { frames: [...frames, gap], cursor: undefined };
}
