/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The script of a page on WordPress 6.4, which has no script modules. */

import { start, statusOf } from './live.js';

start({
  say(text) {
    const status = statusOf();
    if (status) {
      status.textContent = text;
    }
  },
});
