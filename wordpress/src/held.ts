/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Channels that this screen adds to the page's own. The connection is shared by
 * all tabs, so they are given back when what needs them is gone.
 */

/** Every page has it. */
const ALWAYS = 'events';

const counts = new Map<string, number>();

/** Subscribes; returns what takes it back. */
export function hold(channels: readonly string[]): () => void {
  const own = [...new Set(channels)].filter((name) => name !== ALWAYS);
  for (const name of own) {
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  window.WPS?.subscribe(own);
  let isHeld = true;
  return () => {
    if (!isHeld) {
      return;
    }
    isHeld = false;
    const gone = own.filter((name) => {
      const left = (counts.get(name) ?? 1) - 1;
      counts.set(name, left);
      return left <= 0;
    });
    window.WPS?.unsubscribe(gone);
  };
}
