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

	/** Offers the one click, and what to say to whoever runs a server that does not. */
	public static function render_connect(): void {
		echo '<div id="wordsocket-here"><h2>' . esc_html__( 'Through this server', 'wordsocket' ) . '</h2><p>' . esc_html__( 'If the web server of this site runs mod_wordsocket, one click connects it: no account, nothing to copy.', 'wordsocket' ) . '</p>';
		echo '<p id="wordsocket-offered" role="status"></p>';
		echo '<p><button type="button" class="button button-primary" id="wordsocket-connect">' . esc_html__( 'Connect', 'wordsocket' ) . '</button> ';
		echo '<span id="wordsocket-said" role="status"></span></p>';
		echo '<details id="wordsocket-ask"><summary>' . esc_html__( 'Ask your host for it', 'wordsocket' ) . '</summary>';
		printf( '<p>%s</p><pre id="wordsocket-letter">%s</pre>', esc_html__( 'Send this to the support of your host:', 'wordsocket' ), esc_html( self::letter() ) );
		// Shown by the script, which it needs.
		echo '<p><span id="wordsocket-copy-offer" hidden><button type="button" class="button" id="wordsocket-copy">' . esc_html__( 'Copy', 'wordsocket' ) . '</button></span> <span id="wordsocket-copied" role="status"></span></p></details></div>';
		self::enqueue();
	}

	/** What a site owner can send to a host. */
	private static function letter(): string {
		return sprintf(
			/* translators: 1: URL of the site, 2: version of PHP, 3: name of PHP's interface to the web server. */
			__(
				'Hello,

my site %1$s runs the WordPress plugin WordSocket, which shows changes on open pages at once. It can do so through your own Apache, without a service elsewhere, if the server has the module mod_wordsocket.

Could you install it, and for my virtual host set:

    WordSocketHostKey conf/wordsocket.key    (once, in the server)
    WordSocket On                            (in the virtual host)

PHP has to run by FPM; here it is PHP %2$s by %3$s. After a graceful restart I connect the site myself.',
				'wordsocket'
			),
			Connection::home(),
			PHP_VERSION,
			PHP_SAPI
		);
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
				'busy'       => __( 'One moment', 'wordsocket' ),
				'failed'     => __( 'The site did not answer. Try again.', 'wordsocket' ),
				'looking'    => __( 'Asking this server', 'wordsocket' ),
				'offered'    => __( 'This server offers it.', 'wordsocket' ),
				'notOffered' => __( 'This server does not offer it.', 'wordsocket' ),
				'copied'     => __( 'Copied.', 'wordsocket' ),
				'notCopied'  => __( 'This browser does not let a page copy. The text is selected: copy it by hand.', 'wordsocket' ),
				'ws'         => __( 'Connected by WebSocket.', 'wordsocket' ),
				'sse'        => __( 'Connected by event stream; WebSocket does not pass.', 'wordsocket' ),
				'poll'       => __( 'Connected by polling; neither WebSocket nor event streams pass.', 'wordsocket' ),
				'connecting' => __( 'Connecting', 'wordsocket' ),
			),
		);

		wp_enqueue_script( self::HANDLE, plugins_url( 'js/connect.js', FILE ), wp_script_is( Client::HANDLE, 'enqueued' ) ? array( Client::HANDLE ) : array(), (string) filemtime( $file ), array( 'in_footer' => true ) );
		Page_Data::before( self::HANDLE, 'wordsocket-connect-data', $config );
	}
}
