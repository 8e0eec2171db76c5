<?php
/**
 * Sends the events of a request, or keeps them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

namespace WordSocket;

defined( 'ABSPATH' ) || exit;

/**
 * What is done with events when their time has come. Takes no time of a page
 * but that of one request to the relay.
 *
 * @access private
 */
final class Sender {

	/** Cron event that sends what waits where no page is asked for. */
	public const CRON = 'wordsocket_send_waiting';

	/** When it comes. */
	private const CRON_S = 60;

	/** For how long one request sends what others left. */
	private const DRAIN_S = 2;

	/**
	 * Hands in the parts.
	 *
	 * @param Config    $config    Whether there is a relay.
	 * @param Transport $transport To the relay.
	 * @param Courier   $courier   Delivers.
	 * @param Backlog   $backlog   Keeps.
	 */
	public function __construct(
		private Config $config,
		private Transport $transport,
		private Courier $courier,
		private Backlog $backlog
	) {}

	/**
	 * Sends the messages of the current site.
	 *
	 * @param list<array{name: string, us: int, body: string, event: string}> $messages In order; may be empty.
	 * @param bool                                                            $patient  Whether nobody waits for this process.
	 */
	public function send( array $messages, bool $patient ): void {
		if ( ! $this->config->is_configured() ) {
			return;
		}
		$state = Circuit::fresh();
		if ( 0 === $state['retry_at'] && $this->transport->has_patience() ) {
			$this->keep( $this->courier->deliver( $messages, $patient ) );
			return;
		}
		// What waits is older, and goes first.
		if ( array() !== $messages ) {
			$this->backlog->add( $messages );
			Circuit::note_waiting();
		}
		if ( $state['retry_at'] <= time() && $this->transport->has_patience() ) {
			$this->drain( $state['fails'] > 0, $patient );
		}
	}

	/**
	 * Sends what waits, unless another process does.
	 *
	 * @param bool $ask     Whether to ask first if the relay is back.
	 * @param bool $patient Whether nobody waits for this process.
	 */
	private function drain( bool $ask, bool $patient ): void {
		if ( ! Queue_Rows::lock() ) {
			return;
		}
		try {
			Circuit::claim();
			if ( ( ! $ask || $this->courier->probe() ) && $this->repeat_doubts() ) {
				$this->empty_backlog( $patient );
			}
		} finally {
			Queue_Rows::unlock();
		}
	}

	/** Sends again, as they were, the requests without an answer. False if there is none again. */
	private function repeat_doubts(): bool {
		foreach ( $this->backlog->take_doubts() as $doubt ) {
			$known = $this->courier->repeat( $doubt['batch'], $doubt['headers'] );
			if ( null === $known ) {
				$this->backlog->add_doubt( $doubt );
				return false;
			}
			if ( $known ) {
				$this->backlog->remove( $doubt['batch'] );
			}
		}
		return true;
	}

	/**
	 * Sends until nothing waits, or something fails, or it has taken long enough.
	 *
	 * @param bool $patient Whether nobody waits for this process.
	 */
	private function empty_backlog( bool $patient ): void {
		$begun = microtime( true );
		do {
			if ( ! $patient && microtime( true ) - $begun > self::DRAIN_S ) {
				Circuit::half_open();
				return;
			}
			if ( ! Queue_Rows::keep_lock() ) {
				return;
			}
			$messages = $this->backlog->oldest( Courier::MOST_MESSAGES );
			$delivery = $this->courier->deliver( $messages, $patient );
			$this->backlog->remove( $delivery->done );
			if ( array() !== $delivery->rest ) {
				$this->keep( $delivery );
				return;
			}
		} while ( array() !== $messages );

		Circuit::close();
		Queue_Rows::forget_dropped();
		Notices::delivered();
		// Somebody may have stored something between the last look and the closing.
		if ( $this->backlog->count() > 0 ) {
			Circuit::note_waiting();
		}
	}

	/**
	 * Keeps what was not delivered.
	 *
	 * @param Delivery $delivery What came of it.
	 */
	private function keep( Delivery $delivery ): void {
		if ( array() === $delivery->rest ) {
			if ( $delivery->has_arrived() && 0 === $delivery->refused ) {
				Notices::delivered();
			}
			return;
		}
		$this->backlog->add( $delivery->rest );
		if ( null !== $delivery->doubt ) {
			$this->backlog->add_doubt( $delivery->doubt );
		}
		Circuit::note_waiting();
		self::schedule();
	}

	/** What cron does, before the end of its request sends: also where the circuit does not know that something waits. */
	public function look(): void {
		if ( ! $this->config->is_configured() || 0 === $this->backlog->count() ) {
			return;
		}
		if ( Circuit::may_ask() ) {
			Circuit::note_waiting();
		} else {
			self::schedule();
		}
	}

	/** The site is connected anew, or not any more: what was is over. */
	public function start_anew(): void {
		if ( ! Circuit::is_closed() ) {
			Queue_Rows::delete_all();
			Circuit::close();
		}
	}

	/** Asks cron to come, where the site does not run it by itself and often anyway. */
	private static function schedule(): void {
		$is_external = defined( 'DISABLE_WP_CRON' ) && DISABLE_WP_CRON;
		if ( ! $is_external && ! wp_next_scheduled( self::CRON ) ) {
			wp_schedule_single_event( time() + self::CRON_S, self::CRON );
		}
	}
}
