/* SPDX-License-Identifier: GPL-2.0-or-later */

import { createElement, useEffect, useState } from '@wordpress/element';
import { __ } from '@wordpress/i18n';
import { messageOf } from '../api.js';
import { type Registered, triggersApi } from '../triggers/rows.js';

function sourceOf(source: Registered['source']): string {
  return {
    'built-in': __('built in', 'wordsocket'),
    saved: __('saved', 'wordsocket'),
    code: __('code', 'wordsocket'),
  }[source];
}

/** Everything that makes events on this site. */
export function RegisteredTriggers(): JSX.Element {
  const [all, setAll] = useState<readonly Registered[]>([]);
  const [error, setError] = useState('');
  useEffect(() => {
    triggersApi.load().then(
      ({ registered }) => setAll(registered),
      (caught: unknown) => setError(messageOf(caught)),
    );
  }, []);
  return (
    <section aria-labelledby="wordsocket-explorer-registered">
      <h2 id="wordsocket-explorer-registered">{__('Registered triggers', 'wordsocket')}</h2>
      {error ? (
        <p className="wordsocket-problem" role="alert">
          {error}
        </p>
      ) : null}
      {/* A region that scrolls must be reachable by keyboard. */}
      <div
        className="wordsocket-wide"
        tabIndex={0}
        role="region"
        aria-labelledby="wordsocket-explorer-registered"
      >
        <table className="widefat striped" id="wordsocket-registered">
          <thead>
            <tr>
              <th scope="col">{__('Event', 'wordsocket')}</th>
              <th scope="col">{__('Hook', 'wordsocket')}</th>
              <th scope="col">{__('Priority', 'wordsocket')}</th>
              <th scope="col">{__('Arguments', 'wordsocket')}</th>
              <th scope="col">{__('Channel', 'wordsocket')}</th>
              <th scope="col">{__('Condition', 'wordsocket')}</th>
              <th scope="col">{__('From', 'wordsocket')}</th>
            </tr>
          </thead>
          <tbody>
            {all.map(({ event, hook, priority, args, channel, condition, source }, at) => (
              <tr key={at}>
                <th scope="row">
                  <code>{event}</code>
                </th>
                <td>
                  <code>{hook}</code>
                </td>
                <td>{priority}</td>
                <td>{args}</td>
                <td>
                  <code>{channel}</code>
                </td>
                <td>{condition ? __('yes', 'wordsocket') : __('no', 'wordsocket')}</td>
                <td>{sourceOf(source)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
