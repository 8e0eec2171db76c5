<?php
/**
 * Names of channels, against the shared vectors.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

require __DIR__ . '/site.php';
require __DIR__ . '/reading.php';

use WordSocket\Channels;
use WordSocket\Config;
use WordSocket\Publisher;

is( vectors( 'site_id', 'channels.json' ), SITE_ID, 'the vectors are of the site of the tests' );

foreach ( vectors( 'spellings', 'channels.json' ) as $case ) {
	is( bare( $case['given'] ), $case['bare'], "the rule: {$case['name']}" );
	$full = Channels::qualify( $case['given'], SITE_ID );
	ok( str_starts_with( $full, SITE ), "the full name is the site's: {$case['name']}" );
	is( bare( $full ), $case['bare'], "and means the same channel: {$case['name']}" );
}

// A relay refuses these, so a reservation would guard what cannot be.
$refused = array_column( array_filter( vectors( 'names', 'channels.json' ), static fn( array $case ): bool => ! $case['valid'] ), 'channel', 'name' );
foreach ( vectors( 'bytes', 'channels.json' ) as $case ) {
	if ( ! $case['valid'] ) {
		$refused[ $case['name'] ] = hex2bin( $case['hex'] );
	}
}
foreach ( $refused as $about => $name ) {
	ok( ! ( new Channels() )->reserve( $name, 'read' ), "cannot be reserved: $about" );
}

World::$answer = World::response( 200 );
foreach ( vectors( 'names', 'channels.json' ) as $case ) {
	if ( ! $case['valid'] ) {
		continue;
	}
	( new Publisher( new Config() ) )->publish( $case['channel'], 'x' );
	$body = json_decode( array_pop( World::$requests )[2]['body'] );
	is( $body->channel, $case['channel'], "is published to by this very name: {$case['name']}" );
}

// Whatever the plugin grants, only the relay speaks here.
$open  = new Channels();
$token = array(
	'version' => WordSocket\Token::TOKEN_VERSION,
	'read'    => $open->allowed_prefixes( 1, SITE_ID ),
	'write'   => $open->allowed_publish_prefixes( 1, SITE_ID ),
	'rooms'   => array(),
);
foreach ( vectors( 'reserved', 'channels.json' ) as $case ) {
	ok( may_read( $token, $case['channel'] ), "{$case['channel']} may be heard" );
	is( may_write( $token, $case['channel'] ), ! $case['reserved'], $case['reserved'] ? 'but not spoken on' : 'and spoken on' );
}

done_testing();
