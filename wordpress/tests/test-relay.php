<?php
/**
 * The connection through a relay elsewhere: by API key, what is kept, whose it
 * is, and parting.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

require __DIR__ . '/tap.php';
require __DIR__ . '/wordpress.php';
require dirname( __DIR__ ) . '/includes/autoload.php';

use WordSocket\Config;
use WordSocket\Connection;
use WordSocket\Enroll;
use WordSocket\Options;
use WordSocket\Outcome;
use WordSocket\Relay;

const URL = 'https://relay.example/wordsocket';
World::$options['home']     = 'https://example.org/blog/';
World::$options['blogname'] = 'Tea &amp; Cups';
$given                      = array(
	'site_key'       => str_repeat( 'a', 32 ),
	'publish_secret' => str_repeat( 'b', 64 ),
	'jwt_secret'     => str_repeat( 'c', 64 ),
);
$key    = str_repeat( '0123456789abcdef', 4 );
$config = new Config();
$routes = new Enroll( $config );
$ask    = static fn( string $url, $api_key ) => $routes->register( new WP_REST_Request( array( 'url' => $url, 'api_key' => $api_key ) ) );
$stored = static fn(): array => array_intersect_key( World::$options, array_flip( array( Options::RELAY, Options::SITE_KEY, Options::SITE_SECRET, Options::JWT_SECRET ) ) );

// --- refused before anybody is asked.

is( $ask( 'http://relay.example', $key )->get_error_code(), 'wordsocket_error_url', 'a secret does not go where anybody can read it' );
foreach ( array( '', 'short', str_repeat( 'a', 63 ), str_repeat( 'a', 65 ), str_repeat( 'a', 63 ) . "\n", array(), null ) as $wrong ) {
	is( $ask( URL, $wrong )->get_error_code(), 'wpsignal_invalid_api_key', 'no API key: ' . json_encode( $wrong ) );
}
is( $ask( URL, '****cdef' )->get_error_code(), 'wordsocket_error_masked_key', 'a mask stands for no key: none is kept' );
is( World::$requests, array(), 'nobody was asked' );

// --- refused by the relay.

$refusals = array(
	array( World::response( 401, '{"error":"invalid_api_key","message":"invalid API key"}' ), 'error_api_key', '' ),
	array( World::response( 403, '{"error":"site_limit_reached","message":"disconnect <b>one</b>, such as https://a.example"}' ), 'error_denied', 'disconnect one, such as https://a.example' ),
	array( World::response( 503, '{"error":"unavailable","message":"m"}' ), 'error_busy', 'm' ),
	array( World::response( 502, '<html>' ), 'error_busy', '' ),
	array( World::response( 404, '' ), 'error_no_relay', '' ),
	array( World::response( 204, '' ), 'error_data', '' ),
	array( World::response( 200, '' ), 'error_data', '' ),
	array( World::response( 200, json_encode( array( 'jwt_secret' => '' ) + $given ) ), 'error_data', '' ),
	array( World::response( 200, json_encode( array( 'jwt_secret' => array( 'x' ) ) + $given ) ), 'error_data', '' ),
	array( World::response( 200, json_encode( array( 'site_key' => "a\nb" ) + $given ) ), 'error_data', '' ),
	array( World::response( 200, json_encode( array( 'site_key' => str_repeat( 'a', 513 ) ) + $given ) ), 'error_data', '' ),
	array( new WP_Error( 'http_request_failed', 'Connection refused' ), 'error_unreachable', 'Connection refused' ),
);
foreach ( $refusals as list( $answer, $outcome, $words ) ) {
	World::$answer = $answer;
	$said          = $ask( URL, $key );
	is( $said->get_error_message(), Outcome::find( $outcome )[1] . ( '' === $words ? '' : " It was said: $words" ), "$outcome is told, with what to do" );
	is( $said->get_error_data()['status'], 502, 'as a failure' );
}
is( $stored(), array(), 'nothing was kept' );
foreach ( World::$requests as list( , , $sent ) ) {
	is( array( $sent['redirection'], $sent['reject_unsafe_urls'] ), array( 0, false ), 'no redirect takes the key elsewhere' );
}
World::$network = true;
$ask( URL, $key );
ok( end( World::$requests )[2]['reject_unsafe_urls'], 'in a network of sites nobody reaches into the network of the server' );

// --- connected.

World::$answer = World::response( 200, json_encode( $given + array( 'signature' => 2 ) ) );
$said          = $ask( URL . '/dashboard', " $key\n" );
is( array_keys( $said ), array( 'message', 'site_key' ), 'by API key the site is connected; no secret is in the answer' );
list( $method, $url, $sent ) = end( World::$requests );
is( array( $method, $url ), array( 'POST', URL . '/api/sites/register' ), 'at the relay' );
is( $sent['headers']['Authorization'], "Bearer $key", 'with the key' );
is( $sent['body'], '{"site_url":"https:\/\/example.org\/blog","site_name":"Tea & Cups","signature":2}', 'for this site, asking for signature 2' );
is( World::$options[ Options::SITE_KEY ], $given['site_key'], "the site key is under the ecosystem's name" );
is( World::$options[ Options::SITE_SECRET ], $given['publish_secret'], 'so is the publish secret' );
is( World::$options[ Options::JWT_SECRET ], $given['jwt_secret'], 'and the JWT secret' );
ok( ! str_contains( json_encode( World::$options ), $key ), 'the API key is kept nowhere' );
is( array( $config->credential_source(), $config->base_url(), $config->site_key(), $config->site_secret(), $config->jwt_secret(), $config->signature_version() ), array( 'relay', URL, $given['site_key'], $given['publish_secret'], $given['jwt_secret'], 2 ), 'and the site uses them' );
is( $ask( URL, $key )->get_error_code(), 'wordsocket_error_connected', 'it cannot be connected twice' );
is( $routes->connect()->get_error_code(), 'wordsocket_error_connected', 'nor to the web server' );

World::$options[ Options::RELAY ]['signature'] = 1;
is( $config->signature_version(), 1, 'a relay that knows version 1 gets version 1' );

// --- a copy, and what is not whole.

World::$options['home'] = 'https://copy.example';
ok( ! $config->is_configured() && 'https://example.org/blog' === Relay::copied_from(), 'a copy does not speak in its name' );
is( $routes->disconnect( new WP_REST_Request() )->get_error_code(), 'wordsocket_not_connected', 'nor for it' );
World::$options['home'] = 'https://example.org/blog';
is( Relay::copied_from(), '', 'the original is none' );
$whole = World::$options;
foreach ( array( Options::RELAY, Options::SITE_KEY, Options::SITE_SECRET, Options::JWT_SECRET ) as $name ) {
	unset( World::$options[ $name ] );
	is( Relay::keys(), null, "without $name there is no connection" );
	World::$options = $whole;
}
World::$options[ Options::SITE_KEY ] = 'of another plugin';
is( Relay::keys(), null, 'nor with a site key that this relay did not give' );
World::$options = $whole;

World::$options[ Options::CONNECTION ] = array(
	'home'           => 'https://example.org/blog',
	'path'           => '/w',
	'site_key'       => 'h0-1',
	'publish_secret' => 'a',
	'jwt_secret'     => 'b',
	'signature'      => 2,
	'generation'     => 7,
);
is( array( $config->credential_source(), $config->base_url(), $config->site_secret() ), array( 'server', 'https://example.org/w', 'a' ), 'keys of the web server go first, and are not mixed' );
World::$options = $whole;

// --- disconnected.

foreach ( array( World::response( 403, '{"error":"unauthorized","message":"m"}' ), World::response( 503 ), new WP_Error( 'x', 'timed out' ) ) as $answer ) {
	World::$answer = $answer;
	ok( is_wp_error( $routes->disconnect( new WP_REST_Request() ) ) && $config->is_configured(), 'a relay that does not say yes is told, and the keys are kept' );
}
list( , $url, $sent ) = end( World::$requests );
is( array( $url, $sent['body'] ), array( URL . '/api/sites/unregister', json_encode( array( 'site_key' => $given['site_key'], 'publish_secret' => $given['publish_secret'] ) ) ), 'it is asked with the proof of the site itself' );
foreach ( array( World::response( 200, '{"ok":true}' ), World::response( 404, '{"error":"not_found"}' ), World::response( 401, '{"error":"unknown_site_key"}' ), World::response( 401, '{"error":"invalid_api_key"}' ) ) as $answer ) {
	World::$options = $whole;
	World::$answer  = $answer;
	is( $routes->disconnect( new WP_REST_Request() ), array( 'ok' => true ), 'one that says yes, or does not know the site, ends it' );
	is( $stored(), array(), 'nothing is left' );
}
is( World::$options[ Options::RELAY_URL ], URL, 'but the address, for the next time' );
World::$options = $whole;
$before         = count( World::$requests );
is( $routes->disconnect( new WP_REST_Request( array( 'forget' => '1' ) ) )['ok'] ?? null, true, 'anything but true asks the relay' );
is( count( World::$requests ), $before + 1, 'it was asked' );
World::$options = $whole;
is( $routes->disconnect( new WP_REST_Request( array( 'forget' => true ) ) ), array( 'ok' => true ), 'one that is gone for good can be forgotten' );
is( array( count( World::$requests ), $stored() ), array( $before + 1, array() ), 'without asking it' );

// --- constants.

World::$options = $whole;
define( 'WORDSOCKET_URL', 'https://moved.example/w/' );
is( array( $config->base_url(), $config->site_key() ), array( 'https://moved.example/w', $given['site_key'] ), 'a constant may say that the relay has moved' );
World::$answer = World::response( 200, '{"ok":true}' );
$routes->disconnect( new WP_REST_Request() );
is( end( World::$requests )[1], 'https://moved.example/w/api/sites/unregister', 'and is where the site says good-bye' );
World::$answer = World::response( 200, json_encode( $given ) );
$ask( 'https://typed.example', $key );
is( end( World::$requests )[1], 'https://moved.example/w/api/sites/register', 'nothing typed goes before it' );
ok( ! end( World::$requests )[2]['reject_unsafe_urls'], 'which may be in the network of the server' );
is( $config->signature_version(), 1, 'a relay that does not speak of signatures gets version 1' );
define( 'WPSIGNAL_SITE_KEY', 'by hand' );
is( array( $config->site_key(), $config->site_secret(), $config->is_configured() ), array( 'by hand', '', false ), 'the constant of the site key voids what is stored' );
is( $ask( URL, $key )->get_error_code(), 'wordsocket_error_constants', 'and the form says so' );

done_testing();
