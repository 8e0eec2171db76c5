/* SPDX-License-Identifier: GPL-2.0-or-later */

import { Notice } from '@wordpress/components';
import { createElement, Fragment } from '@wordpress/element';
import { __, sprintf } from '@wordpress/i18n';
import { api } from '../api.js';
import { settingsStore } from '../connection/use-connection.js';
import { pageData, type Settings } from '../data.js';
import { useStore } from '../store.js';
import { SavedToggle } from './saved-toggle.js';

/** What no switch here can change; nothing if people can edit together. */
function missing(): string {
  if (!pageData.isProviderBuilt) {
    return __(
      'This copy of the plugin lacks the script that carries the edits. Install it from a release, or build it from the source.',
      'wordsocket',
    );
  }
  if (pageData.support === 'none') {
    return sprintf(
      /* translators: %s: version of WordPress. */
      __(
        'WordPress %s has no editing together that a plugin could carry. It takes WordPress 7.1 or later, or the Gutenberg plugin, 23.8 or later, with real-time collaboration switched on in Settings, Gutenberg, Experiments.',
        'wordsocket',
      ),
      pageData.wpVersion,
    );
  }
  if (pageData.support === 'experiment-off') {
    return __(
      'The Gutenberg plugin is here, but its experiment is switched off, and stays so. To edit together, switch on real-time collaboration in Settings, Gutenberg, Experiments.',
      'wordsocket',
    );
  }
  return '';
}

/** Who decides whether frames are sealed, and what for. */
function sealingHelp(): string {
  if (pageData.sharesChannels) {
    return __(
      'Always on here: the constants in wp-config.php give all sites of this network the same channels, and only encryption keeps their posts apart.',
      'wordsocket',
    );
  }
  return pageData.isSealingDecided
    ? __(
        'Code of this site decides it, by the filter wordsocket_collaboration_sealed.',
        'wordsocket',
      )
    : __(
        'The relay, and whoever reads along on the way to it, sees who edits what and when, but not a word of it. Each post has a key of its own, which goes only to people who may edit it. Switch it off only for editors of other plugins that speak plain frames on the same channels. Change it while nobody edits: encrypted and plain editors do not hear each other.',
        'wordsocket',
      );
}

/** What keeps a switch that is on from having an effect. */
function hindrance(settings: Settings): string {
  if (settings.collaboration_sealed && !pageData.canSeal) {
    return __(
      'Nobody edits together yet: what editors write is to be encrypted, and wp-config.php has no AUTH_KEY and no SECURE_AUTH_KEY to make keys from. Define both, or switch the encryption off.',
      'wordsocket',
    );
  }
  if (settings.credential_source === 'none') {
    return __(
      'Nobody edits together yet: this site is not connected. Connect it on the tab Connect.',
      'wordsocket',
    );
  }
  return '';
}

async function save(change: Partial<Settings>): Promise<Settings> {
  const saved = { ...settingsStore.get(), ...(await api.saveSettings(change)) };
  settingsStore.set(saved);
  return saved;
}

const isCore = pageData.support === 'core';

function About(): JSX.Element {
  return isCore ? (
    <>
      <p>
        {__(
          'WordPress 7.1 carries editing together, asleep and unannounced. The first switch wakes it for everybody who edits posts, and brings what it lacks: the connection between the editors, and a place where each post keeps what they share, its meta _crdt_document.',
          'wordsocket',
        )}
      </p>
      <p>
        {__(
          'A later WordPress may change what sleeps there. Switch it off here at any time: one person edits a post at a time then, as before. Posts that were saved keep their _crdt_document.',
          'wordsocket',
        )}
      </p>
    </>
  ) : (
    <p>
      {__(
        'The Gutenberg plugin has real-time collaboration switched on. WordSocket carries it; switched off, Gutenberg asks the server every second or so, as it does by itself.',
        'wordsocket',
      )}
    </p>
  );
}

export function Together(): JSX.Element {
  const settings = useStore(settingsStore);
  const cannot = missing();
  const hinders = settings.yjs_provider_enabled ? hindrance(settings) : '';
  return (
    <section className="wordsocket-card" aria-labelledby="wordsocket-together">
      <h2 id="wordsocket-together">{__('Editing together', 'wordsocket')}</h2>
      {cannot ? (
        <Notice status="info" isDismissible={false}>
          {cannot}
        </Notice>
      ) : (
        <About />
      )}
      {!cannot && hinders ? (
        <Notice status="warning" isDismissible={false}>
          {hinders}
        </Notice>
      ) : null}
      <SavedToggle
        label={__('Collaboration over WordSocket', 'wordsocket')}
        help={__(
          'Several people edit a post at once, and see each other type, in milliseconds. Takes effect when an editor is opened the next time.',
          'wordsocket',
        )}
        checked={settings.yjs_provider_enabled}
        disabled={cannot !== ''}
        save={async (wanted) =>
          (await save({ yjs_provider_enabled: wanted })).yjs_provider_enabled
        }
      />
      <SavedToggle
        label={__('Encrypt what editors write', 'wordsocket')}
        help={sealingHelp()}
        checked={settings.collaboration_sealed}
        disabled={cannot !== '' || pageData.isSealingDecided || pageData.sharesChannels}
        save={async (wanted) =>
          (await save({ collaboration_sealed: wanted })).collaboration_sealed
        }
      />
    </section>
  );
}
