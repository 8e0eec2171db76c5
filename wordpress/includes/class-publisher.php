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
 * Signed, encrypted publishes, and the site's figures.
 *
 * A publish happens inside the request that caused it, and one request may cause
 * many. So all failures together may cost it 2 seconds; after one that got no
 * answer, or when there is no time for another, this process leaves the relay
 * alone for half a minute.
 */
final class Publisher {

	private const PUBLISH_TIMEOUT_S = 2;
	private const STATS_TIMEOUT_S   = 3;
	private const PAUSE_S           = 30;

	/** WordPress takes a shorter timeout for this one. */
	private const SHORTEST_TIMEOUT_S = 1;

	/** The relay says a line; whatever else is at its address may say more. */
	private const ANSWER_BYTES = 65536;

	/**
	 * Until when this process does not try again.
	 *
	 * @var int Unix time.
	 */
	private int $paused_until = 0;

	/**
	 * What failures have cost since the last pause.
	 *
	 * @var int|float Seconds.
	 */
	private int|float $lost_s = 0;

	/**
	 * Hands in where to send to.
	 *
	 * @param Config $config Relay, site and secrets.
	 */
	public function __construct( private Config $config ) {}

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
		if ( time() < $this->paused_until ) {
			return new \WP_Error( 'wpsignal_publish_error', __( 'The relay did not answer a moment ago.', 'wordsocket' ), array( 'code' => 'unreachable' ) );
		}
		$body = $this->body( $channel, $event, $data );
		if ( is_wp_error( $body ) ) {
			return $this->failed( $body, $event );
		}
		$begun    = hrtime( true );
		$response = wp_remote_post(
			$this->config->base_url() . '/publish',
			$this->request( $body, self::PUBLISH_TIMEOUT_S - $this->lost_s )
		);
		$error    = self::remote_error( $response );
		if ( null !== $error ) {
			$this->lost_s += ( hrtime( true ) - $begun ) / 1e9;
			return $this->failed( $error, $event );
		}
		Notices::clear();
		return $response;
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
		$response = wp_remote_get(
			$this->config->base_url() . '/site/stats',
			$this->request( '', self::STATS_TIMEOUT_S )
		);
		$error    = self::remote_error( $response );
		if ( null !== $error ) {
			$about = $error->get_error_data();
			return new \WP_Error( 'wpsignal_' . $about['code'], $error->get_error_message(), $about );
		}
		$figures = json_decode( wp_remote_retrieve_body( $response ), true );
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
		if ( is_wp_error( $response ) ) {
			return self::error( 'unreachable', $response->get_error_message(), 0 );
		}
		$status = (int) wp_remote_retrieve_response_code( $response );
		if ( $status >= 200 && $status < 300 ) {
			return null;
		}
		$said = json_decode( wp_remote_retrieve_body( $response ), true );
		$code = is_array( $said ) && is_string( $said['error'] ?? null ) ? sanitize_key( $said['error'] ) : '';
		if ( '' === $code ) {
			$code = 'http_' . $status;
		}
		$message = is_array( $said ) && is_string( $said['message'] ?? null ) ? $said['message'] : '';
		return self::error( $code, $message, $status );
	}

	/**
	 * The bytes to publish: an envelope if this site has a key, and it always
	 * has one unless wp-config.php lost its keys.
	 *
	 * @param string               $channel Name within the site.
	 * @param string               $event   Name of the event.
	 * @param array<string, mixed> $data    Its data.
	 * @return string|\WP_Error
	 */
	private function body( string $channel, string $event, array $data ) {
		$key   = $this->config->encryption_key();
		// Empty data is {} to a browser, not [].
		$inner = array(
			'event' => $event,
			'data'  => array() === $data ? new \stdClass() : $data,
		);

		if ( '' !== $key ) {
			$plaintext = wp_json_encode( $inner );
			if ( false === $plaintext ) {
				return self::error( 'invalid_data', __( 'The data cannot be written as JSON.', 'wordsocket' ), 0 );
			}
			if ( ! Envelope::available() ) {
				return self::error( 'encryption_unavailable', __( 'AES-256-GCM is missing.', 'wordsocket' ), 0 );
			}
			$inner = array(
				'event' => Envelope::EVENT,
				'data'  => Envelope::seal( $plaintext, $key ),
			);
		}
		$body = wp_json_encode( array( 'channel' => $channel ) + $inner );
		return false === $body ? self::error( 'invalid_data', __( 'The data cannot be written as JSON.', 'wordsocket' ), 0 ) : $body;
	}

	/**
	 * Arguments of a signed request.
	 *
	 * @param string    $body      The bytes to send.
	 * @param int|float $timeout_s When to give up.
	 * @return array<string, mixed>
	 */
	private function request( string $body, int|float $timeout_s ): array {
		$signed = Signature::headers(
			$this->config->site_key(),
			$this->config->site_secret(),
			$body,
			(int) floor( microtime( true ) * 1000 )
		);
		return array(
			'timeout'             => $timeout_s,
			'redirection'         => 0,
			'limit_response_size' => self::ANSWER_BYTES,
			'headers'             => array( 'Content-Type' => 'application/json' ) + $signed,
			'body'                => '' === $body ? null : $body,
		);
	}

	/**
	 * Records a failed publish.
	 *
	 * @param \WP_Error $error From error().
	 * @param string    $event What was to be sent.
	 * @return \WP_Error The same.
	 */
	private function failed( \WP_Error $error, string $event ): \WP_Error {
		$code = $error->get_error_data()['code'];

		if ( 'unreachable' === $code || self::PUBLISH_TIMEOUT_S - $this->lost_s < self::SHORTEST_TIMEOUT_S ) {
			$this->paused_until = time() + self::PAUSE_S;
			$this->lost_s       = 0;
		}
		Notices::record( $code, $error->get_error_message(), $event );
		return $error;
	}

	/**
	 * A failure in the shape that extensions expect.
	 *
	 * @param string $code    Machine-readable.
	 * @param string $message For people.
	 * @param int    $status  Of HTTP; 0 if there was none.
	 */
	private static function error( string $code, string $message, int $status ): \WP_Error {
		return new \WP_Error(
			'wpsignal_publish_error',
			'' !== $message ? $message : $code,
			array(
				'code'   => $code,
				'status' => $status,
			)
		);
	}
}
