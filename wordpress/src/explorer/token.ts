/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a token says, for reading. Nothing is verified: that is the relay's. Pure. */

import { REFRESH_AT_LIFE_SHARE } from '../../../client/src/config.js';

export interface Decoded {
  readonly header: Record<string, unknown>;
  readonly claims: Record<string, unknown>;
}

function part(text: string | undefined): Record<string, unknown> | undefined {
  try {
    const base64 = (text ?? '').replace(/-/g, '+').replace(/_/g, '/');
    const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
    const json: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return typeof json === 'object' && json !== null && !Array.isArray(json)
      ? (json as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

/** Undefined for what is no token. */
export function decode(token: string): Decoded | undefined {
  const parts = token.split('.');
  const header = part(parts[0]);
  const claims = part(parts[1]);
  return parts.length === 3 && header && claims ? { header, claims } : undefined;
}


export interface Times {
  /** Seconds; 0 if it is over. */
  readonly leftS: number;
  readonly refreshInS: number;
  /** From 0 to 1, of its life. */
  readonly leftShare: number;
}

export function timesOf(claims: Decoded['claims'], nowMs: number): Times {
  const exp = Number(claims.exp) || 0;
  const iat = Number(claims.iat) || 0;
  const life = Math.max(1, exp - iat);
  const nowS = nowMs / 1000;
  const left = Math.max(0, exp - nowS);
  return {
    leftS: Math.ceil(left),
    refreshInS: Math.max(0, Math.ceil(iat + life * REFRESH_AT_LIFE_SHARE - nowS)),
    leftShare: Math.min(1, left / life),
  };
}

/** 4:07 */
export function clock(seconds: number): string {
  const rest = String(seconds % 60).padStart(2, '0');
  return `${Math.floor(seconds / 60)}:${rest}`;
}

function list(value: unknown): string[] {
  return typeof value === 'object' && value !== null
    ? Object.values(value).filter((item): item is string => typeof item === 'string')
    : [];
}

export interface Right {
  /** Without the site before it; empty is everything. */
  readonly prefix: string;
  readonly read: boolean;
  readonly write: boolean;
}

/** Both lists as one, by prefix. */
export function rightsOf(claims: Decoded['claims']): Right[] {
  const site = `site:${String(claims.site_id)}:`;
  const bare = (name: string): string =>
    name.startsWith(site) ? name.slice(site.length) : name;
  const read = list(claims.allowed_channel_prefixes).map(bare);
  const write = list(claims.allowed_publish_prefixes).map(bare);
  return [...new Set([...read, ...write])].sort().map((prefix) => ({
    prefix,
    read: read.includes(prefix),
    write: write.includes(prefix),
  }));
}
