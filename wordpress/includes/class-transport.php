<?php
/**
 * Signed requests, and how long they may take.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

namespace WordSocket;

defined( 'ABSPATH' ) || exit;

/**
 * Talks to the relay. A request of WordPress may lose two seconds to it, all
 * failures together, and no more.
 *
 * @access private
 */
final class Transport {

	private const PATIENCE_S = 2;

	/** WordPress takes a shorter timeout for this one. */
	private const SHORTEST_S = 1;

	/** The relay says a line; whatever else is at its address may say more. */
	private const ANSWER_BYTES = 65536;

	/**
	 * What failures have cost.
	 *
	 * @var float Seconds.
	 */
	private float $lost_s = 0;

	/**
	 * The handle of the request under way, if cURL does it.
	 *
	 * @var \CurlHandle|null
	 */
	private ?\CurlHandle $handle = null;

	/**
	 * Hands in where to send to.
	 *
	 * @param Config $config Relay, site and secrets.
	 */
	public function __construct( private Config $config ) {}

	/** Whether there is time for one more request that fails. */
	public function has_patience(): bool {
		return self::PATIENCE_S - $this->lost_s >= self::SHORTEST_S;
	}

	/** A new account of time: of a process that is nobody's page. */
	public function renew(): void {
		$this->lost_s = 0;
	}

	/**
	 * Publishes a body.
	 *
	 * @param string                $body    One message, or a list.
	 * @param array<string, string> $headers Those of an earlier attempt, to send the same bytes again.
	 */
	public function publish( string $body, array $headers = array() ): Answer {
		$headers = array() === $headers ? $this->signed( 'POST', '/publish', $body ) : $headers;
		return $this->ask( 'POST', '/publish', $headers, $body, self::PATIENCE_S - $this->lost_s );
	}

	/**
	 * Asks for the figures of the site.
	 *
	 * @param int|float|null $timeout_s When to give up; what patience is left if not said.
	 */
	public function stats( int|float|null $timeout_s = null ): Answer {
		$headers = $this->signed( 'GET', '/site/stats', '' );
		return $this->ask( 'GET', '/site/stats', $headers, null, $timeout_s ?? self::PATIENCE_S - $this->lost_s );
	}

	/**
	 * Sends a request and waits.
	 *
	 * @param string                $method    GET or POST.
	 * @param string                $path      Below the base of the relay.
	 * @param array<string, string> $headers   Signed.
	 * @param string|null           $body      The bytes to send.
	 * @param int|float             $timeout_s When to give up.
	 */
	private function ask( string $method, string $path, array $headers, ?string $body, int|float $timeout_s ): Answer {
		$args = array(
			'timeout'             => $timeout_s,
			'redirection'         => 0,
			'limit_response_size' => self::ANSWER_BYTES,
			'headers'             => array( 'Content-Type' => 'application/json' ) + $headers,
			'body'                => $body,
		);
		$url  = $this->config->base_url() . $path;

		$this->handle = null;
		$watch        = function ( $handle ): void {
			$this->handle = $handle instanceof \CurlHandle ? $handle : null;
		};
		// The HTTP API has one timeout; the transport without cURL has two.
		$connect = static function ( $url, $headers, $data, $type, &$options ) use ( $timeout_s ): void {
			$options['connect_timeout'] = $timeout_s;
		};
		add_action( 'http_api_curl', $watch );
		add_action( 'requests-requests.before_request', $connect, 10, 5 );
		$begun    = hrtime( true );
		$response = 'POST' === $method ? wp_remote_post( $url, $args ) : wp_remote_get( $url, $args );
		$took_s   = ( hrtime( true ) - $begun ) / 1e9;
		remove_action( 'http_api_curl', $watch );
		remove_action( 'requests-requests.before_request', $connect );

		$error  = Failure::in( $response );
		$answer = new Answer( $response, $error, $headers, $this->has_left(), $took_s );
		if ( 0 === $answer->status() ) {
			// Where nobody is, a second try finds nobody.
			$this->lost_s = self::PATIENCE_S;
		} elseif ( null !== $error ) {
			$this->lost_s += $took_s;
		}
		$this->handle = null;
		return $answer;
	}

	/** Whether the body may have reached anybody. */
	private function has_left(): bool {
		return null === $this->handle || curl_getinfo( $this->handle, CURLINFO_SIZE_UPLOAD ) > 0; // phpcs:ignore WordPress.WP.AlternativeFunctions.curl_curl_getinfo -- see above.
	}

	/**
	 * Headers of a signed request.
	 *
	 * @param string $method Of the request.
	 * @param string $path   Below the base of the relay.
	 * @param string $body   The bytes to send.
	 * @return array<string, string>
	 */
	private function signed( string $method, string $path, string $body ): array {
		$key    = $this->config->site_key();
		$secret = $this->config->site_secret();
		$now_ms = (int) floor( microtime( true ) * 1000 );
		return 2 === $this->config->signature_version()
			? Signature::headers_v2( $key, $secret, $method, $path, $body, $now_ms, bin2hex( random_bytes( 16 ) ) )
			: Signature::headers( $key, $secret, $body, $now_ms );
	}
}
