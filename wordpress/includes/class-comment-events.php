<?php
/**
 * The built-in events about comments.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

namespace WordSocket;

defined( 'ABSPATH' ) || exit;

/**
 * Tells of comments that everybody can see: approved ones, on published posts
 * without a password. Pings, and the notes of editors, are not comments here. No
 * address, of mail or network, is ever told.
 *
 * @access private
 */
final class Comment_Events {

	private const APPROVED      = 'approved';
	private const EXCERPT_WORDS = 20;

	/**
	 * Hands in where triggers are registered.
	 *
	 * @param Trigger_Registry $registry Of the site.
	 */
	public function __construct( private Trigger_Registry $registry ) {}

	/**
	 * A comment appears, changes, and is gone.
	 *
	 * @return list<Trigger>
	 */
	public function triggers(): array {
		$of      = static fn( $now, $before, \WP_Comment $comment ): array => self::data( $comment );
		$key     = static fn( $now, $before, \WP_Comment $comment ): string => "comment:$comment->comment_ID";
		$by_id   = static fn( $id ): string => "comment:$id";
		$created = fn(): Trigger => new Trigger( 'comment.created', $this->registry );
		return array(
			$created()
				->on( 'wp_insert_comment', 20, 2 )
				->when( static fn( $id, \WP_Comment $comment ): bool => '1' === (string) $comment->comment_approved && self::is_visible( $comment ) )
				->data( static fn( $id, \WP_Comment $comment ): array => self::data( $comment ) )
				->key( $by_id ),
			$created()
				->on( 'transition_comment_status', 20, 3 )
				->when( static fn( $now, $before, \WP_Comment $comment ): bool => self::APPROVED === $now && self::APPROVED !== $before && self::is_visible( $comment ) )
				->data( $of )
				->key( $key ),
			( new Trigger( 'comment.updated', $this->registry ) )
				->on( 'edit_comment', 20, 1 )
				->when( array( self::class, 'is_shown' ) )
				->data( static fn( $id ): array => self::data( get_comment( $id ) ) )
				->key( $by_id ),
			( new Trigger( 'comment.deleted', $this->registry ) )
				->on( 'transition_comment_status', 20, 3 )
				->when( static fn( $now, $before, \WP_Comment $comment ): bool => self::APPROVED === $before && self::APPROVED !== $now && self::is_visible( $comment ) )
				->data( static fn( $now, $before, \WP_Comment $comment ): array => array_slice( self::data( $comment ), 0, 3 ) )
				->key( $key ),
		);
	}

	/**
	 * Whether people see a comment.
	 *
	 * @param int|string $id Of the comment.
	 */
	public static function is_shown( $id ): bool {
		$comment = get_comment( $id );

		return null !== $comment && '1' === (string) $comment->comment_approved && self::is_visible( $comment );
	}

	/**
	 * Whether people see a comment once it is approved.
	 *
	 * @param \WP_Comment $comment The comment.
	 */
	public static function is_visible( \WP_Comment $comment ): bool {
		$post = get_post( (int) $comment->comment_post_ID );

		return in_array( $comment->comment_type, array( '', 'comment' ), true )
			&& $post instanceof \WP_Post
			&& '' === $post->post_password
			&& is_post_publicly_viewable( $post );
	}

	/**
	 * What an event says. The first three say which comment it is.
	 *
	 * @param \WP_Comment $comment The comment.
	 * @return array<string, mixed>
	 */
	private static function data( \WP_Comment $comment ): array {
		return array(
			'comment_id' => (int) $comment->comment_ID,
			'post_id'    => (int) $comment->comment_post_ID,
			'post_type'  => (string) get_post_type( (int) $comment->comment_post_ID ),
			'parent'     => (int) $comment->comment_parent,
			'author'     => $comment->comment_author,
			'excerpt'    => Safe_Values::excerpt( $comment->comment_content, self::EXCERPT_WORDS ),
			'date'       => (string) mysql2date( 'c', $comment->comment_date_gmt . ' +0000', false ),
		);
	}
}
