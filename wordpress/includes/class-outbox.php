<?php
/**
 * The events of this request, until its end.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

namespace WordSocket;

defined( 'ABSPATH' ) || exit;

/**
 * Collects events, and sends them when nobody waits for this process any more,
 * together with what earlier requests could not send.
 *
 * @access private
 */
final class Outbox {

	/** Events of one request that are kept. The oldest goes first. */
	private const MOST = 1000;

	/** A process of the command line sends so often. */
	private const EVERY_S = 1;

	/**
	 * Messages by site of the network, and by name.
	 *
	 * @var array<int, array<string, array{name: string, us: int, body: string, event: string}>>
	 */
	private array $messages = array();

	/**
	 * Messages there was no room for, by site.
	 *
	 * @var array<int, int>
	 */
	private array $dropped = array();

	/**
	 * Whether it is sending: what that causes is no event.
	 *
	 * @var bool
	 */
	private bool $sending = false;

	/**
	 * Whether the end of the request is behind us.
	 *
	 * @var bool
	 */
	private bool $over = false;

	/**
	 * When it sent last.
	 *
	 * @var float Unix time.
	 */
	private float $sent = 0;

	/**
	 * The latest time given to a message.
	 *
	 * @var int Microseconds.
	 */
	private int $last_us = 0;

	/**
	 * Hands in the parts.
	 *
	 * @param Config    $config    Whether there is a relay.
	 * @param Transport $transport To the relay.
	 * @param Sender    $sender    Sends or keeps.
	 */
	public function __construct( private Config $config, private Transport $transport, private Sender $sender ) {}

	/** Ties it to the end of the request. */
	public function register(): void {
		$this->sent = microtime( true );
		add_action( 'shutdown', array( $this, 'end' ), PHP_INT_MAX );
		add_action( Sender::CRON, array( $this->sender, 'look' ) );
		foreach ( array( Options::CONNECTION, Options::RELAY ) as $name ) {
			add_action( "add_option_$name", array( $this->sender, 'start_anew' ), 10, 0 );
			add_action( "update_option_$name", array( $this->sender, 'start_anew' ), 10, 0 );
			add_action( "delete_option_$name", array( $this->sender, 'start_anew' ), 10, 0 );
		}
		if ( self::is_long() ) {
			// All that a long process does comes by here.
			add_filter( 'query', array( $this, 'tick' ) );
		}
	}

	/** Whether an event would be taken at all. */
	public function takes(): bool {
		return ! $this->sending && $this->config->is_configured();
	}

	/**
	 * Takes an event.
	 *
	 * @param string               $channel Name within the site.
	 * @param string               $event   Name of the event.
	 * @param array<string, mixed> $data    What JSON can carry.
	 * @param string               $key     What it is about; empty if it stands for itself.
	 */
	public function add( string $channel, string $event, array $data, string $key = '' ): void {
		if ( ! $this->takes() ) {
			return;
		}
		$body = Message::body( $this->config, $channel, $event, $data );
		if ( is_wp_error( $body ) ) {
			Notices::record( Failure::code( $body ), $body->get_error_message(), $event );
			return;
		}
		$name = '' === $key ? bin2hex( random_bytes( 16 ) ) : md5( "$channel\n$event\n$key" );
		$blog = get_current_blog_id();
		// What is about the same goes to the end: its time is now.
		unset( $this->messages[ $blog ][ $name ] );
		$this->last_us                    = max( $this->last_us + 1, (int) ( microtime( true ) * 1e6 ) );
		$this->messages[ $blog ][ $name ] = array(
			'name'  => $name,
			'us'    => $this->last_us,
			'body'  => $body,
			'event' => $event,
		);
		if ( count( $this->messages[ $blog ] ) > self::MOST ) {
			array_shift( $this->messages[ $blog ] );
			$this->dropped[ $blog ] = ( $this->dropped[ $blog ] ?? 0 ) + 1;
		}
		if ( $this->over ) {
			$this->send();
		} elseif ( self::is_long() ) {
			$this->tick();
		}
	}

	/**
	 * Sends now and then. Hooked to a filter, so it gives back what it is given.
	 *
	 * @param mixed $value Any.
	 * @return mixed The same.
	 */
	public function tick( $value = null ) {
		if ( array() !== $this->messages && ! $this->sending && microtime( true ) - $this->sent >= self::EVERY_S ) {
			$this->transport->renew();
			$this->send();
		}
		return $value;
	}

	/** The end of the request: whoever asked has the answer before anything is sent. */
	public function end(): void {
		$this->over = true;
		if ( $this->has_work() ) {
			self::finish_answer();
			$this->send();
		}
	}

	/** Whether there is anything to send, here or from before. */
	private function has_work(): bool {
		return array() !== $this->messages || ( ! Circuit::is_closed() && Circuit::may_ask() && $this->config->is_configured() );
	}

	/** Sends everything, site by site. Nothing that goes wrong here ends a request. */
	private function send(): void {
		$all            = $this->messages + array( get_current_blog_id() => array() );
		$dropped        = $this->dropped;
		$this->messages = array();
		$this->dropped  = array();
		$this->sending  = true;
		foreach ( $all as $blog => $messages ) {
			$this->send_of( $blog, array_values( $messages ), $dropped[ $blog ] ?? 0 );
		}
		$this->sending = false;
		$this->sent    = microtime( true );
	}

	/**
	 * Sends what is of one site. What goes wrong there is told there, and keeps
	 * neither the others' messages nor this process away from its own site.
	 *
	 * @param int                                                             $blog     Its ID.
	 * @param list<array{name: string, us: int, body: string, event: string}> $messages In order.
	 * @param int                                                             $dropped  How many there was no room for.
	 */
	private function send_of( int $blog, array $messages, int $dropped ): void {
		$away = get_current_blog_id() !== $blog && switch_to_blog( $blog );
		try {
			Queue_Rows::count_dropped( $dropped );
			$this->sender->send( $messages, self::is_long() );
		} catch ( \Throwable $thrown ) {
			Notices::record( 'trigger_failed', $thrown->getMessage() );
		} finally {
			if ( $away ) {
				restore_current_blog();
			}
		}
	}

	/** Whether this process is nobody's page and may live long. */
	private static function is_long(): bool {
		return in_array( PHP_SAPI, array( 'cli', 'phpdbg' ), true ) || wp_doing_cron();
	}

	/** Gives the answer to whoever asked, where PHP can go on after that. */
	private static function finish_answer(): void {
		if ( PHP_SESSION_ACTIVE === session_status() ) {
			// Or the next page of the same person would wait for this one.
			session_write_close();
		}
		ignore_user_abort( true );
		foreach ( array( 'fastcgi_finish_request', 'litespeed_finish_request' ) as $finish ) {
			if ( function_exists( $finish ) ) {
				$finish();
				return;
			}
		}
	}
}
