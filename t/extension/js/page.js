/* SPDX-License-Identifier: GPL-2.0-or-later */
( function ( WPS ) {
	const box = document.createElement( 'aside' );
	const list = box.appendChild( document.createElement( 'ul' ) );
	const readers = new Set();

	box.id = 'shoutbox';
	box.dataset.readers = '0';
	list.setAttribute( 'aria-live', 'polite' );
	document.body.appendChild( box );

	WPS.on( 'shout.new', ( data ) => {
		const item = document.createElement( 'li' );
		item.textContent = `${ data.author }: ${ data.text }`;
		list.appendChild( item );
	} );
	document.addEventListener( 'wpsignal:shout.new', ( event ) => {
		box.dataset.last = String( event.detail.data.comment_id );
	} );
	WPS.on( 'wps.presence', ( data, channel ) => {
		if ( ! WPS.onChannel( channel, 'shout:feed' ) ) {
			return;
		}
		readers.add( JSON.stringify( data ) );
		box.dataset.readers = String( readers.size );
	} );
	WPS.subscribe( [ 'shout:feed' ] );
	WPS.setPresence( 'shout:feed', { id: WPS.visitorId() } );
	box.dataset.state = WPS.state.transport || '';
	WPS.onStateChange( ( state ) => {
		box.dataset.state = state.transport || '';
	} );
} )( window.WPS );
