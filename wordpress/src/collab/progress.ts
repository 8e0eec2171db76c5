/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Says how far what others have written has come, where that takes long enough
 * to wonder. The editor can be used meanwhile.
 */

import { dispatch } from '@wordpress/data';
import { __, sprintf } from '@wordpress/i18n';
import type { Share } from './incoming.js';

/** Less is there before anybody could read it. */
const WORTH_SAYING_BYTES = 512 * 1024;

interface Notices {
  createNotice(status: string, text: string, options: object): void;
  removeNotice(id: string): void;
}

const shown = new Set<string>();

export function showProgress(room: string, of: Share | undefined): void {
  const id = `wordsocket-progress-${room}`;
  const notices = dispatch('core/notices') as Notices;
  if (of && of.length >= WORTH_SAYING_BYTES) {
    const isFirst = !shown.has(room);
    shown.add(room);
    notices.createNotice(
      'info',
      sprintf(
        /* translators: %d: a number from 0 to 100. */
        __('Receiving what others have written: %d%%', 'wordsocket'),
        Math.floor((100 * of.have) / of.length),
      ),
      // Read aloud once, and not at each step.
      { id, type: 'snackbar', explicitDismiss: true, speak: isFirst },
    );
  } else if (shown.delete(room)) {
    notices.removeNotice(id);
  }
}
