<?php
/**
 * Checks the rows of the builder.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

namespace WordSocket;

defined( 'ABSPATH' ) || exit;

/**
 * What somebody sent, made to what is stored, with a message for everything that
 * cannot be.
 *
 * @access private
 */
final class Trigger_Rows {

	/** Upper bounds; the screen is told of them. */
	public const LIMITS = array(
		'triggers'   => 50,
		'data'       => 20,
		'conditions' => 10,
		'args'       => 10,
		'text'       => 200,
	);

	private const PRIORITIES = 100000;

	/**
	 * Rows without a mistake, by their number in what was given.
	 *
	 * @var array<int, array<string, mixed>>
	 */
	private array $good = array();

	/**
	 * What is wrong.
	 *
	 * @var list<array{row: int, field: string, message: string}>
	 */
	private array $errors = array();

	/**
	 * Checks rows.
	 *
	 * @param array<mixed> $rows As given.
	 */
	public function __construct( array $rows ) {
		$rows = array_values( $rows );
		foreach ( array_slice( $rows, 0, self::LIMITS['triggers'] ) as $number => $row ) {
			$before = count( $this->errors );
			$made   = $this->row( $number, is_array( $row ) ? $row : array() );
			if ( null !== $made && count( $this->errors ) === $before ) {
				$this->good[ $number ] = $made;
			}
		}
		if ( count( $rows ) > self::LIMITS['triggers'] ) {
			/* translators: %d: a number. */
			$this->error( self::LIMITS['triggers'], 'type', sprintf( __( 'there are at most %d triggers.', 'wordsocket' ), self::LIMITS['triggers'] ) );
		}
	}

	/**
	 * The rows that are good.
	 *
	 * @return list<array<string, mixed>>
	 */
	public function good(): array {
		return array_values( $this->good );
	}

	/**
	 * What is wrong with the others.
	 *
	 * @return list<array{row: int, field: string, message: string}>
	 */
	public function errors(): array {
		return $this->errors;
	}

	/**
	 * A row as it is stored; null if it says nothing.
	 *
	 * @param int                  $number Of the row.
	 * @param array<string, mixed> $row    As given.
	 * @return array<string, mixed>|null
	 */
	private function row( int $number, array $row ): ?array {
		$type   = self::text( $row['type'] ?? '' );
		$target = self::text( $row['target'] ?? '' );
		$event  = self::text( $row['event'] ?? '' );
		if ( 'hook' !== $type && ( '' === $target || '' === $event ) ) {
			return null;
		}
		$channel = self::text( $row['channel'] ?? '' );
		$made    = array(
			'type'    => $type,
			'channel' => '' === $channel ? Channels::EVENTS : $channel,
			'event'   => $event,
		);
		if ( ! self::is_name( $event ) || Envelope::EVENT === $event || str_starts_with( $event, 'wps.' ) ) {
			$this->error( $number, 'event', __( 'a name of 1 to 200 characters that is not one of the relay\'s own.', 'wordsocket' ) );
		}
		if ( ! self::is_name( $made['channel'] ) || str_contains( $made['channel'], ',' ) || preg_match( '/^(?:wps|yjs|site)(?::|$)/', $made['channel'] ) ) {
			$this->error( $number, 'channel', __( 'a name of 1 to 200 characters without a comma that is not one of the relay\'s or the editor\'s own.', 'wordsocket' ) );
		}
		switch ( $type ) {
			case 'post_type':
				if ( sanitize_key( $target ) !== $target || strlen( $target ) > 20 ) {
					$this->error( $number, 'target', __( 'the name of a post type.', 'wordsocket' ) );
				}
				return $made + array( 'target' => $target );
			case 'option':
				if ( ! in_array( $target, Option_Events::PUBLIC_OPTIONS, true ) ) {
					$this->error( $number, 'target', __( 'one of the options that visitors see anyway.', 'wordsocket' ) );
				}
				return $made + array( 'target' => $target );
			case 'hook':
				return $made + $this->hook( $number, $row );
			default:
				$this->error( $number, 'type', __( 'one of post_type, option and hook.', 'wordsocket' ) );
				return null;
		}
	}

	/**
	 * What a row of type hook has beside.
	 *
	 * @param int                  $number Of the row.
	 * @param array<string, mixed> $row    As given.
	 * @return array<string, mixed>
	 */
	private function hook( int $number, array $row ): array {
		$hook = self::text( $row['hook'] ?? '' );
		if ( ! Safe_Values::is_hook( $hook ) ) {
			$this->error( $number, 'hook', __( 'the name of an action, such as publish_post; not one that passes secrets or is called all the time.', 'wordsocket' ) );
		}
		$args       = $this->integer( $number, 'args', $row['args'] ?? 1, 1, self::LIMITS['args'] );
		$data       = array();
		$conditions = array();
		foreach ( $this->items( $number, $row, 'data' ) as $at => $item ) {
			$data[] = $this->field( $number, "data.$at", $item, $args );
		}
		foreach ( $this->items( $number, $row, 'conditions' ) as $at => $item ) {
			$conditions[] = $this->condition( $number, "conditions.$at", $item, $args );
		}
		$names = array_column( $data, 'name' );
		if ( count( array_unique( $names ) ) < count( $names ) ) {
			$this->error( $number, 'data', __( 'no two with the same name.', 'wordsocket' ) );
		}
		$match = self::text( $row['match'] ?? 'all' );
		if ( ! in_array( $match, array( 'all', 'any' ), true ) ) {
			$this->error( $number, 'match', __( 'all or any.', 'wordsocket' ) );
		}
		$object = self::text( $row['object'] ?? '' );
		if ( '' !== $object && ! in_array( $object, $names, true ) ) {
			$this->error( $number, 'object', __( 'a name that is in the data.', 'wordsocket' ) );
		}
		return array(
			'hook'       => $hook,
			'priority'   => $this->integer( $number, 'priority', $row['priority'] ?? 10, -self::PRIORITIES, self::PRIORITIES ),
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
	 * @param int                  $number Of the row.
	 * @param string               $path   Within the row.
	 * @param array<string, mixed> $item   As given.
	 * @param int                  $args   How many the hook passes.
	 * @return array{name: string, arg: int, kind: string, field: string}
	 */
	private function field( int $number, string $path, array $item, int $args ): array {
		$name = self::text( $item['name'] ?? '' );
		if ( 1 !== preg_match( '/^[A-Za-z_][A-Za-z0-9_]{0,49}$/D', $name ) ) {
			$this->error( $number, "$path.name", __( 'letters, digits and underscores, at most 50, no digit first.', 'wordsocket' ) );
		}
		return array( 'name' => $name ) + $this->source( $number, $path, $item, $args );
	}

	/**
	 * A condition.
	 *
	 * @param int                  $number Of the row.
	 * @param string               $path   Within the row.
	 * @param array<string, mixed> $item   As given.
	 * @param int                  $args   How many the hook passes.
	 * @return array{arg: int, kind: string, field: string, operator: string, value: string}
	 */
	private function condition( int $number, string $path, array $item, int $args ): array {
		$operator = self::text( $item['operator'] ?? '' );
		$value    = self::text( $item['value'] ?? '' );
		if ( ! isset( Conditions::OPERATORS[ $operator ] ) ) {
			$this->error( $number, "$path.operator", __( 'one of the comparisons there are.', 'wordsocket' ) );
		} elseif ( mb_strlen( $value ) > self::LIMITS['text'] ) {
			/* translators: %d: a number. */
			$this->error( $number, "$path.value", sprintf( __( 'at most %d characters.', 'wordsocket' ), self::LIMITS['text'] ) );
		}
		return $this->source( $number, $path, $item, $args ) + array(
			'operator' => $operator,
			'value'    => Conditions::OPERATORS[ $operator ] ?? false ? $value : '',
		);
	}

	/**
	 * Where a value comes from.
	 *
	 * @param int                  $number Of the row.
	 * @param string               $path   Within the row.
	 * @param array<string, mixed> $item   As given.
	 * @param int                  $args   How many the hook passes.
	 * @return array{arg: int, kind: string, field: string}
	 */
	private function source( int $number, string $path, array $item, int $args ): array {
		$kind  = self::text( $item['kind'] ?? Safe_Values::VALUE );
		$field = self::text( $item['field'] ?? '' );
		if ( ! isset( Safe_Values::FIELDS[ $kind ] ) ) {
			$this->error( $number, "$path.kind", __( 'one of the kinds there are.', 'wordsocket' ) );
		} elseif ( Safe_Values::VALUE === $kind ) {
			$field = '';
		} elseif ( ! in_array( $field, Safe_Values::FIELDS[ $kind ], true ) ) {
			$this->error( $number, "$path.field", __( 'one of the fields that may be told.', 'wordsocket' ) );
		}
		return array(
			'arg'   => $this->integer( $number, "$path.arg", $item['arg'] ?? 1, 1, $args ),
			'kind'  => $kind,
			'field' => $field,
		);
	}

	/**
	 * A list within a row.
	 *
	 * @param int                  $number Of the row.
	 * @param array<string, mixed> $row    As given.
	 * @param string               $name   Of the list.
	 * @return list<array<string, mixed>>
	 */
	private function items( int $number, array $row, string $name ): array {
		$items = $row[ $name ] ?? array();
		if ( ! is_array( $items ) || count( $items ) > self::LIMITS[ $name ] || array_filter( $items, 'is_array' ) !== $items ) {
			/* translators: %d: a number. */
			$this->error( $number, $name, sprintf( __( 'a list of at most %d.', 'wordsocket' ), self::LIMITS[ $name ] ) );
			return array();
		}
		return array_values( $items );
	}

	/**
	 * A number within bounds.
	 *
	 * @param int    $number Of the row.
	 * @param string $path   Within the row.
	 * @param mixed  $value  As given.
	 * @param int    $least  Lower bound.
	 * @param int    $most   Upper bound.
	 */
	private function integer( int $number, string $path, mixed $value, int $least, int $most ): int {
		$value = filter_var( $value, FILTER_VALIDATE_INT );
		if ( false === $value || $value < $least || $value > $most ) {
			/* translators: 1: a number, 2: a number. */
			$this->error( $number, $path, sprintf( __( 'a whole number from %1$d to %2$d.', 'wordsocket' ), $least, $most ) );
			return $least;
		}
		return $value;
	}

	/**
	 * Notes a mistake.
	 *
	 * @param int    $number  Of the row.
	 * @param string $path    Within the row.
	 * @param string $message What it should be.
	 */
	private function error( int $number, string $path, string $message ): void {
		$this->errors[] = array(
			'row'     => $number,
			'field'   => $path,
			'message' => $message,
		);
	}

	/**
	 * Whether a relay takes a text as a name.
	 *
	 * @param string $text Any.
	 */
	private static function is_name( string $text ): bool {
		return '' !== $text && strlen( $text ) <= self::LIMITS['text'] && 1 === preg_match( '/^[^\p{C}\p{Z}]+(?: [^\p{C}\p{Z}]+)*$/uD', $text );
	}

	/**
	 * A text, of whatever was given.
	 *
	 * @param mixed $value Any.
	 */
	private static function text( mixed $value ): string {
		return is_scalar( $value ) ? trim( is_bool( $value ) ? (string) (int) $value : (string) $value ) : '';
	}
}
