<?php
/**
 * Puts the browser client into pages.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

namespace WordSocket;

defined( 'ABSPATH' ) || exit;

/**
 * Script handle "wpsignal" and its configuration.
 */
final class Client {

	/** Version of window.WPS. */
	public const API_VERSION = 2;

	/** Handle for scripts that depend on the client. */
	public const HANDLE = 'wpsignal';

	private const BUNDLE = 'assets/wpsignal.js';

	/**
	 * Hands in what the page needs to know.
	 *
	 * @param Config $config Relay and site.
	 * @param Token  $token  First token.
	 */
	public function __construct( private Config $config, private Token $token ) {}

	/**
	 * Adds the client to the page, front end and wp-admin alike.
	 */
	public function enqueue(): void {
		if ( ! self::is_built() || Notices::credentials_rejected() || ! Token::allowed() ) {
			return;
		}
		$config = $this->page_config();
		// Not "enqueued": that is true already where an extension that came first
		// depends on the handle.
		if ( null === $config || wp_script_is( self::HANDLE, 'registered' ) ) {
			return;
		}
		wp_enqueue_script(
			self::HANDLE,
			plugins_url( self::BUNDLE, FILE ),
			array(),
			(string) filemtime( self::bundle_path() ),
			array( 'in_footer' => true )
		);
		Page_Data::before( self::HANDLE, 'wpsignal-config', $config );
	}

	/** Whether the bundle is where it belongs; a checkout has to build it. */
	public static function is_built(): bool {
		return is_readable( self::bundle_path() );
	}

	/**
	 * What window.wpSignalConfig holds. A page for somebody who is logged in is
	 * not cached, and has the first token, the nonce and the key. One for
	 * visitors may be kept for days and shown to anybody: it says where to ask.
	 *
	 * @return array<string, mixed>|null Null while nothing can be minted.
	 */
	public function page_config(): ?array {
		if ( ! $this->config->is_configured() ) {
			return null;
		}
		return $this->of_everybody() + ( is_user_logged_in() ? $this->of_user() : self::of_visitor() );
	}

	/**
	 * What every page has, with nothing in it that ends or is secret.
	 *
	 * @return array<string, mixed>
	 */
	private function of_everybody(): array {
		return array(
			'baseUrl'          => $this->config->base_url(),
			'endpoints'        => $this->config->endpoints(),
			'isSsl'            => is_ssl(),
			'wpVersion'        => get_bloginfo( 'version' ),
			'isConstant'       => 'constant' === $this->config->credential_source(),
			'isWpRtcAvailable' => $this->config->is_wp_sync_available(),
			'isWpRtcEnabled'   => $this->config->is_wp_rtc_enabled(),
			'restUrl'          => rest_url( Token::ROUTE_NAMESPACE ),
			'isDebug'          => defined( 'WP_ENVIRONMENT_TYPE' ) && 'production' !== constant( 'WP_ENVIRONMENT_TYPE' ),
			'forceSSE'         => $this->config->force_sse(),
		);
	}

	/**
	 * Where the relay is, for a script with a connection of its own; null where
	 * this user may have none.
	 *
	 * @return array{baseUrl: string, endpoints: array<string, string>, forceSSE: bool, isDebug: bool, user: string}|null
	 */
	public function relay_config(): ?array {
		if ( Notices::credentials_rejected() || ! Token::allowed() ) {
			return null;
		}
		if ( ! $this->config->is_configured() ) {
			return null;
		}
		return array_intersect_key( $this->of_everybody(), array_flip( array( 'baseUrl', 'endpoints', 'forceSSE', 'isDebug' ) ) ) + array( 'user' => self::session() );
	}

	/**
	 * What only a page of somebody who is logged in has.
	 *
	 * @return array<string, mixed>
	 */
	private function of_user(): array {
		return $this->token->mint() + array(
			'encryptionKey' => $this->token->encryption_key(),
			'nonce'         => wp_create_nonce( 'wp_rest' ),
			'nonceUrl'      => admin_url( 'admin-ajax.php?action=rest-nonce' ),
			'user'          => self::session(),
		);
	}

	/** Tells sessions apart: tabs of one share a connection. */
	private static function session(): string {
		return substr( wp_hash( get_current_user_id() . '|' . wp_get_session_token(), 'nonce' ), 0, 16 );
	}

	/**
	 * What every visitor's page has: the names that extensions read, without
	 * anything that ends or is secret.
	 *
	 * @return array<string, mixed>
	 */
	private static function of_visitor(): array {
		return array(
			'token'         => '',
			'channels'      => array(),
			'exp'           => 0,
			'encryptionKey' => '',
			'nonce'         => '',
			'anonymous'     => Token::is_shared(),
			'user'          => 'visitor',
		);
	}

	/** Where the bundle is on disk. */
	private static function bundle_path(): string {
		return plugin_dir_path( FILE ) . self::BUNDLE;
	}
}
