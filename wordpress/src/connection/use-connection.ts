/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What PHP and this page's client know of the connection, for components. */

import { useMemo, useSyncExternalStore } from '@wordpress/element';
import type { State } from '../../../client/src/state.js';
import { api } from '../api.js';
import { pageData, type Settings } from '../data.js';
import type { Connection } from '../facade.js';
import { createStore, useStore } from '../store.js';

export const settingsStore = createStore<Settings>(pageData.settings);

async function fetchStatus(): Promise<void> {
  settingsStore.set(await api.settings());
}

export function useConnection(): Connection {
  const settings = useStore(settingsStore);
  return useMemo(
    () => ({
      isConnected: settings.is_connected,
      siteKey: settings.site_key,
      lastError: settings.last_error,
      fetchStatus,
    }),
    [settings],
  );
}

const NO_CLIENT: State = { connected: false, transport: null, failures: 0 };

function watchClient(listener: () => void): () => void {
  return window.WPS?.onStateChange(listener) ?? (() => undefined);
}

/** The state of `window.WPS`; not connected where this page has none. */
export function useClientState(): State {
  return useSyncExternalStore(
    watchClient,
    () => window.WPS?.state ?? NO_CLIENT,
  );
}
