/* SPDX-License-Identifier: GPL-2.0-or-later */

import { createElement, Fragment } from '@wordpress/element';
import { __ } from '@wordpress/i18n';
import { api } from '../api.js';
import { pageData } from '../data.js';
import { SavedToggle } from './saved-toggle.js';
import { Together } from './together.js';

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
