<?php
/**
 * Who an editor is, in this site's word.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

namespace WordSocket;

defined( 'ABSPATH' ) || exit;

/**
 * Badges of collaborative editing. A page makes a key pair of its own and sends
 * the public half with its request for rooms. The badge says whose page that is:
 * its claims as JSON, a dot, and this site's signature over what is before the
 * dot, both in base64url. Peers believe a name as far as what came with it is
 * signed by the key of a badge.
 *
 * Signatures are ECDSA over P-256 with SHA-256, in the form that browsers have
 * them: r and s, 32 bytes each.
 *
 * @access private
 */
final class Badge {

	private const VERSION = 1;

	private const CURVE = 'prime256v1';

	/** Bytes of a coordinate, and of half a signature. */
	private const HALF = 32;

	/** A public key begins with this: both coordinates follow. */
	private const UNCOMPRESSED = "\x04";

	/** It outlives the token by this, or a name would flicker at each renewal. */
	private const GRACE_S = 60;

	/** Pictures are left out of claims longer than this: peers take 8192 characters. */
	private const MOST_BYTES = 6000;

	/** Whether this PHP can sign. */
	public static function is_possible(): bool {
		return function_exists( 'openssl_get_curve_names' ) && in_array( self::CURVE, (array) openssl_get_curve_names(), true );
	}

	/**
	 * What the token route adds for the current user.
	 *
	 * @param mixed  $key    The page's public key, raw in base64, as a browser sent it.
	 * @param Config $config Of the site.
	 * @param int    $now    Unix time.
	 * @param int    $exp    When the token ends.
	 * @return array{badge?: string, badgeIssuer?: string} Nothing where there can be none.
	 */
	public static function answer( $key, Config $config, int $now, int $exp ): array {
		$user = wp_get_current_user();
		if ( ! $user->exists() || ! is_string( $key ) || ! self::is_key( $key ) ) {
			return array();
		}
		$signs = self::key_of_site();
		$claim = array(
			'v'    => self::VERSION,
			'site' => $config->site_id(),
			'blog' => get_current_blog_id(),
			'user' => self::identity( $user ),
			'key'  => $key,
			'iat'  => $now,
			'exp'  => $exp + self::GRACE_S,
		);
		$badge = null === $signs ? '' : self::make( $claim, $signs );

		return null === $signs || '' === $badge ? array() : array(
			'badge'       => $badge,
			'badgeIssuer' => base64_encode( self::public_half( $signs ) ), // phpcs:ignore WordPress.PHP.DiscouragedPHPFunctions.obfuscation_base64_encode -- the wire format.
		);
	}

	/**
	 * A badge; empty if it cannot be made.
	 *
	 * @param array<string, mixed>    $claims What it says.
	 * @param \OpenSSLAsymmetricKey $key    Of the site.
	 */
	public static function make( array $claims, \OpenSSLAsymmetricKey $key ): string {
		$json = self::json( $claims );
		if ( strlen( $json ) > self::MOST_BYTES ) {
			$claims['user']['avatar_urls'] = (object) array();
			$json                          = self::json( $claims );
		}
		$text = Jwt::base64url( $json );
		$der  = '';
		if ( '' === $json || ! openssl_sign( $text, $der, $key, OPENSSL_ALGO_SHA256 ) ) {
			return '';
		}
		$raw = self::raw_signature( $der );
		return '' === $raw ? '' : $text . '.' . Jwt::base64url( $raw );
	}

	/**
	 * A signature as browsers have it, from that of OpenSSL: a sequence of two
	 * integers, which are as short as they can be, and never negative.
	 *
	 * @param string $der Of OpenSSL.
	 * @return string 64 bytes, or empty for what is no such signature.
	 */
	public static function raw_signature( string $der ): string {
		// No length here needs more than one byte.
		$is = 1 === preg_match( '/^\x30(.)\x02(.)/s', $der, $head ) && strlen( $der ) === ord( $head[1] ) + 2;
		$r  = $is ? substr( $der, 4, ord( $head[2] ) ) : '';
		$s  = $is ? substr( $der, 4 + strlen( $r ) ) : '';
		$is = $is && strlen( $s ) > 2 && "\x02" === $s[0] && strlen( $s ) === ord( $s[1] ) + 2;
		$r  = ltrim( $r, "\0" );
		$s  = $is ? ltrim( substr( $s, 2 ), "\0" ) : '';

		return '' === $r || '' === $s || strlen( $r ) > self::HALF || strlen( $s ) > self::HALF
			? ''
			: self::padded( $r ) . self::padded( $s );
	}

	/**
	 * The public half of a key: 65 bytes.
	 *
	 * @param \OpenSSLAsymmetricKey $key Of the site.
	 */
	public static function public_half( \OpenSSLAsymmetricKey $key ): string {
		$about = openssl_pkey_get_details( $key )['ec'];

		return self::UNCOMPRESSED . self::padded( $about['x'] ) . self::padded( $about['y'] );
	}

	/**
	 * Schema of the key that a browser sends.
	 *
	 * @return array<string, mixed>
	 */
	public static function schema(): array {
		return array(
			'description' => __( 'Public key that the page made for its badge: P-256, raw, in base64.', 'wordsocket' ),
			'type'        => 'string',
			'pattern'     => '^[A-Za-z0-9+/]{87}=$',
		);
	}

	/**
	 * A user as the editor is told of itself, by /wp/v2/users/me.
	 *
	 * @param \WP_User $user Logged in.
	 * @return array<string, mixed>
	 */
	private static function identity( \WP_User $user ): array {
		return array(
			'id'          => $user->ID,
			'name'        => $user->display_name,
			'slug'        => $user->user_nicename,
			// An object, also if it is empty.
			'avatar_urls' => (object) ( get_option( 'show_avatars' ) ? rest_get_avatar_urls( $user ) : array() ),
		);
	}

	/**
	 * The key that signs, made when it is first asked for; null without OpenSSL.
	 */
	private static function key_of_site(): ?\OpenSSLAsymmetricKey {
		if ( ! self::is_possible() ) {
			return null;
		}
		$pem = get_option( Options::BADGE_KEY );
		$pem = is_string( $pem ) && '' !== $pem ? $pem : self::make_key();
		$key = '' === $pem ? false : openssl_pkey_get_private( $pem );

		return false === $key ? null : $key;
	}

	/**
	 * A new key pair, in PEM; empty where OpenSSL makes none.
	 *
	 * PHP wants a configuration of OpenSSL's for it, though nothing in it; where
	 * the system has none, in a chroot or a container, ours serves.
	 */
	public static function new_key(): string {
		$options = array(
			'private_key_type' => OPENSSL_KEYTYPE_EC,
			'curve_name'       => self::CURVE,
			'config'           => __DIR__ . '/openssl.cnf',
		);
		$pem     = '';
		$key     = openssl_pkey_new( $options );

		return false !== $key && openssl_pkey_export( $key, $pem, null, $options ) ? $pem : '';
	}

	/**
	 * Makes a key and stores it, unless somebody else did just now: all have to
	 * sign with the same, and WordPress would overwrite.
	 *
	 * @return string What is stored, or empty.
	 */
	private static function make_key(): string {
		global $wpdb;

		$pem = self::new_key();
		if ( '' === $pem ) {
			return '';
		}
		// phpcs:disable WordPress.DB.DirectDatabaseQuery -- the API cannot insert only; the caches that know better are told.
		$wpdb->query( $wpdb->prepare( "INSERT IGNORE INTO $wpdb->options ( option_name, option_value, autoload ) VALUES ( %s, %s, 'off' )", Options::BADGE_KEY, $pem ) );
		$stored = (string) $wpdb->get_var( $wpdb->prepare( "SELECT option_value FROM $wpdb->options WHERE option_name = %s", Options::BADGE_KEY ) );
		// phpcs:enable
		wp_cache_delete( Options::BADGE_KEY, 'options' );
		wp_cache_delete( 'notoptions', 'options' );
		return $stored;
	}

	/**
	 * Whether that may be a public key; peers look closer.
	 *
	 * @param string $text Raw, in base64.
	 */
	private static function is_key( string $text ): bool {
		$raw = base64_decode( $text, true ); // phpcs:ignore WordPress.PHP.DiscouragedPHPFunctions.obfuscation_base64_decode -- the wire format.

		return is_string( $raw ) && 2 * self::HALF + 1 === strlen( $raw ) && self::UNCOMPRESSED === $raw[0];
	}

	/**
	 * JSON; empty if it cannot be.
	 *
	 * @param array<string, mixed> $claims What is said.
	 */
	private static function json( array $claims ): string {
		return (string) wp_json_encode( $claims, JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE );
	}

	/**
	 * A number in as many bytes as all have.
	 *
	 * @param string $number Without zeros before it.
	 */
	private static function padded( string $number ): string {
		return str_pad( $number, self::HALF, "\0", STR_PAD_LEFT );
	}
}
