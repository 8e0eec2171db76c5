<?php
/**
 * Conditions of saved triggers.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

namespace WordSocket;

defined( 'ABSPATH' ) || exit;

/**
 * Compares what a hook passed with what somebody typed. No code is ever run.
 *
 * @access private
 */
final class Conditions {

	/** Comparisons, and whether they need something to compare with. */
	public const OPERATORS = array(
		'is'           => true,
		'is_not'       => true,
		'contains'     => true,
		'contains_not' => true,
		'begins'       => true,
		'greater'      => true,
		'less'         => true,
		'empty'        => false,
		'not_empty'    => false,
	);

	/**
	 * Whether they hold.
	 *
	 * @param list<array{arg: int, kind: string, field: string, operator: string, value: string}> $conditions None always holds.
	 * @param string                                                                              $match      "all" or "any".
	 * @param list<mixed>                                                                         $args       Of the hook.
	 */
	public static function hold( array $conditions, string $match, array $args ): bool {
		$any = 'any' === $match && array() !== $conditions;
		foreach ( $conditions as $is ) {
			$holds = self::holds( $is['operator'], Safe_Values::read( $is['kind'], $is['field'], $args[ $is['arg'] - 1 ] ?? null ), $is['value'] );
			if ( $holds === $any ) {
				return $any;
			}
		}
		return ! $any;
	}

	/**
	 * Whether one holds. Texts are compared without regard to capitals.
	 *
	 * @param string                     $operator One of OPERATORS.
	 * @param string|int|float|bool|null $value    What is.
	 * @param string                     $typed    What it is compared with.
	 */
	public static function holds( string $operator, string|int|float|bool|null $value, string $typed ): bool {
		$value = is_bool( $value ) ? (string) (int) $value : (string) $value;
		$text  = mb_strtolower( $value );
		$with  = mb_strtolower( $typed );
		switch ( $operator ) {
			case 'is':
				return $text === $with;
			case 'is_not':
				return $text !== $with;
			case 'contains':
				return str_contains( $text, $with );
			case 'contains_not':
				return ! str_contains( $text, $with );
			case 'begins':
				return str_starts_with( $text, $with );
			case 'greater':
				return is_numeric( $value ) && is_numeric( $typed ) && (float) $value > (float) $typed;
			case 'less':
				return is_numeric( $value ) && is_numeric( $typed ) && (float) $value < (float) $typed;
			case 'empty':
				return '' === $value || '0' === $value;
			case 'not_empty':
				return '' !== $value && '0' !== $value;
			default:
				return false;
		}
	}
}
