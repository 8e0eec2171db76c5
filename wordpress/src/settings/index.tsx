/* SPDX-License-Identifier: GPL-2.0-or-later */

import { Notice } from '@wordpress/components';
import { createElement, Fragment } from '@wordpress/element';
import { __ } from '@wordpress/i18n';
import { api } from '../api.js';
import { settingsStore } from '../connection/use-connection.js';
import { pageData } from '../data.js';
import { useStore } from '../store.js';
import { SavedToggle } from './saved-toggle.js';

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

async function saveTogether(wanted: boolean): Promise<boolean> {
  const saved = await api.saveSettings(wanted);
  settingsStore.set({ ...settingsStore.get(), ...saved });
  return saved.yjs_provider_enabled;
}

function Together(): JSX.Element {
  const { yjs_provider_enabled } = useStore(settingsStore);
  const missing = hindrance();
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
      <SavedToggle
        label={__('Collaboration over WordSocket', 'wordsocket')}
        help={__(
          'The block editor of several people stays in step over this connection, in milliseconds. Without it WordPress asks the server every second or so. Takes effect when an editor is opened the next time.',
          'wordsocket',
        )}
        checked={yjs_provider_enabled}
        save={saveTogether}
      />
    </section>
  );
}

function LiveBlocks(): JSX.Element {
  return (
    <section className="wordsocket-card" aria-labelledby="wordsocket-live-blocks">
      <h2 id="wordsocket-live-blocks">{__('Live blocks', 'wordsocket')}</h2>
      <p>
        {__(
          'Query Loop, Latest Posts and Comments have a switch of their own in the block editor, Live. Then they show what is new without a reload.',
          'wordsocket',
        )}
      </p>
      <SavedToggle
        label={__('For visitors, too', 'wordsocket')}
        help={__(
          'Without it live blocks update only for people who are logged in. With it, pages with such a block connect for everybody; visitors hear the channel events, and send nothing.',
          'wordsocket',
        )}
        checked={pageData.isLiveForVisitors}
        save={api.saveLiveForVisitors}
      />
    </section>
  );
}

export function SettingsTab(): JSX.Element {
  return (
    <>
      <Together />
      <LiveBlocks />
    </>
  );
}
