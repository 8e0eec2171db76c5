<?php
/**
 * The triggers that the builder saved.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

namespace WordSocket;

defined( 'ABSPATH' ) || exit;

/**
 * Makes triggers of rows. A row that was written by anybody else and is not what
 * the builder would have saved makes none.
 *
 * @access private
 */
final class Saved_Triggers {

	/** A hook that is called more often in a second makes no more events. */
	private const MOST_A_SECOND = 200;

	/**
	 * The rows.
	 *
	 * @var list<array<string, mixed>>
	 */
	private array $rows;

	/**
	 * Reads the rows.
	 *
	 * @param Trigger_Registry $registry Where triggers are registered.
	 */
	public function __construct( private Trigger_Registry $registry ) {
		$this->rows = self::rows();
	}

	/**
	 * The rows that are good.
	 *
	 * @return list<array<string, mixed>>
	 */
	public static function rows(): array {
		$stored = get_option( Options::TRIGGERS, array() );

		return ( new Trigger_Rows( is_array( $stored ) ? $stored : array() ) )->good();
	}

	/**
	 * Saves rows.
	 *
	 * @param list<array<string, mixed>> $rows Checked.
	 */
	public static function save( array $rows ): void {
		update_option( Options::TRIGGERS, $rows, true );
	}

	/** Registers them, in place of the built-in ones where they are about the same. */
	public function register(): void {
		foreach ( $this->rows as $row ) {
			$this->trigger( $row )->source( 'saved' )->register();
			if ( 'post_type' === $row['type'] ) {
				$this->registry->replace_updates_of( $row['target'] );
			}
		}
	}

	/**
	 * Options that saved triggers tell of.
	 *
	 * @return list<string>
	 */
	public function options(): array {
		return array_column( array_filter( $this->rows, static fn( array $row ): bool => 'option' === $row['type'] ), 'target' );
	}

	/**
	 * The trigger of a row.
	 *
	 * @param array<string, mixed> $row Checked.
	 */
	private function trigger( array $row ): Trigger {
		switch ( $row['type'] ) {
			case 'post_type':
				return $this->of_post_type( $row );
			case 'option':
				return ( new Option_Events( $this->registry ) )->trigger( $row['target'], $row['event'], $row['channel'] );
			default:
				return $this->of_hook( $row );
		}
	}

	/**
	 * A trigger for published posts of a type.
	 *
	 * @param array<string, mixed> $row Checked.
	 */
	private function of_post_type( array $row ): Trigger {
		$type = $row['target'];
		return ( new Trigger( $row['event'], $this->registry ) )
			->on( 'transition_post_status', 20, 3 )
			->channel( $row['channel'] )
			->when(
				static fn( string $now, string $before, \WP_Post $post ): bool => 'publish' === $now
					&& $type === $post->post_type
					&& is_post_type_viewable( $type )
			)
			->data(
				static fn( string $now, string $before, \WP_Post $post ): array => array(
					'post_id'    => $post->ID,
					'post_type'  => $post->post_type,
					'post_title' => $post->post_title,
					'permalink'  => (string) get_permalink( $post ),
					'updated'    => (string) get_post_modified_time( 'c', true, $post ),
					'old_status' => $before,
					'new_status' => $now,
				)
			)
			->key( static fn( string $now, string $before, \WP_Post $post ): string => "post:$post->ID" );
	}

	/**
	 * A trigger for any action.
	 *
	 * @param array<string, mixed> $row Checked.
	 */
	private function of_hook( array $row ): Trigger {
		$trigger = ( new Trigger( $row['event'], $this->registry ) )
			->on( $row['hook'], $row['priority'], $row['args'] )
			->channel( $row['channel'] )
			->data( static fn( ...$args ): array => self::data( $row, $args ) );

		$most   = self::bound( $row['event'] );
		$always = array() === $row['conditions'];
		// Filters pass keys, addresses with a nonce in them, whatever is typed: only actions are heard.
		$trigger->when( static fn( ...$args ): bool => did_action( $row['hook'] ) > 0 && ( $always || Conditions::hold( $row['conditions'], $row['match'], $args ) ) && $most() );
		if ( '' !== $row['object'] ) {
			$trigger->key( static fn( ...$args ): string => $row['hook'] . ':' . wp_json_encode( self::data( $row, $args )[ $row['object'] ] ?? '' ) );
		}
		return $trigger;
	}

	/**
	 * What a row maps.
	 *
	 * @param array<string, mixed> $row  Checked.
	 * @param list<mixed>          $args Of the hook.
	 * @return array<string, string|int|float|bool|null>
	 */
	private static function data( array $row, array $args ): array {
		$data = array();
		foreach ( $row['data'] as $field ) {
			$data[ $field['name'] ] = Safe_Values::read( $field['kind'], $field['field'], $args[ $field['arg'] - 1 ] ?? null );
		}
		return $data;
	}

	/**
	 * A function that says so often in a second that there may be an event.
	 *
	 * @param string $event For whom.
	 * @return callable(): bool
	 */
	private static function bound( string $event ): callable {
		$second = 0;
		$count  = 0;
		return static function () use ( $event, &$second, &$count ): bool {
			if ( time() !== $second ) {
				$second = time();
				$count  = 0;
			}
			++$count;
			if ( self::MOST_A_SECOND + 1 === $count ) {
				Notices::record( 'too_many_events', __( 'The hook of this trigger is called too often.', 'wordsocket' ), $event );
			}
			return $count <= self::MOST_A_SECOND;
		};
	}
}
