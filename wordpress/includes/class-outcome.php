<?php
/**
 * What came of connecting through a relay, for people.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

namespace WordSocket;

defined( 'ABSPATH' ) || exit;

/**
 * A name for every outcome, and a sentence that says what to do. The name goes
 * through the address of the screen, so that a link can choose among these
 * sentences but bring no words of its own. What a relay said goes through the
 * database, and is shown once, to whom it was said.
 *
 * @access private
 */
final class Outcome {

	/** In the address of the screen. */
	public const PARAMETER = 'wps_notice';

	private const SAID_CHARS = 200;
	private const SAID_S     = 300;

	/** Outcomes of codes that relays say, beside error_denied for all others. */
	private const OF_CODES = array(
		'unreachable'       => 'error_unreachable',
		'no_relay'          => 'error_no_relay',
		'http_404'          => 'error_no_relay',
		'http_405'          => 'error_no_relay',
		'invalid_code'      => 'error_exchange',
		'expired_code'      => 'error_expired',
		'incomplete_answer' => 'error_data',
		'invalid_api_key'   => 'error_api_key',
		'unavailable'       => 'error_busy',
	);

	/** Outcomes to which the words of a relay, or of WordPress, add something. */
	private const QUOTED = array( 'error_denied', 'error_busy', 'error_unreachable', 'error_no_relay' );

	/**
	 * Kind and text of an outcome.
	 *
	 * @param string $name As in the address.
	 * @return array{0: string, 1: string}|null Kind for wp_admin_notice(), text; null if there is no such.
	 */
	public static function find( string $name ): ?array {
		switch ( $name ) {
			case 'connected':
				return array( 'success', __( 'Done: this site is connected. Pages that are open go live when they are loaded again.', 'wordsocket' ) );
			case 'disconnected':
				return array( 'success', __( 'Disconnected. The relay closed all connections of this site.', 'wordsocket' ) );
			case 'cancelled':
				return array( 'info', __( 'Cancelled at the relay. Nothing was changed.', 'wordsocket' ) );
		}
		$text = self::error( $name );
		return '' === $text ? null : array( 'error', $text );
	}

	/**
	 * What a failure is called.
	 *
	 * @param string $code The relay's own, or one of ours.
	 */
	public static function of_code( string $code ): string {
		return self::OF_CODES[ $code ] ?? ( preg_match( '/^http_5/', $code ) ? 'error_busy' : 'error_denied' );
	}

	/**
	 * Text of a failure, with the relay's words.
	 *
	 * @param \WP_Error $error Of Relay.
	 */
	public static function explain( \WP_Error $error ): string {
		$name = self::of_code( $error->get_error_data()['code'] );
		return trim( self::error( $name ) . ' ' . ( in_array( $name, self::QUOTED, true ) ? self::quote( $error->get_error_message() ) : '' ) );
	}

	/**
	 * The screen, showing an outcome.
	 *
	 * @param string $name One of the above.
	 */
	public static function url( string $name ): string {
		return admin_url( 'admin.php?page=' . Settings_Page::SLUG . '&' . self::PARAMETER . '=' . $name );
	}

	/**
	 * The same, with words of the relay.
	 *
	 * @param string $name One of the above.
	 * @param int    $user Who is to see them.
	 * @param string $said Anything.
	 */
	public static function url_saying( string $name, int $user, string $said ): string {
		$said = mb_substr( wp_strip_all_tags( $said, true ), 0, self::SAID_CHARS );
		if ( '' !== $said && in_array( $name, self::QUOTED, true ) ) {
			set_transient( Options::SAID, compact( 'name', 'user', 'said' ), self::SAID_S );
		}
		return self::url( $name );
	}

	/** Prints what the address of the screen says came of it. */
	public static function render(): void {
		// phpcs:ignore WordPress.Security.NonceVerification.Recommended -- chooses a sentence.
		$name    = sanitize_key( wp_unslash( $_GET[ self::PARAMETER ] ?? '' ) );
		$outcome = self::find( $name );
		if ( null === $outcome ) {
			return;
		}
		$said = get_transient( Options::SAID );
		if ( is_array( $said ) && $name === $said['name'] && get_current_user_id() === $said['user'] ) {
			delete_transient( Options::SAID );
			$outcome[1] .= ' ' . self::quote( $said['said'] );
		}
		wp_admin_notice(
			esc_html( $outcome[1] ),
			array(
				'type'               => $outcome[0],
				'id'                 => 'wordsocket-outcome',
				'additional_classes' => array( 'inline' ),
			)
		);
	}

	/**
	 * Has WordPress take the outcome out of the address once it was shown.
	 *
	 * @param list<string> $names Of parameters.
	 * @return list<string>
	 */
	public static function removable( array $names ): array {
		$names[] = self::PARAMETER;
		return $names;
	}

	/**
	 * Words that are not ours.
	 *
	 * @param string $said Of a relay, or of WordPress.
	 */
	private static function quote( string $said ): string {
		/* translators: %s: an error message. */
		return '' === $said ? '' : sprintf( __( 'It was said: %s', 'wordsocket' ), mb_substr( wp_strip_all_tags( $said, true ), 0, self::SAID_CHARS ) );
	}

	/**
	 * Text of an error; empty if there is no such.
	 *
	 * @param string $name One of the above.
	 */
	private static function error( string $name ): string {
		switch ( $name ) {
			case 'error_denied':
				return __( 'The relay refused, and nothing was changed. Its dashboard or whoever runs it can say more.', 'wordsocket' );
			case 'error_state':
				return __( 'This answer of a relay belongs to no request that is open here: it was used already, or the request is older than ten minutes or a newer one took its place. Nothing was changed. If the site is not connected, press the button again.', 'wordsocket' );
			case 'error_user':
				return __( 'Another administrator began this connection, so it is not for you to finish. Nothing was changed. To connect, press the button yourself.', 'wordsocket' );
			case 'error_code':
				return __( 'The relay approved but sent no code. Nothing was changed. Press the button again; if it happens again, the relay or something before it is broken.', 'wordsocket' );
			case 'error_exchange':
				return __( 'The relay does not take this code: it was used already, or a newer approval took its place. Nothing was changed. Press the button again; if nobody here used the code, look in the dashboard of the relay for who did.', 'wordsocket' );
			case 'error_expired':
				return __( 'The approval took more than a minute to get back here, and is void. Nothing was changed. Press the button again.', 'wordsocket' );
			case 'error_data':
				return __( 'The relay answered without credentials. Nothing was changed. Check the server URL; if it is right, the relay or something before it is broken.', 'wordsocket' );
			case 'error_unreachable':
				return __( 'The relay did not answer. Nothing was changed. Check the server URL, and that the relay is up and this server may connect to it.', 'wordsocket' );
			case 'error_no_relay':
				return __( 'There is no relay for other sites at this server URL. It is the address of the dashboard without "/dashboard", and often ends in "/wordsocket"; the virtual host there needs WordSocketRegistry.', 'wordsocket' );
			case 'error_busy':
				return __( 'The relay cannot do this now. Nothing was changed. Try again in a moment; if it goes on, whoever runs the relay finds the reason in the log of its web server.', 'wordsocket' );
			case 'error_api_key':
				return __( 'The relay does not know this API key. Its dashboard makes one of 64 characters; making a new one voids the one before.', 'wordsocket' );
			case 'error_masked_key':
				return __( 'An API key is used once and not kept, so there is none to use again. Enter the whole key; the dashboard of the relay has it.', 'wordsocket' );
			case 'error_url':
				return __( 'This is not the URL of a relay. It looks like https://relay.example.org/wordsocket; without https only a relay on this very machine will do.', 'wordsocket' );
			case 'error_https':
				return __( 'One click needs https on this site, or the code could be read on its way. Give the site a certificate, or connect by API key.', 'wordsocket' );
			case 'error_origin':
				return __( 'wp-admin and the pages of this site have different hosts, and a relay sends its code to no other host than that of the pages. Connect by API key.', 'wordsocket' );
			case 'error_constants':
				return __( 'The constants in wp-config.php go first. Take WPSIGNAL_SITE_KEY, WPSIGNAL_SITE_SECRET and WPSIGNAL_JWT_SECRET out of it to connect here.', 'wordsocket' );
			case 'error_connected':
				return __( 'This site is connected already. Disconnect it first.', 'wordsocket' );
			default:
				return '';
		}
	}
}
