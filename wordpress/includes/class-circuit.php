<?php
/**
 * Whether the relay is to be left alone, for all requests of the site.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

namespace WordSocket;

defined( 'ABSPATH' ) || exit;

/**
 * One option that WordPress loads with all others, so asking costs nothing. It is
 * written when something goes wrong and when all is well again, and stays then:
 * a row that comes and goes would be asked for by a query each time.
 *
 * @access private
 */
final class Circuit {

	/** How long what waits is not sent after the first, the second and further failures. */
	private const WAITS_S = array( 3, 10, 30, 60 );

	/** The same where a failure was a time-out. Then nothing at all is sent. */
	private const SLOW_WAITS_S = array( 15, 30, 60 );

	/** Longer than one request asks, so that others do not ask as well. */
	private const CLAIM_S = 4;

	private const CLOSED = array(
		'retry_at' => 0,
		'fails'    => 0,
		'slow'     => 0,
		'batch'    => Courier::MOST_MESSAGES,
	);

	/**
	 * What was known when this request began.
	 *
	 * @return array{retry_at: int, fails: int, slow: int, batch: int}
	 */
	public static function state(): array {
		return self::clean( wp_load_alloptions()[ Options::CIRCUIT ] ?? '' );
	}

	/**
	 * What is known now: past every cache, for one query.
	 *
	 * @return array{retry_at: int, fails: int, slow: int, batch: int}
	 */
	public static function fresh(): array {
		global $wpdb;

		// phpcs:ignore WordPress.DB.DirectDatabaseQuery -- what a cache says may be of before the failure.
		return self::clean( $wpdb->get_var( $wpdb->prepare( "SELECT option_value FROM $wpdb->options WHERE option_name = %s", Options::CIRCUIT ) ) ?? '' );
	}

	/** Whether nothing is wrong and nothing waits, as far as this request knows. */
	public static function is_closed(): bool {
		return 0 === self::state()['retry_at'];
	}

	/** Whether asking would cost another time-out. */
	public static function is_open(): bool {
		return self::state()['slow'] > 0 && ! self::may_ask();
	}

	/** Whether it is time to send what waits. */
	public static function may_ask(): bool {
		return self::state()['retry_at'] <= time();
	}

	/**
	 * It failed: leave it alone, longer each time.
	 *
	 * @param bool $slow Whether that was a time-out.
	 */
	public static function open( bool $slow ): void {
		$state = self::fresh();
		$waits = $slow ? self::SLOW_WAITS_S : self::WAITS_S;
		$wait  = $waits[ min( $state['fails'], count( $waits ) - 1 ) ];
		self::write(
			array(
				'retry_at' => time() + $wait,
				'fails'    => $state['fails'] + 1,
				'slow'     => (int) $slow,
			) + $state
		);
	}

	/**
	 * It answered, and wants less.
	 *
	 * @param int $seconds When to come again.
	 * @param int $batch   How many messages to bring at once.
	 */
	public static function wait( int $seconds, int $batch ): void {
		self::write(
			array(
				'retry_at' => time() + max( 1, $seconds ),
				'fails'    => 0,
				'slow'     => 0,
				'batch'    => max( 1, $batch ),
			)
		);
	}

	/** Something waits and may go at once. Costs nothing if nothing is wrong. */
	public static function half_open(): void {
		$state = self::state();

		if ( 0 !== $state['retry_at'] ) {
			self::write( array( 'retry_at' => 1 ) + $state );
		}
	}

	/** Something waits, and the next request is to see to it. */
	public static function note_waiting(): void {
		$state = self::fresh();

		if ( 0 === $state['retry_at'] ) {
			self::write( array( 'retry_at' => 1 ) + $state );
		}
	}

	/** One request asks now; the others do not. */
	public static function claim(): void {
		$state = self::state();

		if ( 0 !== $state['retry_at'] ) {
			self::write( array( 'retry_at' => time() + self::CLAIM_S ) + $state );
		}
	}

	/** All is well, and nothing waits. */
	public static function close(): void {
		self::write( self::CLOSED );
	}

	/**
	 * Stores a state. No two are the same, or WordPress would take what its
	 * cache holds for stored.
	 *
	 * @param array<string, int> $state To store.
	 */
	private static function write( array $state ): void {
		update_option( Options::CIRCUIT, $state + array( 'stamp' => bin2hex( random_bytes( 8 ) ) ), true );
	}

	/**
	 * A state, whatever was stored.
	 *
	 * @param mixed $stored As it is in the database.
	 * @return array{retry_at: int, fails: int, slow: int, batch: int}
	 */
	private static function clean( mixed $stored ): array {
		$stored = maybe_unserialize( $stored );
		$state  = self::CLOSED;

		foreach ( is_array( $stored ) ? $state : array() as $name => $otherwise ) {
			$state[ $name ] = max( 0, (int) ( $stored[ $name ] ?? $otherwise ) );
		}
		return $state;
	}
}
