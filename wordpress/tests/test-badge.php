<?php
/**
 * Badges, against the vector that the editor's tests have, too.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

require __DIR__ . '/site.php';

use WordSocket\Badge;

$vector = json_decode( file_get_contents( dirname( __DIR__ ) . '/test/vectors/badge.json' ), true, 32, JSON_THROW_ON_ERROR );
$key    = openssl_pkey_get_private( $vector['pem'] );
$public = openssl_pkey_get_details( $key )['key'];

ok( count( $vector['signatures'] ) > 5, 'there are signatures of each kind' );
foreach ( $vector['signatures'] as $one ) {
	is( bin2hex( Badge::raw_signature( hex2bin( $one['der'] ) ) ), $one['raw'], "a signature as browsers have it: {$one['name']}" );
	is( openssl_verify( $one['of'], hex2bin( $one['der'] ), $public, OPENSSL_ALGO_SHA256 ), 1, "which is one: {$one['name']}" );
}
$whole = hex2bin( $vector['signatures'][0]['der'] );
$wrong = array(
	'nothing'                => '',
	'one cut short'          => substr( $whole, 0, -1 ),
	'one with more behind'   => "$whole\0",
	'no sequence'            => "\x31" . substr( $whole, 1 ),
	'one number alone'       => "\x30\x03\x02\x01\x05",
	'a number that is none'  => "\x30\x06\x02\x01\x05\x04\x01\x05",
	'zeros'                  => "\x30\x06\x02\x01\x00\x02\x01\x00",
	'a number of another curve' => "\x30\x26\x02\x21\x01" . str_repeat( 'a', 32 ) . "\x02\x01\x05",
	'one that says too much' => "\x30\x06\x02\x7f\x05\x02\x01\x05",
);
foreach ( $wrong as $what => $der ) {
	is( Badge::raw_signature( $der ), '', "no signature: $what" );
}

is( base64_encode( Badge::public_half( $key ) ), $vector['issuer'], 'the public half' );
list( $text, $signature ) = explode( '.', Badge::make( $vector['claims'], $key ) );
is( $text, explode( '.', $vector['badge'] )[0], 'the claims, to the byte' );
is( strlen( $signature ), 86, 'and 64 bytes of signature' );

// A coordinate that begins with zeros is as long as any other. One key in 128.
for ( $tries = 0, $short = false; ! $short && $tries < 5000; ++$tries ) {
	$other = openssl_pkey_get_private( Badge::new_key() );
	$about = openssl_pkey_get_details( $other )['ec'];
	$half  = Badge::public_half( $other );
	$short = "\0" === $half[1] || "\0" === $half[33];
}
ok( $short && 65 === strlen( $half ) && str_ends_with( $half, $about['y'] ), 'a public half is always 65 bytes' );

$claims                        = $vector['claims'];
$claims['user']['avatar_urls'] = array( '24' => 'data:image/png;base64,' . str_repeat( 'A', 7000 ) );
$read                          = json_decode( base64_decode( strtr( explode( '.', Badge::make( $claims, $key ) )[0], '-_', '+/' ) ), true );
is( $read['user'], array_merge( $vector['claims']['user'], array( 'avatar_urls' => array() ) ), 'pictures that are too long for a badge are left out' );

done_testing();
