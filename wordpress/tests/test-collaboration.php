<?php
/**
 * Editing together where Gutenberg is: its experiment goes first.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

require __DIR__ . '/site.php';

use WordSocket\Client;
use WordSocket\Collaboration;
use WordSocket\Config;
use WordSocket\Options;
use WordSocket\WPS;

$GLOBALS['wp_version'] = '7.1.1';
$config                = new Config();
is( Collaboration::support(), 'core', 'a 7.1 without Gutenberg' );
ok( ! $config->yjs_provider_enabled(), 'is woken by nobody unless somebody says so' );

if ( ! function_exists( 'wp_is_collaboration_enabled' ) ) { // From here on, and not before.
	/** Gutenberg's. */
	function wp_is_collaboration_enabled(): bool {
		return $GLOBALS['experiment'];
	}
}

$ways = array();
foreach ( array( true, false ) as $GLOBALS['experiment'] ) {
	foreach ( array( null, '0', '1' ) as $wanted ) {
		if ( null === $wanted ) {
			unset( World::$options[ Options::YJS_PROVIDER ] );
		} else {
			World::$options[ Options::YJS_PROVIDER ] = $wanted;
		}
		$ways[] = Collaboration::summary( $config );
	}
}
is(
	$ways,
	array(
		'on (gutenberg), encrypted',
		'off (gutenberg): switched-off',
		'on (gutenberg), encrypted',
		'off (experiment-off): experiment-off',
		'off (experiment-off): experiment-off',
		'off (experiment-off): experiment-off',
	),
	'who switched the experiment on wants it, unless it was said otherwise; who did not, does not'
);
$GLOBALS['experiment'] = true;
ok( ( new Collaboration( $config, new Client( $config, WPS::instance()->token() ) ) )->is_on(), 'and it is on' );
World::$options[ Options::COLLABORATION_PLAIN ] = '1';
is( Collaboration::summary( $config ), 'on (gutenberg), plain', 'in plain frames where that is stored' );

done_testing();
