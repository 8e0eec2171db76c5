/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Connect and Disconnect on the plugin's screen. Disconnect asks again, in its
 * place. wordsocketConnect: routes, nonce, home, words.
 */
( function () {
	const { connect, disconnect, nonce, home, words } = window.wordsocketConnect;
	const find = ( name ) => document.getElementById( `wordsocket-${ name }` );
	const said = find( 'said' );

	async function send( url, button ) {
		button.disabled = true;
		said.textContent = words.busy;
		try {
			const answer = await fetch( url, {
				method: 'POST',
				credentials: 'same-origin',
				headers: { 'X-WP-Nonce': nonce, 'X-WordSocket-Home': home },
			} );
			if ( answer.ok ) {
				window.location.reload();
				return;
			}
			said.textContent = ( await answer.json() ).message;
		} catch {
			said.textContent = words.failed;
		}
		button.disabled = false;
	}

	find( 'connect' )?.addEventListener( 'click', ( { currentTarget } ) => send( connect, currentTarget ) );

	const ask = ( asks ) => {
		find( 'confirm' ).hidden = ! asks;
		find( 'disconnect' ).hidden = asks;
		find( asks ? 'cancel' : 'disconnect' ).focus();
	};
	find( 'disconnect' )?.addEventListener( 'click', () => ask( true ) );
	find( 'cancel' )?.addEventListener( 'click', () => ask( false ) );
	find( 'really' )?.addEventListener( 'click', ( { currentTarget } ) => send( disconnect, currentTarget ) );
}() );
