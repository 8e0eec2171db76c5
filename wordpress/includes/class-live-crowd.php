<?php
/**
 * How many pages ask when something changes.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

namespace WordSocket;

defined( 'ABSPATH' ) || exit;

/**
 * An event reaches all open pages at the same moment. So that the server is not
 * asked by all of them at once, each waits for a moment of its own within a
 * time that grows with their number: a few see a change at once, a thousand
 * within twenty seconds.
 *
 * @access private
 */
final class Live_Crowd {

	/** As many ask in a second. */
	private const PER_SECOND = 50;

	private const LEAST_MS = 400;
	private const MOST_MS  = 60000;

	/** Taken to be open while nobody has counted. */
	private const UNKNOWN = 100;

	/** The relay is asked for the number this often, and only if there are events. */
	private const COUNT_EVERY_S = 60;

	private const KEEP_S = 86400;

	/**
	 * Hands in who can count.
	 *
	 * @param Publisher $publisher Asks the relay.
	 */
	public function __construct( private Publisher $publisher ) {}

	/** Within which time open pages ask, in milliseconds. */
	public static function spread_ms(): int {
		$known  = get_transient( Options::LIVE_CROWD );
		$pages  = is_array( $known ) ? (int) $known['pages'] : self::UNKNOWN;
		$spread = intdiv( $pages * 1000, self::PER_SECOND );
		/**
		 * Filters the time over which open pages spread their questions after
		 * an event.
		 *
		 * @param int $milliseconds By default 20 for each connection, at least 400.
		 * @param int $pages        How many are connected, as far as is known.
		 */
		$spread = (int) apply_filters( 'wordsocket_live_spread', max( self::LEAST_MS, $spread ), $pages );

		return max( 0, min( self::MOST_MS, $spread ) );
	}

	/** Counts again, if it is time to; when nobody waits for the page any more. */
	public function count(): void {
		$known = get_transient( Options::LIVE_CROWD );
		$pages = is_array( $known ) ? (int) $known['pages'] : self::UNKNOWN;
		if ( ( is_array( $known ) && $known['until'] > time() ) || Circuit::is_open() ) {
			return;
		}
		// First, so that others do not count meanwhile.
		self::keep( $pages );
		$figures = $this->publisher->stats();
		if ( ! is_wp_error( $figures ) ) {
			self::keep( $figures['active_connections'] );
		}
	}

	/**
	 * Remembers a number.
	 *
	 * @param int $pages How many are connected.
	 */
	private static function keep( int $pages ): void {
		set_transient(
			Options::LIVE_CROWD,
			array(
				'pages' => $pages,
				'until' => time() + self::COUNT_EVERY_S,
			),
			self::KEEP_S
		);
	}
}
