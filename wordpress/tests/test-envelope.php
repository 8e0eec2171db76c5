<?php
/**
 * Envelopes, against the vectors that C and TypeScript read too.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

require __DIR__ . '/site.php';

use WordSocket\Envelope;

foreach ( vectors( 'cases' ) as $case ) {
	$key = Envelope::key( $case['seed'], $case['site_key'] );
	is( bin2hex( $key ), $case['aes_key_hex'], "the key, {$case['name']}" );

	$sealed = Envelope::seal( $case['plaintext'], $key, hex2bin( $case['iv_hex'] ) );
	is( $sealed, array( 'v' => 1, 'p' => $case['p'] ), "the envelope, {$case['name']}" );
}

$one = Envelope::seal( 'x', $key );
$two = Envelope::seal( 'x', $key );
ok( $one['p'] !== $two['p'], 'the same text twice makes two envelopes' );
is( strlen( base64_decode( $one['p'], true ) ), 12 + 1 + 16, 'an envelope is IV, text and tag' );
ok( Envelope::available(), 'this PHP can encrypt' );

$key    = str_repeat( 'k', 32 );
$sealed = WordSocket\Envelope::seal( '{"event":"e","data":{}}', $key );
is( WordSocket\Envelope::open( $sealed, $key ), '{"event":"e","data":{}}', 'what was sealed opens' );
is( WordSocket\Envelope::open( $sealed, str_repeat( 'x', 32 ) ), null, 'by its own key only' );
foreach ( array( null, 'text', array(), array( 'v' => 2, 'p' => $sealed['p'] ), array( 'v' => 1, 'p' => '%%%' ), array( 'v' => 1, 'p' => 'AAAA' ), array( 'v' => 1, 'p' => substr_replace( $sealed['p'], 'AA', 20, 2 ) ) ) as $rubbish ) {
	is( WordSocket\Envelope::open( $rubbish, $key ), null, 'rubbish does not' );
}

done_testing();
