<?php
/**
 * What beside this plugin can make it useless.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

namespace WordSocket;

defined( 'ABSPATH' ) || exit;

/**
 * Looked at by the doctor only: it reads the heads of all active plugins. Each
 * answers what is wrong, or an empty text.
 *
 * @access private
 */
final class Surroundings {

	/** Names of the builds there are, and of their files. */
	private const BUILDS = array( 'wordsocket', 'wpsignal' );

	private const PROBE = 'wordsocket_doctor';

	/** Other builds of the plugin that are active beside this one. */
	public static function other_builds(): string {
		require_once ABSPATH . 'wp-admin/includes/plugin.php';
		$others = array();
		foreach ( get_plugins() as $file => $head ) {
			if ( plugin_basename( FILE ) !== $file && self::is_build( $file, $head ) && is_plugin_active( $file ) ) {
				$others[] = $file;
			}
		}
		return array() === $others ? '' : 'Another build of this plugin is active: ' . implode( ', ', $others ) . '. Both want the same names, and what one of them sends the other may send again: deactivate one.';
	}

	/**
	 * What a persistent object cache does wrong: the state of the relay is an
	 * option that is read through it, and locks and answers are kept in it.
	 */
	public static function cache_trouble(): string {
		if ( ! wp_using_ext_object_cache() ) {
			return '';
		}
		$value = bin2hex( random_bytes( 8 ) );
		wp_cache_set( self::PROBE, $value, self::PROBE, MINUTE_IN_SECONDS );
		$found = wp_cache_get( self::PROBE, self::PROBE, true );
		wp_cache_delete( self::PROBE, self::PROBE );
		if ( $value !== $found ) {
			return 'The persistent object cache does not keep what it is given, so each request does again what another has just done. See to its server, or take wp-content/object-cache.php away.';
		}
		if ( Circuit::state() !== Circuit::fresh() ) {
			return 'The persistent object cache holds another state of the relay than the database: events may wait longer than they have to, or a relay that is away is asked by every request. Flush it (wp cache flush); if it comes back, see to what writes to the database past the cache.';
		}
		return '';
	}

	/**
	 * Whether a plugin is one of the builds, and no extension of one.
	 *
	 * @param string                $file Of the plugin.
	 * @param array<string, string> $head What it says of itself.
	 */
	private static function is_build( string $file, array $head ): bool {
		return in_array( basename( $file, '.php' ), self::BUILDS, true )
			|| in_array( strtolower( $head['Name'] ?? '' ), self::BUILDS, true );
	}
}
