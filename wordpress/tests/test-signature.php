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

done_testing();
