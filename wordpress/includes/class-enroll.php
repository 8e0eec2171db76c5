<?php
/**
 * Connect and Disconnect, for the administrator's browser.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

namespace WordSocket;

defined( 'ABSPATH' ) || exit;

/**
 * Routes wpsignal/v1/enroll, /connect and /disconnect. The web server knows the
 * first by its path, and gives keys to no other request; the second connects to a
 * relay elsewhere by API key. None answers with a secret.
 *
 * @access private
 */
final class Enroll {

	/** Route that connects through the web server. */
	public const CONNECT = '/enroll';

	/** Route that connects through a relay, by API key. */
	public const REGISTER = '/connect';

	/** Route that disconnects. */
	public const DISCONNECT = '/disconnect';

	/** Header by which the browser says which blog it means. */
	public const HOME_HEADER = 'X-WordSocket-Home';

	/**
	 * Hands in where the credentials come from.
	 *
	 * @param Config $config Relay and site.
	 */
	public function __construct( private Config $config ) {}

	/** Adds the routes to the REST API. */
	public function register_routes(): void {
		$text   = array( 'type' => 'string' );
		$choice = array(
			'type'    => 'boolean',
			'default' => false,
		);
		$this->add( self::CONNECT, 'connect', array( 'probe' => $choice ), array( 'ok' => 'boolean' ) );
		$this->add(
			self::REGISTER,
			'register',
			array(
				'api_key' => $text,
				'url'     => $text,
			),
			array(
				'message'  => 'string',
				'site_key' => 'string',
			)
		);
		$this->add( self::DISCONNECT, 'disconnect', array( 'forget' => $choice ), array( 'ok' => 'boolean' ) );
	}

	/**
	 * Adds one route.
	 *
	 * @param string                              $route    Below the namespace.
	 * @param string                              $callback Of this class.
	 * @param array<string, array<string, mixed>> $args     Schema of the parameters.
	 * @param array<string, string>               $answers  Types of what it answers.
	 */
	private function add( string $route, string $callback, array $args, array $answers ): void {
		register_rest_route(
			Token::ROUTE_NAMESPACE,
			$route,
			array(
				'schema' => static fn(): array => Rest_Schema::of( 'wpsignal' . str_replace( '/', '-', $route ), $answers ),
				array(
					'methods'             => 'POST',
					'args'                => $args,
					'callback'            => array( $this, $callback ),
					'permission_callback' => array( self::class, 'check_permission' ),
				),
			)
		);
	}

	/** Whether this user may: WordPress has looked at the nonce already. */
	public static function check_permission(): bool {
		return current_user_can( 'manage_options' );
	}

	/**
	 * Connects the site with the keys that came with this very request. With
	 * "probe" it only says whether there are any.
	 *
	 * @param \WP_REST_Request|null $request May have probe.
	 * @return array{ok: bool}|\WP_Error
	 */
	public function connect( $request = null ) {
		if ( 'constant' === $this->config->credential_source() ) {
			return new \WP_Error( 'wordsocket_constants', __( 'This site is connected by the constants in wp-config.php; take them out first.', 'wordsocket' ), array( 'status' => 409 ) );
		}
		if ( 'relay' === $this->config->credential_source() ) {
			return self::refusal( 'error_connected', 409 );
		}
		$keys = Connection::offered();
		if ( null === $keys ) {
			return new \WP_Error(
				'wordsocket_not_offered',
				__( 'This web server did not hand over keys. Ask whoever runs it for mod_wordsocket with "WordSocket On" and "WordSocketHostKey"; PHP must run by FPM, and this page must be open by https.', 'wordsocket' ),
				array( 'status' => 501 )
			);
		}
		if ( true === $request?->get_param( 'probe' ) ) {
			return array( 'ok' => true );
		}
		$done = Connection::connect( $keys );
		return is_wp_error( $done ) ? $done : array( 'ok' => true );
	}

	/**
	 * Connects the site to a relay by the API key of an account there.
	 *
	 * @param \WP_REST_Request $request Has api_key, and url unless a constant says it.
	 * @return array{message: string, site_key: string}|\WP_Error
	 */
	public function register( $request ) {
		$typed   = $request->get_param( 'url' );
		$api_key = $request->get_param( 'api_key' );

		return $this->register_at( is_string( $typed ) ? $typed : '', is_string( $api_key ) ? $api_key : '' );
	}

	/**
	 * The same for whoever asks by other means than a request.
	 *
	 * @param string $typed   URL of the relay; a constant goes first.
	 * @param string $api_key Of the account.
	 * @return array{message: string, site_key: string}|\WP_Error
	 */
	public function register_at( string $typed, string $api_key ) {
		if ( $this->config->has_constants() || $this->config->is_configured() ) {
			return self::refusal( $this->config->has_constants() ? 'error_constants' : 'error_connected', 409 );
		}
		$url = $this->config->fixed_url();
		if ( '' === $url ) {
			$url = Relay_Url::clean( $typed );
		}
		if ( '' === $url ) {
			return self::refusal( 'error_url', 400 );
		}
		// What others show of a key that is stored. Here none is: with one, whoever
		// reads the database connects more sites in the name of the account.
		if ( str_starts_with( $api_key, '****' ) ) {
			return self::refusal( 'error_masked_key', 400 );
		}
		$done = Relay::register( $url, trim( $api_key ) );
		return is_wp_error( $done ) ? self::failed( $done ) : array(
			'message'  => Outcome::find( 'connected' )[1],
			'site_key' => $this->config->site_key(),
		);
	}

	/**
	 * Disconnects the site, for good. With "forget" the relay is not asked: for
	 * one that does not answer any more.
	 *
	 * @param \WP_REST_Request $request May have forget.
	 * @return array{ok: bool}|\WP_Error
	 */
	public function disconnect( $request ) {
		return $this->part( true === $request->get_param( 'forget' ) );
	}

	/**
	 * The same for whoever asks by other means than a request.
	 *
	 * @param bool $forget Whether not to ask the relay.
	 * @return array{ok: bool}|\WP_Error
	 */
	public function part( bool $forget = false ) {
		$own   = Connection::keys();
		$relay = null === $own ? Relay::keys() : null;
		if ( null === $own && null === $relay ) {
			return new \WP_Error( 'wordsocket_not_connected', __( 'This site is not connected.', 'wordsocket' ), array( 'status' => 409 ) );
		}
		if ( $forget ) {
			null === $own ? Relay::forget() : Connection::forget();
			return array( 'ok' => true );
		}
		if ( null !== $own ) {
			$done = Connection::disconnect( $own );
			return is_wp_error( $done ) ? $done : array( 'ok' => true );
		}
		$done = Relay::disconnect( array( 'url' => $this->config->base_url() ) + $relay );
		return is_wp_error( $done ) ? self::failed( $done ) : array( 'ok' => true );
	}

	/**
	 * A refusal of ours.
	 *
	 * @param string $outcome Name of an Outcome.
	 * @param int    $status  Of HTTP.
	 */
	private static function refusal( string $outcome, int $status ): \WP_Error {
		return new \WP_Error( "wordsocket_$outcome", Outcome::find( $outcome )[1], array( 'status' => $status ) );
	}

	/**
	 * A failure at the relay, in words that say what to do.
	 *
	 * @param \WP_Error $error Of Relay.
	 */
	private static function failed( \WP_Error $error ): \WP_Error {
		return new \WP_Error( $error->get_error_code(), Outcome::explain( $error ), array( 'status' => 502 ) );
	}
}
