/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a page says about its relay. The shape is that of
 * `window.wpSignalConfig`; everything but the base URL may be left out.
 */

import type { Endpoints } from './transport/transport.js';
import type { TokenGrant } from './token.js';

export interface ClientOptions {
  /** The relay, as `https://host/path`; the scheme decides over TLS. */
  readonly baseUrl: string;
  /** Single endpoints elsewhere; what is left out follows from the base. */
  readonly endpoints?: Partial<Endpoints> | undefined;
  /** The token to begin with. Without one, the first is minted. */
  readonly token?: string | undefined;
  /** When that token ends, in seconds since the epoch. */
  readonly exp?: number | undefined;
  /** Channels to subscribe to from the start. */
  readonly channels?: readonly string[] | undefined;
  /** A REST namespace whose route `token` mints, answering a TokenGrant. */
  readonly restUrl?: string | undefined;
  /** WordPress's nonce for that route. */
  readonly nonce?: string | undefined;
  /** Where a new nonce is had when that one is over; answered as text. */
  readonly nonceUrl?: string | undefined;
  /**
   * The page is the same for all visitors: the token is asked for by a GET
   * without cookies, which a cache may answer for a minute.
   */
  readonly anonymous?: boolean | undefined;
  /** Instead of `restUrl`: any way to come by a token. */
  readonly mint?: (() => Promise<TokenGrant>) | undefined;
  /** Never a WebSocket. */
  readonly forceSSE?: boolean | undefined;
  /** 32 bytes in base64; opens sealed messages. */
  readonly encryptionKey?: string | undefined;
  /** False: a connection of its own for this tab. */
  readonly share?: boolean | undefined;
  /**
   * The script of the shared worker, of the page's own origin. Without it each
   * tab has a connection of its own, as it has with `mint`.
   */
  readonly workerUrl?: string | undefined;
  /**
   * Who the page is for, where no token says so; whatever tells the users and
   * the sessions of this origin apart. Pages of different ones share nothing.
   */
  readonly user?: string | undefined;
}

/** The endpoints of a relay. */
export function endpointsOf(options: ClientOptions): Endpoints {
  const base = options.baseUrl.replace(/\/+$/, '');
  return {
    ws: `${base.replace(/^http/i, 'ws')}/ws`,
    sse: `${base}/sse`,
    poll: `${base}/poll`,
    send: `${base}/send`,
    ...definedOnly(options.endpoints ?? {}),
  };
}

function definedOnly(endpoints: Partial<Endpoints>): Partial<Endpoints> {
  return Object.fromEntries(
    Object.entries(endpoints).filter(([, url]) => typeof url === 'string'),
  );
}
