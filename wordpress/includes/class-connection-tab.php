<?php
/**
 * The tab that connects.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

namespace WordSocket;

defined( 'ABSPATH' ) || exit;

/**
 * Says whether the site is connected, what failed last, and what to do. Needs no
 * script to be read.
 *
 * @access private
 */
final class Connection_Tab {

	/**
	 * Hands in what the tab tells about.
	 *
	 * @param Config    $config    Relay and site.
	 * @param Publisher $publisher Asks the relay.
	 */
	public function __construct( private Config $config, private Publisher $publisher ) {}

	/** Prints the tab. Asks the relay, so it shows what is and not what was. */
	public function render(): void {
		if ( $this->config->is_configured() ) {
			$this->render_connection();
			$this->render_last_error();
			if ( 'constant' !== $this->config->credential_source() ) {
				Connect_Controls::render_disconnect( 'relay' === $this->config->credential_source() );
			}
		} else {
			$this->render_missing();
		}
	}

	/** What is known of the connection. */
	private function render_connection(): void {
		$stats = $this->publisher->stats();

		if ( is_wp_error( $stats ) ) {
			$code = (string) $stats->get_error_data()['code'];
			self::notice(
				'error',
				/* translators: 1: what the relay or WordPress said, 2: what to do about it. */
				sprintf( __( 'Not connected: %1$s %2$s', 'wordsocket' ), rtrim( $stats->get_error_message(), '.' ) . '.', Notices::describe( $code ) )
			);
		} else {
			if ( Notices::credentials_rejected() ) {
				Notices::clear();
			}
			self::notice(
				'success',
				sprintf(
					$this->about_source(),
					number_format_i18n( $stats['active_connections'] ),
					number_format_i18n( $stats['max_connections'] )
				)
			);
		}
		echo '<table class="form-table" role="presentation">';
		self::row( __( 'Relay', 'wordsocket' ), $this->config->base_url(), '' !== $this->config->fixed_url() );
		self::row( __( 'Site key', 'wordsocket' ), $this->config->site_key(), $this->config->has_constants() );
		$this->render_secrets();
		echo '<tr><th scope="row">' . esc_html__( 'Payloads', 'wordsocket' ) . '</th><td>' . esc_html( $this->about_encryption() ) . '</td></tr>';
		self::render_live();
		echo '</table>';
	}

	/** How the site is connected, with room for two numbers. */
	private function about_source(): string {
		switch ( $this->config->credential_source() ) {
			case 'server':
				/* translators: 1: number of open connections, 2: how many there may be. */
				return __( 'Connected through this server. Open connections: %1$s of %2$s.', 'wordsocket' );
			case 'relay':
				/* translators: 1: number of open connections, 2: how many there may be. */
				return __( 'Connected through a relay. Open connections: %1$s of %2$s.', 'wordsocket' );
			default:
				/* translators: 1: number of open connections, 2: how many there may be. */
				return __( 'Connected by the constants in wp-config.php. Open connections: %1$s of %2$s.', 'wordsocket' );
		}
	}

	/** That there are secrets, where somebody put them by hand; never what they are. */
	private function render_secrets(): void {
		if ( ! $this->config->has_constants() ) {
			return;
		}
		echo '<tr><th scope="row">' . esc_html__( 'Secrets', 'wordsocket' ) . '</th><td>' . esc_html__( 'WPSIGNAL_SITE_SECRET and WPSIGNAL_JWT_SECRET are set in wp-config.php, and not shown.', 'wordsocket' ) . '</td></tr>';
	}

	/** Whether the relay can read what it passes on. */
	private function about_encryption(): string {
		return '' !== $this->config->encryption_key()
			? __( 'Encrypted by AES-256-GCM with a key of this site; the relay cannot read them.', 'wordsocket' )
			: __( 'Not encrypted: AUTH_KEY and SECURE_AUTH_KEY are missing from wp-config.php.', 'wordsocket' );
	}

	/**
	 * Whether this very page is connected, which PHP cannot know: it also takes
	 * the way from the browser to the relay. js/connect.js fills it in.
	 */
	private static function render_live(): void {
		echo '<tr><th scope="row">' . esc_html__( 'This browser', 'wordsocket' ) . '</th><td id="wordsocket-live" role="status">' . esc_html(
			wp_script_is( Client::HANDLE, 'enqueued' )
				? __( 'Connecting', 'wordsocket' )
				: __( 'Not connected: the client is not on this page.', 'wordsocket' )
		) . '</td></tr>';
		Connect_Controls::enqueue();
	}

	/** The last publish that failed, if none succeeded since. */
	private function render_last_error(): void {
		$last = Notices::last();

		if ( null === $last ) {
			return;
		}
		$what = sprintf(
			/* translators: 1: name of an event, 2: how long ago, such as "5 mins", 3: what went wrong, 4: what to do about it. */
			__( 'The last event, %1$s, was not delivered %2$s ago: %3$s %4$s', 'wordsocket' ),
			$last['detail'],
			human_time_diff( $last['time'] ),
			rtrim( $last['message'], '.' ) . '.',
			Notices::describe( $last['code'] )
		);
		$queue = ( new Queue_Notice( $this->config ) )->counts();
		$more  = array(
			__( 'Code', 'wordsocket' )                     => $last['code'],
			__( 'Said', 'wordsocket' )                     => $last['message'],
			__( 'Event', 'wordsocket' )                    => $last['detail'],
			__( 'Time', 'wordsocket' )                     => wp_date( 'c', $last['time'] ),
			__( 'Events that wait', 'wordsocket' )         => (string) $queue['waiting'],
			__( 'Events that were dropped', 'wordsocket' ) => (string) $queue['dropped'],
		);
		$html = '';
		foreach ( $more as $name => $value ) {
			$html .= '<li>' . esc_html( $name ) . ': <code>' . esc_html( $value ) . '</code></li>';
		}
		self::notice_of( 'warning', '<p>' . esc_html( $what ) . '</p><details id="wordsocket-last-error"><summary>' . esc_html__( 'Details', 'wordsocket' ) . '</summary><ul>' . $html . '</ul></details>', false );
	}

	/** How to connect the site. */
	private function render_missing(): void {
		$original = Connection::copied_from() ?: Relay::copied_from(); // phpcs:ignore Universal.Operators.DisallowShortTernary.Found -- the first that is one.
		self::notice(
			'warning',
			'' === $original
				? __( 'Not connected.', 'wordsocket' )
				/* translators: %s: URL of another site. */
				: sprintf( __( 'Not connected: this is a copy of %s, and does not speak in its name. Connect it as a site of its own; the other one is left as it is.', 'wordsocket' ), $original )
		);
		if ( $this->config->has_constants() ) {
			echo '<p>' . esc_html__( 'wp-config.php has WPSIGNAL_SITE_KEY, which goes first. Take it out to connect here, or define these as well, with the values from the site file of the relay:', 'wordsocket' ) . '</p>';
		} else {
			Connect_Controls::render_connect();
			Relay_Controls::render_connect( $this->config->fixed_url() );
			echo '<h2>' . esc_html__( 'By constants', 'wordsocket' ) . '</h2><p>' . esc_html__( 'Where the relay has a site file for this site, define these in wp-config.php, with its values:', 'wordsocket' ) . '</p>';
		}
		echo '<ul class="ul-disc">';
		foreach ( $this->config->missing() as $name ) {
			echo '<li><code>' . esc_html( $name ) . '</code></li>';
		}
		echo '</ul>';
	}

	/**
	 * Prints a notice in the screen itself.
	 *
	 * @param string $type success, warning or error.
	 * @param string $text Plain text.
	 */
	public static function notice( string $type, string $text ): void {
		self::notice_of( $type, esc_html( $text ), true );
	}

	/**
	 * The same with HTML.
	 *
	 * @param string $type success, warning or error.
	 * @param string $html Escaped.
	 * @param bool   $wrap Whether it is one paragraph, still without its tags.
	 */
	private static function notice_of( string $type, string $html, bool $wrap ): void {
		wp_admin_notice(
			$html,
			array(
				'type'               => $type,
				'additional_classes' => array( 'inline' ),
				'paragraph_wrap'     => $wrap,
			)
		);
	}

	/**
	 * Prints a line of the table.
	 *
	 * @param string $name  Left.
	 * @param string $value Right.
	 * @param bool   $fixed Whether a constant says it.
	 */
	private static function row( string $name, string $value, bool $fixed ): void {
		echo '<tr><th scope="row">' . esc_html( $name ) . '</th><td><code>' . esc_html( $value ) . '</code> ' . ( $fixed ? esc_html__( 'set in wp-config.php', 'wordsocket' ) : '' ) . '</td></tr>';
	}
}
