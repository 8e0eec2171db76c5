/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages as DOM events on `document`: `wpsignal:<event>`, with `detail`
 * `{channel, data}` and the same two on the event itself.
 */

import type { PageLike } from './platform.js';
import type { Gap } from './wire.js';

const PREFIX = 'wpsignal:';

/**
 * The DOM event of a gap; `channel` is null, `data` is `{since, oldest}`. Its
 * name is one of the relay's own, so no publisher's event is mistaken for it.
 */
export const DOM_GAP_EVENT = `${PREFIX}wps.gap`;

export interface DomDetail {
  readonly channel: string | null;
  readonly data: unknown;
}

function dispatch(page: PageLike, type: string, detail: DomDetail): void {
  const event = new CustomEvent<DomDetail>(type, { detail });
  Object.defineProperties(event, {
    channel: { get: () => detail.channel },
    data: { get: () => detail.data },
  });
  page.dispatchEvent(event);
}

export function announceMessage(
  page: PageLike,
  event: string,
  data: unknown,
  channel: string,
): void {
  dispatch(page, PREFIX + event, { channel, data });
}

export function announceGap(page: PageLike, gap: Gap): void {
  dispatch(page, DOM_GAP_EVENT, { channel: null, data: gap });
}
