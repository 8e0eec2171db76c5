/* SPDX-License-Identifier: GPL-2.0-or-later */

import { ExternalLink, Notice, Spinner } from '@wordpress/components';
import {
  createElement,
  Fragment,
  useEffect,
  useState,
} from '@wordpress/element';
import { __, sprintf } from '@wordpress/i18n';
import { api, type ExtensionCard, messageOf } from '../api.js';
import { ExtensionPanelSlot } from '../slots.js';

function Card({ extension }: { readonly extension: ExtensionCard }): JSX.Element {
  const { slug, title, description, version, docs_url, status, missing } =
    extension;
  const heading = `wordsocket-extension-${slug}`;
  return (
    <section className="wordsocket-card" aria-labelledby={heading} data-slug={slug}>
      <h3 id={heading}>
        {title} {version ? <small>{version}</small> : null}
      </h3>
      {description ? <p>{description}</p> : null}
      {status === 'active' ? (
        <p>
          <span className="wordsocket-badge">{__('Active', 'wordsocket')}</span>
        </p>
      ) : null}
      {status === 'incomplete' ? (
        <p>
          {sprintf(
            /* translators: %s: names of plugins. */
            __('Missing: %s', 'wordsocket'),
            missing.join(', '),
          )}
        </p>
      ) : null}
      {docs_url ? (
        <p>
          <ExternalLink href={docs_url}>
            {__('Documentation', 'wordsocket')}
          </ExternalLink>
        </p>
      ) : null}
    </section>
  );
}

function Cards({ title, extensions }: {
  readonly title: string;
  readonly extensions: readonly ExtensionCard[];
}): JSX.Element | null {
  if (extensions.length === 0) {
    return null;
  }
  return (
    <>
      <h2>{title}</h2>
      <div className="wordsocket-cards">
        {extensions.map((extension) => (
          <Card key={extension.slug} extension={extension} />
        ))}
      </div>
    </>
  );
}

/** Those of which nothing is known but the name: no card, since it would lead nowhere. */
function Names({ extensions }: { readonly extensions: readonly ExtensionCard[] }): JSX.Element {
  return (
    <ul className="wordsocket-names">
      {extensions.map(({ slug, title, description }) => (
        <li key={slug} data-slug={slug}>
          <strong>{title}</strong>
          {description ? ` – ${description}` : ''}
        </li>
      ))}
    </ul>
  );
}

function Elsewhere({ extensions }: { readonly extensions: readonly ExtensionCard[] }): JSX.Element | null {
  const linked = extensions.filter(({ docs_url }) => docs_url !== '');
  const unlinked = extensions.filter(({ docs_url }) => docs_url === '');
  if (extensions.length === 0) {
    return null;
  }
  return (
    <>
      <h2>{__('By others, not installed', 'wordsocket')}</h2>
      {linked.length > 0 ? (
        <div className="wordsocket-cards">
          {linked.map((extension) => (
            <Card key={extension.slug} extension={extension} />
          ))}
        </div>
      ) : null}
      {unlinked.length > 0 ? (
        <>
          <p>{__('They come from their makers. Once one is active here, it is shown above.', 'wordsocket')}</p>
          <Names extensions={unlinked} />
        </>
      ) : null}
    </>
  );
}

export function Extensions(): JSX.Element {
  const [all, setAll] = useState<readonly ExtensionCard[] | null>(null);
  const [error, setError] = useState('');

  useEffect(() => {
    api.extensions().then(
      ({ extensions }) => setAll(extensions),
      (caught: unknown) => setError(messageOf(caught)),
    );
  }, []);

  const here = all?.filter(({ status }) => status !== 'absent') ?? [];
  const elsewhere = all?.filter(({ status }) => status === 'absent') ?? [];
  return (
    <>
      <p>
        {__(
          'Extensions are plugins that build on this connection and bring live features of their own.',
          'wordsocket',
        )}
      </p>
      {error ? (
        <Notice status="error" isDismissible={false}>
          {error}
        </Notice>
      ) : null}
      {!all && !error ? <Spinner /> : null}
      <Cards title={__('On this site', 'wordsocket')} extensions={here} />
      {all && here.length === 0 ? (
        <p>{__('No extension is active on this site.', 'wordsocket')}</p>
      ) : null}
      <ExtensionPanelSlot />
      <Elsewhere extensions={elsewhere} />
    </>
  );
}
