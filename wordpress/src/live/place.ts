/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keeps people where they are while a block changes under them. */

/**
 * Changes a block. The focus stays on its element, or goes to the block if that
 * is gone; what is read stays where it is in the window.
 */
export function keepPlace<T>(block: HTMLElement, change: () => T): T {
  const focused = document.activeElement;
  const selection = selectionOf(focused);
  const anchor = anchorIn(block);
  const top = anchor?.getBoundingClientRect().top ?? 0;
  const result = change();
  if (anchor?.isConnected) {
    window.scrollBy(0, anchor.getBoundingClientRect().top - top);
  }
  if (focused instanceof HTMLElement && focused !== document.body && focused !== document.activeElement) {
    focusAgain(focused, block, selection);
  }
  return result;
}

type Selected = readonly [from: number, to: number];

function selectionOf(element: Element | null): Selected | undefined {
  if (!(element instanceof HTMLInputElement || element instanceof HTMLTextAreaElement)) {
    return undefined;
  }
  const { selectionStart, selectionEnd } = element;
  return selectionStart === null || selectionEnd === null ? undefined : [selectionStart, selectionEnd];
}

function focusAgain(focused: HTMLElement, block: HTMLElement, selection?: Selected): void {
  if (!focused.isConnected) {
    // The next Tab goes on from the block, not from the top of the page.
    block.tabIndex = -1;
    block.focus({ preventScroll: true });
    return;
  }
  focused.focus({ preventScroll: true });
  if (selection) {
    (focused as HTMLInputElement).setSelectionRange(...selection);
  }
}

/** What is at the upper edge of the window, in browsers that do not anchor. */
function anchorIn(block: HTMLElement): Element | undefined {
  if (CSS.supports('overflow-anchor', 'auto') || window.scrollY === 0) {
    return undefined;
  }
  return [...block.querySelectorAll('li, p, h2, h3')].find(
    (element) => element.getBoundingClientRect().bottom > 0,
  );
}
