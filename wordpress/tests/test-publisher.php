<?php
/**
 * What is sent, and what becomes of the answers.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

require __DIR__ . '/site.php';

use WordSocket\Circuit;
use WordSocket\Config;
use WordSocket\Notices;
use WordSocket\Options;
use WordSocket\Publisher;
use WordSocket\Signature;

/** Opens an envelope, as a browser would. */
function opened( array $data ): mixed {
	$raw = base64_decode( $data['p'], true );
	$key = ( new Config() )->encryption_key();
	return json_decode( (string) openssl_decrypt( substr( $raw, 12, -16 ), 'aes-256-gcm', $key, OPENSSL_RAW_DATA, substr( $raw, 0, 12 ), substr( $raw, -16 ) ) );
}

$publisher     = new Publisher( new Config() );
World::$answer = World::response( 200, '{"ok":true}' );
is( $publisher->publish( 'events', 'post.updated', array( 'title' => 'secret title' ) ), World::$answer, 'the answer is handed back' );

list( $method, $url, $args ) = World::$requests[0];
is( "$method $url", 'POST https://example.org/wordsocket/publish', 'it is posted to the relay' );
is( $args['timeout'], 2.0, 'and costs two seconds at most' );
is( $args['redirection'], 0, 'a signed body follows no redirect' );
ok( ! isset( $args['blocking'] ), 'the answer is waited for' );
is( $args['headers']['Content-Type'], 'application/json', 'as JSON' );
is( $args['headers']['X-WP-Signal-Key'], WPSIGNAL_SITE_KEY, 'with the site key' );
ok( abs( $args['headers']['X-WP-Signal-Ts'] - microtime( true ) * 1000 ) < 5000, 'the time in milliseconds' );
is( $args['headers']['X-WP-Signal-Sign'], Signature::sign( 'publish-secret', $args['body'], $args['headers']['X-WP-Signal-Ts'] ), 'and the signature of these very bytes' );

$body = json_decode( $args['body'], true );
is( array( $body['channel'], $body['event'], array_keys( $body['data'] ) ), array( 'events', 'encrypted', array( 'v', 'p' ) ), 'the relay sees a channel and an envelope' );
ok( ! str_contains( $args['body'], 'post.updated' ) && ! str_contains( $args['body'], 'secret' ), 'neither the name nor the data' );
is( json_encode( opened( $body['data'] ) ), '{"event":"post.updated","data":{"title":"secret title"}}', 'which a browser can open' );

$publisher->publish( 'events', 'nothing' );
is( json_encode( opened( json_decode( World::$requests[1][2]['body'], true )['data'] ) ), '{"event":"nothing","data":{}}', 'no data is an empty object' );
is( World::$deletions, 0, 'a success costs no query' );

World::$answer = World::response( 401, '{"error":"unknown_site_key","message":"<b>Who</b> are you?"}' );
$error         = $publisher->publish( 'events', 'x' );
is( $error->get_error_code(), 'wpsignal_publish_error', 'a refusal is a WP_Error' );
is( $error->get_error_data(), array( 'code' => 'unknown_site_key', 'status' => 401 ), 'with the code and the status' );
$last = Notices::last();
is( array( $last['code'], $last['message'], $last['detail'] ), array( 'unknown_site_key', 'Who are you?', 'x' ), 'and is remembered, without markup' );
ok( abs( $last['time'] - time() ) < 5, 'and when' );
ok( Notices::credentials_rejected(), 'browsers need not try' );

$count = World::$updates;
$publisher->publish( 'events', 'y' );
is( World::$updates, $count, 'the same again within a minute is not written again' );
World::$options[ Notices::OPTION ]['time'] -= 61;
$publisher->publish( 'events', 'y' );
is( array( World::$updates, Notices::last()['detail'] ), array( $count + 1, 'y' ), 'after a minute it is' );

World::$answer = World::response( 500, 'oops' );
$publisher->publish( 'events', 'x' );
is( Notices::last()['code'], 'http_500', 'an answer that is not ours is told by its status' );
ok( ! Notices::credentials_rejected(), 'which says nothing about credentials' );

World::$answer = World::response( 204 );
$publisher->publish( 'events', 'x' );
is( Notices::last(), null, 'a success forgets the failure' );

World::$answer = static function (): WP_Error {
	usleep( 510000 );
	return new WP_Error( 'http_request_failed', 'timed out' );
};
$count         = count( World::$requests );
ok( is_wp_error( $publisher->publish( 'events', 'x' ) ), 'no answer is an error' );
is( Notices::last()['code'], 'unreachable', 'remembered as such' );
World::$answer = World::response( 200 );
ok( is_wp_error( $publisher->publish( 'events', 'x' ) ), 'the next one in this process fails at once' );
is( count( World::$requests ), $count + 1, 'without asking again' );
$publisher = new Publisher( new Config() );
ok( is_wp_error( $publisher->publish( 'events', 'x' ) ), 'so does that of another request' );
is( count( World::$requests ), $count + 1, 'without asking' );
World::$options[ Options::CIRCUIT ]['retry_at'] = time();
ok( ! is_wp_error( $publisher->publish( 'events', 'x' ) ), 'until it is time to ask again' );
Circuit::close();
World::$answer = new WP_Error( 'http_request_failed', 'refused' );
$publisher     = new Publisher( new Config() );
$publisher->publish( 'events', 'x' );
$count = count( World::$requests );
ok( is_wp_error( $publisher->publish( 'events', 'x' ) ), 'a relay that refuses is not asked twice by one request' );
is( count( World::$requests ), $count, 'not even that' );
World::$answer = World::response( 200 );
ok( ! is_wp_error( ( new Publisher( new Config() ) )->publish( 'events', 'x' ) ), 'but by the next, which it costs nothing' );
Circuit::close();

World::$answer = static function (): array {
	usleep( 550000 );
	return World::response( 502 );
};
$publisher     = new Publisher( new Config() );
$count         = count( World::$requests );
$publisher->publish( 'events', 'x' );
$publisher->publish( 'events', 'x' );
$left = World::$requests[ $count + 1 ][2]['timeout'];
ok( $left >= 1 && $left < 1.46, 'slow failures share the two seconds' );
is( $publisher->publish( 'events', 'x' )->get_error_data()['code'], 'unreachable', 'when there is no time for another, the next one fails at once' );
is( count( World::$requests ), $count + 2, 'without asking' );
World::$answer = World::response( 200 );
$publisher     = new Publisher( new Config() );
Circuit::close();
$publisher->publish( 'events', 'x' );
ok( end( World::$requests )[2]['limit_response_size'] <= 65536, 'of an answer no more is read than a relay would say' );

$error = $publisher->publish( 'events', 'x', array( 'bad' => "\xff" ) );
is( $error->get_error_data()['code'], 'invalid_data', 'what JSON cannot carry is not sent' );

World::$answer = World::response( 200, '{"active_connections":3,"max_connections":500}' );
is( $publisher->stats(), array( 'active_connections' => 3, 'max_connections' => 500 ), 'the figures' );
list( $method, $url, $args ) = array_pop( World::$requests );
is( "$method $url", 'GET https://example.org/wordsocket/site/stats', 'are asked for' );
is( $args['headers']['X-WP-Signal-Sign'], Signature::sign( 'publish-secret', '', $args['headers']['X-WP-Signal-Ts'] ), 'with a signed nothing' );
is( $args['body'], null, 'and no body' );
World::$answer = World::response( 200, 'not json' );
is( $publisher->stats(), array( 'active_connections' => 0, 'max_connections' => 0 ), 'missing figures are 0' );
World::$answer = World::response( 401, '{"error":"invalid_signature"}' );
is( $publisher->stats()->get_error_code(), 'wpsignal_invalid_signature', 'a refusal keeps its code' );

add_filter( 'wpsignal_encryption_seed', static fn(): string => '' );
World::$answer = World::response( 200 );
$publisher->publish( 'events', 'x', array( 'n' => 1 ) );
is( array_pop( World::$requests )[2]['body'], '{"channel":"events","event":"x","data":{"n":1}}', 'without a key it goes in the clear' );

define( 'WPSIGNAL_SIGNATURE', 2 );
$nonces = array();
foreach ( array( 'publish', 'stats' ) as $call ) {
	World::$answer               = World::response( 200, '{}' );
	'stats' === $call ? $publisher->stats() : $publisher->publish( 'events', 'x' );
	list( $method, $url, $args ) = array_pop( World::$requests );
	$sent                        = $args['headers'];
	$path                        = substr( $url, strlen( 'https://example.org/wordsocket' ) );
	ok( ! isset( $sent['X-WP-Signal-Sign'] ), "$call: a site of version 2 sends nothing of version 1" );
	is(
		$sent['X-WordSocket-Signature'],
		'v2=' . Signature::sign_v2( 'publish-secret', $method, $path, WPSIGNAL_SITE_KEY, $sent['X-WordSocket-Timestamp'], $sent['X-WordSocket-Nonce'], (string) $args['body'] ),
		"$call: but the signature of this very request"
	);
	$nonces[] = $sent['X-WordSocket-Nonce'];
}
ok( $nonces[0] !== $nonces[1] && strlen( $nonces[0] ) === 32, 'each with a nonce of its own' );

done_testing();
