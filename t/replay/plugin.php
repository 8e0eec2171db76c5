<?php
/**
 * What the public plugin WordSocket 0.25 says to a relay, said again without
 * WordPress: the requests, headers, claims and frames are those of its classes
 * and of its browser bundle, as the relay's wire document has them.
 *
 *     php t/replay/plugin.php BASE
 *
 * API_KEY, DASHBOARD_USER and DASHBOARD_PASSWORD are read from the environment,
 * so that no command line shows them. Prints TAP.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

declare( strict_types = 1 );

require __DIR__ . '/relay.php';
require __DIR__ . '/browser.php';

$base  = rtrim( $argv[1] ?? '', '/' );
$relay = new Relay( $base );
$home  = 'https://replay-' . bin2hex( random_bytes( 4 ) ) . '.example';
$key   = (string) getenv( 'API_KEY' );

/* Connecting with an API key. */

is( strlen( $key ), 64, 'an API key has 64 characters, or the plugin does not even ask' );
$answer = $relay->register( str_repeat( '0', 64 ), $home, 'Replay' );
is( $answer->error(), '401 invalid_api_key', 'register with a key nobody has' );
ok( str_contains( $answer->json['message'], 'invalid API key' ), 'in words the plugin shows' );
$answer = $relay->register( $key, $home, 'Replay' );
is( $answer->status, 200, 'register answers exactly 200' );
$site = $answer->json;
foreach ( array( 'site_key', 'publish_secret', 'jwt_secret' ) as $name ) {
	ok( is_string( $site[ $name ] ) && '' !== $site[ $name ], "with a $name" );
}
is( preg_match( '/^[0-9a-f]{32}$/', $site['site_key'] ), 1, 'the key is 32 hex digits' );
$again = $relay->register( $key, $home . '/', 'Replay' )->json;
is( $again['site_key'], $site['site_key'], 'the same URL has the same key' );
ok( $again['publish_secret'] !== $site['publish_secret'], 'and fresh secrets' );
is( $relay->publish( $site, 'events', 'x', array() )->error(), '401 invalid_signature', 'the ones before are void' );
$site = $again;

/* The settings screen. */

is( $relay->probe( array( 'site_key' => str_repeat( 'f', 32 ) ) )->error(), '401 unknown_site_key', 'the probe of a key nobody knows' );
is( $relay->probe( $site )->error(), '401 invalid_signature', 'the probe of this one: connected' );
$stats = $relay->stats( $site );
is( $stats->status, 200, 'stats' );
is( $stats->json['active_connections'], 0, 'nobody is connected' );
ok( is_int( $stats->json['max_connections'] ) && $stats->json['max_connections'] > 0, 'of so many that may be' );

/* Two browsers. */

$grants = array( Browser::qualified( $site, 'events' ), Browser::qualified( $site, 'presence:' ) );
$ann    = Browser::socket( $base, Browser::token( $site, '7', $grants, $grants ) );
$bob    = Browser::socket( $base, Browser::token( $site, '8', $grants, $grants ) );
$bare   = 'presence:post-1';
foreach ( array( $ann, $bob ) as $browser ) {
	$browser->send( array( 'type' => 'subscribe', 'channels' => array( Browser::qualified( $site, 'events' ), $bare, 'secret' ) ) );
	$said = $browser->wait( 'subscribed' );
	$granted = $said['channels'];
	sort( $granted );
	is( $granted, array( 'events', $bare ), 'subscribed to what the token allows, by bare names' );
}
is( $relay->stats( $site )->json['active_connections'], 2, 'stats count both' );
$stream = Browser::stream( $base, Browser::token( $site, '0', $grants, array() ), 'events' );
is( $relay->stats( $site )->json['active_connections'], 3, 'and an event stream' );

$answer = $relay->publish( $site, 'events', 'encrypted', array( 'v' => 1, 'p' => base64_encode( 'sealed' ) ) );
is( array( $answer->status, $answer->json['ok'] ), array( 200, true ), 'publish' );
foreach ( array( 'ann' => $ann, 'bob' => $bob ) as $who => $browser ) {
	$heard = $browser->wait( 'message' );
	is( array( $heard['channel'], $heard['event'], $heard['data']['p'] ), array( 'events', 'encrypted', base64_encode( 'sealed' ) ), "$who hears it" );
}
$heard = $stream->event();
is( array( $heard['channel'], $heard['event'] ), array( 'events', 'encrypted' ), 'and so does the stream' );

$ann->send( array( 'type' => 'message', 'channel' => 'events', 'event' => 'typing', 'data' => array( 'n' => 1 ) ) );
is( $bob->wait( 'message' )['event'], 'typing', 'a browser publishes' );
is( $ann->wait( 'message' )['event'], 'typing', 'and hears itself' );

/* Presence, from two connections. */

$ann->send( array( 'type' => 'presence', 'channel' => $bare, 'state' => array( 'name' => 'Ann' ) ) );
$joined = $bob->presence( $bare, 'join' );
is( $joined['state'] ?? null, array( 'name' => 'Ann' ), 'bob is told that ann came' );
ok( is_string( $joined['id'] ?? null ), 'by the name of a connection' );
$bob->send( array( 'type' => 'presence', 'channel' => $bare, 'state' => array( 'name' => 'Bob' ) ) );
$joined['bob'] = $ann->presence( $bare, 'join', array( 'name' => 'Bob' ) );
ok( ( $joined['bob']['id'] ?? $joined['id'] ) !== $joined['id'], 'and ann that bob did, by another' );
$late = Browser::socket( $base, Browser::token( $site, '9', $grants, array() ) );
$late->send( array( 'type' => 'subscribe', 'channels' => array( $bare ) ) );
is( count( $late->presence( $bare, 'sync' )['members'] ?? array() ), 2, 'who comes later is told of both' );
$ann->send( array( 'type' => 'presence', 'channel' => $bare, 'state' => null ) );
is( $bob->presence( $bare, 'leave' )['id'] ?? null, $joined['id'], 'who enters null has left' );
$bob->drop();
is( $late->presence( $bare, 'leave', null, $joined['bob']['id'] ?? '' )['id'] ?? null, $joined['bob']['id'] ?? '', 'and so has who is gone' );

/* A token that is renewed, and one that is not good. */

$until = time() + 299;
$ann->send( array( 'type' => 'auth', 'token' => Browser::token( $site, '7', $grants, $grants, $until ) ) );
is( $ann->wait( 'auth_ok' )['exp'], $until, 'a token is renewed over the open socket' );
$relay->publish( $site, 'events', 'after', array() );
is( $ann->wait( 'message' )['event'], 'after', 'which goes on' );
$stale = Browser::socket( $base, Browser::token( $site, '7', $grants, $grants, time() - 10, time() - 310 ) );
is( $stale->closed(), 4001, 'a token of yesterday closes with 4001' );
is( Browser::stream( $base, 'nonsense', 'events' )->status, 401, 'and is 401 for a stream' );

/* Disconnecting. */

is( $relay->unregister( array( 'publish_secret' => 'x' ) + $site )->error(), '403 unauthorized', 'unregister without the secret' );
is( $relay->unregister( $site, $key )->status, 200, 'unregister' );
is( $ann->closed(), 4003, 'sockets are closed with 4003' );
ok( $stream->ended(), 'streams end' );
is( $relay->probe( $site )->error(), '401 unknown_site_key', 'the probe says it is disconnected' );
is( $relay->unregister( $site, $key )->error(), '404 not_found', 'which the plugin takes for done' );

/* One click. */

$user  = getenv( 'DASHBOARD_USER' ) . ':' . getenv( 'DASHBOARD_PASSWORD' );
$state = bin2hex( random_bytes( 32 ) );
$query = array(
	'state'        => $state,
	'callback_url' => $home . '/wp-admin/admin-post.php?action=wpsignal_oauth_callback',
	'site_url'     => $home,
	'site_name'    => 'Replay',
);
is( $relay->page( $query )->status, 401, 'the approval page asks who it is' );
$page = $relay->page( $query, $user );
is( $page->status, 200, 'and shows itself to a user' );
ok( str_contains( $page->text, parse_url( $home, PHP_URL_HOST ) ), 'with the host that gets the answer' );
$answer = $relay->page( $query, $user, array( 'decision' => 'cancel' ) + $page->fields() );
is( $answer->headers['location'] ?? '', $query['callback_url'] . '&wps_error=cancelled', 'Cancel goes back by GET' );
$back = $relay->page( $query, $user, array( 'decision' => 'approve' ) + $page->fields() );
$form = $back->fields();
is( html_entity_decode( $back->action() ), $query['callback_url'], 'Approve posts to the callback' );
is( $form['wps_state'] ?? null, $state, 'with the state' );
$site = $relay->exchange( $form['wps_code'] ?? '' );
is( array( $site->status, $site->json['site_key'] ?? '' ), array( 200, $again['site_key'] ), 'the code is exchanged, for the key the URL had' );
is( $relay->exchange( $form['wps_code'] ?? '' )->error(), '400 invalid_code', 'once' );
is( $relay->publish( $site->json, 'events', 'x', array() )->status, 200, 'and the site publishes' );
is( $relay->unregister( $site->json )->status, 200, 'without an API key it is disconnected by its secret' );
done_testing();
