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
import { Polling } from './polling.js';
import { showProgress } from './progress.js';
import { createCreator, isForOne } from './provider.js';

/** What PHP says; see class-collaboration.php. */
interface Data {
  readonly relay: ClientOptions;
  /** Of the REST API, with the namespace. */
  readonly route: string;
  readonly isDebug: boolean;
  /** Set on WordPress 7.0: its own polling is answered here. */
  readonly polling?: { readonly withoutTypes: readonly string[] };
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

/** Whether a room is of a type that is edited by one, or kept without its document. */
const isAloneBy =
  (withoutTypes: readonly string[]) =>
  (room: string): boolean => {
    const [type = '', id] = room.split(':');
    return isForOne(type) || (id !== undefined && withoutTypes.some((name) => type === `postType/${name}`));
  };

/** Three may poll one server; the relay carries more. */
function answerPolling(polling: Polling): void {
  apiFetch.use(polling.middleware);
  addFilter('sync.pollingProvider.maxClientsPerRoom', 'wordsocket/polling', () => Number.MAX_SAFE_INTEGER);
}

function install({ relay, route, isDebug, polling }: Data): void {
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
  if (polling) {
    const around = { link, clock, crypto, badges, grown: explainSize };
    answerPolling(new Polling(around, isAloneBy(polling.withoutTypes)));
  } else {
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
  }
  explainMetaBoxes();
  if (isDebug) {
    window.wordsocketCollaboration = { client: link.connection };
  }
}

/** The editor of WordPress 7.0 goes on alone without a word. */
function explainSize(): void {
  dispatch('core/notices').createWarningNotice(
    __('This has become too large to be edited together. What others change is not shown here any more, and whoever saves last overwrites it.', 'wordsocket'),
    { id: 'wordsocket-size', isDismissible: true },
  );
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
