/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The script module of a page. Themes may use the store `wordsocket/live`:
 * `state.message` and `actions.refresh`.
 */

import { getConfig, store } from '@wordpress/interactivity';
import { start } from './live.js';

const { state } = store('wordsocket/live', {
  state: { message: '' },
  actions: {
    refresh: (): void => live?.refresh(),
  },
});

/** Whether the router must not be used: it would reload the page. */
const isClosed = () => Boolean(getConfig('core/router')?.clientNavigationDisabled);

/** Has the router show this page anew; false if it cannot. */
async function route(html: string): Promise<boolean> {
  if (isClosed()) {
    return false;
  }
  const { actions } = await import('@wordpress/interactivity-router');
  const { pathname, search, hash } = window.location;
  await actions.navigate(pathname + search, {
    html,
    force: true,
    replace: true,
    loadingAnimation: false,
    screenReaderAnnouncement: false,
  });
  if (hash) {
    // Not by the router, which would scroll there.
    window.history.replaceState(window.history.state, '', pathname + search + hash);
  }
  return true;
}

const live = start({
  say(text) {
    state.message = text;
  },
  route,
});
