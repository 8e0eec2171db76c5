/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `window.wordsocket`: what extensions' scripts find on this page. */

import type { ComponentType, ReactNode } from '@wordpress/element';
import type { State } from '../../client/src/state.js';
import type { LastError } from './data.js';

export interface ExtensionPanelProps {
  readonly name: string;
  readonly title: string;
  readonly description?: string;
  readonly icon?: unknown;
  readonly docsUrl?: string;
  readonly children?: ReactNode;
}

export interface Connection {
  readonly isConnected: boolean;
  readonly siteKey: string;
  /** Asks PHP again. */
  readonly fetchStatus: () => Promise<void>;
  readonly lastError: LastError | null;
}

export interface RegisteredTab {
  /** Of the address, `&tab=name`: lower-case letters, digits, hyphens. */
  readonly name: string;
  readonly title: string;
  readonly render: () => ReactNode;
}

export interface Facade {
  readonly version: 1;
  readonly ExtensionPanel: ComponentType<ExtensionPanelProps>;
  readonly ConnectionStatusFill: ComponentType<{ children?: ReactNode }>;
  readonly useConnection: () => Connection;
  readonly useClientState: () => State;
  readonly registerTab: (tab: RegisteredTab) => void;
}
