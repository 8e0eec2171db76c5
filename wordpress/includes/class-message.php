<?php
/**
 * One event as the relay takes it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

namespace WordSocket;

defined( 'ABSPATH' ) || exit;

/**
 * Makes the bytes of a message: an envelope if this site has a key, and it always
 * has one unless wp-config.php lost its keys.
 *
 * @access private
 */
final class Message {

	/**
	 * The message in JSON.
	 *
	 * @param Config               $config  Has the key.
	 * @param string               $channel Name within the site.
	 * @param string               $event   Name of the event.
	 * @param array<string, mixed> $data    Its data.
	 * @return string|\WP_Error
	 */
	public static function body( Config $config, string $channel, string $event, array $data ) {
		$key = $config->encryption_key();
		// Empty data is {} to a browser, not [].
		$inner = array(
			'event' => $event,
			'data'  => array() === $data ? new \stdClass() : $data,
		);

		if ( '' !== $key ) {
			$plaintext = wp_json_encode( $inner );
			if ( false === $plaintext ) {
				return self::unwritable();
			}
			if ( ! Envelope::available() ) {
				return Failure::of( 'encryption_unavailable', __( 'AES-256-GCM is missing.', 'wordsocket' ) );
			}
			$inner = array(
				'event' => Envelope::EVENT,
				'data'  => Envelope::seal( $plaintext, $key ),
			);
		}
		$body = wp_json_encode( array( 'channel' => $channel ) + $inner );
		return false === $body ? self::unwritable() : $body;
	}

	/** What JSON cannot carry. */
	private static function unwritable(): \WP_Error {
		return Failure::of( 'invalid_data', __( 'The data cannot be written as JSON.', 'wordsocket' ) );
	}
}
