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
$listed = $stored['ALL'];
unset( $stored['ALL'] );
is( array_values( $stored ), $listed, 'every stored name is in the list' );

// Every option the code writes is one of these.
$written = array();
foreach ( glob( dirname( __DIR__ ) . '/includes/*.php' ) as $file ) {
	preg_match_all( '/\b(?:update_option|add_option|set_transient)\(\s*([^,]+),/', file_get_contents( $file ), $found );
	array_push( $written, ...$found[1] );
}
is( array_unique( $written ), array( 'self::OPTION' ), 'options are written by constants only' );

function is_multisite(): bool {
	return false;
}
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

done_testing();
