<?php
/**
 * Tokens, against the shared vectors.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

require __DIR__ . '/site.php';

use WordSocket\Jwt;

$ours = 0;
foreach ( vectors( 'jwt' ) as $case ) {
	// We write one header only; vectors with another are for readers.
	if ( '{"alg":"HS256","typ":"JWT"}' !== $case['header'] ) {
		continue;
	}
	++$ours;
	$token = Jwt::make( json_decode( $case['claims'], true ), $case['secret'] );
	$parts = explode( '.', $token );
	is( count( $parts ), 3, "three parts, {$case['name']}" );
	is( base64_decode( strtr( $parts[1], '-_', '+/' ) ), $case['claims'], "the claims, {$case['name']}" );
	is( $parts[2], $case['signature'], "the signature, {$case['name']}" );
	ok( 1 === preg_match( '/^[A-Za-z0-9_.-]+$/', $token ), "fit for a URL, {$case['name']}" );
}
ok( $ours > 3, 'there were vectors for what we write' );

$broken = false;
try {
	Jwt::make( array( 'user_id' => "\xff" ), 's' );
} catch ( JsonException $e ) {
	$broken = true;
}
ok( $broken, 'a claim that is not UTF-8 makes no token' );

done_testing();
