<?php
/**
 * Rows of the options table that no cache and no page load ever sees.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

namespace WordSocket;

defined( 'ABSPATH' ) || exit;

/**
 * Plain statements that MySQL, MariaDB and the SQLite drop-in all know. Nothing
 * goes through get_option(): several processes write at once, and what a cache
 * holds may be older than what another process did.
 *
 * @access private
 */
final class Queue_Rows {

	/** Of every row; uninstalling deletes what begins so. */
	public const PREFIX = 'wordsocket_queue_';

	private const LOCK    = 'lock';
	private const DROPPED = 'dropped';

	/** Rows a statement. */
	private const CHUNK = 100;

	/** Whoever holds the lock longer is dead. */
	private const LOCK_S = 60;

	/**
	 * The lock as this process wrote it.
	 *
	 * @var string
	 */
	private static string $lock = '';

	/**
	 * Writes rows; of two with a name the one with the greater text stays.
	 *
	 * @param array<string, string> $rows Name to value.
	 * @return int How many could not be written.
	 */
	public static function put( array $rows ): int {
		global $wpdb;

		$lost = 0;
		foreach ( array_chunk( $rows, self::CHUNK, true ) as $some ) {
			$places = implode( ', ', array_fill( 0, count( $some ), "( %s, %s, 'off' )" ) );
			$values = array();
			foreach ( $some as $name => $value ) {
				array_push( $values, self::PREFIX . $name, $value );
			}
			// phpcs:ignore WordPress.DB.DirectDatabaseQuery, WordPress.DB.PreparedSQL.InterpolatedNotPrepared, WordPress.DB.PreparedSQLPlaceholders -- placeholders, as many as there are rows.
			$stored = $wpdb->query( $wpdb->prepare( "INSERT INTO $wpdb->options ( option_name, option_value, autoload ) VALUES $places ON DUPLICATE KEY UPDATE option_value = GREATEST( option_value, VALUES( option_value ) )", $values ) );
			$lost  += false === $stored ? count( $some ) : 0;
		}
		return $lost;
	}

	/**
	 * Rows by the beginning of their names, the smallest values first.
	 *
	 * @param string $like Beginning of the names.
	 * @param int    $most How many.
	 * @return array<string, string> Name to value.
	 */
	public static function begin_with( string $like, int $most ): array {
		global $wpdb;

		// phpcs:ignore WordPress.DB.DirectDatabaseQuery -- never from a cache.
		$rows = (array) $wpdb->get_results( $wpdb->prepare( "SELECT option_name, option_value FROM $wpdb->options WHERE option_name LIKE %s ORDER BY option_value, option_id LIMIT %d", self::like( $like ), $most ) );
		$from = strlen( self::PREFIX );
		return array_combine( array_map( static fn( object $row ): string => substr( $row->option_name, $from ), $rows ), array_column( $rows, 'option_value' ) );
	}

	/**
	 * How many rows there are, and bytes in them.
	 *
	 * @param string $like Beginning of the names.
	 * @return array{int, int}
	 */
	public static function measure( string $like ): array {
		global $wpdb;

		// phpcs:ignore WordPress.DB.DirectDatabaseQuery -- never from a cache.
		$row = $wpdb->get_row( $wpdb->prepare( "SELECT COUNT(*) AS nr, SUM( LENGTH( option_value ) ) AS bytes FROM $wpdb->options WHERE option_name LIKE %s", self::like( $like ) ) );
		return array( (int) ( $row->nr ?? 0 ), (int) ( $row->bytes ?? 0 ) );
	}

	/**
	 * Deletes rows whose values still begin as told.
	 *
	 * @param array<string, string> $rows Name to the beginning of its value.
	 */
	public static function delete_if( array $rows ): void {
		global $wpdb;

		foreach ( array_chunk( $rows, self::CHUNK, true ) as $some ) {
			$where  = implode( ' OR ', array_fill( 0, count( $some ), '( option_name = %s AND option_value LIKE %s )' ) );
			$values = array();
			foreach ( $some as $name => $begin ) {
				array_push( $values, self::PREFIX . $name, $wpdb->esc_like( $begin ) . '%' );
			}
			// phpcs:ignore WordPress.DB.DirectDatabaseQuery, WordPress.DB.PreparedSQL.InterpolatedNotPrepared, WordPress.DB.PreparedSQLPlaceholders -- placeholders, as many as there are rows.
			$wpdb->query( $wpdb->prepare( "DELETE FROM $wpdb->options WHERE $where", $values ) );
		}
	}

	/**
	 * Deletes rows that are below a value, or are not like another.
	 *
	 * @param string $like   Beginning of the names.
	 * @param string $least  Smallest value that stays.
	 * @param string $within What a value that stays has in it.
	 */
	public static function delete_unless( string $like, string $least, string $within ): void {
		global $wpdb;

		// phpcs:ignore WordPress.DB.DirectDatabaseQuery -- they are in no cache.
		$wpdb->query( $wpdb->prepare( "DELETE FROM $wpdb->options WHERE option_name LIKE %s AND ( option_value < %s OR option_value NOT LIKE %s )", self::like( $like ), $least, '%' . $wpdb->esc_like( $within ) . '%' ) );
	}

	/** Deletes everything. */
	public static function delete_all(): void {
		global $wpdb;

		// phpcs:ignore WordPress.DB.DirectDatabaseQuery -- they are in no cache.
		$wpdb->query( $wpdb->prepare( "DELETE FROM $wpdb->options WHERE option_name LIKE %s", self::like( '' ) ) );
	}

	/**
	 * Counts messages that will never be sent.
	 *
	 * @param int $count How many more.
	 */
	public static function count_dropped( int $count ): void {
		global $wpdb;

		if ( $count > 0 ) {
			// phpcs:ignore WordPress.DB.DirectDatabaseQuery -- many processes count.
			$wpdb->query( $wpdb->prepare( "INSERT INTO $wpdb->options ( option_name, option_value, autoload ) VALUES ( %s, %d, 'off' ) ON DUPLICATE KEY UPDATE option_value = option_value + %d", self::PREFIX . self::DROPPED, $count, $count ) );
		}
	}

	/** How many were dropped since all was well last. */
	public static function dropped(): int {
		return (int) self::read( self::DROPPED );
	}

	/** Begins to count anew. */
	public static function forget_dropped(): void {
		self::delete( self::DROPPED );
	}

	/** Takes the right to send what waits. False if another process has it. */
	public static function lock(): bool {
		global $wpdb;

		$mine = self::new_lock();
		// phpcs:ignore WordPress.DB.DirectDatabaseQuery -- a lock.
		if ( ! $wpdb->query( $wpdb->prepare( "INSERT IGNORE INTO $wpdb->options ( option_name, option_value, autoload ) VALUES ( %s, %s, 'off' )", self::PREFIX . self::LOCK, $mine ) ) ) {
			$held = self::read( self::LOCK );
			// Of those who see it dead, one gets it.
			if ( (int) $held + self::LOCK_S > time() || ! self::change_lock( $held, $mine ) ) {
				return false;
			}
		}
		self::$lock = $mine;
		return true;
	}

	/** Says that whoever has the right is alive. False if another process took it for dead, and has it now. */
	public static function keep_lock(): bool {
		$mine = self::new_lock();
		if ( ! self::change_lock( self::$lock, $mine ) ) {
			return false;
		}
		self::$lock = $mine;
		return true;
	}

	/** Gives it back, if it is still ours. */
	public static function unlock(): void {
		global $wpdb;

		// phpcs:ignore WordPress.DB.DirectDatabaseQuery -- a lock.
		$wpdb->query( $wpdb->prepare( "DELETE FROM $wpdb->options WHERE option_name = %s AND option_value = %s", self::PREFIX . self::LOCK, self::$lock ) );
	}

	/** A lock of now that is nobody else's. */
	private static function new_lock(): string {
		return time() . ' ' . bin2hex( random_bytes( 8 ) );
	}

	/**
	 * Changes the lock, if it is what it is taken to be.
	 *
	 * @param string $from What it is.
	 * @param string $to   What it will be.
	 */
	private static function change_lock( string $from, string $to ): bool {
		global $wpdb;

		// phpcs:ignore WordPress.DB.DirectDatabaseQuery -- a lock.
		return 1 === $wpdb->query( $wpdb->prepare( "UPDATE $wpdb->options SET option_value = %s WHERE option_name = %s AND option_value = %s", $to, self::PREFIX . self::LOCK, $from ) );
	}

	/**
	 * Deletes a row.
	 *
	 * @param string $name Of the row.
	 * @return bool Whether it was there, and nobody else deleted it.
	 */
	public static function delete( string $name ): bool {
		global $wpdb;

		return 1 === $wpdb->delete( $wpdb->options, array( 'option_name' => self::PREFIX . $name ) ); // phpcs:ignore WordPress.DB.DirectDatabaseQuery -- they are in no cache.
	}

	/**
	 * A value; empty if there is none.
	 *
	 * @param string $name Of the row.
	 */
	private static function read( string $name ): string {
		global $wpdb;

		// phpcs:ignore WordPress.DB.DirectDatabaseQuery -- never from a cache.
		return (string) $wpdb->get_var( $wpdb->prepare( "SELECT option_value FROM $wpdb->options WHERE option_name = %s", self::PREFIX . $name ) );
	}

	/**
	 * A pattern.
	 *
	 * @param string $name Beginning of names.
	 */
	private static function like( string $name ): string {
		global $wpdb;

		return $wpdb->esc_like( self::PREFIX . $name ) . '%';
	}
}
