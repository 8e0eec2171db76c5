<?php
/**
 * REST route of the triggers.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

namespace WordSocket;

defined( 'ABSPATH' ) || exit;

/**
 * Reads and replaces what the builder saved; docs/triggers.md has the shapes.
 *
 * @access private
 */
final class Trigger_Routes {

	private const ROUTE      = '/triggers';
	private const CAPABILITY = 'manage_options';
	private const REFUSED    = 'wpsignal_invalid_triggers';
	private const BAD        = 400;

	/**
	 * Hands in what is registered.
	 *
	 * @param Trigger_Registry $registry Of the site.
	 */
	public function __construct( private Trigger_Registry $registry ) {}

	/** Registers it. */
	public function register_routes(): void {
		register_rest_route(
			Token::ROUTE_NAMESPACE,
			self::ROUTE,
			array(
				array(
					'methods'             => 'GET',
					'args'                => array(),
					'callback'            => array( $this, 'answer' ),
					'permission_callback' => array( self::class, 'check_permission' ),
				),
				array(
					'methods'             => 'POST',
					'args'                => array(
						'triggers' => array(
							'description' => __( 'All triggers that are to be saved.', 'wordsocket' ),
							'type'        => 'array',
							'items'       => array( 'type' => 'object' ),
							'required'    => true,
						),
					),
					'callback'            => array( $this, 'save' ),
					'permission_callback' => array( self::class, 'check_permission' ),
				),
				'schema' => array( self::class, 'schema' ),
			)
		);
	}

	/** Whether the user may see and change triggers. */
	public static function check_permission(): bool {
		return current_user_can( self::CAPABILITY );
	}

	/** Answers GET. */
	public function answer(): \WP_REST_Response {
		return new \WP_REST_Response( $this->all() );
	}

	/**
	 * Answers POST: all rows, or none.
	 *
	 * @param \WP_REST_Request $request With "triggers".
	 * @return \WP_REST_Response|\WP_Error
	 */
	public function save( \WP_REST_Request $request ) {
		$given  = array_values( (array) $request->get_param( 'triggers' ) );
		$rows   = new Trigger_Rows( $given );
		$errors = $rows->errors();
		if ( array() !== $errors ) {
			list( 'row' => $row, 'field' => $path, 'message' => $message ) = $errors[0];
			return new \WP_Error(
				self::REFUSED,
				/* translators: 1: where it is, such as "Trigger 1, Channel", 2: what should be there. */
				sprintf( __( '%1$s: %2$s', 'wordsocket' ), Trigger_Words::place( $row, $path, Trigger_Rows::text( $given[ $row ]['type'] ?? '' ) ), $message ),
				array(
					'status' => self::BAD,
					'errors' => $errors,
				)
			);
		}
		Saved_Triggers::save( $rows->good() );
		return new \WP_REST_Response( $this->all() + array( 'message' => __( 'Saved. The triggers work from the next request on.', 'wordsocket' ) ) );
	}

	/**
	 * What the screen has to know.
	 *
	 * @return array<string, mixed>
	 */
	private function all(): array {
		return array(
			'triggers'      => Saved_Triggers::rows(),
			'registered'    => array_map( array( self::class, 'about' ), $this->registry->all() ),
			'post_types'    => self::post_types(),
			'options'       => array(
				self::named( 'blogname', __( 'Site title', 'wordsocket' ) ),
				self::named( 'blogdescription', __( 'Tagline', 'wordsocket' ) ),
			),
			'other_options' => array_values( array_diff( Option_Events::allowed(), Option_Events::BUILT_IN ) ),
			'kinds'         => self::kinds(),
			'operators'     => self::operators(),
			'limits'        => Trigger_Rows::LIMITS,
		);
	}

	/**
	 * A trigger that is registered.
	 *
	 * @param Trigger $trigger It.
	 * @return array<string, mixed>
	 */
	private static function about( Trigger $trigger ): array {
		return array(
			'event'     => $trigger->get_event(),
			'hook'      => $trigger->get_hook(),
			'priority'  => $trigger->get_priority(),
			'args'      => $trigger->get_accepted_args(),
			'channel'   => $trigger->get_channel(),
			'condition' => $trigger->has_condition(),
			'source'    => $trigger->get_source(),
		);
	}

	/**
	 * Types of posts that people can visit.
	 *
	 * @return list<array{name: string, label: string}>
	 */
	private static function post_types(): array {
		$types = array_filter( get_post_types( array( 'public' => true ), 'objects' ), 'is_post_type_viewable' );
		unset( $types['attachment'] );
		return array_values( array_map( static fn( \WP_Post_Type $type ): array => self::named( $type->name, $type->label ), $types ) );
	}

	/**
	 * Ways to read an argument.
	 *
	 * @return list<array{name: string, label: string, fields: list<string>}>
	 */
	private static function kinds(): array {
		$labels = array(
			'value'   => __( 'The value itself', 'wordsocket' ),
			'post'    => __( 'Post', 'wordsocket' ),
			'term'    => __( 'Term', 'wordsocket' ),
			'user'    => __( 'User', 'wordsocket' ),
			'comment' => __( 'Comment', 'wordsocket' ),
		);
		$kinds  = array();
		foreach ( Safe_Values::FIELDS as $name => $fields ) {
			$kinds[] = self::named( $name, $labels[ $name ] ) + array( 'fields' => $fields );
		}
		return $kinds;
	}

	/**
	 * Comparisons.
	 *
	 * @return list<array{name: string, label: string, value: bool}>
	 */
	private static function operators(): array {
		$labels    = array(
			'is'           => __( 'is', 'wordsocket' ),
			'is_not'       => __( 'is not', 'wordsocket' ),
			'contains'     => __( 'contains', 'wordsocket' ),
			'contains_not' => __( 'does not contain', 'wordsocket' ),
			'begins'       => __( 'begins with', 'wordsocket' ),
			'greater'      => __( 'is greater than', 'wordsocket' ),
			'less'         => __( 'is less than', 'wordsocket' ),
			'empty'        => __( 'is empty', 'wordsocket' ),
			'not_empty'    => __( 'is not empty', 'wordsocket' ),
		);
		$operators = array();
		foreach ( Conditions::OPERATORS as $name => $value ) {
			$operators[] = self::named( $name, $labels[ $name ] ) + array( 'value' => $value );
		}
		return $operators;
	}

	/**
	 * Something to choose.
	 *
	 * @param string $name  For programs.
	 * @param string $label For people.
	 * @return array{name: string, label: string}
	 */
	private static function named( string $name, string $label ): array {
		return array(
			'name'  => $name,
			'label' => $label,
		);
	}

	/**
	 * The shape of an answer.
	 *
	 * @return array<string, mixed>
	 */
	public static function schema(): array {
		$list = array(
			'type'  => 'array',
			'items' => array( 'type' => 'object' ),
		);
		return array(
			'$schema'    => 'http://json-schema.org/draft-04/schema#',
			'title'      => 'wpsignal-triggers',
			'type'       => 'object',
			'properties' => array_fill_keys( array( 'triggers', 'registered', 'post_types', 'options', 'kinds', 'operators' ), $list ) + array(
				'other_options' => array(
					'type'  => 'array',
					'items' => array( 'type' => 'string' ),
				),
				'limits'        => array( 'type' => 'object' ),
			),
		);
	}
}
