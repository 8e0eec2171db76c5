<?php
/**
 * One click: the state, the code, and the outcome of every way it can go.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

require __DIR__ . '/tap.php';
require __DIR__ . '/wordpress.php';
require dirname( __DIR__ ) . '/includes/autoload.php';

use WordSocket\Config;
use WordSocket\One_Click;
use WordSocket\Options;
use WordSocket\Outcome;

const URL   = 'https://relay.example/wordsocket';
const OWNER = 3;
$click      = new One_Click( new Config() );
$outcome    = static fn( string $to ): string => str_replace( 'https://example.org/wp-admin/admin.php?page=wordsocket&wps_notice=', '', $to );
$given      = array(
	'site_key'       => 'k',
	'publish_secret' => 's',
	'jwt_secret'     => 'j',
	'signature'      => 2,
);
World::$options['home']     = 'https://example.org';
World::$options['blogname'] = 'Tea & Cups';
World::$user_id             = OWNER;

/** Presses the button; what is in the address the browser is sent to. */
$begin = static function () use ( $click ): array {
	World::$answer = World::response( 401 );
	parse_str( parse_url( $click->start( URL ), PHP_URL_QUERY ), $asked );
	return $asked;
};

// --- leaving.

is( $outcome( $click->start( 'http://relay.example' ) ), 'error_url', 'an address that is none' );
ok( ! isset( World::$options[ Options::RELAY_URL ] ), 'is not remembered' );
World::$answer = new WP_Error( 'http_request_failed', 'Could not resolve host' );
is( $outcome( $click->start( URL ) ), 'error_unreachable', 'a relay that does not answer' );
is( World::$transients[ Options::SAID ]['said'], 'Could not resolve host', 'and why' );
is( World::$options[ Options::RELAY_URL ], URL, 'its address is remembered' );
World::$answer = World::response( 404 );
is( $outcome( $click->start( URL ) ), 'error_no_relay', 'an address without a relay' );
World::$answer = World::response( 503 );
is( $outcome( $click->start( URL ) ), 'error_unreachable', 'a relay that cannot' );
ok( ! isset( World::$transients[ Options::STATE ] ), 'no state was made' );
World::$options['home'] = 'http://example.org';
is( $outcome( $click->start( URL ) ), 'error_https', 'a site without https' );
World::$options['home'] = 'https://www.example.org';
is( $outcome( $click->start( URL ) ), 'error_origin', 'a site whose wp-admin is elsewhere' );
World::$options['home'] = 'https://example.org';

$asked = $begin();
is( end( World::$requests )[1], URL . '/dashboard/connect', 'the page is looked for before the browser leaves' );
is( array_keys( $asked ), array( 'state', 'callback_url', 'site_url', 'site_name' ), 'what the relay is asked' );
ok( 1 === preg_match( '/^[0-9a-f]{64}$/D', $asked['state'] ), 'the state is 64 hex digits' );
is( $asked['callback_url'], "https://example.org/wp-admin/admin-post.php?action=wpsignal_oauth_callback&wps_state={$asked['state']}", 'the answer comes to the site' );
is( array( $asked['site_url'], $asked['site_name'] ), array( 'https://example.org', 'Tea & Cups' ), 'it says who asks, encoded once' );
ok( ! str_contains( json_encode( World::$transients ), $asked['state'] ), 'the state itself is not stored' );
ok( $begin()['state'] !== $asked['state'], 'the next has another' );

// --- coming back.

is( $outcome( $click->approved( $asked['state'], 'code' ) ), 'error_state', 'a newer request takes the place of an older one' );
$asked = $begin();
foreach ( array( '', 'x', str_repeat( '0', 64 ), strtoupper( $asked['state'] ), hash( 'sha256', $asked['state'] ) ) as $wrong ) {
	is( $outcome( $click->approved( $wrong, 'code' ) ), 'error_state', "a wrong state: '" . substr( $wrong, 0, 8 ) . "'" );
	is( $outcome( $click->declined( $wrong, 'cancelled', '' ) ), 'error_state', 'also to refuse' );
}
$finish = $click->approved( $asked['state'], 'a-code' );
is( $finish, 'https://example.org/wp-admin/admin-post.php?action=wordsocket_oauth_finish', 'the right one is taken, whatever was tried before' );
$asks = count( World::$requests );
is( $outcome( $click->approved( $asked['state'], 'a-code' ) ), 'error_state', 'once' );
is( $outcome( $click->finish( OWNER + 1 ) ), 'error_user', 'somebody else cannot finish it' );
is( count( World::$requests ), $asks, 'the relay was not asked' );
World::$answer = World::response( 200, json_encode( $given ) );
is( $outcome( $click->finish( OWNER ) ), 'connected', 'who began can' );
list( , $url, $sent ) = end( World::$requests );
is( array( $url, $sent['body'], isset( $sent['headers']['Authorization'] ) ), array( URL . '/api/connect/exchange', '{"code":"a-code","site_url":"https:\/\/example.org","signature":2}', false ), 'the code is exchanged by this server' );
is( array( World::$options[ Options::SITE_KEY ], World::$options[ Options::SITE_SECRET ], World::$options[ Options::JWT_SECRET ] ), array( 'k', 's', 'j' ), 'and the credentials are kept' );
is( $outcome( $click->finish( OWNER ) ), 'error_state', 'once' );
is( $outcome( $click->start( URL ) ), 'error_connected', 'a site that is connected does not leave' );
ok( array() === array_diff_key( World::$transients, array( Options::SAID => 1 ) ), 'neither state nor code is left' );
$connected      = World::$options;
World::$options = array_intersect_key( World::$options, array_flip( array( 'home', 'blogname' ) ) );

$asked = $begin();
$click->approved( $asked['state'], 'a-code' );
World::$options = $connected;
$asks           = count( World::$requests );
is( $outcome( $click->finish( OWNER ) ) . ( count( World::$requests ) - $asks ), 'error_connected0', 'one that was connected meanwhile asks for nothing' );
World::$options = array_intersect_key( World::$options, array_flip( array( 'home', 'blogname' ) ) );

foreach ( array( '', "a\nb", 'a b', str_repeat( 'a', 513 ) ) as $wrong ) {
	is( $outcome( $click->approved( $begin()['state'], $wrong ) ), 'error_code', 'no code: ' . json_encode( substr( $wrong, 0, 8 ) ) );
}

// --- refused.

is( $outcome( $click->declined( $begin()['state'], 'cancelled', 'words' ) ), 'cancelled', 'cancelled' );
$asked = $begin();
is( $outcome( $click->declined( $asked['state'], 'site_limit_reached', 'Disconnect <i>one</i> ' . str_repeat( 'x', 300 ) ) ), 'error_denied', 'refused' );
is( World::$transients[ Options::SAID ]['said'], 'Disconnect one ' . str_repeat( 'x', 185 ), 'with 200 characters of what the relay said, and no markup' );
is( World::$transients[ Options::SAID ]['user'], OWNER, 'for who began' );
is( $outcome( $click->declined( $asked['state'], 'site_limit_reached', '' ) ), 'error_state', 'once' );
is( $outcome( $click->declined( $begin()['state'], 'unavailable', '' ) ), 'error_busy', 'a relay that cannot now' );
is( $outcome( $click->declined( $begin()['state'], '', '' ) ), 'error_state', 'an answer that says nothing' );

$answers = array(
	'error_exchange'    => World::response( 400, '{"error":"invalid_code","message":"m"}' ),
	'error_expired'     => World::response( 400, '{"error":"expired_code","message":"m"}' ),
	'error_denied'      => World::response( 403, '{"error":"site_limit_reached","message":"m"}' ),
	'error_busy'        => World::response( 503, '{"error":"unavailable","message":"m"}' ),
	'error_data'        => World::response( 200, '{}' ),
	'error_unreachable' => new WP_Error( 'http_request_failed', 'timed out' ),
);
foreach ( $answers as $name => $answer ) {
	$click->approved( $begin()['state'], 'a-code' );
	World::$answer = $answer;
	is( $outcome( $click->finish( OWNER ) ), $name, "the exchange ends as $name" );
	is( Outcome::find( $name )[0], 'error', 'an error' );
}
ok( ! isset( World::$options[ Options::RELAY ] ), 'which connects nothing' );

// --- words.

is( Outcome::find( '<script>' ), null, 'an outcome that nobody knows is none' );
is( array_column( array( Outcome::find( 'connected' ), Outcome::find( 'disconnected' ), Outcome::find( 'cancelled' ) ), 0 ), array( 'success', 'success', 'info' ), 'some are no errors' );
is( Outcome::removable( array( 'a' ) ), array( 'a', 'wps_notice' ), 'a reload does not show it again' );

// Every name in the code has words.
$names = array();
foreach ( glob( dirname( __DIR__ ) . '/includes/*.php' ) as $file ) {
	preg_match_all( "/'(error_[a-z_]+)'/", file_get_contents( $file ), $found );
	array_push( $names, ...$found[1] );
}
foreach ( array_unique( $names ) as $name ) {
	ok( null !== Outcome::find( $name ), "$name has words" );
}

define( 'WPSIGNAL_SITE_KEY', 'by hand' );
is( $outcome( $click->start( URL ) ), 'error_constants', 'constants go first' );

done_testing();
