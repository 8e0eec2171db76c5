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
		$minted = $this->token->mint();
		if ( null === $minted ) {
			return;
		}
		wp_enqueue_script(
			self::HANDLE,
			plugins_url( self::BUNDLE, FILE ),
			array(),
			(string) filemtime( self::bundle_path() ),
			array( 'in_footer' => true )
		);
		wp_add_inline_script(
			self::HANDLE,
			'window.wpSignalConfig = ' . wp_json_encode( $this->page_config( $minted ), JSON_HEX_TAG | JSON_HEX_AMP | JSON_UNESCAPED_SLASHES ) . ';',
			'before'
		);
	}

	/** Whether the bundle is where it belongs; a checkout has to build it. */
	public static function is_built(): bool {
		return is_readable( self::bundle_path() );
	}

	/**
	 * What window.wpSignalConfig holds.
	 *
	 * @param array{token: string, channels: list<string>, exp: int} $minted From Token::mint().
	 * @return array<string, mixed>
	 */
	public function page_config( array $minted ): array {
		return array(
			'baseUrl'          => $this->config->base_url(),
			'endpoints'        => $this->config->endpoints(),
			'isSsl'            => is_ssl(),
			'wpVersion'        => get_bloginfo( 'version' ),
			'isConstant'       => 'constant' === $this->config->credential_source(),
			'isWpRtcAvailable' => $this->config->is_wp_sync_available(),
			'isWpRtcEnabled'   => $this->config->is_wp_rtc_enabled(),
			'restUrl'          => rest_url( Token::ROUTE_NAMESPACE ),
			// A visitor needs none, and a page that is kept in a cache would
			// hand out one that has run out, which is refused.
			'nonce'            => is_user_logged_in() ? wp_create_nonce( 'wp_rest' ) : '',
			'isDebug'          => defined( 'WP_ENVIRONMENT_TYPE' ) && 'production' !== constant( 'WP_ENVIRONMENT_TYPE' ),
			'token'            => $minted['token'],
			'channels'         => $minted['channels'],
			'exp'              => $minted['exp'],
			'forceSSE'         => $this->config->force_sse(),
			'encryptionKey'    => base64_encode( $this->config->encryption_key() ), // phpcs:ignore WordPress.PHP.DiscouragedPHPFunctions.obfuscation_base64_encode -- the wire format.
		);
	}

	/** Where the bundle is on disk. */
	private static function bundle_path(): string {
		return plugin_dir_path( FILE ) . self::BUNDLE;
	}
}
