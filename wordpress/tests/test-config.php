<?php
/**
 * What the constants come to.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

require __DIR__ . '/tap.php';
require __DIR__ . '/wordpress.php';
require dirname( __DIR__ ) . '/includes/autoload.php';

use WordSocket\Config;

$config = new Config();

is( $config->missing(), array( 'WORDSOCKET_URL', 'WPSIGNAL_SITE_KEY', 'WPSIGNAL_SITE_SECRET', 'WPSIGNAL_JWT_SECRET' ), 'without constants all of them are missing' );
ok( ! $config->is_configured(), 'so the site is not configured' );
is( $config->credential_source(), 'none', 'and has no credentials' );
is( $config->encryption_key(), '', 'nor a key' );

define( 'WPSIGNAL_SITE_KEY', '0123456789abcdef0123456789abcdef' );
define( 'WPSIGNAL_SITE_SECRET', 'publish-secret' );
define( 'WPSIGNAL_JWT_SECRET', 'jwt-secret' );
is( $config->missing(), array( 'WORDSOCKET_URL' ), 'only the address is missing now' );
is( $config->encryption_key(), '', 'no key without a seed' );

define( 'WORDSOCKET_URL', 'https://example.org/wordsocket/' );
ok( $config->is_configured(), 'with all constants the site is configured' );
is( $config->base_url(), 'https://example.org/wordsocket', 'the slash at the end goes' );
define( 'WPSignal\BASE_URL', 'http://localhost:3001/' );
is( $config->base_url(), 'http://localhost:3001', "the ecosystem's constant goes first" );
is( array( $config->connect_url(), $config->exchange_url() ), array( 'http://localhost:3001/dashboard/connect', 'http://localhost:3001/api/connect/exchange' ), 'one click has its addresses below it' );
is( $config->endpoints(), array( 'ws' => 'ws://localhost:3001/ws', 'sse' => 'http://localhost:3001/sse' ), 'http gives ws' );
is( Config::endpoints_for( 'https://http.example/relay' )['ws'], 'wss://http.example/relay/ws', 'https gives wss, and only the scheme changes' );

foreach ( vectors( 'ids' ) as $ids ) {
	if ( $ids['site_key'] === $config->site_key() ) {
		is( $config->site_id(), $ids['site_id'], 'the site id' );
		is( $config->tenant_id(), $ids['tenant_id'], 'the tenant id' );
	}
}

define( 'AUTH_KEY', 'peer-auth-key' );
define( 'SECURE_AUTH_KEY', 'peer-secure-auth-key' );
is( bin2hex( $config->encryption_key() ), vectors( 'cases' )[0]['aes_key_hex'], 'the key comes from both keys of wp-config.php' );
add_filter( 'wpsignal_encryption_seed', static fn( string $seed ): string => strrev( $seed ) );
is( $config->encryption_key(), WordSocket\Envelope::key( strrev( 'peer-auth-keypeer-secure-auth-key' ), $config->site_key() ), 'a filter may give another seed' );

ok( ! $config->force_sse(), 'WebSocket is tried by default' );
define( 'WPSIGNAL_FORCE_SSE', true );
ok( $config->force_sse(), 'unless a constant says no' );
add_filter( 'wpsignal_force_sse', static fn(): bool => false );
ok( ! $config->force_sse(), 'or a filter yes' );

done_testing();
