<?php
/**
 * The part of the screen that connects and disconnects.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

namespace WordSocket;

defined( 'ABSPATH' ) || exit;

/**
 * Buttons, and the script behind them.
 *
 * @access private
 */
final class Connect_Controls {

	private const HANDLE = 'wordsocket-connect';

	/** Offers the one click. */
	public static function render_connect(): void {
		echo '<div id="wordsocket-here"><h2>' . esc_html__( 'Through this server', 'wordsocket' ) . '</h2><p>' . esc_html__( 'If the web server of this site runs mod_wordsocket, one click connects it: no account, nothing to copy.', 'wordsocket' ) . '</p>';
		echo '<p><button type="button" class="button button-primary" id="wordsocket-connect">' . esc_html__( 'Connect', 'wordsocket' ) . '</button> ';
		echo '<span id="wordsocket-said" role="status"></span></p></div>';
		self::enqueue();
	}

	/**
	 * Offers to disconnect, and asks again in the same place. From what does not
	 * answer one may part without its word.
	 *
	 * @param bool $relay Whether the site is connected through a relay elsewhere.
	 */
	public static function render_disconnect( bool $relay ): void {
		// What hides is a plain span: wp-admin's buttons are shown whatever "hidden" says.
		echo '<p><span id="wordsocket-offer"><button type="button" class="button" id="wordsocket-disconnect">' . esc_html__( 'Disconnect', 'wordsocket' ) . '</button></span>';
		echo '<span id="wordsocket-confirm" hidden>' . esc_html__( 'Disconnect? Open pages lose their live connection at once, and the keys of this site are revoked.', 'wordsocket' );
		echo ' <button type="button" class="button button-primary" id="wordsocket-really">' . esc_html__( 'Yes, disconnect', 'wordsocket' ) . '</button>';
		echo ' <button type="button" class="button" id="wordsocket-cancel">' . esc_html__( 'Cancel', 'wordsocket' ) . '</button></span></p>';
		echo '<p id="wordsocket-said" role="status"></p>';
		echo '<p id="wordsocket-alone" hidden>' . esc_html( $relay ? __( 'If the relay is gone for good, this site can forget it. Until the relay is told, the keys stay good there.', 'wordsocket' ) : __( 'If this web server does not run mod_wordsocket any more, this site can forget its keys. Should it run again, they are good until the site is connected and disconnected there.', 'wordsocket' ) );
		echo ' <button type="button" class="button" id="wordsocket-forget">' . esc_html( $relay ? __( 'Forget the relay', 'wordsocket' ) : __( 'Forget the keys', 'wordsocket' ) ) . '</button></p>';
		self::enqueue();
	}

	/** The script, with what it needs to know, once. */
	public static function enqueue(): void {
		if ( wp_script_is( self::HANDLE, 'enqueued' ) ) {
			return;
		}
		$file   = plugin_dir_path( FILE ) . 'js/connect.js';
		$config = array(
			'connect'    => rest_url( Token::ROUTE_NAMESPACE . Enroll::CONNECT ),
			'register'   => rest_url( Token::ROUTE_NAMESPACE . Enroll::REGISTER ),
			'disconnect' => rest_url( Token::ROUTE_NAMESPACE . Enroll::DISCONNECT ),
			'nonce'      => wp_create_nonce( 'wp_rest' ),
			'home'       => Connection::home(),
			'done'       => array(
				'connected'    => Outcome::url( 'connected' ),
				'disconnected' => Outcome::url( 'disconnected' ),
			),
			'words'      => array(
				'busy'   => __( 'One moment', 'wordsocket' ),
				'failed' => __( 'The site did not answer. Try again.', 'wordsocket' ),
			),
		);

		wp_enqueue_script( self::HANDLE, plugins_url( 'js/connect.js', FILE ), array(), (string) filemtime( $file ), array( 'in_footer' => true ) );
		wp_add_inline_script( self::HANDLE, 'window.wordsocketConnect = ' . wp_json_encode( $config, JSON_HEX_TAG | JSON_HEX_AMP | JSON_UNESCAPED_SLASHES ) . ';', 'before' );
	}
}
