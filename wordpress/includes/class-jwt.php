<?php
/**
 * Signed tokens.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

namespace WordSocket;

defined( 'ABSPATH' ) || exit;

/**
 * JSON Web Tokens by HS256 (RFC 7515, RFC 7519); makes them only. Knows no
 * WordPress.
 *
 * @access private
 */
final class Jwt {

	private const HEADER = '{"alg":"HS256","typ":"JWT"}';

	/**
	 * Makes a token.
	 *
	 * @param array<string, mixed> $claims In the order they shall have.
	 * @param string               $secret Its text is the HMAC key.
	 * @throws \JsonException If a claim is not valid UTF-8.
	 */
	public static function make( array $claims, string $secret ): string {
		$json = json_encode( $claims, JSON_THROW_ON_ERROR | JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE ); // phpcs:ignore WordPress.WP.AlternativeFunctions.json_encode_json_encode,Generic.PHP.ForbiddenFunctions -- must throw, never repair.
		$text = self::base64url( self::HEADER ) . '.' . self::base64url( $json );

		return $text . '.' . self::base64url( hash_hmac( 'sha256', $text, $secret, true ) );
	}

	/**
	 * Base64 with the URL alphabet and without padding.
	 *
	 * @param string $bytes Anything.
	 */
	public static function base64url( string $bytes ): string {
		return rtrim( strtr( base64_encode( $bytes ), '+/', '-_' ), '=' ); // phpcs:ignore WordPress.PHP.DiscouragedPHPFunctions.obfuscation_base64_encode -- RFC 7515.
	}
}
