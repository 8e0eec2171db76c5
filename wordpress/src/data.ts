/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What PHP tells this page. Nothing here is secret. */

/** The last event that was not delivered. */
export interface LastError {
  readonly code: string;
  readonly message: string;
  /** What was being done. */
  readonly detail: string;
  /** Unix time. */
  readonly time: number;
  /** What a person can do about it. */
  readonly remedy: string;
}

/** What this WordPress has of collaboration; see PHP's Collaboration. */
export type Support = 'gutenberg' | 'core' | 'experiment-off' | 'none';

/** `server`: through this very web server. `relay`: by a relay elsewhere. */
export type CredentialSource = 'none' | 'server' | 'relay' | 'constant';

/** What GET wpsignal/v1/settings answers. */
export interface Settings {
  readonly base_url: string;
  /** Masked; empty where there is none. */
  readonly api_key: string;
  readonly site_key: string;
  readonly is_connected: boolean;
  readonly yjs_provider_enabled: boolean;
  /** Whether what people write together is encrypted. */
  readonly collaboration_sealed: boolean;
  readonly credential_source: CredentialSource;
  readonly last_error: LastError | null;
}

export interface PageData {
  readonly settings: Settings;
  readonly siteId: string;
  /** The tab this page was opened at. */
  readonly tab: string;
  /** Address of a tab, without its name. */
  readonly tabUrl: string;
  readonly isWpSyncAvailable: boolean;
  readonly isWpRtcEnabled: boolean;
  /** Whether this copy of the plugin has the provider of collaboration. */
  readonly isProviderBuilt: boolean;
  readonly support: Support;
  /** Whether there is anything to make the keys of rooms from. */
  readonly canSeal: boolean;
  /** Whether code of the site decides about the encryption. */
  readonly isSealingDecided: boolean;
  /** With other sites of a network, by constants. */
  readonly sharesChannels: boolean;
  readonly isLiveForVisitors: boolean;
  readonly wpVersion: string;
}

const EMPTY: PageData = {
  settings: {
    base_url: '',
    api_key: '',
    site_key: '',
    is_connected: false,
    yjs_provider_enabled: false,
    collaboration_sealed: true,
    credential_source: 'none',
    last_error: null,
  },
  siteId: '',
  tab: 'connection',
  tabUrl: '?page=wordsocket&tab=',
  isWpSyncAvailable: false,
  isWpRtcEnabled: false,
  isProviderBuilt: false,
  support: 'none',
  canSeal: false,
  isSealingDecided: false,
  sharesChannels: false,
  isLiveForVisitors: false,
  wpVersion: '',
};

/** As data, since a policy may let no script stand in the page. */
const text = document.getElementById('wpsignal-settings-data')?.textContent;

export const pageData: PageData = text ? (JSON.parse(text) as PageData) : EMPTY;

// Where the ecosystem has it.
window.wpsignalSettings = pageData;
