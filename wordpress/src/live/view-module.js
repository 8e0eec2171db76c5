/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The script module of a page. Themes may use the store `wordsocket/live`:
 * `state.message` and `actions.refresh`.
 */

import { getConfig, store } from '@wordpress/interactivity';
import { start } from './live.js';

const { state } = store( 'wordsocket/live', {
	state: { message: '' },
	actions: {
		refresh: () => live?.refresh(),
	},
} );

/** Whether the router may be used; where not, it would reload the page. */
function isClosed() {
	try {
		return Boolean( getConfig( 'core/router' )?.clientNavigationDisabled );
	} catch {
		return false;
	}
}

/**
 * Has the router show a page in place of the same page.
 *
 * @param {string} html All of it.
 * @return {Promise<boolean>} Whether it could.
 */
async function route( html ) {
	if ( isClosed() ) {
		return false;
	}
	const { actions } = await import( '@wordpress/interactivity-router' );
	const { pathname, search, hash } = window.location;
	await actions.navigate( pathname + search, {
		html,
		force: true,
		replace: true,
		loadingAnimation: false,
		screenReaderAnnouncement: false,
	} );
	if ( hash ) {
		// Not by the router, which would scroll there.
		window.history.replaceState( window.history.state, '', pathname + search + hash );
	}
	return true;
}

const live = start( {
	say( text ) {
		state.message = text;
	},
	route,
} );
