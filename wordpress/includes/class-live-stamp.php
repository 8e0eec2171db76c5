<?php
/**
 * When something last changed that a live block may show.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

namespace WordSocket;

defined( 'ABSPATH' ) || exit;

/**
 * A number that only grows, milliseconds since 1970 unless the clock went back.
 * Kept answers are good as long as it stands, and a page tells by it whether
 * what it got is news. It is kept from the first live page on: a site without
 * one writes nothing.
 *
 * @access private
 */
final class Live_Stamp {

	/** Changes that come faster share a write: a bulk edit saves a hundred. */
	private const SHARE_MS = 200;

	/**
	 * When this request wrote it last.
	 *
	 * @var int
	 */
	private static int $written = 0;

	/**
	 * Whether a change still waits to be written.
	 *
	 * @var bool
	 */
	private static bool $waits = false;

	/** Hooks in, after whatever else is saved along with a post or a comment. */
	public static function register(): void {
		add_action( 'wp_after_insert_post', array( self::class, 'post_saved' ), 999, 4 );
		add_action( 'deleted_post', array( self::class, 'post_deleted' ), 999, 2 );
		foreach ( array( 'wp_insert_comment', 'edit_comment', 'deleted_comment', 'wp_set_comment_status' ) as $hook ) {
			add_action( $hook, array( self::class, 'change' ), 999, 0 );
		}
		// Before queued events leave.
		add_action( 'shutdown', array( self::class, 'write' ), -1 );
	}

	/** The number; 0 where there never was a live block. */
	public static function known(): int {
		return (int) get_option( Options::LIVE_STAMP, 0 );
	}

	/** The number; the first call begins it. */
	public static function current(): int {
		$stamp = self::known();
		if ( 0 === $stamp ) {
			$stamp = self::now();
			update_option( Options::LIVE_STAMP, (string) $stamp, false );
		}
		return $stamp;
	}

	/**
	 * A post was saved.
	 *
	 * @param int           $post_id ID.
	 * @param \WP_Post      $post    As saved.
	 * @param bool          $update  Whether it was there before.
	 * @param \WP_Post|null $before  As it was.
	 */
	public static function post_saved( $post_id, $post, $update, $before ): void {
		$was = $before instanceof \WP_Post ? $before->post_status : '';
		if ( 'publish' === $post->post_status || 'publish' === $was ) {
			self::post_deleted( $post_id, $post );
		}
	}

	/**
	 * A post is gone.
	 *
	 * @param int      $post_id ID.
	 * @param \WP_Post $post    As it was.
	 */
	public static function post_deleted( $post_id, $post ): void {
		if ( is_post_type_viewable( $post->post_type ) ) {
			self::change();
		}
	}

	/** Something changed: the number grows, at the latest when the request ends. */
	public static function change(): void {
		self::$waits = true;
		if ( self::now() - self::$written >= self::SHARE_MS ) {
			self::write();
		}
	}

	/** Writes what waits. */
	public static function write(): void {
		if ( ! self::$waits ) {
			return;
		}
		self::$waits = false;
		$stamp       = self::known();
		if ( 0 !== $stamp ) {
			update_option( Options::LIVE_STAMP, (string) max( self::now(), $stamp + 1 ), false );
		}
		self::$written = self::now();
	}

	/** Milliseconds since 1970. */
	private static function now(): int {
		return (int) ( microtime( true ) * 1000 );
	}
}
