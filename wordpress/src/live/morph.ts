/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Makes one tree of the page like another, touching as little as it can.
 *
 * Promise   What the server sent alike twice stays as it is, also where scripts
 *           have changed it since. Elements that are in both trees stay the same
 *           objects. A form that somebody writes in is neither changed nor
 *           removed, nor is the comment form, wherever it was moved to.
 */

import { isWrittenIn } from './fields.js';

interface Said {
  readonly all: string;
  readonly tag: string;
}

/** What the server said of an element: the whole of it, and its own tag. */
const said = new WeakMap<Element, Said>();

const saying = (element: Element): Said => ({
  all: element.outerHTML,
  tag: (element.cloneNode(false) as Element).outerHTML,
});

/** Remembers a tree as the server sent it. */
export function remember(element: Element): void {
  said.set(element, saying(element));
  for (const child of element.children) {
    remember(child);
  }
}

/** Whether the server now says something else of an element. */
export const differs = (element: Element, to: Element): boolean =>
  said.get(element)?.all !== to.outerHTML;

const isElement = (node: Node): node is Element => node.nodeType === Node.ELEMENT_NODE;

/** By what an element is known again among its siblings. */
function keyOf(node: Node): string | undefined {
  if (!isElement(node)) {
    return undefined;
  }
  const key = node.getAttribute('data-wp-key') || node.id;
  if (key || node.localName !== 'li') {
    return key || undefined;
  }
  // An item of a Query Loop by its post, one of Latest Posts by its address.
  return (
    /(?:^|\s)(post-\d+)(?:\s|$)/.exec(node.className)?.[1] ??
    node.querySelector('a[href]')?.getAttribute('href') ??
    undefined
  );
}

/** The comment form, and what holds its place while it is at a comment. */
const RESPOND = '#respond';
const PLACE = '#wp-temp-form-div';

interface Work {
  /** What must stay as and where it is. */
  readonly pinned: ReadonlySet<Element>;
  readonly added: Element[];
  isChanged: boolean;
}

function pinnedIn(root: Element, to: Element): Set<Element> {
  const pinned = new Set(root.querySelectorAll(PLACE));
  const respond = root.querySelector(RESPOND);
  // Comments may have been closed: then an empty form goes.
  if (respond && (pinned.size > 0 || isWrittenIn(respond) || to.querySelector(RESPOND))) {
    pinned.add(respond);
  }
  for (const form of root.querySelectorAll('form')) {
    if (isWrittenIn(form)) {
      pinned.add(form);
    }
  }
  return pinned;
}

const holdsPinned = (node: Node, { pinned }: Work) => [...pinned].some((one) => node.contains(one));

/**
 * Whoever answers a comment that is gone answers the post; the text stays. The
 * page's own link does it, so that the script it belongs to knows.
 */
function leaveWhatIsGone(from: Element, to: Element): void {
  const parent = from.querySelector<HTMLInputElement>(`${RESPOND} [name="comment_parent"]`);
  const id = Number(parent?.value) || 0;
  if (id > 0 && !to.querySelector(`#comment-${id}, #div-comment-${id}`)) {
    from.querySelector<HTMLElement>('#cancel-comment-reply-link')?.click();
  }
}

/**
 * Makes `from`, in the page, like `to`, which is taken apart. Returns what is
 * new, null if nothing changed.
 */
export function morph(from: Element, to: Element): Element[] | null {
  if (!differs(from, to)) {
    return null;
  }
  leaveWhatIsGone(from, to);
  const work: Work = { pinned: pinnedIn(from, to), added: [], isChanged: false };
  morphElement(from, to, work);
  return work.isChanged ? work.added : null;
}

function morphElement(from: Element, to: Element, work: Work): void {
  const was = said.get(from);
  const now = saying(to);
  if (was?.all === now.all) {
    return;
  }
  said.set(from, now);
  if (was?.tag !== now.tag) {
    morphAttributes(from, to);
    work.isChanged = true;
  }
  morphChildren(from, to, work);
}

function morphAttributes(from: Element, to: Element): void {
  for (const { name } of [...from.attributes]) {
    if (!to.hasAttribute(name)) {
      from.removeAttribute(name);
    }
  }
  for (const { name, value } of to.attributes) {
    if (from.getAttribute(name) !== value) {
      from.setAttribute(name, value);
    }
  }
}

/** A new child, and the old one that it continues. */
type Pair = readonly [fresh: Node, old: Node | undefined];

function pairsOf(from: Element, to: Element, work: Work): Pair[] {
  const keyed = new Map<string, Node>();
  const loose: Node[] = [];
  for (const old of from.childNodes) {
    const key = keyOf(old);
    if (isElement(old) && work.pinned.has(old)) {
      continue;
    }
    if (key !== undefined && !keyed.has(key)) {
      keyed.set(key, old);
    } else {
      loose.push(old);
    }
  }
  return [...to.childNodes].map((fresh) => [fresh, partner(fresh, keyed, loose)]);
}

function partner(fresh: Node, keyed: Map<string, Node>, loose: Node[]): Node | undefined {
  const key = keyOf(fresh);
  if (key !== undefined) {
    const found = keyed.get(key);
    keyed.delete(key);
    return found?.nodeName === fresh.nodeName ? found : undefined;
  }
  const at = loose.findIndex((old) => old.nodeName === fresh.nodeName);
  // Those before it have no counterpart: they go.
  return at < 0 ? undefined : loose.splice(0, at + 1)[at];
}

const isSeen = (node: Node) => isElement(node) || (node.nodeValue ?? '').trim() !== '';

function morphChildren(from: Element, to: Element, work: Work): void {
  const pairs = pairsOf(from, to, work);
  const kept = new Set(pairs.map(([, old]) => old));
  for (const old of [...from.childNodes]) {
    if (!kept.has(old) && !holdsPinned(old, work)) {
      work.isChanged ||= isSeen(old);
      old.remove();
    }
  }
  let cursor: Node | null = from.firstChild;
  for (const [fresh, old] of pairs) {
    // What stays only because it is pinned keeps its place.
    while (cursor && !kept.has(cursor as ChildNode)) {
      cursor = cursor.nextSibling;
    }
    if (!old) {
      insert(from, fresh, cursor, work);
      continue;
    }
    if (old === cursor) {
      cursor = cursor.nextSibling;
    } else {
      from.insertBefore(old, cursor);
      work.isChanged = true;
    }
    update(old, fresh, work);
  }
}

/** Whether a new element is a pinned one's counterpart. */
function isPinnedAlready(fresh: Node, { pinned }: Work): boolean {
  return [...pinned].some((one) =>
    one.id
      ? one.id === (fresh as Element).id
      : one instanceof HTMLFormElement &&
        fresh instanceof HTMLFormElement &&
        one.action === fresh.action,
  );
}

function insert(into: Element, fresh: Node, before: Node | null, work: Work): void {
  if (isElement(fresh)) {
    if (isPinnedAlready(fresh, work)) {
      return;
    }
    // The same form deeper inside would be there twice.
    for (const { id } of work.pinned) {
      if (id) {
        fresh.querySelector(`#${CSS.escape(id)}`)?.remove();
      }
    }
    remember(fresh);
    work.added.push(fresh);
  }
  work.isChanged ||= isSeen(fresh);
  into.insertBefore(document.adoptNode(fresh), before);
}

function update(old: Node, fresh: Node, work: Work): void {
  if (isElement(old) && isElement(fresh)) {
    morphElement(old, fresh, work);
  } else if (old.nodeValue !== fresh.nodeValue) {
    old.nodeValue = fresh.nodeValue;
    work.isChanged = true;
  }
}
