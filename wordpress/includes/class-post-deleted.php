<?php
/**
 * The built-in event post.deleted.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

namespace WordSocket;

defined( 'ABSPATH' ) || exit;

/**
 * Tells that a published post is not to be seen any more. Says which, and nothing
 * else of it: it may have been taken back for a reason.
 *
 * @access private
 */
final class Post_Deleted {

	/** Name of the event. */
	public const EVENT = 'post.deleted';

	/** The reason where it is gone for good. */
	private const DELETED = 'deleted';

	/**
	 * Hands in who knows which types are left out.
	 *
	 * @param Trigger_Registry $registry Of the site.
	 */
	public function __construct( private Trigger_Registry $registry ) {}

	/**
	 * Two ways to vanish: by another status, as the trash is, or at once.
	 *
	 * @return list<Trigger>
	 */
	public function triggers(): array {
		return array(
			( new Trigger( self::EVENT, $this->registry ) )
				->on( 'transition_post_status', 20, 3 )
				->when( fn( string $now, string $before, \WP_Post $post ): bool => 'publish' === $before && 'publish' !== $now && $this->is_visible_type( $post ) )
				->data( static fn( string $now, string $before, \WP_Post $post ): array => self::data( $post, $now ) )
				->key( static fn( string $now, string $before, \WP_Post $post ): string => "post:$post->ID" ),
			( new Trigger( self::EVENT, $this->registry ) )
				->on( 'after_delete_post', 20, 2 )
				->when( fn( int $post_id, \WP_Post $post ): bool => 'publish' === $post->post_status && $this->is_visible_type( $post ) )
				->data( static fn( int $post_id, \WP_Post $post ): array => self::data( $post, self::DELETED ) )
				->key( static fn( int $post_id ): string => "post:$post_id" ),
		);
	}

	/**
	 * Whether the type is one that people can visit and that is not left out.
	 *
	 * @param \WP_Post $post The post.
	 */
	private function is_visible_type( \WP_Post $post ): bool {
		return is_post_type_viewable( $post->post_type )
			&& ! $this->registry->hides_deletions_of( $post->post_type );
	}

	/**
	 * What the event says.
	 *
	 * @param \WP_Post $post   The post.
	 * @param string   $reason Why it is gone.
	 * @return array<string, mixed>
	 */
	private static function data( \WP_Post $post, string $reason ): array {
		return array(
			'post_id'   => $post->ID,
			'post_type' => $post->post_type,
			'reason'    => $reason,
		);
	}
}
