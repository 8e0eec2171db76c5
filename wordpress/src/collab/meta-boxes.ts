/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * WordPress ends collaboration on a page with a meta box that is not made for
 * it, and says no more than that a plugin is to blame. This says which.
 */

import { dispatch, select, subscribe } from '@wordpress/data';
import { __, sprintf } from '@wordpress/i18n';

interface MetaBox {
  readonly id: string;
  readonly title?: string;
  readonly __rtc_compatible?: boolean;
}

interface EditPost {
  getAllMetaBoxes?(): readonly MetaBox[];
}

interface Notices {
  createInfoNotice(text: string, options: object): void;
}

/** Plain text of a title, which may have markup. */
function textOf({ title, id }: MetaBox): string {
  const parsed = new DOMParser().parseFromString(title ?? '', 'text/html');
  return parsed.body.textContent?.trim() || id;
}

export function explainMetaBoxes(): void {
  const stop = subscribe(() => {
    const store = select('core/edit-post') as EditPost | undefined;
    const boxes = store?.getAllMetaBoxes?.() ?? [];
    const names = boxes.filter((box) => !box.__rtc_compatible).map(textOf);
    if (names.length > 0) {
      stop();
      (dispatch('core/notices') as Notices).createInfoNotice(
        sprintf(
          /* translators: %s: names of boxes below the editor, with commas. */
          __('Only one person can edit this at a time: these boxes are not made for editing together: %s. They belong to plugins; ask their authors, or switch those plugins off.', 'wordsocket'),
          names.join(', '),
        ),
        { id: 'wordsocket-meta-boxes', isDismissible: true },
      );
    }
  });
}
