/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The plugin's routes, wpsignal/v1. All of them reject with an ApiError. */

import apiFetch from '@wordpress/api-fetch';
import type { Settings } from './data.js';

/** What apiFetch rejects with: the REST API's own error. */
export interface ApiError {
  readonly code: string;
  readonly message: string;
  readonly data?: { readonly status?: number };
}

export function isApiError(given: unknown): given is ApiError {
  return typeof (given as ApiError | null)?.message === 'string';
}

/** A text for whoever looks, of whatever was thrown. */
export function messageOf(given: unknown): string {
  return isApiError(given) ? given.message : String(given);
}

export function get<T>(route: string): Promise<T> {
  return apiFetch<T>({ path: `/wpsignal/v1${route}` });
}

export function post<T>(route: string, data: object = {}): Promise<T> {
  return apiFetch<T>({ path: `/wpsignal/v1${route}`, method: 'POST', data });
}

/** What can be changed of the settings. */
type Switches = Pick<Settings, 'yjs_provider_enabled' | 'collaboration_sealed'>;

interface SiteSettings {
  readonly wordsocket_live_visitors: boolean;
}

export interface Stats {
  readonly active_connections: number;
  readonly max_connections: number;
}

export interface Grant {
  readonly token: string;
  readonly channels: readonly string[];
  /** Unix time. */
  readonly exp: number;
}

export interface ExtensionCard {
  readonly slug: string;
  readonly title: string;
  readonly description: string;
  readonly version: string;
  readonly docs_url: string;
  readonly status: 'active' | 'incomplete' | 'absent';
  /** What an incomplete one lacks, in words. */
  readonly missing: readonly string[];
}

export const api = {
  settings: () => get<Settings>('/settings'),
  /** Leaves alone what is not named. */
  saveSettings: (change: Partial<Switches>) => post<Switches>('/settings', change),
  /** An option of WordPress's own settings. */
  saveLiveForVisitors: async (wordsocket_live_visitors: boolean) => {
    const saved = await apiFetch<SiteSettings>({
      path: '/wp/v2/settings',
      method: 'POST',
      data: { wordsocket_live_visitors },
    });
    return saved.wordsocket_live_visitors;
  },
  stats: () => get<Stats>('/stats'),
  token: () => post<Grant>('/token'),
  publish: (channel: string, event: string, data: object) =>
    post<{ ok: true }>('/publish', { channel, event, data }),
  extensions: () => get<{ extensions: ExtensionCard[] }>('/extensions'),
};
