<?php
/**
 * The connection through the web server itself.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

namespace WordSocket;

defined( 'ABSPATH' ) || exit;

/**
 * Keys that mod_wordsocket hands over in the environment of one request, kept
 * for the home URL they were made for. A copy of the site at another URL finds
 * keys that are not its own, and leaves them alone.
 *
 * @access private
 */
final class Connection {

	/** Where it is stored. */
	public const OPTION = Options::CONNECTION;

	/** Version of the signature that goes with these keys. */
	public const SIGNATURE = 2;

	/**
	 * What the web server calls it; the second is a header of the request, which
	 * it takes from clients, for PHP that is not given variables.
	 */
	private const VARIABLES = array( 'WORDSOCKET_ENROLL', 'HTTP_WORDSOCKET_ENROLL' );

	private const TIMEOUT_S = 5;

	/**
	 * What was in the environment when the plugin was loaded.
	 *
	 * @var string
	 */
	private static string $offered = '';

	/**
	 * Takes the keys out of the environment, so that what prints it, as phpinfo
	 * does, prints none. Under PHP-FPM getenv() can still tell them to code that
	 * runs in this one request and knows the name.
	 */
	public static function take_from_environment(): void {
		self::$offered = '';
		foreach ( self::VARIABLES as $name ) {
			// phpcs:ignore WordPress.Security.ValidatedSanitizedInput -- set by the web server, a client cannot; read as JSON.
			$value = $_SERVER[ $name ] ?? '';
			unset( $_SERVER[ $name ], $_ENV[ $name ] );
			putenv( $name );
			if ( '' === self::$offered && is_string( $value ) ) {
				self::$offered = $value;
			}
		}
	}

	/**
	 * The keys that this request was given, if it was and they are for us.
	 *
	 * @return array<string, mixed>|null
	 */
	public static function offered(): ?array {
		$keys = json_decode( self::$offered, true );

		return is_array( $keys ) && self::is_whole( $keys ) && self::home() === $keys['home'] ? $keys : null;
	}

	/**
	 * The keys in force; null for a copy.
	 *
	 * @return array<string, mixed>|null
	 */
	public static function keys(): ?array {
		$keys = self::stored();

		return null !== $keys && self::is_ours( $keys ) ? $keys : null;
	}

	/** The home URL of the site that this one is a copy of; empty if of none. */
	public static function copied_from(): string {
		$keys = self::stored();

		return null === $keys || self::is_ours( $keys ) ? '' : self::original( $keys['home'] );
	}

	/**
	 * Whether keys were made for this very address. Tools that copy a site write
	 * the new address over the old one wherever they find it, but not over its hash.
	 *
	 * @param array<string, mixed> $keys With "home", and "home_hash" from home_hash().
	 */
	public static function is_ours( array $keys ): bool {
		return self::home() === $keys['home'] && hash_equals( self::home_hash(), (string) ( $keys['home_hash'] ?? self::home_hash() ) );
	}

	/** What tells this address from any other. */
	public static function home_hash(): string {
		return hash( 'sha256', 'wordsocket-home|' . self::home() );
	}

	/**
	 * What a copy is told of its original.
	 *
	 * @param string $home As stored.
	 */
	public static function original( string $home ): string {
		return self::home() === $home ? __( 'a site at another address', 'wordsocket' ) : $home;
	}

	/** Home URL of this blog, the same in every kind of request. */
	public static function home(): string {
		return rtrim( (string) get_option( 'home' ), '/' );
	}

	/**
	 * Address of the relay: the path it has, on the host of the blog.
	 *
	 * @param array<string, mixed> $keys From keys() or offered().
	 */
	public static function base_url( array $keys ): string {
		return preg_replace( '#^(https?://[^/]+).*$#i', '$1', $keys['home'] ) . rtrim( $keys['path'], '/' );
	}

	/**
	 * Shows the keys to the relay, has it prove that it made them, and keeps them.
	 *
	 * @param array<string, mixed> $keys From offered().
	 * @return true|\WP_Error
	 */
	public static function connect( array $keys ) {
		$challenge = bin2hex( random_bytes( 16 ) );
		$answer    = self::call(
			$keys,
			'/site/whoami',
			array(
				'home'       => $keys['home'],
				'generation' => $keys['generation'],
				'challenge'  => $challenge,
			)
		);
		if ( is_wp_error( $answer ) ) {
			return $answer;
		}
		if ( ! hash_equals( self::proof( $keys['publish_secret'], $challenge ), (string) ( $answer['proof'] ?? '' ) ) ) {
			return new \WP_Error( 'wordsocket_wrong_relay', __( 'Whatever answers at the address of the relay is not the web server that gave out the keys.', 'wordsocket' ), array( 'status' => 502 ) );
		}
		update_option( self::OPTION, $keys + array( 'home_hash' => self::home_hash() ), false );
		Notices::clear();
		return true;
	}

	/**
	 * Has the relay revoke the keys, and forgets them.
	 *
	 * @param array<string, mixed> $keys From keys().
	 * @return true|\WP_Error
	 */
	public static function disconnect( array $keys ) {
		$answer = self::call( $keys, '/site/disconnect', array( 'action' => 'disconnect' ) );

		// Keys that are refused are revoked already.
		if ( is_wp_error( $answer ) && ! in_array( $answer->get_error_data()['code'], array( 'unknown_site_key', 'invalid_signature', 'site_revoked' ), true ) ) {
			return $answer;
		}
		self::forget();
		return true;
	}

	/** Forgets the keys without a word to the relay. */
	public static function forget(): void {
		delete_option( self::OPTION );
		Notices::clear();
	}

	/**
	 * What the relay must answer to a challenge.
	 *
	 * @param string $secret    Publish secret.
	 * @param string $challenge What it was asked.
	 */
	public static function proof( string $secret, string $challenge ): string {
		return hash_hmac( 'sha256', "wordsocket-whoami-v1\n$challenge", $secret );
	}

	/**
	 * Sends a signed request.
	 *
	 * @param array<string, mixed> $keys Whose.
	 * @param string               $path Below the base.
	 * @param array<string, mixed> $body What to send.
	 * @return array<string, mixed>|\WP_Error
	 */
	private static function call( array $keys, string $path, array $body ) {
		$json     = (string) wp_json_encode( $body );
		$now_ms   = (int) floor( microtime( true ) * 1000 );
		$signed   = Signature::headers_v2( $keys['site_key'], $keys['publish_secret'], 'POST', $path, $json, $now_ms, bin2hex( random_bytes( 16 ) ) );
		$response = wp_remote_post(
			self::base_url( $keys ) . $path,
			array(
				'timeout'     => self::TIMEOUT_S,
				'redirection' => 0,
				'headers'     => array( 'Content-Type' => 'application/json' ) + $signed,
				'body'        => $json,
			)
		);
		$error    = Publisher::remote_error( $response );
		if ( null !== $error ) {
			$code = $error->get_error_data()['code'];
			return new \WP_Error( "wordsocket_$code", trim( $error->get_error_message() . ' ' . self::remedy( $code, self::base_url( $keys ) ) ), array( 'code' => $code, 'status' => 502 ) ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing.AssociativeArrayFound -- one thing.
		}
		return (array) json_decode( wp_remote_retrieve_body( $response ), true );
	}

	/**
	 * What a person can do about a code. The relay is this web server, and nothing
	 * in wp-config.php says where it is.
	 *
	 * @param string $code As the relay or we call it.
	 * @param string $url  Where it was asked.
	 */
	private static function remedy( string $code, string $url ): string {
		switch ( $code ) {
			case 'unreachable':
				/* translators: %s: URL. */
				return sprintf( __( 'PHP on this server could not reach %s, which is this server itself. Ask whoever runs it to let the site call its own address (name resolution, firewall, certificate).', 'wordsocket' ), $url );
			case 'not_found':
			case 'http_404':
				/* translators: %s: URL. */
				return sprintf( __( 'Nothing at %s hands out or takes keys any more: the virtual host lacks "WordSocket On", or the server its WordSocketHostKey. Ask whoever runs it.', 'wordsocket' ), $url );
			case 'rate_limited':
				return __( 'It was connected and disconnected often. Wait a few minutes and try again.', 'wordsocket' );
			case 'site_limit_reached':
				return __( 'Whoever runs the server can give this account more sites by WordSocketHostSites.', 'wordsocket' );
			default:
				return Notices::describe( $code );
		}
	}

	/**
	 * What is stored, whoever's it is.
	 *
	 * @return array<string, mixed>|null
	 */
	private static function stored(): ?array {
		$keys = get_option( self::OPTION );

		return is_array( $keys ) && self::is_whole( $keys ) ? $keys : null;
	}

	/**
	 * Whether nothing is missing.
	 *
	 * @param array<string, mixed> $keys As handed over or stored.
	 */
	private static function is_whole( array $keys ): bool {
		foreach ( array( 'home', 'path', 'site_key', 'publish_secret', 'jwt_secret' ) as $name ) {
			if ( ! is_string( $keys[ $name ] ?? null ) || '' === $keys[ $name ] ) {
				return false;
			}
		}
		return '/' === $keys['path'][0] && is_int( $keys['generation'] ?? null ) && self::SIGNATURE === ( $keys['signature'] ?? null );
	}
}
