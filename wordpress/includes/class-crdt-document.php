<?php
/**
 * The state of a document as its editors share it, kept with its post.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

namespace WordSocket;

defined( 'ABSPATH' ) || exit;

/**
 * Post meta _crdt_document and the route wp-sync/v1/save, which the editor of
 * WordPress 7.1 writes but no release of WordPress has. Where WordPress or
 * Gutenberg brings them, theirs stand.
 *
 * Without them each who opens a post makes a first state of his own, and two
 * such states never merge.
 *
 * @access private
 */
final class Crdt_Document {

	/** Name of the meta; the editor's own. */
	public const META = '_crdt_document';

	private const ROUTE_NAMESPACE = 'wp-sync/v1';
	private const ROUTE           = '/save';
	private const MAX_BYTES       = 16 * MB_IN_BYTES;

	/** Hooks it into WordPress; at init, after types are registered. */
	public static function register(): void {
		if ( ! registered_meta_key_exists( 'post', self::META ) ) {
			register_post_meta(
				'',
				self::META,
				array(
					'type'              => 'string',
					'single'            => true,
					'revisions_enabled' => false,
					'auth_callback'     => static fn( $allowed, $meta_key, $post_id, $user_id ): bool => user_can( $user_id, 'edit_post', $post_id ),
					'show_in_rest'      => array(
						'schema' => array(
							'type'      => 'string',
							'maxLength' => self::MAX_BYTES,
							// Not for those who only read.
							'context'   => array( 'edit' ),
						),
					),
				)
			);
		}
		add_action( 'rest_api_init', array( self::class, 'register_route' ), 20 );
	}

	/** Adds the route, where nobody else did. */
	public static function register_route(): void {
		if ( isset( rest_get_server()->get_routes( self::ROUTE_NAMESPACE )[ '/' . self::ROUTE_NAMESPACE . self::ROUTE ] ) ) {
			return;
		}
		register_rest_route(
			self::ROUTE_NAMESPACE,
			self::ROUTE,
			array(
				'methods'             => 'POST',
				'callback'            => array( self::class, 'save' ),
				'permission_callback' => array( self::class, 'check_permission' ),
				'args'                => array(
					'room' => array(
						'description' => __( 'Type and ID of the post, such as postType/post:12.', 'wordsocket' ),
						'type'        => 'string',
						'required'    => true,
					),
					'doc'  => array(
						'description' => __( 'The document, as the editor wrote it.', 'wordsocket' ),
						'type'        => 'string',
						'required'    => true,
						'maxLength'   => self::MAX_BYTES,
					),
				),
			)
		);
	}

	/**
	 * Whether whoever asks may edit the post.
	 *
	 * @param \WP_REST_Request $request With the room.
	 * @return true|\WP_Error
	 */
	public static function check_permission( \WP_REST_Request $request ) {
		$room = (string) $request['room'];

		if ( self::post_of( $room ) > 0 && Rooms::may_enter( get_current_user_id(), $room ) ) {
			return true;
		}
		return new \WP_Error(
			'rest_forbidden',
			__( 'You may not edit this post, or it is not of this type.', 'wordsocket' ),
			array( 'status' => rest_authorization_required_code() )
		);
	}

	/**
	 * Keeps the document.
	 *
	 * @param \WP_REST_Request $request With room and document.
	 * @return \WP_REST_Response|\WP_Error
	 */
	public static function save( \WP_REST_Request $request ) {
		$doc = (string) $request['doc'];

		// The editor reads it back as JSON; anything else would only be in its way.
		if ( ! is_array( json_decode( $doc, true, 8 ) ) ) {
			return new \WP_Error( 'rest_invalid_param', __( 'This is no document of the editor.', 'wordsocket' ), array( 'status' => 400 ) );
		}
		$post_id = self::post_of( (string) $request['room'] );
		update_post_meta( $post_id, self::META, wp_slash( $doc ) );
		// The same again is "not updated" as well, so what is there is looked at.
		if ( get_post_meta( $post_id, self::META, true ) !== $doc ) {
			return new \WP_Error( 'rest_meta_database_error', __( 'The database did not take the document.', 'wordsocket' ), array( 'status' => 500 ) );
		}
		return new \WP_REST_Response( array( 'saved' => true ) );
	}

	/**
	 * ID of the post whose room it is; 0 if it is none.
	 *
	 * @param string $room Name of the room.
	 */
	private static function post_of( string $room ): int {
		return 1 === preg_match( '{^postType/[A-Za-z0-9_-]+:([1-9][0-9]*)$}D', $room, $is ) ? (int) $is[1] : 0;
	}
}
