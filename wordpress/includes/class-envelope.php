<?php
/**
 * What the relay sees of an event: an envelope it cannot open.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

namespace WordSocket;

defined( 'ABSPATH' ) || exit;

/**
 * AES-256-GCM envelopes, version 1. Knows no WordPress.
 *
 * @access private
 */
final class Envelope {

	/** Event name under which an envelope travels. */
	public const EVENT = 'encrypted';

	private const VERSION   = 1;
	private const KEY_INFO  = 'wpsignal-v1';
	private const KEY_BYTES = 32;
	private const IV_BYTES  = 12;
	private const TAG_BYTES = 16;

	/**
	 * Whether this PHP can encrypt at all.
	 */
	public static function available(): bool {
		return function_exists( 'openssl_encrypt' )
			&& in_array( 'aes-256-gcm', openssl_get_cipher_methods(), true );
	}

	/**
	 * The site's key: HKDF-SHA256 of the seed, salted with the site key's text.
	 *
	 * @param string $seed     Secret text that only this site's PHP has; not empty.
	 * @param string $site_key Public identifier of the site.
	 * @return string 32 raw bytes.
	 */
	public static function key( string $seed, string $site_key ): string {
		return hash_hkdf( 'sha256', $seed, self::KEY_BYTES, self::KEY_INFO, $site_key );
	}

	/**
	 * Decrypts what seal() made.
	 *
	 * @param mixed  $data v and p.
	 * @param string $key  32 raw bytes.
	 * @return string|null Null for what was not sealed with this key.
	 */
	public static function open( $data, string $key ): ?string {
		$p      = is_array( $data ) && self::VERSION === ( $data['v'] ?? null ) && is_string( $data['p'] ?? null ) ? $data['p'] : '';
		$sealed = base64_decode( $p, true ); // phpcs:ignore WordPress.PHP.DiscouragedPHPFunctions.obfuscation_base64_decode -- the wire format.
		if ( false === $sealed || strlen( $sealed ) < self::IV_BYTES + self::TAG_BYTES ) {
			return null;
		}
		$text = openssl_decrypt( substr( $sealed, self::IV_BYTES, -self::TAG_BYTES ), 'aes-256-gcm', $key, OPENSSL_RAW_DATA, substr( $sealed, 0, self::IV_BYTES ), substr( $sealed, -self::TAG_BYTES ) );
		return false === $text ? null : $text;
	}

	/**
	 * Encrypts a text.
	 *
	 * @param string      $plaintext JSON of event and data.
	 * @param string      $key       32 raw bytes.
	 * @param string|null $iv        12 bytes, never twice with one key; random if
	 *                               left out, and only tests do not.
	 * @return array{v: int, p: string} p is base64 of IV, ciphertext and tag.
	 * @throws \RuntimeException If OpenSSL refuses.
	 */
	public static function seal( string $plaintext, string $key, ?string $iv = null ): array {
		$iv   ??= random_bytes( self::IV_BYTES );
		$tag    = '';
		$sealed = openssl_encrypt( $plaintext, 'aes-256-gcm', $key, OPENSSL_RAW_DATA, $iv, $tag, '', self::TAG_BYTES );

		if ( false === $sealed ) {
			throw new \RuntimeException( 'AES-256-GCM is not available' );
		}
		return array(
			'v' => self::VERSION,
			'p' => base64_encode( $iv . $sealed . $tag ), // phpcs:ignore WordPress.PHP.DiscouragedPHPFunctions.obfuscation_base64_encode -- the wire format.
		);
	}
}
