<?php
/**
 * Where the relay is, and what this site is called there.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

namespace WordSocket;

defined( 'ABSPATH' ) || exit;

/**
 * Reads the constants of wp-config.php, at use and not before, so that a
 * must-use plugin may define them as well. Without a site key among them, the
 * connection through the web server counts, or else one through a relay.
 */
final class Config {

	/**
	 * Base URL of the relay without a slash at its end; empty if none is set.
	 */
	public function base_url(): string {
		$url = $this->fixed_url();
		if ( '' !== $url ) {
			return $url;
		}
		$own = $this->connection();
		return null !== $own ? Connection::base_url( $own ) : $this->relay()['url'] ?? '';
	}

	/** The same where a constant says it; empty if none does. */
	public function fixed_url(): string {
		return rtrim( self::constant( 'WPSignal\BASE_URL' ) ?: self::constant( 'WORDSOCKET_URL' ), '/' ); // phpcs:ignore Universal.Operators.DisallowShortTernary.Found -- the first that is set.
	}

	/** Whether the site key is a constant, so that nothing stored counts. */
	public function has_constants(): bool {
		return '' !== self::constant( 'WPSIGNAL_SITE_KEY' );
	}

	/**
	 * The addresses that browsers connect to.
	 *
	 * @return array{ws: string, sse: string}
	 */
	public function endpoints(): array {
		return self::endpoints_for( $this->base_url() );
	}

	/**
	 * The same for any relay. The scheme of the socket follows the relay's own.
	 *
	 * @param string $base_url http or https URL without a slash at its end.
	 * @return array{ws: string, sse: string}
	 */
	public static function endpoints_for( string $base_url ): array {
		return array(
			'ws'  => preg_replace( '/^http/i', 'ws', $base_url ) . '/ws',
			'sse' => $base_url . '/sse',
		);
	}

	/** Where one click leaves for; see Relay. */
	public function connect_url(): string {
		return Relay::connect_url( $this->base_url() );
	}

	/** Where the code that it brings is exchanged; see Relay. */
	public function exchange_url(): string {
		return Relay::exchange_url( $this->base_url() );
	}

	/** Public identifier of this site at the relay. */
	public function site_key(): string {
		return $this->credential( 'WPSIGNAL_SITE_KEY', 'site_key' );
	}

	/** Secret that signs publishes; never leaves PHP. */
	public function site_secret(): string {
		return $this->credential( 'WPSIGNAL_SITE_SECRET', 'publish_secret' );
	}

	/**
	 * Version of the publish signature that the relay knows this site by: 1 or 2.
	 * Sites with keys of the web server have no other than 2.
	 */
	public function signature_version(): int {
		if ( null !== $this->connection() ) {
			return Connection::SIGNATURE;
		}
		$relay = $this->relay();
		if ( null !== $relay ) {
			return $relay['signature'];
		}
		return defined( 'WPSIGNAL_SIGNATURE' ) && in_array( constant( 'WPSIGNAL_SIGNATURE' ), array( 2, '2' ), true ) ? 2 : 1;
	}

	/** Secret that signs browsers' tokens; never leaves PHP. */
	public function jwt_secret(): string {
		return $this->credential( 'WPSIGNAL_JWT_SECRET', 'jwt_secret' );
	}

	/** Identifier of this site in channel names. */
	public function site_id(): string {
		return hash( 'sha256', 'site:' . $this->site_key() );
	}

	/** Identifier of the tenant, as tokens carry it. */
	public function tenant_id(): string {
		return hash( 'sha256', 'tenant:' . $this->site_key() );
	}

	/** Secret text that keys are derived from; never leaves PHP. */
	public function encryption_seed(): string {
		$seed = self::constant( 'AUTH_KEY' ) . self::constant( 'SECURE_AUTH_KEY' );

		/**
		 * Filters the secret text that the encryption key is derived from.
		 *
		 * @param string $seed AUTH_KEY followed by SECURE_AUTH_KEY.
		 */
		$given = apply_filters( 'wpsignal_encryption_seed', $seed );
		// An array as text is "Array", which everybody knows.
		$seed = null === $given || is_scalar( $given ) ? (string) $given : $seed;
		return $seed;
	}

	/**
	 * Key of the payload encryption: 32 raw bytes, or empty if there is nothing
	 * to derive it from.
	 */
	public function encryption_key(): string {
		$seed = $this->encryption_seed();
		if ( '' === $seed || '' === $this->site_key() ) {
			return '';
		}
		return Envelope::key( $seed, $this->site_key() );
	}

	/**
	 * Whether other sites of a network have this one's channels: names of rooms
	 * have no site of the network in them, and a constant is for all of them.
	 */
	public function shares_channels(): bool {
		return is_multisite() && $this->has_constants();
	}

	/**
	 * Whether the relay is kept from reading what people edit together, and other
	 * sites from hearing it. Where channels are shared nobody can switch it off:
	 * posts of two sites that have one number would become one.
	 */
	public function is_collaboration_sealed(): bool {
		if ( $this->shares_channels() ) {
			return true;
		}
		/**
		 * Filters whether frames of collaborative editing are encrypted.
		 *
		 * @param bool $sealed The site's setting. False are the ecosystem's plain frames, which the relay can read.
		 */
		return (bool) apply_filters( 'wordsocket_collaboration_sealed', '1' !== get_option( Options::COLLABORATION_PLAIN ) );
	}

	/**
	 * Names of the constants that still lack a value.
	 *
	 * @return list<string>
	 */
	public function missing(): array {
		return array_keys(
			array_filter(
				array(
					'WORDSOCKET_URL'       => $this->base_url(),
					'WPSIGNAL_SITE_KEY'    => $this->site_key(),
					'WPSIGNAL_SITE_SECRET' => $this->site_secret(),
					'WPSIGNAL_JWT_SECRET'  => $this->jwt_secret(),
				),
				static fn( string $value ): bool => '' === $value
			)
		);
	}

	/** Whether everything is there to talk to a relay. */
	public function is_configured(): bool {
		return array() === $this->missing();
	}

	/** Forgets what a relay gave, without a word to it. */
	public function clear_registration(): void {
		Connection::forget();
		Relay::forget();
	}

	/** Forgets what failed. */
	public function clear_publish_state(): void {
		Notices::clear();
	}

	/** Where the credentials come from: "constant", "server", "relay", or "none". */
	public function credential_source(): string {
		if ( ! $this->is_configured() ) {
			return 'none';
		}
		if ( $this->has_constants() ) {
			return 'constant';
		}
		return null === $this->connection() ? 'relay' : 'server';
	}

	/**
	 * The connection through the web server, where no constant is in its place.
	 *
	 * @return array<string, mixed>|null
	 */
	private function connection(): ?array {
		return $this->has_constants() ? null : Connection::keys();
	}

	/**
	 * The connection through a relay elsewhere, where nothing is in its place.
	 *
	 * @return array<string, mixed>|null
	 */
	private function relay(): ?array {
		return $this->has_constants() || null !== Connection::keys() ? null : Relay::keys();
	}

	/**
	 * One of the credentials. They are never mixed.
	 *
	 * @param string $name Constant.
	 * @param string $key  Its name in the connection.
	 */
	private function credential( string $name, string $key ): string {
		$own = $this->connection() ?? $this->relay();

		return null === $own ? self::constant( $name ) : $own[ $key ];
	}

	/** The API key of a relay: used once and not kept, so this is always empty. */
	public function api_key(): string {
		return '';
	}

	/**
	 * Whether the block editor is to edit together over this connection. Where
	 * that would wake what WordPress itself leaves asleep, somebody has to have
	 * said so.
	 */
	public function yjs_provider_enabled(): bool {
		return (bool) get_option( Options::YJS_PROVIDER, Collaboration::SUPPORT_GUTENBERG === Collaboration::support() ? '1' : '0' );
	}

	/** Whether this copy of the plugin has what does so. */
	public function is_yjs_provider_built(): bool {
		return is_readable( plugin_dir_path( FILE ) . 'assets/wpsignal-yjs.js' );
	}

	/** Whether this WordPress knows real-time collaboration at all. */
	public function is_wp_sync_available(): bool {
		return function_exists( 'wp_is_collaboration_enabled' );
	}

	/** Whether this WordPress has real-time collaboration switched on. */
	public function is_wp_rtc_enabled(): bool {
		return $this->is_wp_sync_available() && wp_is_collaboration_enabled();
	}

	/**
	 * Whether browsers should not try WebSocket.
	 */
	public function force_sse(): bool {
		/**
		 * Filters whether browsers go straight to Server-Sent Events.
		 *
		 * @param bool $force Value of the constant WPSIGNAL_FORCE_SSE.
		 */
		return (bool) apply_filters(
			'wpsignal_force_sse',
			defined( 'WPSIGNAL_FORCE_SSE' ) && constant( 'WPSIGNAL_FORCE_SSE' )
		);
	}

	/**
	 * Text of a constant; empty if it is not defined or not a text.
	 *
	 * @param string $name Full name of the constant.
	 */
	private static function constant( string $name ): string {
		$value = defined( $name ) ? constant( $name ) : '';

		return is_string( $value ) ? trim( $value ) : '';
	}
}
