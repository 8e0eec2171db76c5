/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The polling of WordPress 7.0 is answered in the page (polling.ts), so it may
 * ask often. Runs before wp-core-data, which looks at its pace once.
 */

interface Hooks {
  addFilter(hook: string, namespace: string, filter: () => number): void;
}

/** Alone, until it sees somebody. */
const ALONE_MS = 250;
/** The keys of one who types share a frame; see room.ts. */
const TOGETHER_MS = 60;

const { hooks } = (window as unknown as { wp: { hooks: Hooks } }).wp;
hooks.addFilter('sync.pollingManager.pollingInterval', 'wordsocket/pace', () => ALONE_MS);
hooks.addFilter('sync.pollingManager.pollingIntervalWithCollaborators', 'wordsocket/pace', () => TOGETHER_MS);

export {};
