/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The script of the block editor: offers the provider to WordPress, once, before
 * the editor asks.
 */

import apiFetch from '@wordpress/api-fetch';
import { dispatch } from '@wordpress/data';
import { addFilter } from '@wordpress/hooks';
import { __ } from '@wordpress/i18n';
import type { ClientOptions } from '../../../client/src/options.js';
import type { YModule } from './answers.js';
import { Badges } from './badge.js';
import { browserClock } from './clock.js';
import { type AskWordPress, ClientLink, type RoomsClient } from './link.js';
import { explainMetaBoxes } from './meta-boxes.js';
import { showProgress } from './progress.js';
import { createCreator } from './provider.js';

/** What PHP says; see class-collaboration.php. */
interface Data {
  readonly relay: ClientOptions;
  /** Of the REST API, with the namespace. */
  readonly route: string;
  readonly isDebug: boolean;
}

declare global {
  interface Window {
    wp?: { sync?: { Y?: YModule } };
    /** Only where the site is no production: for tests of a page. */
    wordsocketCollaboration?: { readonly client: RoomsClient };
  }
}

function dataOf(): Data | undefined {
  const text = document.getElementById('wordsocket-collaboration')?.textContent;
  return text ? (JSON.parse(text) as Data) : undefined;
}

const askBy =
  (route: string, badges: Badges): AskWordPress =>
  async (rooms) => {
    const badgeKey = await badges.key();
    try {
      return await apiFetch({
        path: route,
        method: 'POST',
        data: badgeKey ? { rooms, badgeKey } : { rooms },
      });
    } catch (error) {
      const { code, message, data } = error as {
        code?: string;
        message?: string;
        data?: { status?: number };
      };
      // apiFetch has tried a new nonce already, and does so each time.
      throw Object.assign(new Error(message), { code, status: data?.status });
    }
  };

function install({ relay, route, isDebug }: Data): void {
  const clock = browserClock();
  const badges = new Badges(crypto, Date.now, {
    id: 0,
    name: __('Somebody unverified', 'wordsocket'),
    slug: '',
    avatar_urls: {},
  });
  const link = new ClientLink(relay, askBy(route, badges), clock, (badge, issuer) =>
    badges.take(badge, issuer),
  );
  const creator = createCreator({
    link,
    clock,
    crypto,
    badges,
    progress: showProgress,
    Y: window.wp?.sync?.Y,
  });
  // In the place of WordPress's own, which asks the server every second.
  addFilter('sync.providers', 'wpsignal/yjs-provider', () => [creator]);
  explainMetaBoxes();
  if (isDebug) {
    window.wordsocketCollaboration = { client: link.connection };
  }
}

/** Browsers have the cryptography it takes on secure pages only. */
function explainInsecurePage(): void {
  dispatch('core/notices').createInfoNotice(
    __('Only one person can edit this at a time: editing together needs a page that came by HTTPS.', 'wordsocket'),
    { id: 'wordsocket-insecure', isDismissible: true },
  );
}

const data = dataOf();
if (data && crypto.subtle) {
  install(data);
} else if (data) {
  explainInsecurePage();
}
