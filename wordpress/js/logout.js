/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ends the live connections of the tabs of whoever has just logged out. */
( function () {
	const { restUrl } = JSON.parse( document.getElementById( 'wordsocket-logout-data' ).textContent );
	if ( window.BroadcastChannel ) {
		new BroadcastChannel( `wordsocket:${ restUrl }` ).postMessage( { type: 'logout' } );
	}
}() );
