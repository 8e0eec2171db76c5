/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The front page of the demo: a badge that tells the state of the connection,
 * and a card for every post that is saved while the page is open. Uses nothing
 * but what window.WPS and the DOM events offer to any theme.
 */
( function () {
	'use strict';

	const CARD_MS = 8000;
	const CARDS = 4;

	const make = ( tag, name, text ) => {
		const node = document.createElement( tag );
		node.className = name;
		node.textContent = text || '';
		return node;
	};

	const badge = make( 'div', 'wsd-badge', 'connecting' );
	const cards = make( 'div', 'wsd-cards' );
	badge.setAttribute( 'role', 'status' );
	cards.setAttribute( 'aria-live', 'polite' );
	document.body.append( badge, cards );

	const names = { ws: 'WebSocket', sse: 'event stream', poll: 'polling' };
	const show = ( state ) => {
		badge.dataset.connected = state.connected ? 'yes' : 'no';
		if ( state.connected ) {
			badge.textContent = 'live · ' + ( names[ state.transport ] || state.transport );
		} else {
			// An error that the client does not try again after, such as a disconnected site.
			badge.textContent = 'authentication-failed' === state.error?.code ? 'not live · ' + state.error.message : 'connecting';
		}
	};
	window.WPS.onStateChange( show );
	show( window.WPS.state );

	// Only addresses of the web: a link must not run anything.
	const isWebAddress = ( text ) => /^https?:\/\//i.test( text || '' );

	const makeCard = ( label, title, text, link ) => {
		const node = make( isWebAddress( link ) ? 'a' : 'div', 'wsd-card' );
		if ( isWebAddress( link ) ) {
			node.href = link;
		}
		node.append( make( 'span', 'wsd-label', label ), make( 'strong', 'wsd-title', title ), make( 'span', 'wsd-text', text ) );
		return node;
	};

	// What to do here, until something arrives.
	const hint = makeCard( 'this page is live', 'Save the post and watch', 'Change its title in wp-admin, in another window. It shows here at once, without a reload.', window.wordsocketDemo.edit );
	hint.classList.add( 'wsd-hint' );
	hint.target = '_blank';
	cards.append( hint );

	const card = ( ...words ) => {
		const node = makeCard( ...words );
		hint.remove();
		cards.prepend( node );
		while ( cards.children.length > CARDS ) {
			cards.lastChild.remove();
		}
		setTimeout( () => node.remove(), CARD_MS );
	};

	const retitle = ( link, title ) => {
		link.textContent = title;
		link.classList.remove( 'wsd-changed' );
		void link.offsetWidth; // so that the animation begins anew
		link.classList.add( 'wsd-changed' );
	};

	document.addEventListener( 'wpsignal:post.updated', ( event ) => {
		const post = event.detail.data;
		card( 'saved just now', post.post_title, post.excerpt, post.permalink );
		for ( const link of document.querySelectorAll( '.wp-block-post-title a, .entry-title a' ) ) {
			if ( link.href === post.permalink ) {
				retitle( link, post.post_title );
			}
		}
	} );

	document.addEventListener( 'wpsignal:demo.hello', ( event ) => {
		card( 'published by curl', event.detail.data.text || 'hello', '' );
	} );
}() );
