/* SPDX-License-Identifier: GPL-2.0-or-later */

import { Button } from '@wordpress/components';
import { createElement, Fragment, useEffect, useState } from '@wordpress/element';
import { __, sprintf } from '@wordpress/i18n';
import { api, messageOf } from '../api.js';
import { clock, decode, type Decoded, rightsOf, timesOf } from './token.js';

function Countdown({ claims }: { readonly claims: Decoded['claims'] }): JSX.Element {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 500);
    return () => clearInterval(timer);
  }, []);
  const { leftS, refreshInS, leftShare } = timesOf(claims, now);
  return (
    <>
      <p id="wordsocket-token-left">
        {leftS > 0
          ? sprintf(
              /* translators: 1: time such as 4:07, 2: time. */
              __('Ends in %1$s; a page renews it in %2$s, without leaving its connection.', 'wordsocket'),
              clock(leftS),
              clock(refreshInS),
            )
          : __('It is over. The relay closes a connection that did not renew its token with code 4001.', 'wordsocket')}
      </p>
      <progress
        max={1}
        value={leftShare}
        aria-label={__('What is left of its life', 'wordsocket')}
      />
    </>
  );
}

function Rights({ claims }: { readonly claims: Decoded['claims'] }): JSX.Element {
  return (
    <table className="widefat striped wordsocket-results">
      <thead>
        <tr>
          <th scope="col">{__('Channels that begin with', 'wordsocket')}</th>
          <th scope="col">{__('Read', 'wordsocket')}</th>
          <th scope="col">{__('Write', 'wordsocket')}</th>
        </tr>
      </thead>
      <tbody>
        {rightsOf(claims).map(({ prefix, read, write }) => (
          <tr key={prefix}>
            <th scope="row">
              {prefix === '' ? __('anything of this site', 'wordsocket') : <code>{prefix}</code>}
            </th>
            <td>{read ? __('yes', 'wordsocket') : __('no', 'wordsocket')}</td>
            <td>{write ? __('yes', 'wordsocket') : __('no', 'wordsocket')}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

export function TokenPanel(): JSX.Element {
  const [token, setToken] = useState<Decoded | null>(null);
  const [error, setError] = useState('');

  function mint(): void {
    api.token().then(
      (grant) => {
        setToken(decode(grant.token) ?? null);
        setError('');
      },
      (caught: unknown) => setError(messageOf(caught)),
    );
  }
  useEffect(mint, []);

  return (
    <section aria-labelledby="wordsocket-explorer-token">
      <h2 id="wordsocket-explorer-token">{__('Token', 'wordsocket')}</h2>
      <p>
        {__('What this site lets your browser do at the relay. It is read here and sent nowhere; its signature is not shown.', 'wordsocket')}
      </p>
      {error ? (
        <p className="wordsocket-problem" role="alert">
          {error}
        </p>
      ) : null}
      {token ? (
        <>
          <Countdown claims={token.claims} />
          <Rights claims={token.claims} />
          <details>
            <summary>{__('Header and claims', 'wordsocket')}</summary>
            <pre id="wordsocket-token-claims">
              {JSON.stringify(token.header, null, 2)}
              {'\n'}
              {JSON.stringify(token.claims, null, 2)}
            </pre>
          </details>
        </>
      ) : null}
      <p>
        <Button variant="secondary" onClick={mint}>
          {__('New token', 'wordsocket')}
        </Button>
      </p>
    </section>
  );
}
