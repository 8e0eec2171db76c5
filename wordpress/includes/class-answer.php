<?php
/**
 * What came of a request to the relay.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

namespace WordSocket;

defined( 'ABSPATH' ) || exit;

/**
 * An answer, or what is known where there is none.
 *
 * @access private
 */
final class Answer {

	/** A failure that takes longer is a time-out, or as bad. */
	private const SLOW_S = 0.5;

	/** After such a wait nobody knows more than before. */
	private const LONGEST_WAIT_S = 600;

	/**
	 * Hands in what came.
	 *
	 * @param array<string, mixed>|\WP_Error $response From the HTTP API.
	 * @param \WP_Error|null                 $error    What is wrong with it.
	 * @param array<string, string>          $headers  Signed, as they were sent.
	 * @param bool                           $left     Whether a byte of the body may have left.
	 * @param float                          $took_s   How long it took.
	 */
	public function __construct(
		public readonly array|\WP_Error $response,
		public readonly ?\WP_Error $error,
		public readonly array $headers,
		private bool $left,
		private float $took_s
	) {}

	/** Whether the relay did what it was asked. */
	public function is_ok(): bool {
		return null === $this->error;
	}

	/** The code of the failure; empty if there is none. */
	public function code(): string {
		return null === $this->error ? '' : Failure::code( $this->error );
	}

	/** HTTP status; 0 if nobody answered. */
	public function status(): int {
		return is_wp_error( $this->response ) ? 0 : (int) wp_remote_retrieve_response_code( $this->response );
	}

	/** Whether nobody, or nobody who speaks for the relay, answered. */
	public function is_silence(): bool {
		return 0 === $this->status() || ( $this->status() >= 500 && str_starts_with( $this->code(), 'http_' ) );
	}

	/** Whether it cost time that pages do not have. */
	public function is_slow(): bool {
		return $this->took_s >= self::SLOW_S;
	}

	/** Whether the relay may have done it all the same. */
	public function is_in_doubt(): bool {
		return $this->is_silence() && $this->left;
	}

	/** For how many seconds it wants to be left alone; 0 if it does not say. */
	public function retry_after_s(): int {
		$said = is_wp_error( $this->response ) ? '' : wp_remote_retrieve_header( $this->response, 'retry-after' );

		return is_string( $said ) && ctype_digit( $said ) ? min( (int) $said, self::LONGEST_WAIT_S ) : 0;
	}
}
