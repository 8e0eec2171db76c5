/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The connection's token: the one the page came with, and the minting of the
 * next ones.
 *
 * Promise   At most one request for a token at a time. A token is used until
 *           it is discarded or its life is over; how long that is, is measured
 *           by the token's own two times and not by this machine's clock
 *           alone, which may be hours off.
 * Errors    `acquire` and `mint` reject with a MintError; `refused` says that
 *           the site does not want us and asking again makes no sense.
 */

import { bytesOfBase64Url } from './base64.js';
import { HTTP } from './codes.js';
import { REFRESH_AT_LIFE_SHARE, TIMING } from './config.js';
import type { Platform } from './platform.js';
import { type Answer, requestJson } from './request.js';
import { isJsonObject, parseJson, textOrUndefined } from './wire.js';

/** What a mint answers, and what a page may carry. */
export interface TokenGrant {
  readonly token: string;
  /** Channels to subscribe to without being asked. */
  readonly channels?: readonly string[] | undefined;
  /** Seconds since the epoch; read from the token if left out. */
  readonly exp?: number | undefined;
  /** 32 bytes in base64, where the page did not bring them. */
  readonly encryptionKey?: string | undefined;
}

export interface TokenOptions {
  readonly embedded?: TokenGrant | undefined;
  /**
   * The REST namespace whose route `token` mints, or that route itself. Asked
   * by POST, answered by a TokenGrant.
   */
  readonly restUrl?: string | undefined;
  /** Sent as X-WP-Nonce unless it is empty. */
  readonly nonce?: string | undefined;
  /** Answers a new nonce, as text, while the one above is refused. */
  readonly nonceUrl?: string | undefined;
  /** The page is anybody's: GET a token that all visitors share. */
  readonly anonymous?: boolean | undefined;
  /** Replaces the route: any way to come by a token. */
  readonly mint?: (() => Promise<TokenGrant>) | undefined;
}

export class MintError extends Error {
  constructor(
    message: string,
    /** The site said no; do not ask again. */
    readonly refused: boolean,
  ) {
    super(message);
    this.name = 'MintError';
  }
}

/** What of a token's claims is of use on this side. */
export interface Claims {
  readonly issuedAtS: number | undefined;
  readonly expiresAtS: number | undefined;
  readonly siteId: string | undefined;
  readonly userId: string | undefined;
}

function finite(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value)
    ? value
    : undefined;
}

/**
 * Reads a token's claims; all undefined for what is not a token. Nothing is
 * verified: that is the relay's, who holds the secret.
 */
export function claimsOf(token: string): Claims {
  const bytes = bytesOfBase64Url(token.split('.')[1] ?? '');
  const json = bytes && parseJson(new TextDecoder().decode(bytes));
  const claims = isJsonObject(json) ? json : {};
  return {
    issuedAtS: finite(claims.iat),
    expiresAtS: finite(claims.exp),
    siteId: textOrUndefined(claims.site_id),
    userId: textOrUndefined(claims.user_id),
  };
}

/** The part of a REST URL that names the route: also with plain permalinks. */
const ROUTE = /^(?:.*[?&]rest_route=[^&]*|[^?]*)/;

/** `restUrl` as WordPress gives it; plugins for languages add to its query. */
export function tokenRouteOf(restUrl: string): string {
  return restUrl.replace(
    ROUTE,
    (route) => `${route.replace(/(?:\/token)?\/*$/, '')}/token`,
  );
}

/** A list, or the object a careless filter on the server made of it. */
function channelsOf(value: unknown): string[] {
  const values: unknown[] =
    typeof value === 'object' && value !== null ? Object.values(value) : [];
  return values.filter((name): name is string => typeof name === 'string');
}

interface Held {
  readonly token: string;
  readonly encryptionKey: string | undefined;
  readonly channels: readonly string[];
  readonly endsAtMs: number;
  readonly refreshAtMs: number;
}

export class TokenKeeper {
  private held: Held | undefined;
  private minting: Promise<Held> | undefined;
  private nonce: string | undefined;
  /** The relay has refused one: what a cache holds may be of no use. */
  private cacheDoubted = false;

  constructor(
    private readonly options: TokenOptions,
    private readonly platform: Platform,
  ) {
    this.nonce = options.nonce;
    if (options.embedded?.token) {
      this.held = this.hold(options.embedded, true);
    }
  }

  get token(): string {
    return this.held?.token ?? '';
  }

  /** The site the token is for, if it says so. */
  get siteId(): string | undefined {
    return claimsOf(this.token).siteId;
  }

  get channels(): readonly string[] {
    return this.held?.channels ?? [];
  }

  get encryptionKey(): string | undefined {
    return this.held?.encryptionKey;
  }

  /** Whether there is any way to a second token. */
  get canMint(): boolean {
    const { mint, restUrl } = this.options;
    return mint !== undefined || (restUrl !== undefined && restUrl !== '');
  }

  /** How long until a new token is due; 0 if it is overdue. */
  get refreshInMs(): number {
    const dueMs = (this.held?.refreshAtMs ?? 0) - this.platform.clock.now();
    return Math.max(0, dueMs);
  }

  /** The relay refused it; the next `acquire` mints. */
  discard(): void {
    this.held = undefined;
    this.cacheDoubted = true;
  }

  /** Makes sure there is a token that may be used. */
  async acquire(): Promise<void> {
    const now = this.platform.clock.now();
    if (this.held && (this.held.endsAtMs > now || !this.canMint)) {
      return;
    }
    await this.mint();
  }

  /** Asks for a new token, whatever is left of the old one. */
  async mint(): Promise<void> {
    this.minting ??= this.request();
    try {
      this.held = await this.minting;
    } finally {
      this.minting = undefined;
    }
  }

  private async request(): Promise<Held> {
    const { mint, restUrl } = this.options;
    if (mint) {
      return this.hold(await mint(), false);
    }
    if (!restUrl) {
      throw new MintError('there is no way to a new token', true);
    }
    const answer = await this.ask(tokenRouteOf(restUrl));
    // WordPress hands the next nonce along before the old one runs out.
    this.nonce = answer.headers?.get('X-WP-Nonce') ?? this.nonce;
    const { status, json } = answer;
    if (status === HTTP.unauthorized || status === HTTP.forbidden) {
      throw new MintError('the site gives out no token', true);
    }
    if (!isJsonObject(json) || typeof json.token !== 'string' || status !== 200) {
      throw new MintError(`no token in the answer (${status})`, false);
    }
    return this.hold(
      {
        token: json.token,
        exp: finite(json.exp),
        channels: channelsOf(json.channels),
        encryptionKey: textOrUndefined(json.encryptionKey),
      },
      false,
    );
  }

  private async ask(url: string): Promise<Answer> {
    const { platform, options } = this;
    if (options.anonymous) {
      return requestJson(platform, this.cacheDoubted ? this.unseen(url) : url, {
        credentials: 'omit',
        cache: 'default',
      });
    }
    const answer = await this.askAsUser(url);
    if (answer.status !== HTTP.forbidden || !this.nonce || !options.nonceUrl) {
      return answer;
    }
    const renewed = await requestJson(platform, options.nonceUrl, {
      credentials: 'same-origin',
    });
    const { status, text } = renewed;
    if (status === 200 && /^[0-9a-z]{6,40}$/i.test(text)) {
      this.nonce = text;
      return this.askAsUser(url);
    }
    // Nobody is logged in, or nobody knows: then it is asked again later.
    return status > 0 && status < HTTP.tooMany ? answer : renewed;
  }

  /**
   * A name that no cache can have held for long, whatever it makes of
   * max-age, and yet the same for a crowd that was refused at once.
   */
  private unseen(url: string): string {
    const slot = Math.floor(this.platform.clock.now() / TIMING.cacheSlotMs);
    return `${url}${url.includes('?') ? '&' : '?'}_=${slot}`;
  }

  private askAsUser(url: string): Promise<Answer> {
    return requestJson(this.platform, url, {
      method: 'POST',
      credentials: 'same-origin',
      headers: this.nonce ? { 'X-WP-Nonce': this.nonce } : {},
    });
  }

  /**
   * A minted token is new: its life is `exp - iat`, starting now. One that
   * came with the page may be older, so there the clock is asked as well.
   */
  private hold(grant: TokenGrant, mayBeOld: boolean): Held {
    const now = this.platform.clock.now();
    const times = claimsOf(grant.token);
    const expiresAtS = finite(grant.exp) ?? times.expiresAtS;
    const leftMs =
      expiresAtS === undefined ? TIMING.unknownLifeMs : expiresAtS * 1000 - now;
    const wholeMs =
      expiresAtS === undefined || times.issuedAtS === undefined
        ? undefined
        : (expiresAtS - times.issuedAtS) * 1000;
    // One for all may have been in a cache.
    const agedMs = this.options.anonymous ? TIMING.sharedTokenAgeMs : 0;
    const saidMs = mayBeOld
      ? Math.min(leftMs, wholeMs ?? leftMs)
      : (wholeMs ?? Math.max(leftMs, TIMING.refreshAheadMs)) - agedMs;
    const lifeMs = Math.min(saidMs, TIMING.longestLifeMs);
    const refreshInMs = Math.max(
      Math.min(
        lifeMs * REFRESH_AT_LIFE_SHARE,
        lifeMs - TIMING.refreshAheadMs,
      ),
      TIMING.refreshFloorMs,
    );
    return {
      token: grant.token,
      encryptionKey: grant.encryptionKey,
      channels: channelsOf(grant.channels),
      endsAtMs: now + lifeMs,
      refreshAtMs: now + refreshInMs,
    };
  }
}
