<?php
/**
 * What every test on the real WordPress stands on.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

namespace WordSocket\Tests;

use PHPUnit\Framework\TestCase;
use WordSocket\Envelope;
use WordSocket\Options;
use WordSocket\WPS;

/**
 * A test begins with a site on which the plugin is active and connected, nobody
 * is logged in and nothing was sent. Whatever it writes to the database, hooks,
 * sets in the plugin or registers is gone when it ends.
 *
 * It fails by itself if the plugin raises a notice, a warning or a deprecation,
 * or if somebody calls _doing_it_wrong() unannounced; see expect_incorrect_use().
 */
abstract class Test_Case extends TestCase {

	/** Keys of the site while it is connected. */
	protected const KEYS = array(
		'v'              => 1,
		'home'           => 'http://example.test',
		'path'           => '/wordsocket',
		'site_key'       => 'h0-0123456789abcdef',
		'publish_secret' => 'a-publish-secret',
		'jwt_secret'     => 'a-jwt-secret',
		'signature'      => 2,
		'generation'     => 1,
	);

	/**
	 * Whether tests of the class begin connected.
	 *
	 * @var bool
	 */
	protected bool $connected = true;

	/**
	 * The network.
	 *
	 * @var Relay_Double
	 */
	protected Relay_Double $relay;

	/**
	 * The state of the plugin as WordPress loaded it.
	 *
	 * @var Plugin_State|null
	 */
	private static ?Plugin_State $state = null;

	/**
	 * Globals as they were before the test.
	 *
	 * @var array<string, mixed>
	 */
	private array $globals = array();

	/**
	 * What PHP told of before the test.
	 *
	 * @var int
	 */
	private int $level;

	/**
	 * Functions that are to be called wrongly, and how often they were.
	 *
	 * @var array<string, int>
	 */
	private array $incorrect = array();

	/** Names of what a test may change without asking. */
	private const GLOBALS = array(
		'wp_filter', 'wp_actions', 'wp_filters', 'wp_current_filter', 'wp_post_types', 'wp_taxonomies', 'wp_post_statuses',
		'wp_meta_keys', 'wp_scripts', 'wp_styles', 'wp_rest_server', 'shortcode_tags', 'current_screen', 'menu', 'submenu',
		'_registered_pages', 'admin_page_hooks', '_parent_pages', 'new_allowed_options', 'wp_registered_settings', 'post', 'wp_query',
	);

	protected function setUp(): void {
		set_error_handler( array( $this, 'handle_error' ) ); // phpcs:ignore WordPress.PHP.DevelopmentFunctions -- so that a notice fails the test.
		$this->level = error_reporting( E_ALL ); // phpcs:ignore WordPress.PHP -- of the plugin, see handle_error().
		self::$state ??= new Plugin_State( self::plugin_folder() );
		foreach ( self::GLOBALS as $name ) {
			$value                  = $GLOBALS[ $name ] ?? null;
			$this->globals[ $name ] = is_array( $value )
				? array_map( static fn( $item ) => $item instanceof \WP_Hook ? clone $item : $item, $value )
				: $value;
		}
		$GLOBALS['wp_scripts'] = null;
		$GLOBALS['wp_styles']  = null;
		$GLOBALS['wpdb']->query( 'SET autocommit = 0' );
		$GLOBALS['wpdb']->query( 'START TRANSACTION' );
		wp_cache_flush();
		wp_set_current_user( 0 );
		add_action( 'doing_it_wrong_run', array( $this, 'note_incorrect_use' ), 10, 3 );
		add_filter( 'doing_it_wrong_trigger_error', '__return_false' );
		$this->relay = new Relay_Double();
		if ( $this->connected ) {
			$this->connect();
		}
	}

	protected function tearDown(): void {
		error_reporting( $this->level ); // phpcs:ignore WordPress.PHP -- as it was.
		restore_error_handler();
		while ( is_multisite() && ms_is_switched() ) {
			restore_current_blog();
		}
		$GLOBALS['wpdb']->query( 'ROLLBACK' );
		$GLOBALS['wpdb']->query( 'SET autocommit = 1' );
		foreach ( $this->globals as $name => $value ) {
			$GLOBALS[ $name ] = $value;
		}
		self::$state->restore();
		wp_cache_flush();
		wp_set_current_user( 0 );
		$_GET     = array();
		$_POST    = array();
		$_REQUEST = array();
		$_COOKIE  = array();
		unset( $_SERVER['HTTP_X_WP_NONCE'] );
		$_SERVER['REQUEST_METHOD'] = 'GET';
	}

	protected function assertPostConditions(): void {
		foreach ( $this->incorrect as $function => $times ) {
			$this->assertGreaterThan( 0, $times, "$function was to be called wrongly" );
		}
	}

	/** The plugin as it is installed here. */
	protected static function plugin_folder(): string {
		return WP_PLUGIN_DIR . '/wordsocket';
	}

	/**
	 * Connects the site through the web server, as Connect does.
	 *
	 * @param array<string, mixed> $keys To differ from KEYS.
	 */
	protected function connect( array $keys = array() ): void {
		update_option( Options::CONNECTION, $keys + array( 'home' => rtrim( get_option( 'home' ), '/' ) ) + self::KEYS, false );
	}

	/**
	 * Lets a function be called wrongly; the test fails if it is not.
	 *
	 * @param string $method As _doing_it_wrong() is told it: WordSocket\Trigger_Registry::add.
	 */
	protected function expect_incorrect_use( string $method ): void {
		$this->incorrect[ $method ] = 0;
	}

	/**
	 * For WordPress alone.
	 *
	 * @param string $method  Of whom.
	 * @param string $message What is wrong.
	 */
	public function note_incorrect_use( $method, $message ): void {
		if ( ! isset( $this->incorrect[ $method ] ) ) {
			$this->fail( "$method was called wrongly: $message" );
		}
		++$this->incorrect[ $method ];
	}

	/**
	 * A notice, a warning or a deprecation. One in the plugin fails the test;
	 * WordPress of old on a new PHP has deprecations that are not ours.
	 *
	 * @param int    $level Of PHP.
	 * @param string $text  Said.
	 * @param string $file  Where.
	 * @param int    $line  Of it.
	 * @return bool Whether PHP need not bother.
	 * @throws \ErrorException If it counts.
	 */
	public function handle_error( int $level, string $text, string $file, int $line ): bool {
		if ( ! ( error_reporting() & $level ) ) { // phpcs:ignore WordPress.PHP -- silenced by @.
			return true;
		}
		$is_ours = str_starts_with( $file, WP_PLUGIN_DIR ) || str_starts_with( $file, __DIR__ );
		if ( ! $is_ours && ( $level & ( E_DEPRECATED | E_USER_DEPRECATED ) ) ) {
			return true;
		}
		throw new \ErrorException( $text, 0, $level, $file, $line );
	}

	/**
	 * Logs in a new user.
	 *
	 * @param string $role Of the user.
	 * @return int ID.
	 */
	protected function log_in( string $role = 'administrator' ): int {
		$id = $this->make_user( $role );
		wp_set_current_user( $id );
		return $id;
	}

	/**
	 * A new user, not logged in.
	 *
	 * @param string               $role Of the user.
	 * @param array<string, mixed> $with For wp_insert_user().
	 * @return int ID.
	 */
	protected function make_user( string $role = 'subscriber', array $with = array() ): int {
		static $count = 0;

		++$count;
		$id = wp_insert_user(
			$with + array(
				'user_login' => "user$count",
				'user_email' => "user$count@example.test",
				'user_pass'  => 'password',
				'role'       => $role,
			)
		);
		$this->assertIsInt( $id, is_wp_error( $id ) ? $id->get_error_message() : '' );
		return $id;
	}

	/**
	 * A new post, published if not told otherwise. What that sends is forgotten.
	 *
	 * @param array<string, mixed> $with For wp_insert_post().
	 * @return int ID.
	 */
	protected function make_post( array $with = array() ): int {
		$id = wp_insert_post(
			wp_slash(
				$with + array(
					'post_title'   => 'A post',
					'post_content' => 'Some words.',
					'post_status'  => 'publish',
				)
			),
			true
		);
		$this->assertIsInt( $id, is_wp_error( $id ) ? $id->get_error_message() : '' );
		$this->deliver();
		$this->relay->forget();
		return $id;
	}

	/**
	 * Asks a route of the REST API, as the current user.
	 *
	 * @param string               $method Of HTTP.
	 * @param string               $route  Such as "/wpsignal/v1/token".
	 * @param array<string, mixed> $params Of the query for GET, else of a JSON body.
	 */
	protected function rest( string $method, string $route, array $params = array() ): \WP_REST_Response {
		$request = new \WP_REST_Request( $method, $route );
		if ( 'GET' === $method || 'OPTIONS' === $method ) {
			$request->set_query_params( $params );
		} else {
			$request->set_header( 'Content-Type', 'application/json' );
			$request->set_body( wp_json_encode( $params ) );
		}
		return rest_get_server()->dispatch( $request );
	}

	/**
	 * What a function prints.
	 *
	 * @param callable $of     The function.
	 * @param mixed    ...$args Its arguments.
	 */
	protected function printed( callable $of, ...$args ): string {
		ob_start();
		try {
			$of( ...$args );
		} finally {
			$text = ob_get_clean();
		}
		return $text;
	}

	/**
	 * Has the plugin do what it leaves for the end of a request.
	 */
	protected function deliver(): void {
		$hook = $GLOBALS['wp_filter']['shutdown'] ?? null;
		foreach ( null === $hook ? array() : $hook->callbacks as $callbacks ) {
			foreach ( $callbacks as $callback ) {
				$of = is_array( $callback['function'] ) ? $callback['function'][0] : $callback['function'];
				if ( $of instanceof \Closure ) {
					$of = ( new \ReflectionFunction( $of ) )->getClosureThis();
				}
				if ( str_starts_with( is_object( $of ) ? get_class( $of ) : (string) $of, 'WordSocket\\' ) ) {
					call_user_func( $callback['function'] );
				}
			}
		}
	}

	/**
	 * The events that reached the relay, deciphered, in order; whether they came
	 * one by one or many in a request. Ends the "request" first, see deliver().
	 *
	 * @param string $event Name of the event; all if left out.
	 * @return list<array{channel: string, event: string, data: array<string, mixed>}>
	 */
	protected function published( string $event = '' ): array {
		$this->deliver();
		$events = array();
		foreach ( $this->relay->requests( '/publish' ) as $request ) {
			$body = json_decode( $request['body'], true );
			$this->assertIsArray( $body, 'a publish is JSON' );
			foreach ( array_is_list( $body ) ? $body : array( $body ) as $one ) {
				$inner    = $this->open( $one );
				$events[] = array(
					'channel' => $one['channel'],
					'event'   => $inner['event'],
					'data'    => $inner['data'],
				);
			}
		}
		return array_values( array_filter( $events, static fn( $one ) => '' === $event || $event === $one['event'] ) );
	}

	/**
	 * What is in an envelope; fails if the relay could read it.
	 *
	 * @param array<string, mixed> $message As sent.
	 * @return array<string, mixed>
	 */
	private function open( array $message ): array {
		$this->assertSame( Envelope::EVENT, $message['event'], 'the relay sees no name of an event' );
		$raw   = base64_decode( $message['data']['p'], true ); // phpcs:ignore WordPress.PHP.DiscouragedPHPFunctions -- the wire format.
		$plain = openssl_decrypt( substr( $raw, 12, -16 ), 'aes-256-gcm', WPS::instance()->config()->encryption_key(), OPENSSL_RAW_DATA, substr( $raw, 0, 12 ), substr( $raw, -16 ) );
		$this->assertIsString( $plain, 'the envelope opens by the key of the site' );
		return json_decode( $plain, true );
	}
}
