<?php
/**
 * What the screen in wp-admin asks of PHP, and Site Health.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

// A copy of the plugin that nobody built yet.
$folder = sys_get_temp_dir() . '/wordsocket-' . bin2hex( random_bytes( 8 ) );
mkdir( "$folder/assets", 0700, true );
define( 'WordSocket\FILE', "$folder/wordsocket.php" );
register_shutdown_function(
	static function () use ( $folder ): void {
		array_map( 'unlink', glob( "$folder/assets/*" ) );
		rmdir( "$folder/assets" );
		rmdir( $folder );
	}
);

require __DIR__ . '/site.php';
require __DIR__ . '/wordpress-admin.php';

use WordSocket\Config;
use WordSocket\Debug_Info;
use WordSocket\Enroll;
use WordSocket\Notices;
use WordSocket\Options;
use WordSocket\Publisher;
use WordSocket\Settings_Routes;
use WordSocket\Site_Health;
use WordSocket\Test_Channel;
use WordSocket\Token;
use WordSocket\WPS;

$config = new Config();
$routes = new Settings_Routes( $config, new Publisher( $config ) );
$health = new Site_Health( $config, new Publisher( $config ) );
World::$caps = array( 1 => array( 'manage_options', 'view_site_health_checks' ), 2 => array( 'edit_posts' ) );

// --- who may ask.

$routes->register_routes();
$health->register_routes();
( new Enroll( $config ) )->register_routes();
$closed = 0;
foreach ( Admin_World::$routes as $name => $route ) {
	ok( is_callable( $route['schema'] ) && 'object' === $route['schema']()['type'], "$name has a schema" );
	foreach ( array_filter( $route, 'is_int', ARRAY_FILTER_USE_KEY ) as $way ) {
		foreach ( array( 0, 2 ) as World::$user_id ) {
			ok( false === $way['permission_callback'](), "{$way['methods']} $name is closed to user " . World::$user_id );
			++$closed;
		}
		World::$user_id = 1;
		ok( true === $way['permission_callback'](), "{$way['methods']} $name is open to an administrator" );
	}
}
is( $closed, 18, 'so are nine ways in all' );
foreach ( array( 'settings', 'stats', 'publish', 'extensions', 'connect', 'disconnect', 'enroll', 'health' ) as $name ) {
	ok( isset( Admin_World::$routes[ "wpsignal/v1/$name" ] ), "/$name is there" );
}

// --- settings.

is(
	$routes->state(),
	array(
		'base_url'             => 'https://example.org/wordsocket',
		'api_key'              => '',
		'site_key'             => WPSIGNAL_SITE_KEY,
		'is_connected'         => true,
		'yjs_provider_enabled' => false,
		'collaboration_sealed' => true,
		'credential_source'    => 'constant',
		'last_error'           => null,
	),
	'how things are, without a secret'
);
$save = static fn( array $change ) => $routes->save( new WP_REST_Request( $change ) );
foreach ( array( false, true ) as $on ) {
	is( $save( array( 'yjs_provider_enabled' => $on ) ), array( 'yjs_provider_enabled' => $on, 'collaboration_sealed' => true ), 'collaboration is switched ' . ( $on ? 'on' : 'off' ) );
	is( ( new Config() )->yjs_provider_enabled(), $on, 'and stays so' );
}
ok( is_string( World::$options[ Options::YJS_PROVIDER ] ), 'kept as a text: an option that is false is none to WordPress' );
$error = $save( array() );
is( array( $error->get_error_code(), $error->get_error_data()['status'] ), array( 'rest_missing_callback_param', 400 ), 'a change says what it changes' );
is( $save( array( 'collaboration_sealed' => false ) ), array( 'yjs_provider_enabled' => true, 'collaboration_sealed' => false ), 'what editors write is not encrypted when somebody says so; the other switch stays' );
ok( ! ( new Config() )->is_collaboration_sealed() && '1' === World::$options[ Options::COLLABORATION_PLAIN ], 'and stays so' );
is( $save( array( 'yjs_provider_enabled' => false ) ), array( 'yjs_provider_enabled' => false, 'collaboration_sealed' => false ), 'the other way round as well' );
is( $save( array( 'yjs_provider_enabled' => true, 'collaboration_sealed' => true ) ), array( 'yjs_provider_enabled' => true, 'collaboration_sealed' => true ), 'both at once' );
ok( ! isset( World::$options[ Options::COLLABORATION_PLAIN ] ), 'encryption needs nothing stored' );
add_filter( 'wordsocket_collaboration_sealed', '__return_false' );
is( $save( array( 'collaboration_sealed' => true ) )['collaboration_sealed'], false, 'where a filter decides, the answer says what it decided' );
unset( World::$filters['wordsocket_collaboration_sealed'] );
Notices::record( 'unknown_site_key', 'no such site', 'post.updated' );
$state = $routes->state();
ok( ! $state['is_connected'] && 'unknown_site_key' === $state['last_error']['code'] && '' !== $state['last_error']['remedy'], 'a relay that does not know the site is told, with a remedy' );
Notices::clear();
is( array( Token::mask_api_key( '' ), Token::mask_api_key( 'abcdefgh' ) ), array( '', '****efgh' ), 'of an API key four characters may be shown' );

// --- publish and stats.

$publish = static fn( array $data ) => $routes->publish( new WP_REST_Request( array( 'channel' => 'events', 'event' => 'x', 'data' => $data ) ) );
World::$answer = World::response( 200, '{"ok":true}' );
is( $publish( array( 'n' => 1 ) ), array( 'ok' => true ), 'an event is published' );
World::$answer = World::response( 429, '{"error":"rate_limited","message":"slow down"}' );
$error         = $publish( array() );
is( array( $error->get_error_code(), $error->get_error_data()['status'] ), array( 'wpsignal_rate_limited', 502 ), 'a refusal has the code of the relay' );
ok( str_starts_with( $error->get_error_message(), 'slow down. This site publishes faster' ), 'and says what to do' );
World::$answer = World::response( 200, '{"active_connections":3,"max_connections":9}' );
is( $routes->stats(), array( 'active_connections' => 3, 'max_connections' => 9 ), 'the connections are counted' );
World::$answer = World::response( 401, '{"error":"invalid_signature","message":"m"}' );
is( $routes->stats()->get_error_code(), 'wpsignal_invalid_signature', 'or it is said why not' );
Notices::clear();

// --- the mask of an API key.

$enroll = new Enroll( new Config() );
is( $enroll->register( new WP_REST_Request( array( 'api_key' => '****efgh' ) ) )->get_error_code(), 'wordsocket_error_constants', 'constants go first' );

// --- the channel of Send test.

is( Test_Channel::grant( array( SITE ), 1, SITE_ID ), array( SITE ), 'where everything may be read, nothing is added' );
is( Test_Channel::grant( array( SITE . 'events' ), 1, SITE_ID ), array( SITE . 'events', SITE . 'wordsocket:test:' ), 'else an administrator may read the tests' );
is( Test_Channel::grant( array( SITE . 'events' ), 2, SITE_ID ), array( SITE . 'events' ), 'and nobody else' );
is( Test_Channel::grant( 'x', 1, SITE_ID ), 'x', 'what is no list is left alone' );

// --- Site Health.

$tests = $health->add_tests( array( 'direct' => array( 'theirs' => 1 ), 'async' => array() ) );
ok( isset( $tests['direct']['theirs'], $tests['direct']['wordsocket_ready'], $tests['async']['wordsocket_relay'] ), 'two tests are added' );
$answers = static function ( array $stats, int $ahead ): callable {
	$first = true;
	return static function () use ( &$first, $stats, $ahead ): array {
		$answer = $first ? $stats : array( 'headers' => array( 'date' => gmdate( 'D, d M Y H:i:s', time() + $ahead ) . ' GMT' ) ) + World::response( 200 );
		$first  = false;
		return $answer;
	};
};
$good    = World::response( 200, '{"active_connections":3,"max_connections":9}' );
$verdict = static function ( callable $answer ) use ( $health ): array {
	World::$answer = $answer;
	$result        = $health->test_relay();
	return array( $result['status'], $result['description'] );
};
is( $verdict( $answers( $good, 0 ) )[0], 'good', 'a relay that answers is good' );
foreach ( array( 30, -30 ) as $ahead ) {
	list( $status, $text ) = $verdict( $answers( $good, $ahead ) );
	ok( 'recommended' === $status && 1 === preg_match( '/differ by (29|30|31) s/', $text ), "clocks that differ are told: $ahead" );
}
list( $status, $text ) = $verdict( $answers( World::response( 401, '{"error":"stale_timestamp","message":"old <b>x</b>"}' ), 0 ) );
ok( 'critical' === $status && str_contains( $text, 'Set both by NTP' ) && ! str_contains( $text, '<b>' ), 'a refusal is told with its remedy, and brings no HTML' );
list( $status, $text ) = $verdict( static fn() => new WP_Error( 'http_request_failed', 'refused' ) );
ok( 'critical' === $status && str_contains( $text, 'did not answer' ), 'so is silence' );
is( $health->test_ready()['status'], 'critical', 'a script that was not built is missed' );
foreach ( array( 'wpsignal.js', 'wpsignal-settings.js', 'wpsignal-settings.asset.php' ) as $name ) {
	touch( "$folder/assets/$name" );
}
is( $health->test_ready()['status'], 'good', 'with all of them nothing is wrong' );
Notices::record( 'rate_limited', 'slow down', 'x' );
ok( 'recommended' === $health->test_ready()['status'] && str_contains( $health->test_ready()['description'], 'slow down. This site publishes faster' ), 'an event that failed is told with its remedy' );
WordSocket\Circuit::open( true );
is( $health->test_ready()['label'], 'WordSocket holds events back', 'so are events that wait' );
$text = json_encode( ( new Debug_Info( $config ) )->add( array() ) );
ok( ! preg_match( '/publish-secret|jwt-secret|peer-auth-key/', $text ), 'debug information holds no secret' );
ok( true === ( new Debug_Info( $config ) )->add( array() )['wordsocket']['fields']['site_key']['private'], 'and the site key is not copied' );

// --- what the block editor and extensions find.

is( array_column( WPS::instance()->register_block_category( array( array( 'slug' => 'text' ) ) ), 'slug' ), array( 'text', 'wordsocket' ), 'blocks have a category' );
is( count( WPS::instance()->register_block_category( array( array( 'slug' => 'wordsocket' ) ) ) ), 1, 'once' );

done_testing();
