<?php
/**
 * The part of the screen that connects to a relay on another server.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

namespace WordSocket;

defined( 'ABSPATH' ) || exit;

/**
 * A form that leaves for the relay, and a key for those who cannot.
 *
 * @access private
 */
final class Relay_Controls {

	private const FORM = 'wordsocket-relay-form';

	/**
	 * Offers both ways.
	 *
	 * @param string $fixed_url The server URL if a constant says it.
	 */
	public static function render_connect( string $fixed_url ): void {
		$hindrance = One_Click::hindrance();

		echo '<div id="wordsocket-relay"><h2>' . esc_html__( 'Through a relay on another server', 'wordsocket' ) . '</h2>';
		echo '<p>' . esc_html__( 'A host or an agency may run a relay for many sites. You are sent to its dashboard, approve there, and come back.', 'wordsocket' ) . '</p>';
		printf( '<form method="post" action="%s" id="%s">', esc_url( admin_url( 'admin-post.php' ) ), esc_attr( self::FORM ) );
		wp_nonce_field( One_Click::START );
		printf( '<input type="hidden" name="action" value="%s">', esc_attr( One_Click::START ) );
		echo '<table class="form-table" role="presentation">';
		self::render_url( $fixed_url );
		echo '</table>';
		if ( '' === $hindrance ) {
			echo '<p><button class="button button-primary">' . esc_html__( 'Connect through the relay', 'wordsocket' ) . '</button></p>';
		} else {
			echo '<p>' . esc_html( Outcome::find( $hindrance )[1] ) . '</p>';
		}
		echo '</form>';
		self::render_by_key( '' !== $hindrance );
		echo '</div>';
		Connect_Controls::enqueue();
	}

	/**
	 * The server URL.
	 *
	 * @param string $fixed_url If a constant says it.
	 */
	private static function render_url( string $fixed_url ): void {
		$url = '' !== $fixed_url ? $fixed_url : (string) get_option( Options::RELAY_URL, '' );

		echo '<tr><th scope="row"><label for="wordsocket-url">' . esc_html__( 'Server URL', 'wordsocket' ) . '</label></th><td>';
		printf(
			'<input type="text" inputmode="url" class="regular-text code" id="wordsocket-url" name="relay_url" value="%s" placeholder="https://relay.example.org/wordsocket" autocomplete="off" spellcheck="false" required aria-describedby="wordsocket-url-about"%s>',
			esc_attr( $url ),
			'' !== $fixed_url ? ' readonly' : ''
		);
		echo '<p class="description" id="wordsocket-url-about">' . esc_html(
			'' !== $fixed_url
				? __( 'Set in wp-config.php.', 'wordsocket' )
				: __( 'From whoever runs the relay; the address of its dashboard will do.', 'wordsocket' )
		) . '</p></td></tr>';
	}

	/**
	 * The way by API key.
	 *
	 * @param bool $only Whether there is no other.
	 */
	private static function render_by_key( bool $only ): void {
		printf( '<details id="wordsocket-by-key"%s><summary>%s</summary>', $only ? ' open' : '', esc_html__( 'Connect by API key instead', 'wordsocket' ) );
		echo '<table class="form-table" role="presentation"><tr><th scope="row"><label for="wordsocket-api-key">' . esc_html__( 'API key', 'wordsocket' ) . '</label></th><td>';
		echo '<input type="password" class="regular-text code" id="wordsocket-api-key" autocomplete="off" spellcheck="false" aria-describedby="wordsocket-api-key-about">';
		echo '<p class="description" id="wordsocket-api-key-about">' . esc_html__( 'The dashboard of the relay makes one. It is used once and not kept.', 'wordsocket' ) . '</p></td></tr></table>';
		echo '<p><button type="button" class="button" id="wordsocket-register">' . esc_html__( 'Connect by API key', 'wordsocket' ) . '</button> ';
		echo '<span id="wordsocket-register-said" role="status"></span></p></details>';
	}
}
