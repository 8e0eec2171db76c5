<?php
/**
 * The connection through a relay on another server.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

namespace WordSocket;

defined( 'ABSPATH' ) || exit;

/**
 * Credentials that a relay gave this site, and the calls that get them and give
 * them back. They are stored under the names the ecosystem knows, beside a record
 * of which relay they are for and which home URL they were made for: a copy of
 * the site at another URL leaves them alone.
 *
 * @access private
 */
final class Relay {

	private const TIMEOUT_S       = 10;
	private const REACH_TIMEOUT_S = 5;
	private const ANSWER_BYTES    = 65536;

	/** How long a credential may be. */
	private const MAX_BYTES = 512;

	/** An API key: the length is checked before anybody is asked. */
	private const API_KEY_CHARS = 64;

	/** What a relay says when there is nothing to disconnect any more. */
	private const GONE = array( 'not_found', 'invalid_api_key', 'unknown_site_key' );

	/**
	 * The credentials in force; null for a copy.
	 *
	 * @return array{url: string, home: string, site_key: string, publish_secret: string, jwt_secret: string, signature: int}|null
	 */
	public static function keys(): ?array {
		$keys = self::stored();

		return null !== $keys && Connection::is_ours( $keys ) ? $keys : null;
	}

	/** The home URL of the site that this one is a copy of; empty if of none. */
	public static function copied_from(): string {
		$keys = self::stored();

		return null === $keys || Connection::is_ours( $keys ) ? '' : Connection::original( $keys['home'] );
	}

	/**
	 * Where the browser is sent to ask for approval.
	 *
	 * @param string $url Base URL of the relay.
	 */
	public static function connect_url( string $url ): string {
		/**
		 * Filters the path of the page that asks for approval.
		 *
		 * @param string $path Below the base URL of the relay.
		 */
		return $url . (string) apply_filters( 'wpsignal_connect_path', '/dashboard/connect' );
	}

	/**
	 * Whether a relay is there that takes sites. Asked before the browser leaves
	 * this site, since nothing brings it back from an address that is wrong.
	 *
	 * @param string $url Base URL of the relay.
	 * @return true|\WP_Error Its code is unreachable or no_relay.
	 */
	public static function reach( string $url ) {
		$response = wp_remote_get(
			self::connect_url( $url ),
			array( 'timeout' => self::REACH_TIMEOUT_S ) + self::arguments()
		);
		if ( is_wp_error( $response ) ) {
			return self::error( 'unreachable', $response->get_error_message() );
		}
		// A refusal is what is expected: this server is no user of the relay.
		$status = (int) wp_remote_retrieve_response_code( $response );
		if ( in_array( $status, array( 404, 405, 410 ), true ) ) {
			return self::error( 'no_relay', "HTTP $status" );
		}
		return $status >= 500 ? self::error( 'unreachable', "HTTP $status" ) : true;
	}

	/**
	 * Where a code is exchanged for credentials.
	 *
	 * @param string $url Base URL of the relay.
	 */
	public static function exchange_url( string $url ): string {
		/**
		 * Filters the path at which a code is exchanged for credentials.
		 *
		 * @param string $path Below the base URL of the relay.
		 */
		return $url . (string) apply_filters( 'wpsignal_exchange_path', '/api/connect/exchange' );
	}

	/**
	 * Connects the site by a code from the approval page.
	 *
	 * @param string $url  Base URL of the relay.
	 * @param string $code What the browser brought.
	 * @return true|\WP_Error
	 */
	public static function exchange( string $url, string $code ) {
		return self::take(
			$url,
			self::call(
				self::exchange_url( $url ),
				array(
					'code'      => $code,
					'site_url'  => Connection::home(),
					'signature' => 2,
				)
			)
		);
	}

	/**
	 * Connects the site by the API key of an account. The key is not kept: the
	 * site's own secret is enough to disconnect.
	 *
	 * @param string $url     Base URL of the relay.
	 * @param string $api_key From the dashboard of the relay.
	 * @return true|\WP_Error
	 */
	public static function register( string $url, string $api_key ) {
		if ( self::API_KEY_CHARS !== strlen( $api_key ) || ! ctype_alnum( $api_key ) ) {
			return self::error( 'invalid_api_key', '' );
		}
		return self::take(
			$url,
			self::call(
				"$url/api/sites/register",
				array(
					'site_url'  => Connection::home(),
					'site_name' => self::name(),
					'signature' => 2,
				),
				array( 'Authorization' => "Bearer $api_key" )
			)
		);
	}

	/**
	 * Has the relay forget the site, and forgets the credentials.
	 *
	 * @param array<string, mixed> $keys From keys().
	 * @return true|\WP_Error The credentials are kept then.
	 */
	public static function disconnect( array $keys ) {
		$answer = self::call(
			$keys['url'] . '/api/sites/unregister',
			array(
				'site_key'       => $keys['site_key'],
				'publish_secret' => $keys['publish_secret'],
			)
		);
		if ( is_wp_error( $answer ) && ! in_array( $answer->get_error_data()['code'], self::GONE, true ) ) {
			return $answer;
		}
		self::forget();
		return true;
	}

	/** Forgets the credentials without a word to the relay. */
	public static function forget(): void {
		foreach ( array( Options::RELAY, Options::SITE_KEY, Options::SITE_SECRET, Options::JWT_SECRET ) as $name ) {
			delete_option( $name );
		}
		Notices::clear();
	}

	/** What this site is called in the relay's dashboard. */
	public static function name(): string {
		return wp_specialchars_decode( (string) get_option( 'blogname' ), ENT_QUOTES );
	}

	/**
	 * Keeps what a relay gave, if it is whole.
	 *
	 * @param string                         $url    Base URL of the relay.
	 * @param array<string, mixed>|\WP_Error $answer Of the relay.
	 * @return true|\WP_Error
	 */
	private static function take( string $url, $answer ) {
		if ( is_wp_error( $answer ) ) {
			return $answer;
		}
		foreach ( array( 'site_key', 'publish_secret', 'jwt_secret' ) as $name ) {
			$value = $answer[ $name ] ?? null;
			if ( ! is_string( $value ) || strlen( $value ) > self::MAX_BYTES || ! preg_match( '/^[\x21-\x7e]+$/D', $value ) ) {
				return self::error( 'incomplete_answer', '' );
			}
		}
		update_option( Options::SITE_KEY, $answer['site_key'], false );
		update_option( Options::SITE_SECRET, $answer['publish_secret'], false );
		update_option( Options::JWT_SECRET, $answer['jwt_secret'], false );
		update_option( Options::RELAY_URL, $url, false );
		// Last: without it the others do not count.
		update_option(
			Options::RELAY,
			array(
				'url'       => $url,
				'home'      => Connection::home(),
				'home_hash' => Connection::home_hash(),
				'site_key'  => $answer['site_key'],
				'signature' => 2 === ( $answer['signature'] ?? 1 ) ? 2 : 1,
			),
			false
		);
		Notices::clear();
		return true;
	}

	/**
	 * What is stored, whoever's it is.
	 *
	 * @return array<string, mixed>|null
	 */
	private static function stored(): ?array {
		wp_prime_option_caches( array( Options::RELAY, Options::SITE_KEY, Options::SITE_SECRET, Options::JWT_SECRET ) );
		$relay = get_option( Options::RELAY );
		if ( ! is_array( $relay ) ) {
			return null;
		}
		$keys = array(
			'url'            => $relay['url'] ?? null,
			'home'           => $relay['home'] ?? null,
			'site_key'       => get_option( Options::SITE_KEY ),
			'publish_secret' => get_option( Options::SITE_SECRET ),
			'jwt_secret'     => get_option( Options::JWT_SECRET ),
		);
		foreach ( $keys as $value ) {
			if ( ! is_string( $value ) || '' === $value ) {
				return null;
			}
		}
		if ( ( $relay['site_key'] ?? null ) !== $keys['site_key'] ) {
			return null;
		}
		return $keys + array( 'signature' => 2 === ( $relay['signature'] ?? 1 ) ? 2 : 1 ) + array_intersect_key( $relay, array( 'home_hash' => true ) );
	}

	/**
	 * What all requests to relays have in common. In a network an administrator of
	 * one site has no business in the server's own network; a constant has.
	 *
	 * @return array<string, mixed>
	 */
	private static function arguments(): array {
		return array(
			'timeout'             => self::TIMEOUT_S,
			'redirection'         => 0,
			'limit_response_size' => self::ANSWER_BYTES,
			'reject_unsafe_urls'  => is_multisite() && '' === ( new Config() )->fixed_url(),
		);
	}

	/**
	 * Sends JSON to a relay. Nothing but 200 is a yes.
	 *
	 * @param string                $url     Where to.
	 * @param array<string, mixed>  $body    What.
	 * @param array<string, string> $headers Beside the usual.
	 * @return array<string, mixed>|\WP_Error
	 */
	private static function call( string $url, array $body, array $headers = array() ) {
		$response = wp_remote_post(
			$url,
			array(
				'headers' => array( 'Content-Type' => 'application/json' ) + $headers,
				'body'    => (string) wp_json_encode( $body ),
			) + self::arguments()
		);
		$error    = Publisher::remote_error( $response );
		if ( null !== $error ) {
			$code = $error->get_error_data()['code'];
			return self::error( $code, $code === $error->get_error_message() ? '' : $error->get_error_message() );
		}
		if ( 200 !== (int) wp_remote_retrieve_response_code( $response ) ) {
			return self::error( 'incomplete_answer', '' );
		}
		return (array) json_decode( wp_remote_retrieve_body( $response ), true );
	}

	/**
	 * A failure; Outcome puts it into words.
	 *
	 * @param string $code    The relay's own, or one of ours.
	 * @param string $message What was said.
	 */
	private static function error( string $code, string $message ): \WP_Error {
		return new \WP_Error( "wpsignal_$code", $message, array( 'code' => $code, 'status' => 502 ) ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing.AssociativeArrayFound -- one thing.
	}
}
