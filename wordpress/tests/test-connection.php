<?php
/**
 * The connection through the web server: whose keys are taken, kept, used.
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

// What is derived is the web server's business; here it is made a third time.
foreach ( vectors( 'derived', 'host.json' ) as $one ) {
	$name = strtolower( $one['server_name'] ) . '|' . ( $one['uid'] < 0 ? 'none' : $one['uid'] ) . "|{$one['epoch']}";
	$key  = hash_hkdf( 'sha256', hex2bin( $one['host_key'] ), 32, "wordsocket-vhost-v1|$name", 'wordsocket-host-v1' );
	$make = static fn( string $kind ): string => hash_hmac( 'sha256', "wordsocket-$kind-v1|" . hash( 'sha256', $one['home'] ) . "|{$one['generation']}\1", $key );
	is( bin2hex( $key ), $one['vhost_key'], "the key of the host: {$one['name']}" );
	is( array( $make( 'publish' ), $make( 'token' ) ), array( $one['publish_secret'], $one['jwt_secret'] ), "the secrets: {$one['name']}" );
}
foreach ( vectors( 'proofs', 'host.json' ) as $one ) {
	is( Connection::proof( $one['secret'], $one['challenge'] ), $one['proof'], $one['name'] );
}

$keys = array(
	'v'              => 1,
	'home'           => 'https://example.org/blog',
	'path'           => '/wordsocket',
	'site_key'       => 'h0-1',
	'publish_secret' => 'a',
	'jwt_secret'     => 'b',
	'signature'      => 2,
	'generation'     => 7,
);
$offer = static function ( $value ): void {
	$_SERVER['WORDSOCKET_ENROLL'] = is_array( $value ) ? json_encode( $value ) : $value;
	Connection::take_from_environment();
};
World::$options['home'] = 'https://example.org/blog/';

$offer( $keys );
ok( ! isset( $_SERVER['WORDSOCKET_ENROLL'] ), 'the variable is gone once it was read' );
is( Connection::offered(), $keys, 'its keys are there' );
foreach ( array( 'home', 'path', 'site_key', 'publish_secret', 'jwt_secret', 'signature', 'generation' ) as $name ) {
	$offer( array_diff_key( $keys, array( $name => 1 ) ) );
	is( Connection::offered(), null, "without $name they are none" );
}
$offer( array( 'home' => 'https://example.org' ) + $keys );
is( Connection::offered(), null, 'nor are those of another home' );
$_SERVER['HTTP_WORDSOCKET_ENROLL'] = json_encode( array( 'publish_secret' => 'of a header' ) + $keys );
$offer( $keys );
is( Connection::offered(), $keys, 'a header does not stand in for the variable' );
ok( ! isset( $_SERVER['HTTP_WORDSOCKET_ENROLL'] ), 'and is gone as well' );
$_SERVER['HTTP_WORDSOCKET_ENROLL'] = json_encode( $keys );
Connection::take_from_environment();
is( Connection::offered(), $keys, 'where there is no variable it is taken' );
$offer( array( 'path' => '@elsewhere.example/' ) + $keys );
is( Connection::offered(), null, 'a path that is none is not' );
$offer( 'x' );
is( Connection::offered(), null, 'nor what is no JSON' );

$config = new Config();
$route  = new Enroll( $config );
is( $route->connect()->get_error_code(), 'wordsocket_not_offered', 'without keys there is nothing to connect with' );
is( World::$requests, array(), 'and nobody is asked' );
is( $route->disconnect( new WP_REST_Request() )->get_error_code(), 'wordsocket_not_connected', 'nor anything to disconnect' );

$offer( $keys );
$prove = static function ( string $secret ): Closure {
	return static fn(): array => World::response( 200, json_encode( array( 'proof' => Connection::proof( $secret, json_decode( end( World::$requests )[2]['body'], true )['challenge'] ) ) ) );
};
World::$answer = $prove( 'another' );
is( $route->connect()->get_error_code(), 'wordsocket_wrong_relay', 'who cannot prove that it made the keys is not the relay' );
World::$answer = World::response( 401, '{"error":"site_revoked","message":"m"}' );
is( $route->connect()->get_error_code(), 'wordsocket_site_revoked', 'a refusal is told' );
ok( ! isset( World::$options[ Options::CONNECTION ] ), 'and nothing kept' );
World::$answer = $prove( 'a' );
is( $route->connect(), array( 'ok' => true ), 'who can is; no key is in the answer' );
list( , $url, $sent ) = end( World::$requests );
is( $url, 'https://example.org/wordsocket/site/whoami', 'it was asked on the host of the blog' );
is( array_keys( json_decode( $sent['body'], true ) ), array( 'home', 'generation', 'challenge' ), 'with all it wants' );
$by = $sent['headers'];
is( $by['X-WordSocket-Signature'], 'v2=' . WordSocket\Signature::sign_v2( 'a', 'POST', '/site/whoami', 'h0-1', $by['X-WordSocket-Timestamp'], $by['X-WordSocket-Nonce'], $sent['body'] ), 'signed by version 2' );

is( $config->signature_version(), 2, 'what is published is, too' );
World::$answer = World::response( 200, '{"ok":true}' );
( new WordSocket\Publisher( $config ) )->publish( 'events', 'e' );
$by = end( World::$requests )[2]['headers'];
is( array( $by['X-WordSocket-Key'], substr( $by['X-WordSocket-Signature'], 0, 3 ), isset( $by['X-WP-Signal-Sign'] ) ), array( 'h0-1', 'v2=', false ), 'with the key of the site and no other signature' );
is( $config->credential_source(), 'server', 'the site is connected through the server' );
is( array( $config->base_url(), $config->site_key(), $config->site_secret(), $config->jwt_secret() ), array( 'https://example.org/wordsocket', 'h0-1', 'a', 'b' ), 'and uses these keys' );

World::$options['home'] = 'https://copy.example';
ok( ! $config->is_configured(), 'a copy of it is not connected' );
is( Connection::copied_from(), 'https://example.org/blog', 'and is told what it is a copy of' );
is( $route->disconnect( new WP_REST_Request() )->get_error_code(), 'wordsocket_not_connected', 'nor can it disconnect the original' );
World::$options['home'] = 'https://example.org/blog';
is( Connection::copied_from(), '', 'the original is none' );

World::$answer = World::response( 503, '{"error":"unavailable","message":"m"}' );
is( $route->disconnect( new WP_REST_Request() )->get_error_code(), 'wordsocket_unavailable', 'a relay that cannot now is told' );
ok( $config->is_configured(), 'and the keys are kept' );
World::$answer = World::response( 200, '{"ok":true}' );
is( $route->disconnect( new WP_REST_Request() ), array( 'ok' => true ), 'the site is disconnected' );
is( end( World::$requests )[2]['body'], '{"action":"disconnect"}', 'by a signed request' );
ok( ! $config->is_configured(), 'and the keys are gone' );

World::$options[ Options::CONNECTION ] = $keys;
World::$answer                         = World::response( 401, '{"error":"unknown_site_key","message":"m"}' );
is( $route->disconnect( new WP_REST_Request() ), array( 'ok' => true ), 'keys that the relay revoked already are forgotten, too' );

World::$options[ Options::CONNECTION ] = $keys;
World::$answer                         = World::response( 404, 'no' );
$refused                               = $route->disconnect( new WP_REST_Request() );
is( $refused->get_error_code(), 'wordsocket_http_404', 'a server that has no relay any more revokes nothing' );
ok( str_contains( $refused->get_error_message(), 'WordSocketHostKey' ) && ! str_contains( $refused->get_error_message(), 'WORDSOCKET_URL' ), 'which says what is missing, and not what this way ignores' );
$asked = count( World::$requests );
is( $route->disconnect( new WP_REST_Request( array( 'forget' => true ) ) ), array( 'ok' => true ), 'the keys can be forgotten' );
ok( ! $config->is_configured() && count( World::$requests ) === $asked, 'without a word to anybody' );

World::$options[ Options::CONNECTION ] = $keys;
define( 'WPSIGNAL_SITE_KEY', 'by hand' );
is( array( $config->site_key(), $config->site_secret() ), array( 'by hand', '' ), 'a constant goes first, and is not mixed with keys of the server' );
define( 'WPSIGNAL_SITE_SECRET', 'c' );
define( 'WPSIGNAL_JWT_SECRET', 'd' );
define( 'WORDSOCKET_URL', 'https://relay.example/wordsocket' );
is( $config->credential_source(), 'constant', 'with all constants the site is connected by them' );
$offer( $keys );
is( $route->connect()->get_error_code(), 'wordsocket_constants', 'and the one click says so' );

function current_user_can( string $capability ): bool {
	return user_can( World::$user_id, $capability );
}
ok( ! Enroll::check_permission(), 'a visitor may not' );
World::$caps    = array( 2 => array( 'edit_posts' ), 3 => array( 'manage_options' ) );
World::$user_id = 2;
ok( ! Enroll::check_permission(), 'nor may an author' );
World::$user_id = 3;
ok( Enroll::check_permission(), 'who may change the settings may' );

done_testing();
