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
World::$network = true;
is( Collaboration::summary( $config ), 'on (gutenberg), encrypted', 'but not where the sites of a network share their channels by constants' );
add_filter( 'wordsocket_collaboration_sealed', '__return_false' );
ok( $config->is_collaboration_sealed(), 'nor by a filter' );
unset( World::$filters['wordsocket_collaboration_sealed'] );
$keys = array_map( static fn( int $blog ): string => WordSocket\Rooms::key( 'postType/post:1', 'seed', 'site', $blog ), array( 1, 2 ) );
ok( $keys[0] !== $keys[1], 'each of them has keys of its own' );
World::$network = false;
is( Collaboration::summary( $config ), 'on (gutenberg), plain', 'a site without a network has a channel of its own' );

World::$caps[7] = array( 'edit_posts' );
$rooms          = array( 'root/comment', 'root/comment:collection', 'taxonomy/category:collection', 'postType/post:collection' );
is( WordSocket\Rooms::open_to( 7, $rooms ), array( 'root/comment' ), 'a list is a room by one name, so that no other has its channel' );

done_testing();
