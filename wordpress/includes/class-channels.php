<?php
/**
 * Which channels a user may read and write.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

namespace WordSocket;

defined( 'ABSPATH' ) || exit;

/**
 * Rights as lists of prefixes, the form in which a token carries them.
 *
 * While no namespace is reserved, everybody with a token may read and write all
 * of the site's channels. The first reservation ends that for everybody: from
 * then on a right exists only where somebody gave it (strict mode).
 */
final class Channels {

	/** Channel that built-in events travel on, open to every token. */
	public const EVENTS = 'events';

	/** Namespace of collaborative editing. */
	public const YJS = 'yjs';

	/** So that a colon and a name still fit into the 200 bytes of a channel. */
	private const MAX_NAMESPACE = 198;

	/**
	 * Reserved namespaces, each with who may read and who may write.
	 *
	 * @var array<string, array{grant: string|callable, publish: string|callable|null}>
	 */
	private array $reservations = array();

	/**
	 * Reserves a namespace: `woo` covers `woo:stock` and all else under `woo:`.
	 *
	 * @param string               $name_space    Letters, digits, dash, underscore, colon; not "events".
	 * @param string|callable      $grant         Capability, or a function of the user's ID, that lets a user read.
	 * @param string|callable|null $publish_grant The same for writing; null lets nobody but PHP write.
	 * @return bool Whether the name could be reserved.
	 */
	public function reserve( string $name_space, $grant, $publish_grant = null ): bool {
		$name_space = rtrim( $name_space, ':' );
		$grants     = array( $grant, $publish_grant ?? 'read' );

		if ( self::EVENTS === $name_space || strlen( $name_space ) > self::MAX_NAMESPACE || 1 !== preg_match( '/^[A-Za-z0-9_-]+(:[A-Za-z0-9_-]+)*$/D', $name_space ) ) {
			_doing_it_wrong( __METHOD__, esc_html__( 'This name cannot be reserved.', 'wordsocket' ), '0.1.0' );
			return false;
		}
		foreach ( $grants as $given ) {
			if ( ! is_string( $given ) && ! is_callable( $given ) ) {
				_doing_it_wrong( __METHOD__, esc_html__( 'A grant is the name of a capability or a function.', 'wordsocket' ), '0.1.0' );
				return false;
			}
		}
		$this->reservations[ $name_space ] = array(
			'grant'   => $grant,
			'publish' => $publish_grant,
		);
		return true;
	}

	/**
	 * What is reserved.
	 *
	 * @return array<string, array{grant: string|callable, publish: string|callable|null}>
	 */
	public function reservations(): array {
		return $this->reservations;
	}

	/** Whether rights exist only where they were given. */
	public function is_strict(): bool {
		return array() !== $this->reservations;
	}

	/**
	 * Prefixes of the channels a user may read.
	 *
	 * @param int          $user_id  0 is a visitor.
	 * @param string       $site_id  Identifier of the site in channel names.
	 * @param list<string> $channels What this user's pages subscribe to by themselves.
	 * @return list<string>
	 */
	public function allowed_prefixes( int $user_id, string $site_id, array $channels = array() ): array {
		if ( ! $this->is_strict() ) {
			return array( self::qualify( '', $site_id ) );
		}
		$prefixes = array( self::qualify( self::EVENTS, $site_id ) );
		foreach ( $channels as $channel ) {
			$prefixes[] = self::qualify( $channel, $site_id );
		}
		return self::unique( array_merge( $prefixes, $this->granted( 'grant', $user_id, $site_id ) ) );
	}

	/**
	 * Prefixes of the channels a user's pages may write to.
	 *
	 * @param int    $user_id 0 is a visitor.
	 * @param string $site_id Identifier of the site in channel names.
	 * @return list<string>
	 */
	public function allowed_publish_prefixes( int $user_id, string $site_id ): array {
		if ( ! $this->is_strict() ) {
			return array( self::qualify( '', $site_id ) );
		}
		return self::unique( $this->granted( 'publish', $user_id, $site_id ) );
	}

	/**
	 * The full name of a channel; one that is full already stays as it is.
	 *
	 * @param string $channel Bare or full name.
	 * @param string $site_id Identifier of the site in channel names.
	 */
	public static function qualify( string $channel, string $site_id ): string {
		$site = 'site:' . $site_id . ':';

		return str_starts_with( $channel, $site ) ? $channel : $site . $channel;
	}

	/**
	 * Reserved namespaces that a user qualifies for, and editing's own.
	 *
	 * @param string $right   "grant" to read, "publish" to write.
	 * @param int    $user_id 0 is a visitor.
	 * @param string $site_id Identifier of the site in channel names.
	 * @return list<string>
	 */
	private function granted( string $right, int $user_id, string $site_id ): array {
		$all = $this->reservations;
		// Whoever reserves editing's namespace takes over who may enter it.
		$all += array(
			self::YJS => array(
				'grant'   => 'edit_posts',
				'publish' => 'edit_posts',
			),
		);

		$prefixes = array();
		foreach ( $all as $name_space => $grants ) {
			if ( self::passes( $grants[ $right ], $user_id ) ) {
				$prefixes[] = self::qualify( $name_space . ':', $site_id );
			}
		}
		return $prefixes;
	}

	/**
	 * Whether a user has a grant.
	 *
	 * @param string|callable|null $grant   Capability before function, where a text could be both.
	 * @param int                  $user_id 0 is a visitor.
	 */
	private static function passes( $grant, int $user_id ): bool {
		if ( null === $grant ) {
			return false;
		}
		// No capability is spelled as a function of a namespace or a class is.
		if ( is_string( $grant ) && ( false === strpbrk( $grant, '\\:' ) || ! is_callable( $grant ) ) ) {
			return user_can( $user_id, $grant );
		}
		return true === $grant( $user_id );
	}

	/**
	 * A list without its repetitions.
	 *
	 * @param list<string> $prefixes Prefixes.
	 * @return list<string>
	 */
	private static function unique( array $prefixes ): array {
		return array_values( array_unique( $prefixes ) );
	}
}
