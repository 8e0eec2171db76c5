/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Live blocks of a page: hears of changes, asks what the blocks show now, and
 * puts it in place.
 *
 * Events only say that something changed. What is shown comes from the answer,
 * which the server makes for whoever asks.
 */

import { type Answer, Source } from './answer.js';
import { isWrittenIn } from './fields.js';
import { differs, morph, remember } from './morph.js';
import { keepPlace } from './place.js';
import { concerns, digest, EVENTS, type Mark, parseMark, Plan } from './plan.js';

/** What PHP says: Live_Page::print_status(). */
interface Settings {
  readonly argument: string;
  readonly stamp: number;
  readonly user: boolean;
  readonly spread: number;
  readonly posts: string;
  readonly comments: string;
}

export interface Means {
  /** Has a screen reader say a text. */
  readonly say: (text: string) => void;
  /** Has the router show a page; false if it cannot. Left out, there is none. */
  readonly route?: (html: string) => Promise<boolean>;
}

interface Block extends Mark {
  readonly element: HTMLElement;
}

const STATUS = 'wordsocket-live';
const MARK = 'data-wordsocket-live';
const NEW = 'wordsocket-live-new';
const GLOW_MS = 2500;

/** Outermost blocks: what is inside another comes with it. */
const blocksOf = (): Block[] =>
  [...document.querySelectorAll<HTMLElement>(`[${MARK}]`)]
    .filter((element) => !element.parentElement?.closest(`[${MARK}]`))
    .flatMap((element) => {
      const mark = parseMark(element.getAttribute(MARK));
      return mark ? [{ ...mark, element }] : [];
    });

const parse = (html: string): Element | null =>
  new DOMParser().parseFromString(html, 'text/html').body.firstElementChild;

/** The last one of the page is PHP's: what somebody wrote into a post comes before. */
export const statusOf = (): HTMLElement | undefined =>
  [...document.querySelectorAll<HTMLElement>(`#${STATUS}`)].pop();

/** Starts; the lever asks anew. Nothing where PHP left no settings. */
export function start(means: Means): { refresh: () => void } | undefined {
  const settings = statusOf()?.dataset.settings;
  if (!settings) {
    return undefined;
  }
  const live = new Live(JSON.parse(settings) as Settings, means);
  live.listen();
  return { refresh: live.refresh };
}

class Live {
  private stamp: number;
  private readonly source: Source;
  private readonly plan: Plan;
  /** An answer that the router has to show, once nobody writes on the page. */
  private held: { readonly answer: Answer; readonly href: string } | undefined;
  /** HTML that the router was handed for a block. */
  private readonly handed = new WeakMap<HTMLElement, string>();

  constructor(
    private readonly settings: Settings,
    private readonly means: Means,
  ) {
    this.stamp = settings.stamp;
    this.source = new Source(settings.argument, settings.user);
    this.plan = new Plan({
      ask: (news) => this.ask(news),
      spreadMs: settings.spread,
      visible: () => document.visibilityState === 'visible',
      later: (act, ms) => setTimeout(act, ms),
      random: Math.random,
    });
  }

  listen(): void {
    for (const { element } of blocksOf()) {
      remember(element);
    }
    // Of the document: they come whether the client was there before or not.
    for (const event of EVENTS) {
      document.addEventListener(`wpsignal:${event}`, (message) => {
        this.hear(event, (message as CustomEvent<{ data?: unknown } | null>).detail?.data);
      });
    }
    document.addEventListener('wpsignal:wps.gap', this.refresh);
    // A trigger that the site's owner made may call its events otherwise.
    window.WPS?.onMessage((event, data) => {
      const about = data as { post_id?: unknown; post_type?: unknown } | null;
      if (!EVENTS.includes(event) && about?.post_id && about.post_type) {
        this.hear('post.updated', data);
      }
    });
    document.addEventListener('visibilitychange', () => this.plan.look());
    document.addEventListener('focusout', () => setTimeout(() => void this.showHeld()));
  }

  readonly refresh = (): void => this.plan.hear('refresh');

  private hear(event: string, data: unknown): void {
    if (blocksOf().some((block) => concerns(block, event, data))) {
      this.plan.hear(`${event} ${JSON.stringify(data)}`);
    }
  }

  private async ask(news: string): Promise<boolean> {
    const answer = await this.source.ask(digest(`${this.stamp} ${news}`), this.stamp);
    if (!answer) {
      return false;
    }
    this.plan.spreadMs = answer.spread ?? this.plan.spreadMs;
    if (answer.stamp >= this.stamp) {
      this.stamp = answer.stamp;
      await this.show(answer);
    }
    return true;
  }

  private async show(answer: Answer): Promise<void> {
    this.held = undefined;
    const blocks = blocksOf().filter(({ id }) => answer.blocks[id] !== undefined);
    const owned = blocks.filter((block) => block.owned && this.means.route);
    const changed = blocks.filter((block) => !owned.includes(block) && this.replace(block, answer));
    this.tell([...changed, ...(await this.hand(owned, answer))]);
  }

  /** Changes one block; whether there was something to change. */
  private replace({ element, id }: Block, answer: Answer): boolean {
    const to = parse(answer.blocks[id] ?? '');
    if (to?.localName !== element.localName) {
      return false;
    }
    const added = keepPlace(element, () => morph(element, to));
    added?.filter((one) => one.localName === 'li').forEach(glow);
    return added !== null;
  }

  /** Has the router change what it owns; returns what changed. */
  private async hand(owned: Block[], answer: Answer): Promise<Block[]> {
    const fresh = owned.filter((block) => this.isNews(block, answer));
    if (fresh.length === 0 || answer.page === undefined) {
      return [];
    }
    // It would reset fields, and reload the page when something goes wrong.
    if (isWrittenIn(document)) {
      this.held = { answer, href: window.location.href };
      return [];
    }
    if (!(await this.means.route?.(answer.page))) {
      return fresh.filter((block) => this.replace(block, answer));
    }
    for (const { element, id } of fresh) {
      this.handed.set(element, answer.blocks[id] ?? '');
    }
    return fresh;
  }

  private isNews({ element, id }: Block, answer: Answer): boolean {
    const html = answer.blocks[id] ?? '';
    const handed = this.handed.get(element);
    const to = handed === undefined ? parse(html) : null;
    return to ? differs(element, to) : handed !== html;
  }

  private async showHeld(): Promise<void> {
    const { held } = this;
    if (!held || isWrittenIn(document)) {
      return;
    }
    this.held = undefined;
    if (held.href === window.location.href) {
      await this.show(held.answer);
    }
  }

  private tell(changed: Block[]): void {
    const { posts, comments } = this.settings;
    const texts = new Set(changed.map(({ post }) => (post ? comments : posts)));
    if (texts.size > 0) {
      this.means.say([...texts].join(' '));
    }
    for (const { element } of changed) {
      element.dispatchEvent(new CustomEvent('wordsocket:live', { bubbles: true }));
    }
  }
}

function glow(element: Element): void {
  element.classList.add(NEW);
  setTimeout(() => {
    element.classList.remove(NEW);
    if (!element.className) {
      element.removeAttribute('class');
    }
  }, GLOW_MS);
}
