<?php
/**
 * Copies, other builds, and updates that are not ours.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

require __DIR__ . '/site.php';

use WordSocket\Channels;
use WordSocket\Connection;
use WordSocket\Life;

define( 'WordSocket\FILE', '/srv/wp-content/plugins/wordsocket/wordsocket.php' );

/** As WordPress names a plugin. */
function plugin_basename( string $file ): string {
	return 'wordsocket/wordsocket.php';
}

// --- a copy whose database was rewritten.

World::$options['home'] = 'https://live.example';
$keys = array( 'home' => 'https://live.example', 'home_hash' => Connection::home_hash() );
ok( Connection::is_ours( $keys ), 'keys are for the address they were made for' );
ok( Connection::is_ours( array( 'home' => 'https://live.example' ) ), 'older ones have no hash' );
World::$options['home'] = 'https://staging.example';
ok( ! Connection::is_ours( $keys ), 'a copy at another address has none' );
$keys['home'] = 'https://staging.example';
ok( ! Connection::is_ours( $keys ), 'nor has one in whose database the address was replaced everywhere' );
is( Connection::original( $keys['home'] ), 'a site at another address', 'of which it is told what is known' );
is( Connection::original( 'https://live.example' ), 'https://live.example', 'or all of it' );

// --- what the directory offers under our folder's name.

$offer = static fn( string $id ) => (object) array(
	'response'  => array(
		'wordsocket/wordsocket.php' => (object) array( 'id' => $id ),
		'other/other.php'           => (object) array( 'id' => 'w.org/plugins/other' ),
	),
	'no_update' => array( 'wordsocket/wordsocket.php' => (object) array( 'id' => $id ) ),
);
$kept  = Life::only_our_updates( $offer( 'w.org/plugins/wordsocket' ) );
is( array_keys( $kept->response ), array( 'other/other.php' ), 'another party\'s plugin of this name is no update of ours' );
is( $kept->no_update, array(), 'nor is there none of its updates' );
is( count( Life::only_our_updates( $offer( 'mod-wordsocket' ) )->response ), 2, 'ours is' );
foreach ( array( false, null, 'x', new stdClass() ) as $odd ) {
	is( Life::only_our_updates( $odd ), $odd, 'what is no list of updates stays as it is' );
}

// --- grants of a namespace.

/** Lets user 7 in. */
final class Grants {
	public static function may( int $user_id ): bool {
		return 7 === $user_id;
	}
}
$channels = new Channels();
ok( $channels->reserve( 'club', 'Grants::may', 'Grants::may' ), 'a function of a class is a grant' );
ok( in_array( SITE . 'club:', $channels->allowed_prefixes( 7, SITE_ID ), true ), 'that is asked' );
ok( ! in_array( SITE . 'club:', $channels->allowed_prefixes( 8, SITE_ID ), true ), 'and may say no' );

done_testing();
