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
		$more    = $this->aim( $number, $type, $target, $row );
		if ( null === $more ) {
			return null;
		}
		if ( ! self::is_name( $event ) || Envelope::EVENT === $event || str_starts_with( $event, 'wps.' ) ) {
			$this->error( $number, 'event', __( 'a name of 1 to 200 characters that is not one of the relay\'s own.', 'wordsocket' ) );
		}
		if ( ! self::is_name( $made['channel'] ) || str_contains( $made['channel'], ',' ) || preg_match( '/^(?:wps|yjs|site)(?::|$)/', $made['channel'] ) ) {
			$this->error( $number, 'channel', __( 'a name of 1 to 200 characters without a comma that is not one of the relay\'s or the editor\'s own.', 'wordsocket' ) );
		}
		return $made + $more;
	}

	/**
	 * What a row is about, as the form has it: above the names.
	 *
	 * @param int                  $number Of the row.
	 * @param string               $type   Of the row.
	 * @param string               $target Post type or option.
	 * @param array<string, mixed> $row    As given.
	 * @return array<string, mixed>|null
	 */
	private function aim( int $number, string $type, string $target, array $row ): ?array {
		switch ( $type ) {
			case 'post_type':
				if ( sanitize_key( $target ) !== $target || strlen( $target ) > 20 ) {
					$this->error( $number, 'target', __( 'the name of a post type.', 'wordsocket' ) );
				}
				return array( 'target' => $target );
			case 'option':
				if ( ! in_array( $target, Option_Events::allowed(), true ) ) {
					$this->error( $number, 'target', __( 'an option whose value visitors see anyway. Code adds others by the filter wordsocket_public_options.', 'wordsocket' ) );
				}
				return array( 'target' => $target );
			case 'hook':
				$hook = new Hook_Row( $row );
				foreach ( $hook->errors() as $path => $message ) {
					$this->error( $number, $path, $message );
				}
				return $hook->made();
			default:
				$this->error( $number, 'type', __( 'one of post_type, option and hook.', 'wordsocket' ) );
				return null;
		}
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
	public static function text( mixed $value ): string {
		return is_scalar( $value ) ? trim( is_bool( $value ) ? (string) (int) $value : (string) $value ) : '';
	}
}
