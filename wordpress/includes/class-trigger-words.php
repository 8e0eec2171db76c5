<?php
/**
 * What the fields of the builder are called.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

namespace WordSocket;

defined( 'ABSPATH' ) || exit;

/**
 * Turns a path within a row into the words that its form has for it.
 *
 * @access private
 */
final class Trigger_Words {

	/**
	 * Where something is wrong: "Trigger 1, value 2 of the data, Name".
	 *
	 * @param int    $row  Counts from 0.
	 * @param string $path Such as "data.1.name".
	 * @param string $type Of the row.
	 */
	public static function place( int $row, string $path, string $type ): string {
		/* translators: %d: number. */
		$words = array( sprintf( __( 'Trigger %d', 'wordsocket' ), $row + 1 ) );
		$parts = explode( '.', $path );
		if ( isset( $parts[1] ) ) {
			/* translators: %d: number. */
			$in      = 'data' === $parts[0] ? __( 'value %d of the data', 'wordsocket' ) : __( 'condition %d', 'wordsocket' );
			$words[] = sprintf( $in, (int) $parts[1] + 1 );
		}
		$words[] = self::label( (string) end( $parts ), $type );

		/* translators: between the parts of where something is: "Trigger 1, condition 2, Argument". */
		return implode( __( ', ', 'wordsocket' ), array_filter( $words ) );
	}

	/**
	 * The label of a field; empty if the form has none.
	 *
	 * @param string $field The last part of a path.
	 * @param string $type  Of the row.
	 */
	private static function label( string $field, string $type ): string {
		$labels = array(
			'target'     => 'option' === $type ? __( 'Option', 'wordsocket' ) : __( 'Post type', 'wordsocket' ),
			'event'      => __( 'Name of the event', 'wordsocket' ),
			'channel'    => __( 'Channel', 'wordsocket' ),
			'hook'       => __( 'Action hook', 'wordsocket' ),
			'priority'   => __( 'Priority', 'wordsocket' ),
			'args'       => __( 'Arguments', 'wordsocket' ),
			'data'       => __( 'Data of the event', 'wordsocket' ),
			'object'     => __( 'What the event is about', 'wordsocket' ),
			'match'      => __( 'How many must hold', 'wordsocket' ),
			'conditions' => __( 'Only if', 'wordsocket' ),
			'name'       => __( 'Name', 'wordsocket' ),
			'arg'        => __( 'Argument', 'wordsocket' ),
			'kind'       => __( 'Is', 'wordsocket' ),
			'field'      => __( 'Field', 'wordsocket' ),
			'operator'   => __( 'Compared by', 'wordsocket' ),
			'value'      => __( 'With', 'wordsocket' ),
		);
		return $labels[ $field ] ?? '';
	}
}
