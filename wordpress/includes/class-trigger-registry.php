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
	 * Post types that the built-in triggers leave alone.
	 *
	 * @var list<string>
	 */
	private array $excluded = array();

	/**
	 * Those of them of which nothing else tells when a post is gone.
	 *
	 * @var list<string>
	 */
	private array $replaced = array();

	/**
	 * Triggers whose data is being made: what that causes is no event.
	 *
	 * @var array<int, true>
	 */
	private array $firing = array();

	/**
	 * Hands in who sends.
	 *
	 * @param Outbox $outbox Takes events.
	 */
	public function __construct( private Outbox $outbox ) {}

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
	 * Takes a trigger's event, if there is one. A mistake in a trigger is told to
	 * the administrator, and does not end somebody's request.
	 *
	 * @param Trigger     $trigger Whose hook was called.
	 * @param list<mixed> $args    What the hook passed.
	 */
	private function fire( Trigger $trigger, array $args ): void {
		$id = spl_object_id( $trigger );
		if ( isset( $this->firing[ $id ] ) || ! $this->outbox->takes() ) {
			return;
		}
		$this->firing[ $id ] = true;
		try {
			if ( $trigger->evaluate_condition( $args ) ) {
				$this->outbox->add( $trigger->get_channel(), $trigger->get_event(), $trigger->build_data( $args ), $trigger->build_key( $args ) );
			}
		} catch ( \Throwable $thrown ) {
			Notices::record( 'trigger_failed', $thrown->getMessage(), $trigger->get_event() );
		} finally {
			unset( $this->firing[ $id ] );
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

	/** Registers the saved triggers, and the built-in ones. */
	public function register_defaults(): void {
		// One query for all that this request may ask for, most of which is not there.
		wp_prime_option_caches( Options::ALL );
		$saved = new Saved_Triggers( $this );
		$saved->register();
		$built_in = array_merge(
			array( ( new Post_Updated( $this ) )->trigger() ),
			( new Post_Deleted( $this ) )->triggers(),
			( new Comment_Events( $this ) )->triggers(),
			( new Option_Events( $this ) )->triggers( $saved->options() )
		);
		foreach ( $built_in as $trigger ) {
			$trigger->source( 'built-in' )->register();
		}
	}

	/**
	 * Keeps the built-in triggers of posts away from a post type.
	 *
	 * @param string $type Name of the type.
	 */
	public function exclude_default_post_type( string $type ): void {
		$this->excluded[] = $type;
	}

	/**
	 * Puts another trigger in the place of post.updated for a post type. That a
	 * post is gone is still told, since nothing else does.
	 *
	 * @param string $type Name of the type.
	 */
	public function replace_updates_of( string $type ): void {
		$this->replaced[] = $type;
	}

	/**
	 * Whether nobody is to hear that a post of a type is gone.
	 *
	 * @param string $type Name of the type.
	 */
	public function hides_deletions_of( string $type ): bool {
		return in_array( $type, $this->excluded, true );
	}

	/**
	 * Post types that post.updated leaves alone.
	 *
	 * @return list<string>
	 */
	public function get_excluded_default_post_types(): array {
		return array_values( array_unique( array_merge( $this->excluded, $this->replaced ) ) );
	}
}
