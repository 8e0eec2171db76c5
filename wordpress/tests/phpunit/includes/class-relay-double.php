<?php
/**
 * Whoever WordPress would talk to over HTTP.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

namespace WordSocket\Tests;

/**
 * Writes down every request, and answers as it was told: 200 and {"ok":true} if
 * it was told nothing. Nothing ever leaves the process.
 */
final class Relay_Double {

	/**
	 * The requests, each with url, method, headers, body, args.
	 *
	 * @var list<array<string, mixed>>
	 */
	private array $requests = array();

	/**
	 * Answers by a part of the URL.
	 *
	 * @var array<string, mixed>
	 */
	private array $answers = array();

	/** Stands in for the network. */
	public function __construct() {
		add_filter( 'pre_http_request', array( $this, 'handle' ), PHP_INT_MAX, 3 );
	}

	/**
	 * What to answer where a URL holds a text; the last one told wins.
	 *
	 * @param string                                   $part   Such as "/publish".
	 * @param int|\WP_Error|callable                   $answer Status; a failure; or function( array $request ) that gives back either, or array( status, body, headers ).
	 * @param array<string, mixed>|string              $body   JSON, or text.
	 */
	public function answer( string $part, $answer, $body = array() ): void {
		unset( $this->answers[ $part ] );
		$this->answers = array( $part => is_int( $answer ) ? array( $answer, $body ) : $answer ) + $this->answers;
	}

	/**
	 * What was asked.
	 *
	 * @param string $part Of the URL; all if left out.
	 * @return list<array<string, mixed>>
	 */
	public function requests( string $part = '' ): array {
		return array_values( array_filter( $this->requests, static fn( $request ) => '' === $part || str_contains( $request['url'], $part ) ) );
	}

	/** Forgets what was asked so far. */
	public function forget(): void {
		$this->requests = array();
	}

	/**
	 * For WordPress alone.
	 *
	 * @param mixed                $response Of another filter; ours counts.
	 * @param array<string, mixed> $args     Of the request.
	 * @param string               $url      Where to.
	 * @return array<string, mixed>|\WP_Error
	 */
	public function handle( $response, array $args, string $url ) {
		$request          = array(
			'url'     => $url,
			'method'  => $args['method'] ?? 'GET',
			'headers' => $args['headers'] ?? array(),
			'body'    => $args['body'] ?? '',
			'args'    => $args,
		);
		$this->requests[] = $request;

		$answer = array( 200, array( 'ok' => true ) );
		foreach ( $this->answers as $part => $told ) {
			if ( str_contains( $url, $part ) ) {
				$answer = $told;
				break;
			}
		}
		if ( is_callable( $answer ) ) {
			$answer = $answer( $request );
		}
		if ( is_wp_error( $answer ) ) {
			return $answer;
		}
		list( $status, $body, $headers ) = (array) $answer + array( 200, '', array() );
		return array(
			'headers'  => $headers,
			'body'     => is_string( $body ) ? $body : wp_json_encode( $body ),
			'response' => array(
				'code'    => $status,
				'message' => get_status_header_desc( $status ),
			),
			'cookies'  => array(),
			'filename' => null,
		);
	}
}
