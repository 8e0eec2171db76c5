<?php
/**
 * Checks what a row of type hook has beside the others.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

namespace WordSocket;

defined( 'ABSPATH' ) || exit;

/**
 * Hook, arguments, data and conditions of one row.
 *
 * @access private
 */
final class Hook_Row {

	private const PRIORITIES = 100000;

	/**
	 * What is stored.
	 *
	 * @var array<string, mixed>
	 */
	private array $made;

	/**
	 * What is wrong, by path within the row.
	 *
	 * @var array<string, string>
	 */
	private array $errors = array();

	/**
	 * Checks a row.
	 *
	 * @param array<string, mixed> $row As given.
	 */
	public function __construct( array $row ) {
		$this->made = $this->make( $row );
	}

	/**
	 * What is stored, if nothing is wrong.
	 *
	 * @return array<string, mixed>
	 */
	public function made(): array {
		return $this->made;
	}

	/**
	 * What is wrong, by path within the row.
	 *
	 * @return array<string, string>
	 */
	public function errors(): array {
		return $this->errors;
	}

	/**
	 * What a row of type hook has beside.
	 *
	 * @param array<string, mixed> $row As given.
	 * @return array<string, mixed>
	 */
	private function make( array $row ): array {
		$hook = Trigger_Rows::text( $row['hook'] ?? '' );
		if ( ! Safe_Values::is_hook( $hook ) ) {
			$this->error( 'hook', __( 'the name of an action, such as publish_post; not one that passes secrets or is called all the time.', 'wordsocket' ) );
		}
		$args       = $this->integer( 'args', $row['args'] ?? 1, 1, Trigger_Rows::LIMITS['args'] );
		$data       = array();
		$conditions = array();
		foreach ( $this->items( $row, 'data' ) as $at => $item ) {
			$data[] = $this->field( "data.$at", $item, $args );
		}
		foreach ( $this->items( $row, 'conditions' ) as $at => $item ) {
			$conditions[] = $this->condition( "conditions.$at", $item, $args );
		}
		$names = array_column( $data, 'name' );
		if ( count( array_unique( $names ) ) < count( $names ) ) {
			$this->error( 'data', __( 'no two with the same name.', 'wordsocket' ) );
		}
		$match = Trigger_Rows::text( $row['match'] ?? 'all' );
		if ( ! in_array( $match, array( 'all', 'any' ), true ) ) {
			$this->error( 'match', __( 'all or any.', 'wordsocket' ) );
		}
		$object = Trigger_Rows::text( $row['object'] ?? '' );
		if ( '' !== $object && ! in_array( $object, $names, true ) ) {
			$this->error( 'object', __( 'a name that is in the data.', 'wordsocket' ) );
		}
		return array(
			'hook'       => $hook,
			'priority'   => $this->integer( 'priority', $row['priority'] ?? 10, -self::PRIORITIES, self::PRIORITIES ),
			'args'       => $args,
			'data'       => $data,
			'match'      => $match,
			'conditions' => $conditions,
			'object'     => $object,
		);
	}

	/**
	 * What goes into the data under a name.
	 *
	 * @param string               $path   Within the row.
	 * @param array<string, mixed> $item   As given.
	 * @param int                  $args   How many the hook passes.
	 * @return array{name: string, arg: int, kind: string, field: string}
	 */
	private function field( string $path, array $item, int $args ): array {
		$name = Trigger_Rows::text( $item['name'] ?? '' );
		if ( 1 !== preg_match( '/^[A-Za-z_][A-Za-z0-9_]{0,49}$/D', $name ) ) {
			$this->error( "$path.name", __( 'letters, digits and underscores, at most 50, no digit first.', 'wordsocket' ) );
		}
		return array( 'name' => $name ) + $this->source( $path, $item, $args );
	}

	/**
	 * A condition.
	 *
	 * @param string               $path   Within the row.
	 * @param array<string, mixed> $item   As given.
	 * @param int                  $args   How many the hook passes.
	 * @return array{arg: int, kind: string, field: string, operator: string, value: string}
	 */
	private function condition( string $path, array $item, int $args ): array {
		$operator = Trigger_Rows::text( $item['operator'] ?? '' );
		$value    = Trigger_Rows::text( $item['value'] ?? '' );
		if ( ! isset( Conditions::OPERATORS[ $operator ] ) ) {
			$this->error( "$path.operator", __( 'one of the comparisons there are.', 'wordsocket' ) );
		} elseif ( mb_strlen( $value ) > Trigger_Rows::LIMITS['text'] ) {
			/* translators: %d: a number. */
			$this->error( "$path.value", sprintf( __( 'at most %d characters.', 'wordsocket' ), Trigger_Rows::LIMITS['text'] ) );
		}
		return $this->source( $path, $item, $args ) + array(
			'operator' => $operator,
			'value'    => Conditions::OPERATORS[ $operator ] ?? false ? $value : '',
		);
	}

	/**
	 * Where a value comes from.
	 *
	 * @param string               $path   Within the row.
	 * @param array<string, mixed> $item   As given.
	 * @param int                  $args   How many the hook passes.
	 * @return array{arg: int, kind: string, field: string}
	 */
	private function source( string $path, array $item, int $args ): array {
		$kind  = Trigger_Rows::text( $item['kind'] ?? Safe_Values::VALUE );
		$field = Trigger_Rows::text( $item['field'] ?? '' );
		if ( ! isset( Safe_Values::FIELDS[ $kind ] ) ) {
			$this->error( "$path.kind", __( 'one of the kinds there are.', 'wordsocket' ) );
		} elseif ( Safe_Values::VALUE === $kind ) {
			$field = '';
		} elseif ( ! in_array( $field, Safe_Values::FIELDS[ $kind ], true ) ) {
			$this->error( "$path.field", __( 'one of the fields that may be told.', 'wordsocket' ) );
		}
		return array(
			'arg'   => $this->integer( "$path.arg", $item['arg'] ?? 1, 1, $args ),
			'kind'  => $kind,
			'field' => $field,
		);
	}

	/**
	 * A list within a row.
	 *
	 * @param array<string, mixed> $row    As given.
	 * @param string               $name   Of the list.
	 * @return list<array<string, mixed>>
	 */
	private function items( array $row, string $name ): array {
		$items = $row[ $name ] ?? array();
		if ( ! is_array( $items ) || count( $items ) > Trigger_Rows::LIMITS[ $name ] || array_filter( $items, 'is_array' ) !== $items ) {
			/* translators: %d: a number. */
			$this->error( $name, sprintf( __( 'a list of at most %d.', 'wordsocket' ), Trigger_Rows::LIMITS[ $name ] ) );
			return array();
		}
		return array_values( $items );
	}

	/**
	 * A number within bounds.
	 *
	 * @param string $path   Within the row.
	 * @param mixed  $value  As given.
	 * @param int    $least  Lower bound.
	 * @param int    $most   Upper bound.
	 */
	private function integer( string $path, mixed $value, int $least, int $most ): int {
		$value = filter_var( $value, FILTER_VALIDATE_INT );
		if ( false === $value || $value < $least || $value > $most ) {
			/* translators: 1: a number, 2: a number. */
			$this->error( $path, sprintf( __( 'a whole number from %1$d to %2$d.', 'wordsocket' ), $least, $most ) );
			return $least;
		}
		return $value;
	}

	/**
	 * Notes a mistake.
	 *
	 * @param string $path    Within the row.
	 * @param string $message What it should be.
	 */
	private function error( string $path, string $message ): void {
		$this->errors[ $path ] ??= $message;
	}
}
