<?php
/**
 * All triggers of the site.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

namespace WordSocket;

defined( 'ABSPATH' ) || exit;

/**
 * Ties triggers to their hooks.
 */
final class Trigger_Registry {

	/**
	 * What was registered.
	 *
	 * @var list<Trigger>
	 */
	private array $triggers = array();

	/**
	 * Post types that the built-in trigger leaves alone.
	 *
	 * @var list<string>
	 */
	private array $excluded = array();

	/**
	 * Hands in who sends.
	 *
	 * @param Publisher $publisher Sends events.
	 */
	public function __construct( private Publisher $publisher ) {}

	/**
	 * Ties a trigger to its hook.
	 *
	 * @param Trigger $trigger With a hook.
	 */
	public function add( Trigger $trigger ): void {
		if ( '' === $trigger->get_hook() ) {
			_doing_it_wrong( __METHOD__, esc_html__( 'A trigger needs a hook: call on() before register().', 'wordsocket' ), '0.1.0' );
			return;
		}
		$this->triggers[] = $trigger;
		// One argument at least, so that a filter gets its value back.
		add_filter(
			$trigger->get_hook(),
			function ( ...$args ) use ( $trigger ) {
				$this->fire( $trigger, array_slice( $args, 0, $trigger->get_accepted_args() ) );
				return $args[0] ?? null;
			},
			$trigger->get_priority(),
			max( 1, $trigger->get_accepted_args() )
		);
	}

	/**
	 * Sends a trigger's event, if there is one.
	 *
	 * @param Trigger     $trigger Whose hook was called.
	 * @param list<mixed> $args    What the hook passed.
	 */
	private function fire( Trigger $trigger, array $args ): void {
		if ( $trigger->evaluate_condition( $args ) ) {
			$this->publisher->publish( $trigger->get_channel(), $trigger->get_event(), $trigger->build_data( $args ) );
		}
	}

	/**
	 * Everything that was registered.
	 *
	 * @return list<Trigger>
	 */
	public function all(): array {
		return $this->triggers;
	}

	/** Registers the built-in trigger. */
	public function register_defaults(): void {
		( new Post_Updated( $this ) )->trigger()->register();
	}

	/**
	 * Keeps the built-in trigger away from a post type.
	 *
	 * @param string $type Name of the type.
	 */
	public function exclude_default_post_type( string $type ): void {
		$this->excluded[] = $type;
	}

	/**
	 * Post types that the built-in trigger leaves alone.
	 *
	 * @return list<string>
	 */
	public function get_excluded_default_post_types(): array {
		return array_values( array_unique( $this->excluded ) );
	}
}
