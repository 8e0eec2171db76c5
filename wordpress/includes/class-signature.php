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
 * Publish signature, version 1. Knows no WordPress.
 *
 * @access private
 */
final class Signature {

	/**
	 * Headers for a signed request.
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
}
