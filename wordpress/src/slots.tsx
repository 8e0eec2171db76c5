/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where extensions put what is theirs, and the tabs they add. */

import { ExternalLink, createSlotFill, Icon } from '@wordpress/components';
import { createElement, useId } from '@wordpress/element';
import { __ } from '@wordpress/i18n';
import type { ExtensionPanelProps, RegisteredTab } from './facade.js';
import { createStore } from './store.js';

const panels = createSlotFill('WordSocketExtensionPanels');
const status = createSlotFill('WordSocketConnectionStatus');

export const ExtensionPanelSlot = panels.Slot;
export const ConnectionStatusFill = status.Fill;
export const ConnectionStatusSlot = status.Slot;

/** A card of an extension, on the tab Extensions. */
export function ExtensionPanel(props: ExtensionPanelProps): JSX.Element {
  const { name, title, description, icon, docsUrl, children } = props;
  const heading = useId();
  return (
    <panels.Fill>
      <section
        className="wordsocket-card"
        aria-labelledby={heading}
        data-extension={name}
      >
        <h2 id={heading}>
          {icon ? <Icon icon={icon} /> : null}
          {title}
        </h2>
        {description ? <p>{description}</p> : null}
        {children}
        {docsUrl ? (
          <p>
            <ExternalLink href={docsUrl}>
              {__('Documentation', 'wordsocket')}
            </ExternalLink>
          </p>
        ) : null}
      </section>
    </panels.Fill>
  );
}

export const tabStore = createStore<readonly RegisteredTab[]>([]);

const OURS = ['connection', 'settings', 'triggers', 'explorer', 'extensions'];

/** May be called as soon as this script was evaluated, and at any time later. */
export function registerTab(tab: RegisteredTab): void {
  const { name, title, render } = tab;
  if (
    !/^[a-z0-9_-]+$/.test(name) ||
    OURS.includes(name) ||
    !title ||
    typeof render !== 'function'
  ) {
    throw new TypeError(
      'registerTab wants a name of a-z, 0-9, - and _ that is not taken, a title, and render',
    );
  }
  const others = tabStore.get().filter((known) => known.name !== name);
  tabStore.set([...others, { name, title, render }]);
}
