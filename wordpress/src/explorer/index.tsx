/* SPDX-License-Identifier: GPL-2.0-or-later */

import { createElement, Fragment } from '@wordpress/element';
import { ConnectionPanel } from './connection.js';
import { EventLog } from './event-log.js';
import { PublishForm } from './publish-form.js';
import { RegisteredTriggers } from './registered.js';
import { TokenPanel } from './token-panel.js';

/** What happens on the connection, and levers to make something happen. */
export function Explorer(): JSX.Element {
  return (
    <>
      <ConnectionPanel />
      <EventLog />
      <PublishForm />
      <TokenPanel />
      <RegisteredTriggers />
    </>
  );
}
