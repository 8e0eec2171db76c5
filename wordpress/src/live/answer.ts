/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Asks a page's own address for what its live blocks show now. */

export interface Answer {
  /** Grows with every change; see Live_Stamp in PHP. */
  readonly stamp: number;
  /** HTML of each block. */
  readonly blocks: Readonly<Record<string, string>>;
  /** All of the page, if a block of it is the router's. */
  readonly page?: string;
  readonly spread?: number;
}

const PATIENCE_MS = 15000;

/** Cookies by which WordPress may show somebody another page than others. */
const PERSONAL = /(?:^|;\s*)(?:wordpress_logged_in|wp-postpass_|comment_author_)/;

const noise = () => Math.random().toString(36).slice(2);

export class Source {
  /** Whether nothing comes without cookies: a site behind the server's own password. */
  private needsCookies = false;

  constructor(
    private readonly argument: string,
    private readonly isUser: boolean,
  ) {}

  /** Whether the answer is for one person, and no cache may give it to others. */
  private get isPersonal(): boolean {
    return this.isUser || this.needsCookies || PERSONAL.test(document.cookie);
  }

  /**
   * The answer. `version` is the same for everybody who asks for the same
   * reason, so that a cache in front makes one question of all. What it kept
   * from before, `known` or older, is no news: then past it.
   */
  async ask(version: string, known: number): Promise<Answer | undefined> {
    if (this.isPersonal) {
      return this.fetch(`u-${noise()}`, 'same-origin');
    }
    const answer = await this.fetch(version, 'omit');
    return answer && answer.stamp <= known ? this.fetch(`${version}-${noise()}`, 'omit') : answer;
  }

  private async fetch(version: string, credentials: RequestCredentials): Promise<Answer | undefined> {
    const url = new URL(window.location.href);
    url.hash = '';
    url.searchParams.set(this.argument, version);
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), PATIENCE_MS);
    try {
      const response = await fetch(url.href, {
        credentials,
        headers: { Accept: 'application/json' },
        signal: stop.signal,
      });
      this.needsCookies ||= response.status === 401;
      const type = response.headers.get('Content-Type') ?? '';
      if (response.status >= 500 || !type.startsWith('application/json')) {
        return undefined;
      }
      const answer = (await response.json()) as Partial<Answer> | null;
      return typeof answer?.stamp === 'number' && answer.blocks ? (answer as Answer) : undefined;
    } finally {
      clearTimeout(timer);
    }
  }
}
