<?php
/**
 * What may leave an argument of a hook.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

namespace WordSocket;

defined( 'ABSPATH' ) || exit;

/**
 * Reads one allow-listed value from a hook's argument: a text, a number or a
 * boolean. Never a password, an address, or a text of what visitors cannot see.
 *
 * @access private
 */
final class Safe_Values {

	/** Takes an argument as it is. */
	public const VALUE = 'value';

	/** What may be had of each kind of object. */
	public const FIELDS = array(
		self::VALUE => array(),
		'post'      => array( 'ID', 'post_type', 'post_status', 'post_author', 'post_parent', 'menu_order', 'comment_count', 'post_date_gmt', 'post_modified_gmt', 'post_title', 'post_name', 'permalink' ),
		'term'      => array( 'term_id', 'taxonomy', 'name', 'slug', 'parent', 'count' ),
		'user'      => array( 'ID', 'display_name', 'roles' ),
		'comment'   => array( 'comment_ID', 'comment_post_ID', 'comment_parent', 'comment_type', 'comment_approved', 'comment_author', 'comment_date_gmt', 'user_id' ),
	);

	/** Those of a post that have words of its author. */
	private const WORDS = array( 'post_title', 'post_name', 'permalink' );

	/** Those of a term that have words; a taxonomy nobody can visit may sort people. */
	private const WORDS_OF_TERM = array( 'name', 'slug' );

	/** A text is cut here. */
	private const MOST_CHARS = 1000;

	/**
	 * Hooks that pass what nobody else may know, or are called all the time. Of
	 * wpmu_activate_user and its like that is a password, of invite_user a key; a
	 * failed login may have the password in the field of the name.
	 */
	private const FORBIDDEN = '/^(?:all|query|salt|shutdown|invite_user|wp_login_failed|wpmu_activate_.*|gettext.*|ngettext.*|wordsocket_.*|wpsignal_.*|http_.*|requests-.*)$|pass|secret|cookie|nonce|token|credential|session|authenticat|signup|recovery_mode|personal_data|_key$|option|transient|_meta\b|metadata|activation/i';

	private const HOOK = '~^[A-Za-z_][A-Za-z0-9_./:-]{0,119}$~D';

	/**
	 * Whether the builder may listen to a hook.
	 *
	 * @param string $hook Its name.
	 */
	public static function is_hook( string $hook ): bool {
		return 1 === preg_match( self::HOOK, $hook ) && 1 !== preg_match( self::FORBIDDEN, $hook );
	}

	/**
	 * The beginning of a text, in plain text. Words may be of any length: some
	 * languages put no spaces between them.
	 *
	 * @param string $text  HTML.
	 * @param int    $words At most so many.
	 */
	public static function excerpt( string $text, int $words ): string {
		return mb_substr( html_entity_decode( wp_trim_words( $text, $words ), ENT_QUOTES | ENT_HTML5, 'UTF-8' ), 0, self::MOST_CHARS );
	}

	/**
	 * A value.
	 *
	 * @param string $kind     How to read the argument.
	 * @param string $field    Which field of the object.
	 * @param mixed  $argument Of the hook.
	 * @return string|int|float|bool|null Null if there is none.
	 */
	public static function read( string $kind, string $field, mixed $argument ): string|int|float|bool|null {
		if ( self::VALUE === $kind ) {
			return self::clean( $argument );
		}
		if ( ! in_array( $field, self::FIELDS[ $kind ] ?? array(), true ) ) {
			return null;
		}
		switch ( $kind ) {
			case 'post':
				$post = $argument instanceof \WP_Post || self::is_id( $argument ) ? get_post( $argument ) : null;
				return $post instanceof \WP_Post ? self::of_post( $post, $field ) : null;
			case 'term':
				$term = $argument instanceof \WP_Term || self::is_id( $argument ) ? get_term( $argument ) : null;
				return $term instanceof \WP_Term ? self::of_term( $term, $field ) : null;
			case 'user':
				$user = self::is_id( $argument ) ? get_userdata( (int) $argument ) : $argument;
				if ( ! $user instanceof \WP_User ) {
					return null;
				}
				return self::clean( 'roles' === $field ? implode( ' ', $user->roles ) : $user->$field );
			default:
				$comment = $argument instanceof \WP_Comment || self::is_id( $argument ) ? get_comment( $argument ) : null;
				if ( ! $comment instanceof \WP_Comment ) {
					return null;
				}
				return 'comment_author' === $field && ! self::is_seen( $comment ) ? '' : self::clean( $comment->$field );
		}
	}

	/**
	 * A field of a post.
	 *
	 * @param \WP_Post $post  The post.
	 * @param string   $field Which.
	 */
	private static function of_post( \WP_Post $post, string $field ): string|int|float|bool|null {
		if ( in_array( $field, self::WORDS, true ) && ! is_post_publicly_viewable( $post ) ) {
			return '';
		}
		return self::clean( 'permalink' === $field ? get_permalink( $post ) : $post->$field );
	}

	/**
	 * A field of a term.
	 *
	 * @param \WP_Term $term  The term.
	 * @param string   $field Which.
	 */
	private static function of_term( \WP_Term $term, string $field ): string|int|float|bool|null {
		return in_array( $field, self::WORDS_OF_TERM, true ) && ! is_taxonomy_viewable( $term->taxonomy ) ? '' : self::clean( $term->$field );
	}

	/**
	 * Whether visitors see a comment, of any type.
	 *
	 * @param \WP_Comment $comment The comment.
	 */
	private static function is_seen( \WP_Comment $comment ): bool {
		$post = get_post( (int) $comment->comment_post_ID );

		return '1' === (string) $comment->comment_approved
			&& $post instanceof \WP_Post
			&& '' === $post->post_password
			&& is_post_publicly_viewable( $post );
	}

	/**
	 * Whether an argument can be the id of an object.
	 *
	 * @param mixed $argument Of the hook.
	 */
	private static function is_id( mixed $argument ): bool {
		return ( is_int( $argument ) && $argument > 0 ) || ( is_string( $argument ) && ctype_digit( $argument ) && (int) $argument > 0 );
	}

	/**
	 * A scalar of a bearable length that is nobody's address.
	 *
	 * @param mixed $value Any.
	 */
	private static function clean( mixed $value ): string|int|float|bool|null {
		if ( ! is_string( $value ) ) {
			return is_scalar( $value ) ? $value : null;
		}
		if ( is_email( trim( $value ) ) || false !== filter_var( trim( $value ), FILTER_VALIDATE_IP ) ) {
			return '';
		}
		return mb_substr( mb_scrub( $value, 'UTF-8' ), 0, self::MOST_CHARS );
	}
}
