/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who somebody is, in WordPress's word. The page makes a key pair of its own and
 * sends the public half along when it asks for rooms. WordPress answers with a
 * badge: user, that key and an end, signed by the site; see class-badge.php.
 *
 * What is said of oneself is sent as: signature, 64 bytes | length of the badge,
 * 16 bit, big-endian | badge, ASCII | awareness update. The page's key signs the
 * channel's name, a zero byte, and all that follows the signature: nothing of it
 * fits another room or another badge.
 */

/** As the editor is told of its own user, by /wp/v2/users/me. */
export interface Identity {
  readonly id: number;
  readonly name: string;
  readonly slug: string;
  readonly avatar_urls: { readonly [size: string]: string };
}

/** An awareness update, and whose word it is. */
export interface Said {
  readonly user: Identity;
  readonly update: Uint8Array;
}

interface Claims {
  readonly site: string;
  readonly blog: number;
  readonly user: Identity;
  /** Public half of the page's key, raw in base64. */
  readonly key: string;
  /** Seconds of Unix time, by WordPress's clock. */
  readonly iat: number;
  readonly exp: number;
}

interface Known {
  readonly user: Identity;
  readonly exp: number;
  readonly key: CryptoKey;
}

const VERSION = 1;
const SIGNATURE_BYTES = 64;
const HEAD_BYTES = SIGNATURE_BYTES + 2;
const MAX_BADGE = 8192;
const BADGE = /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]{86})$/;

/** Badges of others that were looked at; the oldest make room. */
const MAX_KNOWN = 128;
const SLACK_S = 60;

const KEY: EcKeyImportParams = { name: 'ECDSA', namedCurve: 'P-256' };
const SIGN: EcdsaParams = { name: 'ECDSA', hash: 'SHA-256' };

type Bytes = Uint8Array<ArrayBuffer>;

function bytesOf(base64: string): Bytes {
  const plain = base64.replace(/-/g, '+').replace(/_/g, '/');
  return Uint8Array.from(atob(plain), (char) => char.charCodeAt(0));
}

function isIdentity(user: Partial<Identity> | undefined): user is Identity {
  const urls = user?.avatar_urls;
  return (
    Number.isSafeInteger(user?.id) &&
    typeof user?.name === 'string' &&
    typeof user.slug === 'string' &&
    typeof urls === 'object' &&
    urls !== null &&
    Object.values(urls).every((url) => typeof url === 'string')
  );
}

/** Undefined for what is no badge of a version known here. */
function claimsOf(base64url: string): Claims | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytesOf(base64url));
    const read = JSON.parse(text) as Partial<Claims> & { v?: unknown };
    const { site, blog, user, key, iat, exp } = read;
    return read.v === VERSION &&
      typeof site === 'string' &&
      typeof blog === 'number' &&
      typeof key === 'string' &&
      typeof iat === 'number' &&
      typeof exp === 'number' &&
      isIdentity(user)
      ? { site, blog, user, key, iat, exp }
      : undefined;
  } catch {
    return undefined;
  }
}

/** What the page's key signs. */
function signedBytes(channel: string, rest: Uint8Array): Bytes {
  const name = new TextEncoder().encode(channel);
  const bytes = new Uint8Array(name.length + 1 + rest.length);
  bytes.set(name);
  bytes.set(rest, name.length + 1);
  return bytes;
}

export class Badges {
  private pair: Promise<CryptoKeyPair | undefined> | undefined;
  /** Public half of the pair. */
  private half: string | undefined;
  private own: { readonly text: string; readonly claims: Claims } | undefined;
  private issuer: { readonly text: string; readonly key: Promise<CryptoKey> } | undefined;
  /** WordPress's clock less the one here, in milliseconds. */
  private ahead = 0;
  private readonly known = new Map<string, Known>();

  /**
   * `now` is Unix time in milliseconds, right or wrong. `stranger` is what
   * everybody is called who did not show a badge.
   */
  constructor(
    private readonly crypto: Crypto,
    private readonly now: () => number,
    readonly stranger: Identity,
  ) {}

  /** For WordPress to make a badge of; undefined where a page cannot sign. */
  async key(): Promise<string | undefined> {
    this.pair ??= this.makePair();
    await this.pair;
    return this.half;
  }

  /** What WordPress answered to that key; again at each renewal. */
  take(badge: string, issuer: string): void {
    const claims = claimsOf(BADGE.exec(badge)?.[1] ?? '');
    if (!claims || claims.key !== this.half || badge.length > MAX_BADGE) {
      return;
    }
    if (issuer !== this.issuer?.text) {
      const key = this.importKey(issuer);
      // Looked at with every badge; without this it would be reported as unhandled.
      key.catch(() => {});
      this.issuer = { text: issuer, key };
      this.known.clear();
    }
    this.own = { text: badge, claims };
    this.ahead = claims.iat * 1000 - this.now();
  }

  /** Whether this page has a badge, and so can tell those of others. */
  get isReady(): boolean {
    return this.own !== undefined;
  }

  /** Undefined without a badge. Never rejects, and neither does verify(). */
  async sign(channel: string, update: Uint8Array): Promise<Uint8Array | undefined> {
    const { own } = this;
    const pair = await this.pair;
    if (!own || !pair) {
      return undefined;
    }
    const data = new Uint8Array(HEAD_BYTES + own.text.length + update.length);
    new DataView(data.buffer).setUint16(SIGNATURE_BYTES, own.text.length);
    data.set(new TextEncoder().encode(own.text), HEAD_BYTES);
    data.set(update, HEAD_BYTES + own.text.length);
    try {
      const signature = await this.crypto.subtle.sign(
        SIGN,
        pair.privateKey,
        signedBytes(channel, data.subarray(SIGNATURE_BYTES)),
      );
      data.set(new Uint8Array(signature));
      return data;
    } catch {
      return undefined;
    }
  }

  /** Undefined for what nobody of this site said in this room. */
  async verify(channel: string, data: Uint8Array): Promise<Said | undefined> {
    if (data.length < HEAD_BYTES) {
      return undefined;
    }
    const length = new DataView(data.buffer, data.byteOffset).getUint16(SIGNATURE_BYTES);
    const end = HEAD_BYTES + length;
    if (length > MAX_BADGE || data.length < end) {
      return undefined;
    }
    try {
      const text = String.fromCharCode(...data.subarray(HEAD_BYTES, end));
      const badge = this.known.get(text) ?? (await this.look(text));
      const isRight =
        badge !== undefined &&
        !this.isOver(badge.exp) &&
        (await this.crypto.subtle.verify(
          SIGN,
          badge.key,
          data.slice(0, SIGNATURE_BYTES),
          signedBytes(channel, data.subarray(SIGNATURE_BYTES)),
        ));
      return isRight ? { user: badge.user, update: data.subarray(end) } : undefined;
    } catch {
      return undefined;
    }
  }

  /** At a badge that was not seen before; undefined if it is not of this site. */
  private async look(text: string): Promise<Known | undefined> {
    const { own, issuer } = this;
    const [, said, signature] = BADGE.exec(text) ?? [];
    const claims = claimsOf(said ?? '');
    if (
      !own ||
      !issuer ||
      !claims ||
      !said ||
      !signature ||
      claims.site !== own.claims.site ||
      claims.blog !== own.claims.blog
    ) {
      return undefined;
    }
    const isRight = await this.crypto.subtle.verify(
      SIGN,
      await issuer.key,
      bytesOf(signature),
      new TextEncoder().encode(said),
    );
    if (!isRight || issuer !== this.issuer) {
      return undefined;
    }
    const { user, exp } = claims;
    const known = { user, exp, key: await this.importKey(claims.key) };
    for (const oldest of this.known.keys()) {
      if (this.known.size < MAX_KNOWN) {
        break;
      }
      this.known.delete(oldest);
    }
    this.known.set(text, known);
    return known;
  }

  private isOver(exp: number): boolean {
    return (this.now() + this.ahead) / 1000 > exp + SLACK_S;
  }

  private importKey(base64: string): Promise<CryptoKey> {
    return this.crypto.subtle.importKey('raw', bytesOf(base64), KEY, false, ['verify']);
  }

  private async makePair(): Promise<CryptoKeyPair | undefined> {
    // A page that came without TLS has none.
    const subtle = this.crypto.subtle as SubtleCrypto | undefined;
    try {
      const pair = await subtle?.generateKey(KEY, false, ['sign', 'verify']);
      if (subtle && pair) {
        const raw = new Uint8Array(await subtle.exportKey('raw', pair.publicKey));
        this.half = btoa(String.fromCharCode(...raw));
      }
      return pair;
    } catch {
      return undefined;
    }
  }
}
