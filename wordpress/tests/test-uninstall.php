<?php
/**
 * Nothing stays behind.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

require __DIR__ . '/site.php';

$stored = ( new ReflectionClass( WordSocket\Options::class ) )->getConstants();
$listed = array_merge( $stored['ALL'], $stored['TRANSIENTS'] );
unset( $stored['ALL'], $stored['TRANSIENTS'], $stored['SHARED'] );
is( array_values( $stored ), $listed, 'every stored name is in a list' );

// Every name the code writes is one of these, and a transient where it must be.
$written = array();
$passing = array();
foreach ( glob( dirname( __DIR__ ) . '/includes/*.php' ) as $file ) {
	preg_match_all( '/\b(?:update_option|add_option)\(\s*([^,]+),/', file_get_contents( $file ), $found );
	array_push( $written, ...$found[1] );
	preg_match_all( '/\bset_transient\(\s*([^,]+),/', file_get_contents( $file ), $found );
	array_push( $passing, ...$found[1] );
}
$value = static fn( string $name ): mixed => 'self::OPTION' === $name ? WordSocket\Options::LAST_ERROR : ( str_starts_with( $name, 'Options::' ) ? constant( "WordSocket\\$name" ) : null );
ok( count( $written ) > 5 && array() === array_diff( array_map( $value, $written ), WordSocket\Options::ALL ), 'options are written by constants only' );
ok( count( $passing ) > 2 && array() === array_diff( array_map( $value, $passing ), WordSocket\Options::TRANSIENTS ), 'so are transients' );

define( 'WP_UNINSTALL_PLUGIN', 'wordsocket/wordsocket.php' );
WordSocket\Notices::record( 'x', 'y' );
World::$options['somebody_elses'] = 1;
World::$options['home']            = 'https://example.org';
World::$options[ WordSocket\Options::CONNECTION ] = array(
	'home'           => 'https://example.org',
	'path'           => '/wordsocket',
	'site_key'       => 'h0-1',
	'publish_secret' => 'a',
	'jwt_secret'     => 'b',
	'signature'      => 2,
	'generation'     => 7,
);
World::$options[ WordSocket\Options::RELAY_URL ]   = 'https://relay.example';
foreach ( WordSocket\Options::TRANSIENTS as $name ) {
	set_transient( $name, 'x', 60 );
}
World::$answer = new WP_Error( 'http_request_failed', 'nobody there' );
require dirname( __DIR__ ) . '/uninstall.php';
list( , $url, $sent ) = end( World::$requests );
is( array( $url, $sent['body'] ), array( 'https://example.org/wordsocket/site/disconnect', '{"action":"disconnect"}' ), 'uninstalling has the keys revoked' );
is(
	World::$options,
	array(
		'somebody_elses' => 1,
		'home'           => 'https://example.org',
	),
	'and leaves what is not ours, whether the relay answers or not'
);
is( World::$transients, array(), 'nor a transient' );

World::$options = array(
	'home'                          => 'https://example.org',
	WordSocket\Options::RELAY       => array(
		'url'      => 'https://relay.example',
		'home'     => 'https://example.org',
		'site_key' => 'k',
	),
	WordSocket\Options::SITE_KEY    => 'k',
	WordSocket\Options::SITE_SECRET => 's',
	WordSocket\Options::JWT_SECRET  => 'j',
);
require dirname( __DIR__ ) . '/uninstall.php';
list( , $url, $sent ) = end( World::$requests );
is( array( $url, $sent['body'] ), array( 'https://relay.example/api/sites/unregister', '{"site_key":"k","publish_secret":"s"}' ), 'a relay elsewhere is told as well' );
is( array_keys( World::$options ), array( 'home' ), 'and its credentials are gone, answer or not' );

done_testing();
