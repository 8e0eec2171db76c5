<?php
/**
 * Connecting and parting on the command line.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

require __DIR__ . '/tap.php';
require __DIR__ . '/wordpress.php';
require dirname( __DIR__ ) . '/includes/autoload.php';

use WordSocket\Channels;
use WordSocket\Command;
use WordSocket\Config;
use WordSocket\Options;
use WordSocket\Outcome;
use WordSocket\Publisher;
use WordSocket\Token;

/** What the command line would say. */
final class WP_CLI {
	public static function error( string $text ): never {
		throw new RuntimeException( $text );
	}
	public static function success( string $text ): void {}
	public static function confirm( string $text, array $options ): void {}
}

const URL = 'https://relay.example/wordsocket';
World::$options['home']     = 'https://example.org';
World::$options['blogname'] = 'Tea';
$given                      = array(
	'site_key'       => str_repeat( 'a', 32 ),
	'publish_secret' => str_repeat( 'b', 64 ),
	'jwt_secret'     => str_repeat( 'c', 64 ),
);
$config  = new Config();
$command = new Command( $config, new Publisher( $config ), new Token( $config, new Channels() ) );
$said    = static function ( callable $do ): string {
	try {
		$do();
		return '';
	} catch ( RuntimeException $e ) {
		return $e->getMessage();
	}
};
$connect = static function ( string $url, string $key ) use ( $command, $said ): string {
	putenv( "WORDSOCKET_API_KEY=$key" );
	return $said( static fn() => $command->connect( '' === $url ? array() : array( $url ), array() ) );
};
$key     = str_repeat( 'k', 64 );

ok( str_contains( $connect( '', $key ), 'press Connect' ), 'without a URL it is told where one click is' );
is( $connect( 'http://relay.example', $key ), Outcome::find( 'error_url' )[1], 'a URL that is none is said to be' );
is( $connect( URL, 'short' ), Outcome::find( 'error_api_key' )[1], 'so is an API key' );
World::$answer = new WP_Error( 'http_request_failed', 'nobody there' );
ok( str_starts_with( $connect( URL, $key ), Outcome::find( 'error_unreachable' )[1] ), 'a relay that does not answer is told, with what to do' );
is( array_intersect( array_keys( World::$options ), Options::ALL ), array(), 'and nothing was changed' );

World::$answer = World::response( 200, json_encode( $given ) );
is( $connect( URL, $key ), '', 'the site is connected' );
is( array( $config->credential_source(), $config->base_url() ), array( 'relay', URL ), 'through the relay' );
ok( ! str_contains( json_encode( World::$options ), $key ), 'the API key is not kept' );

$asked = count( World::$requests );
is( $connect( 'https://another.example', $key ), Outcome::find( 'error_connected' )[1], 'a site that is connected is not connected again' );
is( array( count( World::$requests ), $config->base_url() ), array( $asked, URL ), 'no relay hears of it, and the keys stay' );

World::$answer = World::response( 503, '{"error":"unavailable"}' );
ok( '' !== $said( static fn() => $command->disconnect( array(), array( 'yes' => true ) ) ) && $config->is_configured(), 'a relay that cannot now is told, and the keys are kept' );
World::$answer = World::response( 200, '{"ok":true}' );
is( $said( static fn() => $command->disconnect( array(), array( 'yes' => true ) ) ), '', 'it is disconnected' );
is( $config->is_configured(), false, 'for good' );
ok( '' !== $said( static fn() => $command->disconnect( array(), array( 'yes' => true ) ) ), 'once' );

done_testing();
