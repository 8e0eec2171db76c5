/* SPDX-License-Identifier: GPL-2.0-or-later */

import { Notice, ToggleControl } from '@wordpress/components';
import { speak } from '@wordpress/a11y';
import { createElement, useState } from '@wordpress/element';
import { __ } from '@wordpress/i18n';
import { api, messageOf } from '../api.js';
import { settingsStore } from '../connection/use-connection.js';
import { pageData } from '../data.js';
import { useStore } from '../store.js';

/** What keeps people from editing together as things are; nothing if they can. */
function hindrance(): string {
  if (!pageData.isProviderBuilt) {
    return __(
      'This copy of the plugin cannot do it yet: what carries the edits is not part of it. The choice is kept for when it is.',
      'wordsocket',
    );
  }
  if (!pageData.isWpSyncAvailable) {
    return __(
      'This WordPress does not offer it. WordPress 7.1 has the editor for it but leaves it switched off. The Gutenberg plugin, 23.8 or later, offers it as an experiment: install it, and switch on real-time collaboration in Settings, Gutenberg, Experiments.',
      'wordsocket',
    );
  }
  if (!pageData.isWpRtcEnabled) {
    return __(
      'The Gutenberg plugin is here, but its experiment is switched off. Switch on real-time collaboration in Settings, Gutenberg, Experiments.',
      'wordsocket',
    );
  }
  return '';
}

export function SettingsTab(): JSX.Element {
  const settings = useStore(settingsStore);
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState('');
  const missing = hindrance();

  async function save(wanted: boolean): Promise<void> {
    const before = settings;
    settingsStore.set({ ...before, yjs_provider_enabled: wanted });
    setBusy(true);
    setError('');
    try {
      const saved = await api.saveSettings(wanted);
      settingsStore.set({ ...settingsStore.get(), ...saved });
      speak(__('Saved.', 'wordsocket'));
    } catch (caught) {
      settingsStore.set(before);
      setError(messageOf(caught));
    }
    setBusy(false);
  }

  return (
    <section className="wordsocket-card" aria-labelledby="wordsocket-together">
      <h2 id="wordsocket-together">{__('Editing together', 'wordsocket')}</h2>
      {missing ? (
        <Notice status="info" isDismissible={false}>
          {missing}
        </Notice>
      ) : (
        <p>
          <span className="wordsocket-badge">
            {__('Real-time collaboration is switched on', 'wordsocket')}
          </span>
        </p>
      )}
      <ToggleControl
        __nextHasNoMarginBottom
        label={__('Collaboration over WordSocket', 'wordsocket')}
        help={__(
          'The block editor of several people stays in step over this connection, in milliseconds. Without it WordPress asks the server every second or so. Takes effect when an editor is opened the next time.',
          'wordsocket',
        )}
        checked={settings.yjs_provider_enabled}
        disabled={isBusy}
        onChange={(wanted) => void save(wanted)}
      />
      {error ? (
        <Notice status="error" isDismissible={false}>
          {error}
        </Notice>
      ) : null}
    </section>
  );
}
