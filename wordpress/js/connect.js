/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Connect and Disconnect on the plugin's screen. Disconnect asks again, in its
 * place. Its data: routes, nonce, home, where to go when done, words.
 */
( function () {
	const { connect, register, disconnect, nonce, home, done, words } = JSON.parse( document.getElementById( 'wordsocket-connect-data' ).textContent );
	const find = ( name ) => document.getElementById( `wordsocket-${ name }` );
	const onClick = ( name, act ) => find( name )?.addEventListener( 'click', ( { currentTarget } ) => act( currentTarget ) );

	/* Whether it was done; then the page is about to go. */
	async function send( url, button, { body, said = find( 'said' ), next } = {} ) {
		button.disabled = true;
		said.textContent = words.busy;
		try {
			const answer = await fetch( url, {
				method: 'POST',
				credentials: 'same-origin',
				headers: { 'X-WP-Nonce': nonce, 'X-WordSocket-Home': home, ...( body && { 'Content-Type': 'application/json' } ) },
				body: body && JSON.stringify( body ),
			} );
			if ( answer.ok ) {
				if ( next ) {
					window.location.assign( next );
				} else {
					window.location.reload();
				}
				return true;
			}
			said.textContent = ( await answer.json() ).message;
		} catch {
			said.textContent = words.failed;
		}
		button.disabled = false;
		return false;
	}

	/* What PHP cannot know: whether this very page is connected. */
	const live = find( 'live' );
	if ( live && window.WPS ) {
		const show = ( state ) => {
			live.textContent = words[ state.connected ? state.transport : 'connecting' ] + ( state.error ? ` ${ state.error.message }` : '' );
		};
		window.WPS.onStateChange( show );
		show( window.WPS.state );
	}

	/* Whether the web server hands out keys. It does so for nothing but this route. */
	async function probe() {
		const offered = find( 'offered' );
		offered.textContent = words.looking;
		const answer = await fetch( connect, {
			method: 'POST',
			credentials: 'same-origin',
			headers: { 'X-WP-Nonce': nonce, 'X-WordSocket-Home': home, 'Content-Type': 'application/json' },
			body: '{"probe":true}',
		} ).catch( () => null );
		if ( answer?.ok ) {
			offered.textContent = words.offered;
		} else if ( answer?.status === 501 ) {
			offered.textContent = `${ words.notOffered } ${ ( await answer.json() ).message }`;
			find( 'ask' ).open = true;
			find( 'connect' ).classList.remove( 'button-primary' );
		} else {
			offered.textContent = '';
		}
	}
	if ( find( 'connect' ) ) {
		probe();
		find( 'copy-offer' ).hidden = false;
	}
	onClick( 'copy', async () => {
		const letter = find( 'letter' );
		window.getSelection().selectAllChildren( letter );
		try {
			await navigator.clipboard.writeText( letter.textContent );
			find( 'copied' ).textContent = words.copied;
		} catch {
			find( 'copied' ).textContent = words.notCopied;
		}
	} );

	onClick( 'connect', ( button ) => send( connect, button ) );
	onClick( 'register', ( button ) => send( register, button, {
		body: { url: find( 'url' ).value, api_key: find( 'api-key' ).value },
		said: find( 'register-said' ),
		next: done.connected,
	} ) );
	find( 'api-key' )?.addEventListener( 'keydown', ( event ) => {
		if ( event.key === 'Enter' ) {
			event.preventDefault();
			find( 'register' ).click();
		}
	} );

	const ask = ( asks ) => {
		find( 'confirm' ).hidden = ! asks;
		find( 'offer' ).hidden = asks;
		find( asks ? 'cancel' : 'disconnect' ).focus();
	};
	onClick( 'disconnect', () => ask( true ) );
	onClick( 'cancel', () => ask( false ) );

	/* A relay elsewhere may be gone for good. */
	const alone = find( 'alone' );
	onClick( 'really', async ( button ) => {
		const gone = await send( disconnect, button, { next: alone && done.disconnected } );
		if ( alone && ! gone ) {
			alone.hidden = false;
		}
	} );
	onClick( 'forget', ( button ) => send( disconnect, button, { body: { forget: true } } ) );
}() );
