<?php
/**
 * The switch "Live" of three core blocks.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

namespace WordSocket;

defined( 'ABSPATH' ) || exit;

/**
 * Gives the blocks their attribute, and marks what those switched on render, so
 * that the page's script knows what each shows and when to ask for it anew.
 *
 * A mark says nothing that the page does not show: names of post types, and the
 * ID of the post whose comments these are.
 *
 * @access private
 */
final class Live_Blocks {

	/** Attribute of the switch, in stored posts: never to be renamed. */
	public const ATTRIBUTE = 'wordsocketLive';

	/** Blocks that have it. */
	public const BLOCKS = array( 'core/query', 'core/latest-posts', 'core/comments' );

	/** HTML attribute that says what a block shows. */
	public const MARK = 'data-wordsocket-live';

	/** What counts or lists comments within a list of posts. */
	private const WITH_COMMENTS = '/\bwp-block-(?:post-comments-(?:count|link)|comments|latest-comments)\b/';

	/**
	 * How often a block of this fingerprint was rendered on this page.
	 *
	 * @var array<string, int>
	 */
	private array $seen = array();

	/**
	 * Hands in who has to know.
	 *
	 * @param Live_Page   $page   Loads the scripts.
	 * @param Live_Answer $answer Whether this is the making of an answer.
	 */
	public function __construct( private Live_Page $page, private Live_Answer $answer ) {}

	/** Hooks in. */
	public function register(): void {
		add_filter( 'register_block_type_args', array( $this, 'add_attribute' ), 10, 2 );
		add_filter( 'pre_render_block', array( $this, 'expect' ), 10, 2 );
		foreach ( self::BLOCKS as $name ) {
			add_filter( "render_block_$name", array( $this, 'mark' ), 1000, 3 );
		}
	}

	/**
	 * The blocks' attribute.
	 *
	 * @param mixed  $args Of the block type.
	 * @param string $name Of the block type.
	 * @return mixed
	 */
	public function add_attribute( $args, $name ) {
		if ( is_array( $args ) && in_array( $name, self::BLOCKS, true ) ) {
			$args['attributes'][ self::ATTRIBUTE ] = array(
				'type'    => 'boolean',
				'default' => false,
			);
		}
		return $args;
	}

	/**
	 * Has the time noted before what a live block shows is read.
	 *
	 * @param mixed $html   Null, unless somebody else renders the block.
	 * @param array $parsed The block as stored.
	 * @phpstan-param array<string, mixed> $parsed
	 * @return mixed
	 */
	public function expect( $html, $parsed ) {
		if ( self::is_live( $parsed ) ) {
			$this->page->expects_block();
		}
		return $html;
	}

	/**
	 * Marks what a block rendered, if it is switched on.
	 *
	 * @param mixed     $html   What it rendered.
	 * @param array     $parsed The block as stored.
	 * @param \WP_Block $block  The same with its context.
	 * @phpstan-param array<string, mixed> $parsed
	 * @return mixed
	 */
	public function mark( $html, $parsed, $block ) {
		if ( ! is_string( $html ) || ! self::is_live( $parsed ) ) {
			return $html;
		}
		$tags = new \WP_HTML_Tag_Processor( $html );
		// A block that renders nothing has no place where something could appear.
		if ( ! $tags->next_tag() || ! $this->page->wants_scripts() ) {
			return $html;
		}
		// 6.4 has a router that nobody else can use, and it would be confused.
		if ( ! Live_Page::has_modules() && null !== $tags->get_attribute( 'data-wp-interactive' ) ) {
			return $html;
		}
		$id    = $this->id( $parsed );
		$owned = $this->is_owned( $block->name, $html );
		$tags->set_attribute( self::MARK, (string) wp_json_encode( array( 'id' => $id, 'owned' => $owned ) + self::shows( $block, $html ) ) );
		if ( $owned && null === $tags->get_attribute( 'data-wp-router-region' ) ) {
			$tags->set_attribute( 'data-wp-interactive', Live_Page::STORE );
			$tags->set_attribute( 'data-wp-router-region', $id );
			$this->page->wants_router();
		}
		$html = $owned ? self::with_keys( $tags->get_updated_html() ) : $tags->get_updated_html();

		return $this->answer->marks()?->around( $id, $html ) ?? $html;
	}

	/**
	 * Whether a block is switched on, and rendered for a page that people look at.
	 *
	 * @param array<string, mixed> $parsed The block as stored.
	 */
	private static function is_live( array $parsed ): bool {
		return true === ( $parsed['attrs'][ self::ATTRIBUTE ] ?? null )
			&& in_array( $parsed['blockName'], self::BLOCKS, true )
			&& did_action( 'template_redirect' )
			&& ! is_feed();
	}

	/**
	 * A name for this block that the next rendering of the page gives it, too.
	 *
	 * @param array<string, mixed> $parsed The block as stored.
	 */
	private function id( array $parsed ): string {
		$print                = substr( md5( $parsed['blockName'] . wp_json_encode( $parsed['attrs'] ) ), 0, 10 );
		$this->seen[ $print ] = ( $this->seen[ $print ] ?? 0 ) + 1;

		return "wsl-$print-" . $this->seen[ $print ];
	}

	/**
	 * Whether the Interactivity API owns what is inside, so that only its router
	 * may change it. A comment form holds what a visitor types, which the router
	 * would reset: comments are never handed to it.
	 *
	 * @param string $name Of the block.
	 * @param string $html What it rendered.
	 */
	private function is_owned( string $name, string $html ): bool {
		return 'core/comments' !== $name
			&& Live_Page::has_modules()
			&& str_contains( $html, 'data-wp-interactive' );
	}

	/**
	 * What a block shows: post types (null is any), whether comments matter, and
	 * of which post.
	 *
	 * @param \WP_Block $block The block.
	 * @param string    $html  What it rendered.
	 * @return array{types: list<string>|null, comments: bool, post: int}
	 */
	private static function shows( \WP_Block $block, string $html ): array {
		if ( 'core/comments' === $block->name ) {
			return array(
				'types'    => array(),
				'comments' => true,
				'post'     => (int) ( $block->context['postId'] ?? get_the_ID() ),
			);
		}
		$query = $block->attributes['query'] ?? array();

		return array(
			'types'    => self::types( 'core/query' === $block->name ? (array) $query : array() ),
			'comments' => 1 === preg_match( self::WITH_COMMENTS, $html ),
			'post'     => 0,
		);
	}

	/**
	 * Post types that a list shows; null where that is not known.
	 *
	 * @param array<string, mixed> $query The block's; empty for Latest Posts.
	 * @return list<string>|null
	 */
	private static function types( array $query ): ?array {
		$types = $query['postType'] ?? 'post';
		if ( ! empty( $query['inherit'] ) ) {
			$types = get_query_var( 'post_type' );
			if ( ! $types ) {
				$types = is_home() || is_category() || is_tag() || is_author() || is_date() ? 'post' : 'any';
			}
		}
		$types = array_values( array_filter( (array) $types, 'is_string' ) );

		return array() === $types || in_array( 'any', $types, true ) ? null : $types;
	}

	/**
	 * Tells the router which item is which, so that it moves them instead of
	 * writing one over the other.
	 *
	 * @param string $html A list of posts.
	 */
	private static function with_keys( string $html ): string {
		$tags = new \WP_HTML_Tag_Processor( $html );
		while ( $tags->next_tag( array( 'tag_name' => 'LI', 'class_name' => 'wp-block-post' ) ) ) {
			if ( null === $tags->get_attribute( 'data-wp-key' )
				&& preg_match( '/(?:^|\s)post-(\d+)(?:\s|$)/', (string) $tags->get_attribute( 'class' ), $is ) ) {
				$tags->set_attribute( 'data-wp-key', 'post-template-item-' . $is[1] );
			}
		}
		return $tags->get_updated_html();
	}
}
