<?php
/**
 * How a request proves to the relay which site it comes from.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

namespace WordSocket;

defined( 'ABSPATH' ) || exit;

/**
 * Publish signatures, versions 1 and 2. Knows no WordPress.
 *
 * @access private
 */
final class Signature {

	/**
	 * Headers for a signed request, version 1.
	 *
	 * @param string $site_key Public identifier of the site.
	 * @param string $secret   Publish secret; its text is the HMAC key.
	 * @param string $body     Exactly the bytes that will be sent.
	 * @param int    $now_ms   Unix time in milliseconds; the relay allows 60 s either way.
	 * @return array<string, string>
	 */
	public static function headers( string $site_key, string $secret, string $body, int $now_ms ): array {
		return array(
			'X-WP-Signal-Key'  => $site_key,
			'X-WP-Signal-Ts'   => (string) $now_ms,
			'X-WP-Signal-Sign' => self::sign( $secret, $body, (string) $now_ms ),
		);
	}

	/**
	 * The signature itself: lower-case hex HMAC-SHA256 over body, dot, timestamp.
	 *
	 * @param string $secret Publish secret.
	 * @param string $body   Bytes of the body.
	 * @param string $ts     Text of the timestamp header.
	 */
	public static function sign( string $secret, string $body, string $ts ): string {
		return hash_hmac( 'sha256', $body . '.' . $ts, $secret );
	}

	/**
	 * Headers for a signed request, version 2.
	 *
	 * @param string $site_key Public identifier of the site.
	 * @param string $secret   Publish secret; its text is the HMAC key.
	 * @param string $method   Of the request, in capitals.
	 * @param string $path     Below the base of the relay, such as "/publish".
	 * @param string $body     Exactly the bytes that will be sent.
	 * @param int    $now_ms   Unix time in milliseconds; the relay allows 60 s either way.
	 * @param string $nonce    1 to 128 visible ASCII characters that no other request of the site has.
	 * @return array<string, string>
	 */
	public static function headers_v2( string $site_key, string $secret, string $method, string $path, string $body, int $now_ms, string $nonce ): array {
		return array(
			'X-WordSocket-Key'       => $site_key,
			'X-WordSocket-Timestamp' => (string) $now_ms,
			'X-WordSocket-Nonce'     => $nonce,
			'X-WordSocket-Signature' => 'v2=' . self::sign_v2( $secret, $method, $path, $site_key, (string) $now_ms, $nonce, $body ),
		);
	}

	/**
	 * The signature itself: lower-case hex HMAC-SHA256 over seven lines.
	 *
	 * @param string $secret   Publish secret.
	 * @param string $method   Of the request, in capitals.
	 * @param string $path     Below the base of the relay.
	 * @param string $site_key Text of the key header.
	 * @param string $ts       Text of the timestamp header.
	 * @param string $nonce    Text of the nonce header.
	 * @param string $body     Bytes of the body.
	 */
	public static function sign_v2( string $secret, string $method, string $path, string $site_key, string $ts, string $nonce, string $body ): string {
		return hash_hmac( 'sha256', implode( "\n", array( 'v2', $method, $path, $site_key, $ts, $nonce, hash( 'sha256', $body ) ) ), $secret );
	}
}
