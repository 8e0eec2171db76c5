/* SPDX-License-Identifier: GPL-2.0-or-later */

import { Button } from '@wordpress/components';
import { useCopyToClipboard } from '@wordpress/compose';
import { createElement, Fragment, useEffect, useState } from '@wordpress/element';
import { __, sprintf } from '@wordpress/i18n';
import { api, messageOf } from '../api.js';
import { useClient } from './connection.js';
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

function CopyButton({ token }: { readonly token: string }): JSX.Element {
  const [isCopied, setCopied] = useState(false);
  useEffect(() => setCopied(false), [token]);
  const ref = useCopyToClipboard<HTMLButtonElement>(token, () => setCopied(true));
  return (
    <>
      <Button variant="secondary" ref={ref} aria-describedby="wordsocket-token-care">
        {__('Copy token', 'wordsocket')}
      </Button>
      <span role="status" id="wordsocket-token-copied">
        {isCopied ? __('The token is in the clipboard.', 'wordsocket') : ''}
      </span>
    </>
  );
}

/** How what this page receives comes. */
function TransportLine(): JSX.Element {
  const state = useClient();
  return (
    <p id="wordsocket-token-transport">
      {state?.connected && state.transport
        ? sprintf(
            /* translators: %s: WebSocket, event stream or polling. */
            __('Transport in use: %s.', 'wordsocket'),
            {
              ws: __('WebSocket', 'wordsocket'),
              sse: __('event stream', 'wordsocket'),
              poll: __('polling', 'wordsocket'),
            }[state.transport],
          )
        : __('No transport is in use: this page is not connected.', 'wordsocket')}
    </p>
  );
}

interface Shown extends Decoded {
  readonly token: string;
  /** Came with the page, and so is what its connection began with. */
  readonly isOfPage: boolean;
}

function shown(token: string, isOfPage: boolean): Shown | null {
  const decoded = decode(token);
  return decoded ? { ...decoded, token, isOfPage } : null;
}

/** What the page came with, unless it is over by now. */
function ofPage(): Shown | null {
  const found = shown(window.wpSignalConfig?.token ?? '', true);
  return found && timesOf(found.claims, Date.now()).leftS > 0 ? found : null;
}

export function TokenPanel(): JSX.Element {
  const [token, setToken] = useState<Shown | null>(ofPage);
  const [error, setError] = useState('');

  function mint(): void {
    api.token().then(
      (grant) => {
        setToken(shown(grant.token, false));
        setError('');
      },
      (caught: unknown) => setError(messageOf(caught)),
    );
  }
  useEffect(() => {
    if (!token) {
      mint();
    }
  }, []);

  return (
    <section aria-labelledby="wordsocket-explorer-token">
      <h2 id="wordsocket-explorer-token">{__('Token', 'wordsocket')}</h2>
      <p>
        {__('What this site lets your browser do at the relay. It is read here and sent nowhere.', 'wordsocket')}
      </p>
      <TransportLine />
      {error ? (
        <p className="wordsocket-problem" role="alert">
          {error}
        </p>
      ) : null}
      {token ? (
        <>
          <p role="status" id="wordsocket-token-which">
            {token.isOfPage
              ? __('This is the token that the page came with. Its connection begins with it, unless it shares that of another tab, and renews it by itself; those that follow stay inside it and have the same rights.', 'wordsocket')
              : __('This is a new token, made for this view. The connection of the page has one of its own, with the same rights.', 'wordsocket')}
          </p>
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
      <p className="wordsocket-row wordsocket-row-centre">
        <Button variant="secondary" onClick={mint}>
          {__('New token', 'wordsocket')}
        </Button>
        {token ? <CopyButton token={token.token} /> : null}
      </p>
      <p id="wordsocket-token-care">
        {__('Whoever has the token may do at the relay what you may, until it ends.', 'wordsocket')}
      </p>
    </section>
  );
}
