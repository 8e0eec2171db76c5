<?php
/**
 * Site Health: tests and debug information.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

namespace WordSocket;

defined( 'ABSPATH' ) || exit;

/**
 * Adds two tests to Tools, Site Health. What asks the relay is asked for by the
 * browser, by the route wpsignal/v1/health; what only looks here is not.
 *
 * @access private
 */
final class Site_Health {

	private const ROUTE = '/health';

	/** Past this the relay refuses what is signed. */
	private const MAX_SKEW_S = 60;

	/** Past this something is wrong already. */
	private const BAD_SKEW_S = 10;

	private const TIMEOUT_S = 3;

	/**
	 * Hands in what is looked at.
	 *
	 * @param Config    $config    Relay and site.
	 * @param Publisher $publisher Asks the relay.
	 */
	public function __construct( private Config $config, private Publisher $publisher ) {}

	/** Adds everything. */
	public function register(): void {
		add_filter( 'site_status_tests', array( $this, 'add_tests' ) );
		add_filter( 'debug_information', array( new Debug_Info( $this->config ), 'add' ) );
		add_action( 'rest_api_init', array( $this, 'register_routes' ) );
	}

	/**
	 * Adds the tests.
	 *
	 * @param array<string, array<string, mixed>> $tests Of WordPress.
	 * @return array<string, array<string, mixed>>
	 */
	public function add_tests( $tests ) {
		$tests['direct']['wordsocket_ready'] = array(
			'label' => __( 'WordSocket is complete', 'wordsocket' ),
			'test'  => array( $this, 'test_ready' ),
		);
		$tests['async']['wordsocket_relay']  = array(
			'label'             => __( 'WordSocket reaches its relay', 'wordsocket' ),
			'test'              => rest_url( Token::ROUTE_NAMESPACE . self::ROUTE ),
			'has_rest'          => true,
			'async_direct_test' => array( $this, 'test_relay' ),
		);
		return $tests;
	}

	/** Adds the route of the test that asks the relay. */
	public function register_routes(): void {
		register_rest_route(
			Token::ROUTE_NAMESPACE,
			self::ROUTE,
			array(
				'schema' => array( self::class, 'schema' ),
				array(
					'methods'             => 'GET',
					'args'                => array(),
					'callback'            => array( $this, 'test_relay' ),
					'permission_callback' => static fn(): bool => current_user_can( 'view_site_health_checks' ),
				),
			)
		);
	}

	/** Schema of the route. */
	public static function schema(): array {
		return Rest_Schema::of(
			'wpsignal-health',
			array(
				'label'       => 'string',
				'status'      => 'string',
				'badge'       => 'object',
				'description' => 'string',
				'actions'     => 'string',
				'test'        => 'string',
			)
		);
	}

	/**
	 * Whether everything is here that is needed, and events leave.
	 *
	 * @return array<string, mixed> As WordPress wants it.
	 */
	public function test_ready(): array {
		$last = Notices::last();

		if ( ! Client::is_built() || ! Settings_Script::is_built() ) {
			return self::result( 'wordsocket_ready', 'critical', __( 'WordSocket lacks a script', 'wordsocket' ), __( 'This copy of the plugin was not built: pages stay still, or its screen does. Install it from a release, or build it from the source.', 'wordsocket' ) );
		}
		if ( $this->config->is_configured() && ( '' === $this->config->encryption_key() || ! in_array( 'aes-256-gcm', openssl_get_cipher_methods(), true ) ) ) {
			return self::result( 'wordsocket_ready', 'recommended', __( 'WordSocket does not encrypt', 'wordsocket' ), __( 'The relay can read what this site publishes. Define AUTH_KEY and SECURE_AUTH_KEY in wp-config.php, and have the OpenSSL extension of PHP.', 'wordsocket' ) );
		}
		if ( Circuit::is_open() ) {
			return self::result( 'wordsocket_ready', 'recommended', __( 'WordSocket holds events back', 'wordsocket' ), __( 'The relay did not answer, so events wait here and are tried again by and by.', 'wordsocket' ) );
		}
		if ( null !== $last ) {
			/* translators: 1: what went wrong, 2: what to do about it. */
			return self::result( 'wordsocket_ready', 'recommended', __( 'WordSocket could not deliver its last event', 'wordsocket' ), sprintf( __( '%1$s %2$s', 'wordsocket' ), rtrim( $last['message'], '.' ) . '.', Notices::describe( $last['code'] ) ) );
		}
		return self::result( 'wordsocket_ready', 'good', __( 'WordSocket is complete', 'wordsocket' ), __( 'Its scripts are here, payloads can be encrypted, and no event failed.', 'wordsocket' ) );
	}

	/**
	 * Whether the relay answers, knows this site, and has the same time.
	 *
	 * @return array<string, mixed> As WordPress wants it.
	 */
	public function test_relay(): array {
		if ( ! $this->config->is_configured() ) {
			return self::result( 'wordsocket_relay', 'recommended', __( 'WordSocket is not connected', 'wordsocket' ), __( 'Until this site is connected to a relay, nothing on it is live.', 'wordsocket' ) );
		}
		$stats = $this->publisher->stats();
		if ( is_wp_error( $stats ) ) {
			$code = (string) ( $stats->get_error_data()['code'] ?? '' );
			/* translators: 1: what went wrong, 2: what to do about it. */
			return self::result( 'wordsocket_relay', 'critical', __( 'WordSocket does not get through to its relay', 'wordsocket' ), sprintf( __( '%1$s %2$s', 'wordsocket' ), rtrim( $stats->get_error_message(), '.' ) . '.', Notices::describe( $code ) ) );
		}
		$skew = $this->skew();
		if ( null !== $skew && abs( $skew ) > self::BAD_SKEW_S ) {
			return self::result(
				'wordsocket_relay',
				'recommended',
				__( 'WordSocket and its relay differ in time', 'wordsocket' ),
				/* translators: 1: number of seconds, 2: number of seconds. */
				sprintf( __( 'The clocks differ by %1$d s. From %2$d s on nothing is delivered. Set both by NTP.', 'wordsocket' ), abs( $skew ), self::MAX_SKEW_S )
			);
		}
		return self::result(
			'wordsocket_relay',
			'good',
			__( 'WordSocket reaches its relay', 'wordsocket' ),
			/* translators: 1: number of open connections, 2: how many there may be. */
			sprintf( __( 'The relay answers, takes what this site signs, and has the same time. Open connections: %1$s of %2$s.', 'wordsocket' ), number_format_i18n( $stats['active_connections'] ), number_format_i18n( $stats['max_connections'] ) )
		);
	}

	/** Seconds that the relay is ahead; null if it does not say its time. */
	private function skew(): ?int {
		$answer = wp_remote_get(
			$this->config->base_url() . '/healthz',
			array(
				'timeout'             => self::TIMEOUT_S,
				'redirection'         => 0,
				'limit_response_size' => 1024,
			)
		);
		$date   = is_wp_error( $answer ) ? '' : wp_remote_retrieve_header( $answer, 'date' );
		$time   = is_string( $date ) && '' !== $date ? strtotime( $date ) : false;
		return false === $time ? null : $time - time();
	}

	/**
	 * A result in the form of WordPress.
	 *
	 * @param string $test   Its name.
	 * @param string $status good, recommended or critical.
	 * @param string $label  Headline.
	 * @param string $text   What there is to say.
	 * @return array<string, mixed>
	 */
	private static function result( string $test, string $status, string $label, string $text ): array {
		return array(
			'label'       => $label,
			'status'      => $status,
			'badge'       => array(
				'label' => __( 'WordSocket', 'wordsocket' ),
				'color' => 'blue',
			),
			'description' => '<p>' . esc_html( $text ) . '</p>',
			'actions'     => 'good' === $status ? '' : sprintf( '<p><a href="%s">%s</a></p>', esc_url( Settings_Page::url( Settings_Page::CONNECT ) ), esc_html__( 'Open the screen of WordSocket', 'wordsocket' ) ),
			'test'        => $test,
		);
	}
}
