<?php
/**
 * What waits for the relay, in the database.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

namespace WordSocket;

defined( 'ABSPATH' ) || exit;

/**
 * A row for the newest state of each object, under a name made of channel, event
 * and object. Its value begins with its time, so that of two the later one is the
 * greater text, and goes on with what the message is for and its bytes.
 * Storing needs no lock; sending does.
 *
 * @access private
 */
final class Backlog {

	/** What is older is nobody's news. */
	public const OLDEST_S = 600;

	/** At most so many rows and bytes wait. */
	public const MOST_ROWS  = 500;
	public const MOST_BYTES = 1048576;

	private const MESSAGE = 'm_';
	private const DOUBT   = 'd_';

	/** Digits of a time in microseconds. */
	private const DIGITS = 16;

	/** Digits of what tells one connection of the site from another. */
	private const TAG = 8;

	/** A little less than a relay knows a request for. */
	private const DOUBT_S = 55;

	private const MOST_DOUBTS = 20;

	/**
	 * Hands in whose events these are.
	 *
	 * @param Config $config Of the site.
	 */
	public function __construct( private Config $config ) {}

	/**
	 * Keeps messages for later, each instead of an older one of its name.
	 *
	 * @param list<array{name: string, us: int, body: string}> $messages In order.
	 */
	public function add( array $messages ): void {
		$rows = array();
		foreach ( $messages as $message ) {
			$rows[ self::MESSAGE . $message['name'] ] = self::time( $message['us'] ) . ' ' . $this->tag() . ' ' . $message['body'];
		}
		$lost = Queue_Rows::put( $rows );

		list( $count, $bytes ) = Queue_Rows::measure( self::MESSAGE );
		if ( $count > self::MOST_ROWS || $bytes > self::MOST_BYTES ) {
			$this->drop_old();
			list( $count, $bytes ) = Queue_Rows::measure( self::MESSAGE );
		}
		if ( $count > self::MOST_ROWS || $bytes > self::MOST_BYTES ) {
			$over   = max( $count - self::MOST_ROWS, (int) ceil( ( $bytes - self::MOST_BYTES ) / ( $bytes / $count ) ) );
			$oldest = $this->oldest( $over );
			$this->remove( $oldest );
			$lost += count( $oldest );
		}
		Queue_Rows::count_dropped( $lost );
	}

	/**
	 * The oldest that wait.
	 *
	 * @param int $most How many.
	 * @return list<array{name: string, us: int, body: string}>
	 */
	public function oldest( int $most ): array {
		$this->drop_old();
		$messages = array();
		foreach ( Queue_Rows::begin_with( self::MESSAGE, $most ) as $name => $value ) {
			$messages[] = array(
				'name' => substr( $name, strlen( self::MESSAGE ) ),
				'us'   => (int) substr( $value, 0, self::DIGITS ),
				'body' => substr( $value, self::DIGITS + self::TAG + 2 ),
			);
		}
		return $messages;
	}

	/**
	 * Forgets messages, unless a newer one of the name came meanwhile.
	 *
	 * @param list<array{name: string, us: int, body: string}> $messages As they were.
	 */
	public function remove( array $messages ): void {
		$rows = array();
		foreach ( $messages as $message ) {
			$rows[ self::MESSAGE . $message['name'] ] = self::time( $message['us'] );
		}
		Queue_Rows::delete_if( $rows );
	}

	/** How many wait that may still be sent. */
	public function count(): int {
		$this->drop_old();
		return Queue_Rows::measure( self::MESSAGE )[0];
	}

	/**
	 * Remembers a request whose answer got lost.
	 *
	 * @param array{batch: list<array{name: string, us: int, body: string}>, headers: array<string, string>, until?: int} $doubt As sent, or as taken out.
	 */
	public function add_doubt( array $doubt ): void {
		$kept = array(
			'until'   => $doubt['until'] ?? time() + self::DOUBT_S,
			'headers' => $doubt['headers'],
			'of'      => array_map( static fn( array $message ): array => array( $message['name'], $message['us'] ), $doubt['batch'] ),
		);
		Queue_Rows::put( array( self::DOUBT . bin2hex( random_bytes( 8 ) ) => (string) wp_json_encode( $kept ) ) );
	}

	/**
	 * Takes out the requests that may be sent again as they were: the relay
	 * still knows them, and nothing in them is overtaken.
	 *
	 * @return list<array{batch: list<array{name: string, us: int, body: string}>, headers: array<string, string>, until: int}>
	 */
	public function take_doubts(): array {
		$doubts = array();
		foreach ( Queue_Rows::begin_with( self::DOUBT, self::MOST_DOUBTS ) as $name => $value ) {
			Queue_Rows::delete( $name );
			$kept  = json_decode( $value, true );
			$batch = is_array( $kept ) && $kept['until'] > time() ? $this->named( $kept['of'] ) : array();
			if ( array() !== $batch ) {
				$doubts[] = array(
					'batch'   => $batch,
					'headers' => $kept['headers'],
					'until'   => $kept['until'],
				);
			}
		}
		return $doubts;
	}

	/** Deletes what is too old, and what was for another relay or key. */
	private function drop_old(): void {
		Queue_Rows::delete_unless( self::MESSAGE, self::time( ( time() - self::OLDEST_S ) * 1000000 ), ' ' . $this->tag() . ' ' );
	}

	/**
	 * Messages by name and time.
	 *
	 * @param list<array{string, int}> $wanted In order.
	 * @return list<array{name: string, us: int, body: string}> All of them, or none.
	 */
	private function named( array $wanted ): array {
		$there = array();
		foreach ( $this->oldest( self::MOST_ROWS ) as $message ) {
			$there[ $message['name'] . ' ' . $message['us'] ] = $message;
		}
		$found = array();
		foreach ( $wanted as list( $name, $us ) ) {
			if ( ! isset( $there[ "$name $us" ] ) ) {
				return array();
			}
			$found[] = $there[ "$name $us" ];
		}
		return $found;
	}

	/**
	 * A time that compares as text.
	 *
	 * @param int $us Unix time in microseconds.
	 */
	private static function time( int $us ): string {
		return sprintf( '%0' . self::DIGITS . 'd', $us );
	}

	/** What messages are for: this relay, this key. */
	private function tag(): string {
		return substr( hash( 'sha256', $this->config->base_url() . ' ' . $this->config->site_key() . ' ' . bin2hex( $this->config->encryption_key() ) ), 0, self::TAG );
	}
}
