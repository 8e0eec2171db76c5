/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What stands below the Connect that PHP prints. */

import { createElement, Fragment } from '@wordpress/element';
import { pageData } from '../data.js';
import { ConnectionStatusSlot } from '../slots.js';
import { SendTest } from './send-test.js';

export function Connect(): JSX.Element {
  return (
    <>
      <ConnectionStatusSlot />
      {pageData.settings.credential_source === 'none' ? null : <SendTest />}
    </>
  );
}
