<?php
/**
 * What is in a token, and who gets one.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

require __DIR__ . '/site.php';

use WordSocket\Channels;
use WordSocket\Config;
use WordSocket\Token;

/** Claims of a token, as written. */
function claims_of( string $token ): string {
	return base64_decode( strtr( explode( '.', $token )[1], '-_', '+/' ) );
}

$token          = new Token( new Config(), new Channels() );
World::$user_id = 1;
$minted         = $token->mint( 1700000000 );
$vector         = vectors( 'jwt' )[0];
// The vector is of the ecosystem's version 2; ours differs in nothing else.
is( claims_of( $minted['token'] ), str_replace( '{"v":2,', '{"v":3,', $vector['claims'] ), 'the claims, to the byte' );
list( $head, $body, $sign ) = explode( '.', $minted['token'] );
is( $sign, rtrim( strtr( base64_encode( hash_hmac( 'sha256', "$head.$body", $vector['secret'], true ) ), '+/', '-_' ), '=' ), 'the signature' );
is( $minted['exp'], 1700000300, 'it lives five minutes' );
is( $minted['channels'], array( SITE . 'events' ), 'pages subscribe to events' );

World::$user_id = 0;
ok( str_contains( claims_of( $token->mint()['token'] ), '"user_id":"0"' ), 'a visitor is user "0"' );

add_filter(
	'wpsignal_token_channel_prefixes',
	static function ( array $list, int $user_id, string $site_id ): array {
		$list = array( 'a' => 'x:', 'b' => 7, 'c' => '', 'd' => "u$user_id", 'e' => $site_id, 'f' => 'x:', 'g' => "\xff" );
		unset( $list['a'] );
		return $list;
	},
	10,
	3
);
add_filter( 'wpsignal_token_publish_prefixes', static fn() => null );
add_filter( 'wpsignal_token_channels', static fn( array $list ): array => array( 1 => 'news', 2 => 'news' ) );
$claims = json_decode( claims_of( $token->mint()['token'] ) );
is( $claims->allowed_channel_prefixes, array( 'u0', SITE_ID, 'x:' ), 'a careless filter still makes a list, of texts only, none empty' );
is( $claims->allowed_publish_prefixes, array(), 'and nothing means nowhere' );
is( $token->mint()['channels'], array( 'news' ), 'channels can be filtered' );

$refused = $token->check_permission();
is( is_wp_error( $refused ) ? $refused->get_error_data() : null, array( 'status' => 401 ), 'a visitor is refused with 401' );
World::$user_id = 1;
is( $token->check_permission(), true, 'a user is not' );
add_filter( 'wpsignal_allow_client', static fn( bool $allow ): bool => ! $allow );
ok( is_wp_error( $token->check_permission() ), 'unless a filter says so' );
World::$user_id = 0;
is( $token->check_permission(), true, 'which may also let visitors in' );

$asked  = static fn( string $method ) => $token->answer( new WP_REST_Request( array(), $method ) );
$answer = $asked( 'POST' );
is( array_keys( $answer->data ), array( 'token', 'channels', 'exp', 'encryptionKey' ), 'the route answers with token, channels, exp and key' );
is( array_keys( Token::schema()['properties'] ), array_merge( array_keys( $answer->data ), array( 'rooms', 'badge', 'badgeIssuer' ) ), 'as its schema says, and more for whoever asks for rooms' );
is( $answer->headers, array( 'Cache-Control' => 'no-store, private' ), 'and nobody may keep what was posted for' );
is( $asked( 'GET' )->headers, array( 'Cache-Control' => 'public, max-age=60', 'Vary' => 'X-WP-Nonce' ), 'a visitor may share what was got' );
add_filter( 'wordsocket_share_visitor_token', '__return_false' );
is( $asked( 'GET' )->headers, array( 'Cache-Control' => 'no-store, private' ), 'unless a filter tells visitors apart' );
World::$filters['wordsocket_share_visitor_token'] = array();
World::$user_id = 1;
is( $asked( 'GET' )->headers, array( 'Cache-Control' => 'no-store, private' ), 'a user never does' );
is( array_keys( $asked( 'POST' )->data ), array( 'token', 'channels', 'exp', 'encryptionKey' ), 'and is told the key, too: the one of an old page may be over' );

done_testing();
