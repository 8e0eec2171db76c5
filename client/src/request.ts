/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One HTTP exchange with a deadline, answered in JSON.
 *
 * Promise   Ends within the deadline, body included. Never rejects: a network
 *           that failed is status 0.
 */

import { LIMIT, TIMING } from './config.js';
import type { Platform } from './platform.js';
import { parseJson } from './wire.js';

export interface Answer {
  /** 0 if there was none. */
  readonly status: number;
  /** The body; undefined if it was not JSON, or too long. */
  readonly json: unknown;
  readonly text: string;
  readonly headers: Headers | undefined;
}

const NO_ANSWER: Answer = {
  status: 0,
  json: undefined,
  text: '',
  headers: undefined,
};

/** `Retry-After` in seconds; the form with a date is not in use here. */
export function retryAfterMsOf(headers: Headers | undefined): number | undefined {
  const text = headers?.get('Retry-After') ?? '';
  return /^[0-9]{1,6}$/.test(text) ? Number(text) * 1000 : undefined;
}

/** Aborts when the deadline is over or `signal` says so. */
export async function requestJson(
  platform: Platform,
  url: string,
  init: RequestInit,
  signal?: AbortSignal,
): Promise<Answer> {
  const { fetch, clock } = platform;
  if (!fetch) {
    return NO_ANSWER;
  }
  const abort = new AbortController();
  const giveUp = () => abort.abort();
  const deadline = clock.setTimeout(giveUp, TIMING.requestDeadlineMs);
  signal?.addEventListener('abort', giveUp);
  try {
    const response = await fetch(url, {
      cache: 'no-store',
      ...init,
      signal: abort.signal,
    });
    const text = await response.text();
    const json =
      text.length <= LIMIT.pollAnswerBytes ? parseJson(text) : undefined;
    return { status: response.status, json, text, headers: response.headers };
  } catch {
    return NO_ANSWER;
  } finally {
    clock.clearTimeout(deadline);
    signal?.removeEventListener('abort', giveUp);
  }
}
