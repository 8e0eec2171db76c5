<?php
/**
 * Signatures, against the shared vectors.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

require __DIR__ . '/site.php';

use WordSocket\Signature;

foreach ( vectors( 'signatures' ) as $case ) {
	is( Signature::sign( $case['secret'], $case['body'], $case['ts'] ), $case['sign'], $case['name'] );
}
is(
	Signature::headers( 'key', 'publish-secret', '', 1700000000000 ),
	array(
		'X-WP-Signal-Key'  => 'key',
		'X-WP-Signal-Ts'   => '1700000000000',
		'X-WP-Signal-Sign' => 'd838d154d6d9fdfec1721b12675bfac4ec8c19892180d0d7a0355db022b43ed8',
	),
	'the headers of a signed request'
);

foreach ( vectors( 'signatures', 'sign2.json' ) as $case ) {
	is( Signature::sign_v2( $case['secret'], $case['method'], $case['path'], $case['key'], $case['ts'], $case['nonce'], $case['body'] ), $case['sign'], "version 2: {$case['name']}" );
}
is(
	Signature::headers_v2( '0123456789abcdef0123456789abcdef', 'publish-secret', 'GET', '/site/stats', '', 1700000000000, '5f0c2b1e9a7d4c3f8b6a' ),
	array(
		'X-WordSocket-Key'       => '0123456789abcdef0123456789abcdef',
		'X-WordSocket-Timestamp' => '1700000000000',
		'X-WordSocket-Nonce'     => '5f0c2b1e9a7d4c3f8b6a',
		'X-WordSocket-Signature' => 'v2=' . vectors( 'signatures', 'sign2.json' )[2]['sign'],
	),
	'the headers of a signed request of version 2'
);

done_testing();
