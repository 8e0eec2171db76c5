<?php
/**
 * What became of some messages.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

namespace WordSocket;

defined( 'ABSPATH' ) || exit;

/**
 * The account of one attempt to deliver.
 *
 * @access private
 */
final class Delivery {

	/**
	 * Delivered, or refused for good: not to be sent again.
	 *
	 * @var list<array{name: string, us: int, body: string, event?: string}>
	 */
	public array $done = array();

	/**
	 * How many of them were refused.
	 *
	 * @var int
	 */
	public int $refused = 0;

	/**
	 * A batch at the head of the rest that may have arrived, and its headers.
	 *
	 * @var array{batch: list<array{name: string, us: int, body: string}>, headers: array<string, string>}|null
	 */
	public ?array $doubt = null;

	/**
	 * Hands in what is to be delivered.
	 *
	 * @param list<array{name: string, us: int, body: string, event?: string}> $rest In order.
	 */
	public function __construct( public array $rest ) {}

	/**
	 * The first ones are delivered.
	 *
	 * @param int $count How many.
	 */
	public function take( int $count ): void {
		array_push( $this->done, ...array_splice( $this->rest, 0, $count ) );
	}

	/** The first one is refused for good. */
	public function refuse(): void {
		$this->take( 1 );
		++$this->refused;
	}

	/**
	 * The first ones may have arrived.
	 *
	 * @param list<array{name: string, us: int, body: string}> $batch   They.
	 * @param array<string, string>                            $headers As sent.
	 */
	public function doubt( array $batch, array $headers ): void {
		$this->doubt = array(
			'batch'   => $batch,
			'headers' => $headers,
		);
	}

	/** Whether the relay took anything. */
	public function has_arrived(): bool {
		return count( $this->done ) > $this->refused;
	}
}
