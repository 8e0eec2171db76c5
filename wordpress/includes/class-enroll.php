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
 * Routes wpsignal/v1/enroll and wpsignal/v1/disconnect. The web server knows the
 * first by its path, and gives keys to no other request. Neither answers with a
 * key.
 *
 * @access private
 */
final class Enroll {

	/** Route that connects. */
	public const CONNECT = '/enroll';

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
		foreach ( array( self::CONNECT => 'connect', self::DISCONNECT => 'disconnect' ) as $route => $callback ) { // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing.AssociativeArrayFound -- a table of two.
			register_rest_route(
				Token::ROUTE_NAMESPACE,
				$route,
				array(
					'methods'             => 'POST',
					'args'                => array(),
					'callback'            => array( $this, $callback ),
					'permission_callback' => array( self::class, 'check_permission' ),
				)
			);
		}
	}

	/** Whether this user may: WordPress has looked at the nonce already. */
	public static function check_permission(): bool {
		return current_user_can( 'manage_options' );
	}

	/**
	 * Connects the site with the keys that came with this very request.
	 *
	 * @return array{ok: bool}|\WP_Error
	 */
	public function connect() {
		if ( 'constant' === $this->config->credential_source() ) {
			return new \WP_Error( 'wordsocket_constants', __( 'This site is connected by the constants in wp-config.php; take them out first.', 'wordsocket' ), array( 'status' => 409 ) );
		}
		$keys = Connection::offered();
		if ( null === $keys ) {
			return new \WP_Error(
				'wordsocket_not_offered',
				__( 'This web server did not hand over keys. Ask whoever runs it for mod_wordsocket with "WordSocket On" and "WordSocketHostKey"; PHP must run by FPM, and this page must be open by https.', 'wordsocket' ),
				array( 'status' => 501 )
			);
		}
		$done = Connection::connect( $keys );
		return is_wp_error( $done ) ? $done : array( 'ok' => true );
	}

	/**
	 * Disconnects the site, for good.
	 *
	 * @return array{ok: bool}|\WP_Error
	 */
	public function disconnect() {
		$keys = Connection::keys();
		if ( null === $keys ) {
			return new \WP_Error( 'wordsocket_not_connected', __( 'This site is not connected through this server.', 'wordsocket' ), array( 'status' => 409 ) );
		}
		$done = Connection::disconnect( $keys );
		return is_wp_error( $done ) ? $done : array( 'ok' => true );
	}
}
