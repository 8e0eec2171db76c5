/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The polling of WordPress 7.0 as its branch has it, for a page that is a
 * function's arguments: window, document, apiFetch, hooks and timers. Bundled by
 * test.mjs, with the Yjs of that release.
 */
export { createHttpPollingProvider } from '../../node_modules/@wordpress/sync/src/providers/http-polling/http-polling-provider.ts';
export { pollingManager } from '../../node_modules/@wordpress/sync/src/providers/http-polling/polling-manager.ts';
export { Awareness } from 'y-protocols/awareness';
export * as Y from 'yjs';
