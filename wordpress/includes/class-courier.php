<?php
/**
 * Takes many events to the relay at once.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

namespace WordSocket;

defined( 'ABSPATH' ) || exit;

/**
 * Sends messages in as few signed requests as the relay takes, until one fails.
 *
 * @access private
 */
final class Courier {

	/** So many messages a relay takes in one request. */
	public const MOST_MESSAGES = 100;

	/** A little less than a relay takes if nobody told it otherwise. */
	private const MOST_BYTES = 250000;

	/** A relay that is slow, and does answer, may cost a page no more than one that does not. */
	private const MOST_S = 2;

	/**
	 * Hands in who talks.
	 *
	 * @param Transport $transport To the relay.
	 */
	public function __construct( private Transport $transport ) {}

	/**
	 * Sends what it can, and has the circuit know what came of it.
	 *
	 * @param list<array{name: string, us: int, body: string, event?: string}> $messages In order.
	 * @param bool                                                              $patient  Whether nobody waits for this process.
	 * @return Delivery
	 */
	public function deliver( array $messages, bool $patient = false ): Delivery {
		$delivery = new Delivery( $messages );
		$state    = Circuit::fresh();
		$begun    = hrtime( true );

		while ( array() !== $delivery->rest ) {
			if ( ! $patient && hrtime( true ) - $begun > self::MOST_S * 1e9 ) {
				Circuit::note_waiting();
				break;
			}
			$batch  = self::batch( $delivery->rest, $state['batch'] );
			$answer = $this->transport->publish( self::body( $batch ) );
			if ( ! $this->settle( $delivery, $batch, $answer, $state['batch'] ) ) {
				break;
			}
		}
		return $delivery;
	}

	/**
	 * Asks whether the relay is back, by a request that does nothing.
	 *
	 * @return bool Whether to go on.
	 */
	public function probe(): bool {
		$answer = $this->transport->stats();

		if ( $answer->is_silence() ) {
			self::failed( $answer, array() );
			return false;
		}
		return true;
	}

	/**
	 * The very same request again.
	 *
	 * @param list<array{name: string, us: int, body: string}> $batch   As it was.
	 * @param array<string, string>                            $headers As they were.
	 * @return bool|null Whether it is delivered now; null if there is no answer again.
	 */
	public function repeat( array $batch, array $headers ): ?bool {
		$answer = $this->transport->publish( self::body( $batch ), $headers );

		if ( $answer->is_silence() ) {
			self::failed( $answer, $batch );
			return null;
		}
		return $answer->is_ok();
	}

	/**
	 * What an answer means for a batch and for what follows.
	 *
	 * @param Delivery                                                         $delivery Gets to know.
	 * @param list<array{name: string, us: int, body: string, event?: string}> $batch    What was sent.
	 * @param Answer                                                           $answer   What came back.
	 * @param int                                                              $most     Messages a batch; smaller afterwards where that is the reason.
	 * @return bool Whether to go on.
	 */
	private function settle( Delivery $delivery, array $batch, Answer $answer, int &$most ): bool {
		$count = count( $batch );
		if ( $answer->is_ok() ) {
			$delivery->take( $count );
			return true;
		}
		if ( $answer->is_in_doubt() ) {
			$delivery->doubt( $batch, $answer->headers );
		}
		if ( in_array( $answer->status(), array( 400, 413, 422 ), true ) ) {
			// Too much, or one of them is not what a relay takes: smaller, until it is found.
			if ( $count > 1 ) {
				$most = intdiv( $count, 2 );
				return true;
			}
			Notices::record( $answer->code(), $answer->error->get_error_message(), self::about( $batch ) );
			$delivery->refuse();
			$most = self::MOST_MESSAGES;
			return true;
		}
		self::failed( $answer, $batch );
		return false;
	}

	/**
	 * Remembers a failure after which nothing more is sent.
	 *
	 * @param Answer                                           $answer What came.
	 * @param list<array{name: string, us: int, body: string}> $batch  What was sent.
	 */
	private static function failed( Answer $answer, array $batch ): void {
		Notices::record( $answer->code(), $answer->error->get_error_message(), self::about( $batch ) );
		if ( in_array( $answer->status(), array( 429, 503 ), true ) && ! $answer->is_silence() ) {
			// A purse may be smaller than the batch.
			Circuit::wait( $answer->retry_after_s(), 429 === $answer->status() ? intdiv( count( $batch ), 2 ) : self::MOST_MESSAGES );
		} else {
			Circuit::open( $answer->is_slow() );
		}
	}

	/**
	 * As many as fit into one request; one at least.
	 *
	 * @param list<array{body: string}> $messages In order.
	 * @param int                       $most     How many.
	 * @return list<array{body: string}>
	 */
	private static function batch( array $messages, int $most ): array {
		$bytes = 2;
		foreach ( array_slice( $messages, 0, $most ) as $count => $message ) {
			$bytes += strlen( $message['body'] ) + 1;
			if ( $bytes > self::MOST_BYTES && $count > 0 ) {
				return array_slice( $messages, 0, $count );
			}
		}
		return array_slice( $messages, 0, $most );
	}

	/**
	 * The body: a list, and one message as itself, which any relay takes.
	 *
	 * @param list<array{body: string}> $batch Not empty.
	 */
	private static function body( array $batch ): string {
		$bodies = array_column( $batch, 'body' );

		return 1 === count( $bodies ) ? $bodies[0] : '[' . implode( ',', $bodies ) . ']';
	}

	/**
	 * What a batch is called in a notice.
	 *
	 * @param list<array{event?: string}> $batch Some messages.
	 */
	private static function about( array $batch ): string {
		$names = array_unique( array_filter( array_column( $batch, 'event' ) ) );

		return implode( ', ', array_slice( $names, 0, 3 ) );
	}
}
