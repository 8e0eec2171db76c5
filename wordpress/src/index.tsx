/* SPDX-License-Identifier: GPL-2.0-or-later */

import { createElement, createRoot } from '@wordpress/element';
import { pageData } from './data.js';
import { Explorer } from './explorer/index.js';
import { Triggers } from './triggers/index.js';
import './style.css';

const root = document.getElementById('wpsignal-settings-root');
const tabs: Record<string, () => JSX.Element> = {
  explorer: Explorer,
  triggers: Triggers,
};
const Tab = tabs[pageData.tab];
if (root && Tab) {
  createRoot(root).render(<Tab />);
}
