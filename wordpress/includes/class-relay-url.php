<?php
/**
 * Addresses of relays, as people type them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

namespace WordSocket;

defined( 'ABSPATH' ) || exit;

/**
 * Secrets go to these addresses, so they are https, or on this very machine.
 *
 * @access private
 */
final class Relay_Url {

	private const MAX_BYTES = 512;
	private const MAX_PORT  = 65535;
	private const LOOPBACK  = array( 'localhost', '127.0.0.1', '[::1]' );

	/**
	 * The base URL of a relay without a slash at its end.
	 *
	 * @param string $typed A URL; one of the dashboard will do, or one without a scheme.
	 * @return string Empty if it is none, or if it is neither https nor loopback.
	 */
	public static function clean( string $typed ): string {
		$url = trim( $typed );
		if ( '' !== $url && ! str_contains( $url, '://' ) ) {
			$url = "https://$url";
		}
		if ( strlen( $url ) > self::MAX_BYTES
			|| ! preg_match( '#^(https?://)(\[[0-9a-f:.]+\]|[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)(?::([0-9]{1,5}))?((?:/[A-Za-z0-9._~-]*)*)$#iD', $url, $is )
			|| preg_match( '#/\.{1,2}(/|$)#', $is[4] ) ) {
			return '';
		}
		list( , $scheme, $host, $port, $path ) = $is;
		if ( '' !== $port && ( 0 === (int) $port || (int) $port > self::MAX_PORT ) ) {
			return '';
		}
		$path = rtrim( preg_replace( '#/dashboard(/connect)?/*$#', '', preg_replace( '#/+#', '/', $path ) ), '/' );
		$url  = strtolower( $scheme . $host ) . ( '' === $port ? '' : ":$port" ) . $path;
		return self::is_private( $url ) ? $url : '';
	}

	/**
	 * Whether nobody on the way can read what is sent there.
	 *
	 * @param string $url http or https.
	 */
	public static function is_private( string $url ): bool {
		$parts = wp_parse_url( $url );

		return 'https' === strtolower( $parts['scheme'] ?? '' )
			|| in_array( strtolower( $parts['host'] ?? '' ), self::LOOPBACK, true );
	}

	/**
	 * Scheme, host and port.
	 *
	 * @param string $url http or https.
	 */
	public static function origin( string $url ): string {
		$parts  = wp_parse_url( strtolower( $url ) );
		$scheme = $parts['scheme'] ?? '';
		$port   = $parts['port'] ?? ( 'https' === $scheme ? 443 : 80 );

		return $scheme . '://' . ( $parts['host'] ?? '' ) . ":$port";
	}
}
