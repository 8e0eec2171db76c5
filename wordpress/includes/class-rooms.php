<?php
/**
 * Who may edit together, and with which key.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

namespace WordSocket;

defined( 'ABSPATH' ) || exit;

/**
 * Rooms of collaborative editing. A room is named as WordPress names what is
 * synchronised: "postType/post:123", "taxonomy/category:7", "root/comment". Its
 * channel is that with "yjs:" before it.
 *
 * The rules are those of WordPress's own transport.
 *
 * @access private
 */
final class Rooms {

	/** As many as one token names; an editor has about ten. */
	public const MAX = 100;

	private const KEY_INFO  = 'wordsocket-room-v1';
	private const KEY_BYTES = 32;

	/** A list has no number, and one name only: each channel is one room's. */
	private const NAME = '{^(?<kind>postType|taxonomy|root)/(?<name>[A-Za-z0-9_-]{1,64})(?::(?<id>[1-9][0-9]{0,18}))?$}D';

	/**
	 * Whether a user may enter a room, to read and to write.
	 *
	 * @param int    $user_id ID; 0 is a visitor, who may enter none.
	 * @param string $room    Its name.
	 */
	public static function may_enter( int $user_id, string $room ): bool {
		if ( ! user_can( $user_id, 'edit_posts' ) || 1 !== preg_match( self::NAME, $room, $is ) ) {
			return false;
		}
		$id = (int) ( $is['id'] ?? 0 );
		switch ( $is['kind'] ) {
			case 'postType':
				return self::may_enter_post( $user_id, $is['name'], $id );
			case 'taxonomy':
				return self::may_enter_term( $user_id, $is['name'], $id );
			default:
				return 0 === $id || ( 'comment' === $is['name'] && user_can( $user_id, 'edit_comment', $id ) );
		}
	}

	/**
	 * Those of some rooms that a user may enter.
	 *
	 * @param int   $user_id ID.
	 * @param array $rooms   Names, as a browser sent them.
	 * @return list<string>
	 */
	public static function open_to( int $user_id, array $rooms ): array {
		$names = array_slice( array_unique( array_filter( $rooms, 'is_string' ) ), 0, self::MAX );

		return array_values( array_filter( $names, static fn( string $room ): bool => self::may_enter( $user_id, $room ) ) );
	}

	/**
	 * What an editor needs for rooms it was let into: the channel, and the key
	 * unless the site's frames are plain.
	 *
	 * @param list<string> $rooms  Names, from open_to().
	 * @param Config       $config Of the site.
	 * @return array<string, array{channel: string, key?: string}>
	 */
	public static function entries( array $rooms, Config $config ): array {
		$sealed  = $config->is_collaboration_sealed();
		$entries = array();
		foreach ( $rooms as $room ) {
			$entries[ $room ] = array( 'channel' => Channels::qualify( self::channel( $room ), $config->site_id() ) );
			if ( $sealed ) {
				$entries[ $room ]['key'] = base64_encode( self::key( $room, $config->encryption_seed(), $config->site_key(), get_current_blog_id() ) ); // phpcs:ignore WordPress.PHP.DiscouragedPHPFunctions.obfuscation_base64_encode -- the wire format.
			}
		}
		return $entries;
	}

	/**
	 * Schema of the list of rooms that a browser asks for.
	 *
	 * @return array<string, mixed>
	 */
	public static function schema(): array {
		return array(
			'description' => __( 'Rooms of collaborative editing to enter, such as postType/post:12.', 'wordsocket' ),
			'type'        => 'array',
			'maxItems'    => self::MAX,
			'items'       => array(
				'type'      => 'string',
				'maxLength' => 200,
			),
		);
	}

	/**
	 * Key of a room: 32 raw bytes, or empty where the site has no key. An editor
	 * of one post cannot make that of another from it, nor from the key of the
	 * site's events.
	 *
	 * @param string $room     Its name.
	 * @param string $seed     Secret text that only this site's PHP has.
	 * @param string $site_key Public identifier of the site.
	 * @param int    $blog_id  Of the network; 1 without one.
	 */
	public static function key( string $room, string $seed, string $site_key, int $blog_id ): string {
		return '' === $seed || '' === $site_key
			? ''
			: hash_hkdf( 'sha256', $seed, self::KEY_BYTES, self::KEY_INFO . "|$blog_id|$room", $site_key );
	}

	/**
	 * Name of a room's channel within the site, as the ecosystem has it: a list
	 * is called a collection.
	 *
	 * @param string $room Its name.
	 */
	public static function channel( string $room ): string {
		return Channels::YJS . ':' . $room . ( str_contains( $room, ':' ) ? '' : ':collection' );
	}

	/**
	 * A post of exactly that type that the user may edit; the list of a type for
	 * whoever may edit that type at all.
	 *
	 * @param int    $user_id ID.
	 * @param string $type    Name of the type.
	 * @param int    $id      ID; 0 is the list.
	 */
	private static function may_enter_post( int $user_id, string $type, int $id ): bool {
		$known = get_post_type_object( $type );

		// What is stored for a revision or an autosave, WordPress stores with its post.
		if ( null === $known || 'revision' === $type ) {
			return false;
		}
		if ( 0 === $id ) {
			return user_can( $user_id, $known->cap->edit_posts );
		}
		$post = get_post( $id );
		return null !== $post && $type === $post->post_type && user_can( $user_id, 'edit_post', $id );
	}

	/**
	 * The same for terms; their lists are for all who edit.
	 *
	 * @param int    $user_id  ID.
	 * @param string $taxonomy Name of the taxonomy.
	 * @param int    $id       ID; 0 is the list.
	 */
	private static function may_enter_term( int $user_id, string $taxonomy, int $id ): bool {
		if ( ! taxonomy_exists( $taxonomy ) ) {
			return false;
		}
		if ( 0 === $id ) {
			return true;
		}
		$term = get_term( $id, $taxonomy );
		return $term instanceof \WP_Term && user_can( $user_id, 'edit_term', $id );
	}
}
