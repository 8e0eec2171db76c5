<?php
/**
 * What went wrong, in the shape that extensions expect.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

namespace WordSocket;

defined( 'ABSPATH' ) || exit;

/**
 * Errors of publishing, made here and read from answers.
 *
 * @access private
 */
final class Failure {

	/** Code where nobody answered. */
	public const UNREACHABLE = 'unreachable';

	/**
	 * A failure.
	 *
	 * @param string $code    Machine-readable.
	 * @param string $message For people.
	 * @param int    $status  Of HTTP; 0 if there was none.
	 */
	public static function of( string $code, string $message, int $status = 0 ): \WP_Error {
		return new \WP_Error(
			'wpsignal_publish_error',
			'' !== $message ? $message : $code,
			array(
				'code'   => $code,
				'status' => $status,
			)
		);
	}

	/**
	 * What is wrong with an answer.
	 *
	 * @param array<string, mixed>|\WP_Error $response From wp_remote_post() and its like.
	 * @return \WP_Error|null Null if all is well.
	 */
	public static function in( $response ): ?\WP_Error {
		if ( is_wp_error( $response ) ) {
			return self::of( self::UNREACHABLE, $response->get_error_message() );
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
		return self::of( $code, $message, $status );
	}

	/**
	 * The code of a failure.
	 *
	 * @param \WP_Error $error From here.
	 */
	public static function code( \WP_Error $error ): string {
		return (string) ( $error->get_error_data()['code'] ?? '' );
	}

	/** A failure without asking anybody. */
	public static function paused(): \WP_Error {
		return self::of( self::UNREACHABLE, __( 'The relay did not answer a moment ago.', 'wordsocket' ) );
	}
}
