<?php
/**
 * Sends events to the relay.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

namespace WordSocket;

defined( 'ABSPATH' ) || exit;

/**
 * One event at once, and the site's figures. A relay that did not answer is not
 * asked again for a while, by no request of the site: see Circuit.
 */
final class Publisher {

	private const STATS_TIMEOUT_S = 3;

	/**
	 * To the relay.
	 *
	 * @var Transport
	 */
	private Transport $transport;

	/**
	 * Hands in where to send to.
	 *
	 * @param Config         $config    Relay, site and secrets.
	 * @param Transport|null $transport Shares what time there is; one of its own if not given.
	 */
	public function __construct( private Config $config, ?Transport $transport = null ) {
		$this->transport = $transport ?? new Transport( $config );
	}

	/**
	 * Publishes one event to whoever is subscribed to the channel.
	 *
	 * @param string               $channel Name within the site, such as "events".
	 * @param string               $event   Such as "post.updated".
	 * @param array<string, mixed> $data    What JSON can carry.
	 * @return array<string, mixed>|\WP_Error The relay's response, or what kept it away; that is also recorded in Notices.
	 */
	public function publish( string $channel, string $event, array $data = array() ) {
		if ( ! $this->config->is_configured() ) {
			return new \WP_Error( 'wpsignal_not_configured', __( 'This site is not connected to a relay.', 'wordsocket' ) );
		}
		if ( Circuit::is_open() || ! $this->transport->has_patience() ) {
			return Failure::paused();
		}
		$body = Message::body( $this->config, $channel, $event, $data );
		if ( is_wp_error( $body ) ) {
			return self::failed( $body, $event );
		}
		Circuit::claim();
		$answer = $this->transport->publish( $body );
		if ( ! $answer->is_ok() ) {
			if ( 0 === $answer->status() || ! $this->transport->has_patience() ) {
				Circuit::open( $answer->is_slow() );
			}
			return self::failed( $answer->error, $event );
		}
		Circuit::half_open();
		Notices::delivered();
		return $answer->response;
	}

	/**
	 * How many connections this site has and may have. Being signed, it also
	 * proves that relay and site share the publish secret.
	 *
	 * @return array{active_connections: int, max_connections: int}|\WP_Error
	 */
	public function stats() {
		if ( ! $this->config->is_configured() ) {
			return new \WP_Error( 'wpsignal_not_configured', __( 'This site is not connected to a relay.', 'wordsocket' ) );
		}
		$answer = $this->transport->stats( self::STATS_TIMEOUT_S );
		if ( ! $answer->is_ok() ) {
			return new \WP_Error( 'wpsignal_' . $answer->code(), $answer->error->get_error_message(), $answer->error->get_error_data() );
		}
		$figures = json_decode( wp_remote_retrieve_body( $answer->response ), true );
		return array(
			'active_connections' => (int) ( $figures['active_connections'] ?? 0 ),
			'max_connections'    => (int) ( $figures['max_connections'] ?? 0 ),
		);
	}

	/**
	 * What is wrong with an answer.
	 *
	 * @param array<string, mixed>|\WP_Error $response From wp_remote_post() and its like.
	 * @return \WP_Error|null Its data has "code" and "status"; null if all is well.
	 */
	public static function remote_error( $response ): ?\WP_Error {
		return Failure::in( $response );
	}

	/**
	 * Records a failed publish.
	 *
	 * @param \WP_Error $error From Failure.
	 * @param string    $event What was to be sent.
	 * @return \WP_Error The same.
	 */
	private static function failed( \WP_Error $error, string $event ): \WP_Error {
		Notices::record( Failure::code( $error ), $error->get_error_message(), $event );
		return $error;
	}
}
