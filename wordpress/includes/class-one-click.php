<?php
/**
 * One-click connect through the dashboard of a relay on another server.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

namespace WordSocket;

defined( 'ABSPATH' ) || exit;

/**
 * Three requests of the administrator's browser. The first leaves for the relay
 * with a state. The relay has the browser post that state and a code to the
 * second; coming from elsewhere it bears no login, so the code is only put aside,
 * and the browser is sent on to the third. That one is again this site's own: it
 * knows who asks, and exchanges the code if it is who began.
 *
 * @access private
 */
final class One_Click {

	/** Leaves for the relay. */
	public const START = 'wpsignal_oauth_start';

	/** Where the relay answers to. */
	public const CALLBACK = 'wpsignal_oauth_callback';

	/** Exchanges the code. */
	public const FINISH = 'wordsocket_oauth_finish';

	private const STATE_BYTES = 32;
	private const STATE_S     = 600;
	private const CODE_S      = 120;

	/**
	 * Hands in whether the site is connected.
	 *
	 * @param Config $config Relay and site.
	 */
	public function __construct( private Config $config ) {}

	/** Adds the actions to admin-post.php. */
	public function register(): void {
		add_action( 'admin_post_' . self::START, array( $this, 'handle_start' ) );
		add_action( 'admin_post_' . self::CALLBACK, array( $this, 'handle_callback' ) );
		add_action( 'admin_post_nopriv_' . self::CALLBACK, array( $this, 'handle_callback' ) );
		add_action( 'admin_post_' . self::FINISH, array( $this, 'handle_finish' ) );
		add_action( 'admin_post_nopriv_' . self::FINISH, 'auth_redirect' );
	}

	/**
	 * What keeps one click from working on this site.
	 *
	 * @return string Name of an Outcome; empty if nothing does.
	 */
	public static function hindrance(): string {
		$home = Connection::home();

		if ( ! Relay_Url::is_private( $home ) ) {
			return 'error_https';
		}
		return Relay_Url::origin( $home ) === Relay_Url::origin( admin_url() ) ? '' : 'error_origin';
	}

	/** The button was pressed. */
	public function handle_start(): void {
		self::check_capability();
		check_admin_referer( self::START );
		$typed = sanitize_text_field( wp_unslash( $_POST['relay_url'] ?? '' ) );
		$to    = $this->start( $typed );
		$host  = wp_parse_url( $to, PHP_URL_HOST );
		add_filter( 'allowed_redirect_hosts', static fn( array $hosts ): array => array( ...$hosts, $host ) );
		self::leave( $to );
	}

	/** The relay answered. Its only proof is the state. */
	public function handle_callback(): void {
		// phpcs:disable WordPress.Security.NonceVerification -- no nonce could come from elsewhere; the state is what proves.
		$text = static fn( array $from, string $name ): string => is_string( $from[ $name ] ?? null ) ? sanitize_text_field( wp_unslash( $from[ $name ] ) ) : '';
		if ( isset( $_POST['wps_state'] ) ) {
			self::leave( $this->approved( $text( $_POST, 'wps_state' ), $text( $_POST, 'wps_code' ) ) );
		}
		self::leave( $this->declined( $text( $_GET, 'wps_state' ), $text( $_GET, 'wps_error' ), $text( $_GET, 'wps_message' ) ) );
		// phpcs:enable
	}

	/** The browser is back with its login. */
	public function handle_finish(): void {
		self::check_capability();
		self::leave( $this->finish( get_current_user_id() ) );
	}

	/**
	 * Remembers what is asked for.
	 *
	 * @param string $typed The server URL.
	 * @return string Where the browser goes: the relay's page, or our own screen.
	 */
	public function start( string $typed ): string {
		$wrong = $this->taken() ?: self::hindrance(); // phpcs:ignore Universal.Operators.DisallowShortTernary.Found -- the first that is set.
		$url   = $this->config->fixed_url() ?: Relay_Url::clean( $typed ); // phpcs:ignore Universal.Operators.DisallowShortTernary.Found -- as above.
		if ( '' !== $wrong || '' === $url ) {
			return Outcome::url( '' !== $wrong ? $wrong : 'error_url' );
		}
		update_option( Options::RELAY_URL, $url, false );
		$there = Relay::reach( $url );
		if ( is_wp_error( $there ) ) {
			return Outcome::url_saying( Outcome::of_code( $there->get_error_data()['code'] ), get_current_user_id(), $there->get_error_message() );
		}
		$state = bin2hex( random_bytes( self::STATE_BYTES ) );
		set_transient(
			Options::STATE,
			array(
				'hash' => hash( 'sha256', $state ),
				'user' => get_current_user_id(),
				'url'  => $url,
			),
			self::STATE_S
		);
		return Relay::connect_url( $url ) . '?' . http_build_query(
			array(
				'state'        => $state,
				// With the state, so that a refusal, which is a mere redirect, has it as well.
				'callback_url' => admin_url( 'admin-post.php?action=' . self::CALLBACK . "&wps_state=$state" ),
				'site_url'     => Connection::home(),
				'site_name'    => Relay::name(),
			),
			'',
			'&',
			PHP_QUERY_RFC3986
		);
	}

	/**
	 * Puts the code aside until the browser is there with its login.
	 *
	 * @param string $state As the relay has it.
	 * @param string $code  To be exchanged.
	 * @return string Where the browser goes.
	 */
	public function approved( string $state, string $code ): string {
		$asked = self::take_state( $state );
		if ( null === $asked ) {
			return Outcome::url( 'error_state' );
		}
		if ( ! preg_match( '/^[\x21-\x7e]{1,512}$/D', $code ) ) {
			return Outcome::url( 'error_code' );
		}
		set_transient( Options::CODE, array( 'code' => $code ) + $asked, self::CODE_S );
		return admin_url( 'admin-post.php?action=' . self::FINISH );
	}

	/**
	 * The relay did not approve.
	 *
	 * @param string $state   As the relay has it.
	 * @param string $error   Its code.
	 * @param string $message Its words.
	 * @return string Where the browser goes.
	 */
	public function declined( string $state, string $error, string $message ): string {
		$asked = '' === $error ? null : self::take_state( $state );
		if ( null === $asked ) {
			return Outcome::url( 'error_state' );
		}
		if ( 'cancelled' === $error ) {
			return Outcome::url( 'cancelled' );
		}
		return Outcome::url_saying( Outcome::of_code( sanitize_key( $error ) ), $asked['user'], '' !== $message ? $message : $error );
	}

	/**
	 * Exchanges the code that was put aside.
	 *
	 * @param int $user Who asks.
	 * @return string Where the browser goes.
	 */
	public function finish( int $user ): string {
		$asked = get_transient( Options::CODE );
		if ( ! is_array( $asked ) || ! is_string( $asked['code'] ?? null ) ) {
			return Outcome::url( 'error_state' );
		}
		if ( $user !== $asked['user'] ) {
			return Outcome::url( 'error_user' );
		}
		// Of two requests at once one has deleted it.
		if ( ! delete_transient( Options::CODE ) ) {
			return Outcome::url( 'error_state' );
		}
		$taken = $this->taken();
		if ( '' !== $taken ) {
			return Outcome::url( $taken );
		}
		$done = Relay::exchange( $asked['url'], $asked['code'] );
		return is_wp_error( $done )
			? Outcome::url_saying( Outcome::of_code( $done->get_error_data()['code'] ), $user, $done->get_error_message() )
			: Outcome::url( 'connected' );
	}

	/** Why there is nothing to connect; empty if there is. */
	private function taken(): string {
		if ( $this->config->has_constants() ) {
			return 'error_constants';
		}
		return $this->config->is_configured() ? 'error_connected' : '';
	}

	/**
	 * What was asked for with this state, once. A wrong state takes nothing away:
	 * anybody can send one.
	 *
	 * @param string $state As given.
	 * @return array{user: int, url: string}|null
	 */
	private static function take_state( string $state ): ?array {
		$asked = get_transient( Options::STATE );

		if ( ! is_array( $asked ) || ! is_string( $asked['hash'] ?? null )
			|| ! hash_equals( $asked['hash'], hash( 'sha256', $state ) )
			|| ! delete_transient( Options::STATE ) ) {
			return null;
		}
		return array(
			'user' => (int) $asked['user'],
			'url'  => (string) $asked['url'],
		);
	}

	/** Ends the request of somebody who may not. */
	private static function check_capability(): void {
		if ( ! current_user_can( 'manage_options' ) ) {
			wp_die( esc_html__( 'You are not allowed to connect this site.', 'wordsocket' ), '', array( 'response' => 403 ) );
		}
	}

	/**
	 * Sends the browser on. By 303: what was a POST becomes a GET, and the login
	 * goes with it.
	 *
	 * @param string $to Where.
	 * @return never
	 */
	private static function leave( string $to ): void {
		nocache_headers();
		wp_safe_redirect( $to, 303 );
		exit;
	}
}
