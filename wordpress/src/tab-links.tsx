/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Links to the tabs of extensions, beside those that PHP prints. */

import {
  createElement,
  createPortal,
  Fragment,
} from '@wordpress/element';
import { pageData } from './data.js';
import { tabStore } from './slots.js';
import { useStore } from './store.js';

export function TabLinks(): JSX.Element | null {
  const tabs = useStore(tabStore);
  const nav = document.getElementById('wordsocket-tabs');
  if (!nav) {
    return null;
  }
  return (
    <>
      {createPortal(
        tabs.map(({ name, title }) => (
          <a
            key={name}
            href={pageData.tabUrl + name}
            className={
              name === pageData.tab ? 'nav-tab nav-tab-active' : 'nav-tab'
            }
            aria-current={name === pageData.tab ? 'page' : undefined}
          >
            {title}
          </a>
        )),
        nav,
      )}
    </>
  );
}
