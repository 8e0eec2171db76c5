<?php
/**
 * From a WordPress hook to an event.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

namespace WordSocket;

defined( 'ABSPATH' ) || exit;

/**
 * One trigger, told in a chain:
 *
 *     WPS::trigger( 'stock.low' )
 *         ->on( 'woocommerce_low_stock' )
 *         ->channel( 'shop' )
 *         ->data( fn( $product ) => array( 'id' => $product->get_id() ) )
 *         ->register();
 */
final class Trigger {

	/**
	 * Hook of WordPress.
	 *
	 * @var string
	 */
	private string $hook = '';

	/**
	 * Its priority.
	 *
	 * @var int
	 */
	private int $priority = 10;

	/**
	 * How many of its arguments are wanted.
	 *
	 * @var int
	 */
	private int $accepted_args = 1;

	/**
	 * Where the event goes.
	 *
	 * @var string
	 */
	private string $channel = Channels::EVENTS;

	/**
	 * Makes the event's data from the hook's arguments.
	 *
	 * @var callable|null
	 */
	private $data;

	/**
	 * Decides from the hook's arguments whether there is an event.
	 *
	 * @var callable|null
	 */
	private $condition;

	/**
	 * Names the object that an event is about, from the hook's arguments.
	 *
	 * @var callable|null
	 */
	private $key;

	/**
	 * Who made it: "built-in", "saved" or "code".
	 *
	 * @var string
	 */
	private string $source = 'code';

	/**
	 * Begins a trigger; WPS::trigger() is the way to get one.
	 *
	 * @param string           $event    Name of the event.
	 * @param Trigger_Registry $registry Where register() puts it.
	 */
	public function __construct( private string $event, private Trigger_Registry $registry ) {}

	/**
	 * Which hook it listens to.
	 *
	 * @param string $hook          Action or filter; a filter's value stays as it is.
	 * @param int    $priority      As for add_action().
	 * @param int    $accepted_args As for add_action().
	 */
	public function on( string $hook, int $priority = 10, int $accepted_args = 1 ): self {
		$this->hook          = $hook;
		$this->priority      = $priority;
		$this->accepted_args = $accepted_args;
		return $this;
	}

	/**
	 * Which channel the event goes to; "events" if not said.
	 *
	 * @param string $name Name within the site.
	 */
	public function channel( string $name ): self {
		$this->channel = $name;
		return $this;
	}

	/**
	 * What the event carries; nothing if not said.
	 *
	 * @param callable $build Gets the hook's arguments, returns an array.
	 */
	public function data( callable $build ): self {
		$this->data = $build;
		return $this;
	}

	/**
	 * When there is an event; always if not said.
	 *
	 * @param callable $condition Gets the hook's arguments, returns a bool.
	 */
	public function when( callable $condition ): self {
		$this->condition = $condition;
		return $this;
	}

	/**
	 * What the event is about; nothing but itself if not said. Of events with the
	 * same channel, name and key that are still to be sent, only the newest is.
	 *
	 * @param callable $name Gets the hook's arguments, returns a text such as "post:7".
	 */
	public function key( callable $name ): self {
		$this->key = $name;
		return $this;
	}

	/**
	 * Who made it.
	 *
	 * @access private
	 *
	 * @param string $source "built-in" or "saved".
	 */
	public function source( string $source ): self {
		$this->source = $source;
		return $this;
	}

	/** Puts it to work. */
	public function register(): self {
		$this->registry->add( $this );
		return $this;
	}

	/** Name of the event. */
	public function get_event(): string {
		return $this->event;
	}

	/** Hook it listens to. */
	public function get_hook(): string {
		return $this->hook;
	}

	/** Priority of the hook. */
	public function get_priority(): int {
		return $this->priority;
	}

	/** Number of the hook's arguments it wants. */
	public function get_accepted_args(): int {
		return $this->accepted_args;
	}

	/** Channel the event goes to. */
	public function get_channel(): string {
		return $this->channel;
	}

	/** Whether it depends on anything. */
	public function has_condition(): bool {
		return null !== $this->condition;
	}

	/**
	 * Whether these arguments make an event.
	 *
	 * @param list<mixed> $args Of the hook.
	 */
	public function evaluate_condition( array $args ): bool {
		return null === $this->condition || (bool) ( $this->condition )( ...$args );
	}

	/**
	 * The event's data for these arguments.
	 *
	 * @param list<mixed> $args Of the hook.
	 * @return array<string, mixed>
	 */
	public function build_data( array $args ): array {
		return null === $this->data ? array() : (array) ( $this->data )( ...$args );
	}

	/** Who made it: "built-in", "saved" or "code". */
	public function get_source(): string {
		return $this->source;
	}

	/**
	 * What the event is about; empty if it stands for itself.
	 *
	 * @param list<mixed> $args Of the hook.
	 */
	public function build_key( array $args ): string {
		return null === $this->key ? '' : (string) ( $this->key )( ...$args );
	}
}
