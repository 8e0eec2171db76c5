<?php
/**
 * What the plugin grants, and what a relay makes of it, against the shared
 * vectors.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

require __DIR__ . '/site.php';
require __DIR__ . '/reading.php';

use WordSocket\Channels;
use WordSocket\Config;
use WordSocket\Token;

const EDITOR = 5;
World::$caps = array( EDITOR => array( 'read', 'edit_posts', 'manage_woocommerce' ) );

is( vectors( 'site_id', 'rights.json' ), SITE_ID, 'the vectors are of the site of the tests' );
$grants = array_column( vectors( 'grants', 'rights.json' ), null, 'name' );

foreach ( $grants as $name => $grant ) {
	foreach ( $grant['channels'] as $channel ) {
		$about = strlen( $channel['given'] ) > 120 ? strlen( $channel['given'] ) . ' bytes' : $channel['given'];
		is( array( may_read( $grant, $channel['given'] ), may_write( $grant, $channel['given'] ) ), array( $channel['read'], $channel['write'] ), "$name: $about" );
	}
}

/** The rights in a token that the plugin mints for an editor. */
function minted_for( Channels $channels ): array {
	World::$user_id = EDITOR;
	$token          = ( new Token( new Config(), $channels ) )->mint()['token'];
	$claims         = json_decode( base64_decode( strtr( explode( '.', $token )[1], '-_', '+/' ) ), true );
	return array(
		'version' => $claims['v'],
		'read'    => $claims['allowed_channel_prefixes'],
		'write'   => $claims['allowed_publish_prefixes'],
		'rooms'   => $claims['rooms'] ?? array(),
	);
}

/** A grant of the vectors without its channels, in the version that the plugin writes. */
function plain( array $grant ): array {
	return array( 'version' => Token::TOKEN_VERSION ) + array_intersect_key( $grant, array_flip( array( 'version', 'read', 'write', 'rooms' ) ) );
}

is( minted_for( new Channels() ), plain( $grants['v2 wildcard'] ), 'with nothing reserved the plugin grants the wildcard' );

$shop = new Channels();
$shop->reserve( 'woo', 'manage_woocommerce', 'manage_woocommerce' );
is( minted_for( $shop ), plain( $grants['v2 strict'] ), 'with a reservation it grants the strict lists' );

add_filter( 'wpsignal_token_channel_prefixes', static fn(): array => array( 'chat:' ) );
add_filter( 'wpsignal_token_publish_prefixes', static fn(): array => array( 'chat:lobby' ) );
is( minted_for( new Channels() ), plain( $grants['v2 foreign prefix'] ), 'filters may grant foreign prefixes' );

add_filter( 'wpsignal_token_channel_prefixes', static fn(): array => array( '', SITE . 'events' ) );
add_filter( 'wpsignal_token_publish_prefixes', static fn(): array => array( '' ) );
$minted = minted_for( new Channels() );
foreach ( $grants['v2 empty prefixes']['channels'] as $channel ) {
	is( array( may_read( $minted, $channel['given'] ), may_write( $minted, $channel['given'] ) ), array( $channel['read'], $channel['write'] ), "an empty prefix from a filter grants nothing: {$channel['given']}" );
}
ok( ! in_array( '', array_merge( $minted['read'], $minted['write'] ), true ), 'and does not even get into a token' );

done_testing();
