/* SPDX-License-Identifier: GPL-2.0-or-later */
( function ( wordsocket, wp ) {
	const el = wp.element.createElement;

	function Status() {
		const connection = wordsocket.useConnection();
		const client = wordsocket.useClientState();
		return el(
			'p',
			{ id: 'shoutbox-status' },
			connection.isConnected ? 'Comments go out live.' : 'Not connected.',
			' ',
			client.transport || 'offline'
		);
	}

	function Panel() {
		return el(
			wordsocket.ExtensionPanel,
			{
				name: 'shoutbox',
				title: 'Shoutbox',
				description: 'Comments as they come.',
				docsUrl: 'https://example.org/shoutbox',
			},
			el( Status )
		);
	}

	wp.plugins.registerPlugin( 'shoutbox', { scope: 'wordsocket', render: Panel } );

	if ( wordsocket.registerTab ) {
		wordsocket.registerTab( {
			name: 'shoutbox',
			title: 'Shoutbox',
			render: () => el( Status ),
		} );
	}
} )( window.wordsocket, window.wp );
