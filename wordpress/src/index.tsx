/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The plugin's screen in wp-admin, where PHP left room for it. The facade is
 * there as soon as this script was evaluated; it draws once those of extensions
 * were, so that a tab of theirs is there at once.
 */

import { createElement, createRoot } from '@wordpress/element';
import { App } from './app.js';
import { useClientState, useConnection } from './connection/use-connection.js';
import { ConnectionStatusFill, ExtensionPanel, registerTab } from './slots.js';
import './style.css';

window.wordsocket = {
  version: 1,
  ExtensionPanel,
  ConnectionStatusFill,
  useConnection,
  useClientState,
  registerTab,
};

function draw(): void {
  const root = document.getElementById('wpsignal-settings-root');
  if (root) {
    createRoot(root).render(<App />);
  }
}

if (document.readyState === 'loading') {
  document.addEventListener('DOMContentLoaded', draw);
} else {
  draw();
}
