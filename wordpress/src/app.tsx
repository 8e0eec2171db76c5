/* SPDX-License-Identifier: GPL-2.0-or-later */

import { SlotFillProvider } from '@wordpress/components';
import { createElement, type ReactNode } from '@wordpress/element';
import { __ } from '@wordpress/i18n';
import { PluginArea } from '@wordpress/plugins';
import { Boundary } from './boundary.js';
import { Connect } from './connection/index.js';
import { pageData } from './data.js';
import { Explorer } from './explorer/index.js';
import { Extensions } from './extensions/index.js';
import { SettingsTab } from './settings/index.js';
import { tabStore } from './slots.js';
import { useStore } from './store.js';
import { TabLinks } from './tab-links.js';
import { Triggers } from './triggers/index.js';

/** `registerPlugin` with this scope is for this screen. */
const SCOPE = 'wordsocket';

function Tab(): ReactNode {
  const tabs = useStore(tabStore);
  const isConfigured = pageData.settings.credential_source !== 'none';
  switch (pageData.tab) {
    case 'connection':
      return <Connect />;
    case 'extensions':
      return <Extensions />;
    // PHP says that these are for later.
    case 'settings':
      return isConfigured ? <SettingsTab /> : null;
    case 'triggers':
      return isConfigured ? <Triggers /> : null;
    case 'explorer':
      return isConfigured ? <Explorer /> : null;
    default: {
      const known = tabs.find(({ name }) => name === pageData.tab);
      return known ? (
        <known.render />
      ) : (
        <p>
          {__('There is no such tab. Is its extension active?', 'wordsocket')}
        </p>
      );
    }
  }
}

export function App(): JSX.Element {
  return (
    <SlotFillProvider>
      <TabLinks />
      <Boundary>
        <Tab />
      </Boundary>
      <PluginArea scope={SCOPE} />
    </SlotFillProvider>
  );
}
