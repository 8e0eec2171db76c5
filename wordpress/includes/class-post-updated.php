<?php
/**
 * The built-in event post.updated.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

namespace WordSocket;

defined( 'ABSPATH' ) || exit;

/**
 * Tells of every save of a published post, of any type people can visit.
 *
 * @access private
 */
final class Post_Updated {

	/** Name of the event. */
	public const EVENT = 'post.updated';

	/** As many words as WordPress puts into an excerpt it makes itself. */
	private const EXCERPT_WORDS = 55;

	/**
	 * Hands in who knows which types are left out.
	 *
	 * @param Trigger_Registry $registry Of the site.
	 */
	public function __construct( private Trigger_Registry $registry ) {}

	/**
	 * The trigger. It hooks where terms and meta are saved as well, so whoever
	 * asks for the post when the event arrives gets all of it.
	 */
	public function trigger(): Trigger {
		return ( new Trigger( self::EVENT, $this->registry ) )
			->on( 'wp_after_insert_post', 20, 2 )
			->when( array( $this, 'is_public' ) )
			->data( array( $this, 'data' ) )
			->key( static fn( int $post_id ): string => "post:$post_id" );
	}

	/**
	 * Whether a save is anybody's business.
	 *
	 * @param int      $post_id ID.
	 * @param \WP_Post $post    The post as saved.
	 */
	public function is_public( int $post_id, \WP_Post $post ): bool {
		return 'publish' === $post->post_status
			&& ! wp_is_post_autosave( $post_id )
			&& ! wp_is_post_revision( $post_id )
			&& is_post_type_viewable( $post->post_type )
			&& ! in_array( $post->post_type, $this->registry->get_excluded_default_post_types(), true );
	}

	/**
	 * What the event says.
	 *
	 * @param int      $post_id ID.
	 * @param \WP_Post $post    The post as saved.
	 * @return array<string, mixed>
	 */
	public function data( int $post_id, \WP_Post $post ): array {
		return array(
			'post_id'    => $post_id,
			'post_type'  => $post->post_type,
			'post_title' => $post->post_title,
			'permalink'  => (string) get_permalink( $post ),
			'excerpt'    => self::excerpt( $post ),
			'updated'    => (string) get_post_modified_time( 'c', true, $post ),
		);
	}

	/**
	 * The excerpt as plain text; none if the post has a password. Made without
	 * the filters of the_content, which belong to a page and not to a save.
	 *
	 * @param \WP_Post $post The post.
	 */
	private static function excerpt( \WP_Post $post ): string {
		if ( '' !== $post->post_password ) {
			return '';
		}
		$text = '' !== $post->post_excerpt
			? $post->post_excerpt
			: excerpt_remove_blocks( strip_shortcodes( $post->post_content ) );

		/**
		 * Filters the excerpt that post.updated carries to whoever may read events.
		 * A plugin that lets only some read a post takes it away here.
		 *
		 * @param string   $excerpt Plain text.
		 * @param \WP_Post $post    The post.
		 */
		return (string) apply_filters( 'wordsocket_event_excerpt', Safe_Values::excerpt( $text, self::EXCERPT_WORDS ), $post );
	}
}
