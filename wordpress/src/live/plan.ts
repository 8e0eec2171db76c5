/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which events a live block asks after, and when a page asks. */

/** Earlier would be before the events of one click have come together. */
export const LEAST_MS = 250;

/** How often a page asks again after an answer that failed. */
export const RETRIES = 3;

const POSTS = ['post.created', 'post.updated', 'post.deleted'];
const COMMENTS = ['comment.created', 'comment.updated', 'comment.deleted'];

/** The events that are known to say what they are about. */
export const EVENTS: readonly string[] = [...POSTS, ...COMMENTS];

/** What a block shows, as PHP says it: Live_Blocks::shows(). */
export interface Shown {
  /** Null is any post type. */
  readonly types: readonly string[] | null;
  readonly comments: boolean;
  /** Whose comments; 0 is anybody's. */
  readonly post: number;
}

/** A mark as PHP writes it: Live_Blocks::mark(). */
export interface Mark extends Shown {
  readonly id: string;
  /** Whether only the router may change the block. */
  readonly owned: boolean;
}

/** Undefined if it is none: whoever writes a post may write such attributes. */
export function parseMark(text: string | null): Mark | undefined {
  try {
    const { id, owned, types, comments, post } = JSON.parse(text ?? '') as Partial<Mark>;
    const isList = types === null || (Array.isArray(types) && types.every((one) => typeof one === 'string'));
    return typeof id === 'string' && isList
      ? { id, owned: owned === true, types, comments: comments === true, post: Number(post) || 0 }
      : undefined;
  } catch {
    return undefined;
  }
}

interface About {
  readonly post_id?: unknown;
  readonly post_type?: unknown;
}

/**
 * Whether a block may look different after an event. What the event does not
 * say counts as a yes: the answer is compared before anything is touched.
 */
export function concerns(block: Shown, event: string, data: unknown): boolean {
  const about = (data ?? {}) as About;
  if (COMMENTS.includes(event)) {
    const post = Number(about.post_id) || 0;
    return block.comments && (!block.post || !post || block.post === post);
  }
  if (!POSTS.includes(event)) {
    return false;
  }
  const type = about.post_type;
  if (!block.types) {
    return true;
  }
  return typeof type === 'string' ? block.types.includes(type) : block.types.length > 0;
}

/** A short text that two pages make alike of the same text; 53 bits. */
export function digest(text: string): string {
  let high = 0xdeadbeef;
  let low = 0x41c6ce57;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    high = Math.imul(high ^ code, 2654435761);
    low = Math.imul(low ^ code, 1597334677);
  }
  const mix = (one: number, other: number) =>
    Math.imul(one ^ (one >>> 16), 2246822507) ^ Math.imul(other ^ (other >>> 13), 3266489909);
  [high, low] = [mix(high, low), mix(low, high)];
  return (4294967296 * (2097151 & low) + (high >>> 0)).toString(36);
}

export interface PlanParts {
  /** Asks; false if it failed. */
  readonly ask: (news: string) => Promise<boolean>;
  /** The moment of a page is somewhere within this. */
  readonly spreadMs: number;
  /** Whether somebody looks at the page. */
  readonly visible: () => boolean;
  readonly later: (act: () => void, ms: number) => unknown;
  readonly random: () => number;
}

/**
 * Decides when a page asks: not before its own moment within the spread, not
 * twice at once, not while nobody looks. What comes meanwhile shares an answer.
 */
export class Plan {
  spreadMs: number;
  private news: string | undefined;
  private isPlanned = false;
  private isAsking = false;
  private failures = 0;

  constructor(private readonly parts: PlanParts) {
    this.spreadMs = parts.spreadMs;
  }

  /** Something changed. `news` names it, alike on every page. */
  hear(news: string): void {
    this.news = news;
    // A server that is in trouble is not asked as if it were not.
    this.failures = Math.min(this.failures, 1);
    this.look();
  }

  /** Plans the next question, if there is one; to be called when somebody looks again. */
  look(): void {
    if (this.news === undefined || this.isPlanned || this.isAsking || !this.parts.visible()) {
      return;
    }
    const wait = (LEAST_MS + this.parts.random() * this.spreadMs) * 4 ** this.failures;
    this.isPlanned = true;
    this.parts.later(() => void this.go(), wait);
  }

  private async go(): Promise<void> {
    this.isPlanned = false;
    if (this.news === undefined || !this.parts.visible()) {
      return;
    }
    const news = this.news;
    this.news = undefined;
    this.isAsking = true;
    const isAnswered = await this.parts.ask(news).catch(() => false);
    this.isAsking = false;
    this.failures = isAnswered ? 0 : this.failures + 1;
    if (!isAnswered && this.failures <= RETRIES) {
      this.news ??= news;
    }
    this.look();
  }
}
