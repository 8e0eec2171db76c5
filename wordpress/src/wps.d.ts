/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The page's globals: the browser client, if this page has it, and our data. */

import type { Wps, WpsConfig } from '../../client/src/wps.js';
import type { Facade } from './facade.js';
import type { PageData } from './data.js';

declare global {
  interface Window {
    WPS?: Wps;
    wpSignalConfig?: WpsConfig;
    wpsignalSettings?: PageData;
    wordsocket?: Facade;
  }
}
