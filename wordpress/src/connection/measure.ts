/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Send test: an event makes the way it would make on a page, once per transport.
 *
 * Each round listens on a channel of its own, has PHP publish to it, and takes
 * the time until the event is here. Nothing is read of it, so no key is needed;
 * the channel says which event it is.
 */

import { __, sprintf } from '@wordpress/i18n';
import type { TransportName } from '../../../client/src/state.js';
import { api, messageOf } from '../api.js';
import { TEST_PREFIX } from '../explorer/log.js';

export interface Result {
  readonly transport: TransportName;
  /** Set if the event arrived: from the request to PHP until then. */
  readonly ms?: number;
  /** What else there is to say. */
  readonly note?: string;
}

const EVENT = 'wordsocket.test';

const OPEN_MS = 5_000;
const ARRIVE_MS = 8_000;
/** A page asks every few seconds; here it would only be waited for. */
const POLL_AGAIN_MS = 100;

/** Somebody who listens. `arrived` is called in the moment of the event. */
interface Listening {
  readonly arrived: Promise<void>;
  readonly note?: string;
  close(): void;
}

type Listen = (url: Urls, token: string, channel: string) => Promise<Listening>;

interface Urls {
  readonly ws: string;
  readonly http: string;
}

class Told extends Error {}

function within<T>(promise: Promise<T>, ms: number, text: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Told(text)), ms);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

const listenBySocket: Listen = (url, token, channel) =>
  new Promise((listening, refused) => {
    let here: () => void = () => undefined;
    const arrived = new Promise<void>((resolve) => {
      here = resolve;
    });
    const socket = new WebSocket(
      `${url.ws}/ws?token=${encodeURIComponent(token)}`,
    );
    socket.onopen = () =>
      socket.send(JSON.stringify({ type: 'subscribe', channels: [channel] }));
    socket.onmessage = ({ data }) => {
      const frame = typeof data === 'string' ? JSON.parse(data) : {};
      if (frame.type === 'subscribed' && frame.channels?.length) {
        listening({ arrived, close: () => socket.close() });
      } else if (frame.type === 'error') {
        refused(new Told(String(frame.message ?? frame.code)));
        socket.close();
      } else if (frame.type === 'message') {
        here();
      }
    };
    socket.onclose = ({ code, reason }) =>
      refused(
        new Told(
          code === 1006
            ? __(
                'The browser could not open it. A proxy between here and the server, or in front of it, lets no WebSocket pass.',
                'wordsocket',
              )
            : sprintf(
                /* translators: 1: a number, 2: what the relay said. */
                __('The relay closed it: %1$d %2$s', 'wordsocket'),
                code,
                reason,
              ),
        ),
      );
  });

/** What an HTTP answer that is none says, in words. */
async function refusal(answer: Response): Promise<Told> {
  const said = await answer.json().catch(() => ({}));
  return new Told(
    sprintf(
      /* translators: 1: status of HTTP, 2: what the relay said. */
      __('The relay answered %1$d. %2$s', 'wordsocket'),
      answer.status,
      String(said.message ?? ''),
    ),
  );
}

function query(token: string, channel: string, since = ''): string {
  const given = new URLSearchParams({ token, channels: channel });
  if (since) {
    given.set('since', since);
  }
  return given.toString();
}

const listenByStream: Listen = async (url, token, channel) => {
  const abort = new AbortController();
  const answer = await fetch(`${url.http}/sse?${query(token, channel)}`, {
    credentials: 'omit',
    signal: abort.signal,
  });
  const type = answer.headers.get('content-type') ?? '';
  if (!answer.ok || !type.startsWith('text/event-stream') || !answer.body) {
    abort.abort();
    throw await refusal(answer);
  }
  const reader = answer.body.getReader();
  const decoder = new TextDecoder();
  const first = await reader.read().catch(() => ({ done: true, value: undefined }));
  if (first.done) {
    throw new Told(__('The stream ended before it began.', 'wordsocket'));
  }
  const arrived = (async () => {
    let text = decoder.decode(first.value, { stream: true });
    while (!text.includes(channel)) {
      const next = await reader.read();
      if (next.done) {
        throw new Told(
          __(
            'The stream ended too soon: something in front of the server cuts it.',
            'wordsocket',
          ),
        );
      }
      text = text.slice(-1_000) + decoder.decode(next.value, { stream: true });
    }
  })();
  return { arrived, close: () => abort.abort() };
};

const listenByPoll: Listen = async (url, token, channel) => {
  const abort = new AbortController();
  const ask = async (since: string) => {
    const answer = await fetch(`${url.http}/poll?${query(token, channel, since)}`, {
      credentials: 'omit',
      signal: abort.signal,
    });
    if (!answer.ok) {
      throw await refusal(answer);
    }
    return answer.json();
  };
  const { cursor, retry } = await ask('');
  let asks = true;
  const arrived = (async () => {
    let since = String(cursor);
    while (asks) {
      const { messages, cursor: next } = await ask(since);
      if (messages.length) {
        return;
      }
      since = String(next);
      await new Promise((wake) => setTimeout(wake, POLL_AGAIN_MS));
    }
  })();
  return {
    arrived,
    note: sprintf(
      /* translators: %s: number of seconds. */
      __('A page that polls asks every %s s, and hears up to that much later.', 'wordsocket'),
      (Number(retry) / 1_000).toFixed(1),
    ),
    close: () => {
      asks = false;
      abort.abort();
    },
  };
};

const WAYS: Record<TransportName, Listen> = {
  ws: listenBySocket,
  sse: listenByStream,
  poll: listenByPoll,
};

/** One round. Never rejects. */
export async function measure(
  transport: TransportName,
  baseUrl: string,
  token: string,
): Promise<Result> {
  const channel = `${TEST_PREFIX}${crypto.getRandomValues(new Uint32Array(4)).join('')}`;
  const url = { http: baseUrl, ws: baseUrl.replace(/^http/i, 'ws') };
  let listening: Listening | undefined;
  try {
    listening = await within(
      WAYS[transport](url, token, channel),
      OPEN_MS,
      __('The relay did not answer in time.', 'wordsocket'),
    );
    const { arrived, note } = listening;
    // A stream that breaks while PHP publishes is told below.
    arrived.catch(() => undefined);
    const begun = performance.now();
    await api.publish(channel, EVENT, {});
    await within(
      arrived,
      ARRIVE_MS,
      __('It was sent, and did not arrive here in time.', 'wordsocket'),
    );
    return { transport, ms: performance.now() - begun, ...(note && { note }) };
  } catch (error) {
    return { transport, note: wordsOf(error) };
  } finally {
    listening?.close();
  }
}

function wordsOf(error: unknown): string {
  // What fetch throws says nothing to people, and is the same for everything.
  return error instanceof TypeError
    ? __(
        'The browser could not reach the relay: it is down, its address is wrong, or something blocks it (a firewall, a content security policy, mixed content).',
        'wordsocket',
      )
    : messageOf(error);
}
