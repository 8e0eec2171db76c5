/* SPDX-License-Identifier: GPL-2.0-or-later */

import { Button, Notice, Spinner } from '@wordpress/components';
import { speak } from '@wordpress/a11y';
import { createElement, useState } from '@wordpress/element';
import { __, sprintf } from '@wordpress/i18n';
import type { TransportName } from '../../../client/src/state.js';
import { api, messageOf } from '../api.js';
import { useStore } from '../store.js';
import { measure, type Result } from './measure.js';
import { settingsStore } from './use-connection.js';

const TRANSPORTS: readonly TransportName[] = ['ws', 'sse', 'poll'];

function titleOf(transport: TransportName): string {
  switch (transport) {
    case 'ws':
      return __('WebSocket', 'wordsocket');
    case 'sse':
      return __('Event stream', 'wordsocket');
    default:
      return __('Polling', 'wordsocket');
  }
}

function Row({ transport, result }: {
  readonly transport: TransportName;
  readonly result: Result | undefined;
}): JSX.Element {
  return (
    <tr data-transport={transport}>
      <th scope="row">{titleOf(transport)}</th>
      <td className="wordsocket-number">
        {!result ? <Spinner /> : null}
        {result?.ms !== undefined
          ? sprintf(
              /* translators: %d: number of milliseconds. */
              __('%d ms', 'wordsocket'),
              Math.round(result.ms),
            )
          : null}
        {result && result.ms === undefined ? (
          <strong>{__('Does not pass', 'wordsocket')}</strong>
        ) : null}
      </td>
      <td>{result?.note}</td>
    </tr>
  );
}

/** Has an event make its way to this browser, by each transport. */
export function SendTest(): JSX.Element {
  const { base_url } = useStore(settingsStore);
  const [results, setResults] = useState<readonly Result[] | null>(null);
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState('');

  async function test(): Promise<void> {
    setBusy(true);
    setError('');
    setResults([]);
    try {
      const { token } = await api.token();
      const done: Result[] = [];
      for (const transport of TRANSPORTS) {
        done.push(await measure(transport, base_url, token));
        setResults([...done]);
      }
      speak(
        done
          .map(({ transport, ms, note }) =>
            ms === undefined
              ? `${titleOf(transport)}: ${note ?? ''}`
              : sprintf(
                  /* translators: 1: WebSocket, Event stream or Polling, 2: number of milliseconds. */
                  __('%1$s: %2$d milliseconds', 'wordsocket'),
                  titleOf(transport),
                  Math.round(ms),
                ),
          )
          .join('. '),
      );
    } catch (caught) {
      setResults(null);
      setError(messageOf(caught));
    }
    setBusy(false);
  }

  return (
    <section aria-labelledby="wordsocket-test">
      <h2 id="wordsocket-test">{__('Send test', 'wordsocket')}</h2>
      <p>
        {__(
          'Publishes an event and measures how long it takes to reach this browser: from here to PHP, to the relay, and back. The channel has a name that nobody else knows.',
          'wordsocket',
        )}
      </p>
      <Button
        variant="secondary"
        isBusy={isBusy}
        disabled={isBusy}
        onClick={() => void test()}
      >
        {__('Send test', 'wordsocket')}
      </Button>
      {error ? (
        <Notice status="error" isDismissible={false}>
          {error}
        </Notice>
      ) : null}
      {results ? (
        <table className="widefat striped wordsocket-results">
          <thead>
            <tr>
              <th scope="col">{__('Transport', 'wordsocket')}</th>
              <th scope="col" className="wordsocket-number">
                {__('Round trip', 'wordsocket')}
              </th>
              <th scope="col">{__('Note', 'wordsocket')}</th>
            </tr>
          </thead>
          <tbody>
            {TRANSPORTS.slice(0, results.length + (isBusy ? 1 : 0)).map(
              (transport, at) => (
                <Row
                  key={transport}
                  transport={transport}
                  result={results[at]}
                />
              ),
            )}
          </tbody>
        </table>
      ) : null}
    </section>
  );
}
