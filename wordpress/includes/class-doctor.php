<?php
/**
 * Finds out what keeps a site from being live.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

namespace WordSocket;

defined( 'ABSPATH' ) || exit;

/**
 * What Site Health looks at, and what only the command line has the time for.
 *
 * @access private
 */
final class Doctor {

	public const GOOD = 'good';
	public const WARN = 'recommended';
	public const BAD  = 'critical';

	private const TIMEOUT_S = 5;

	/** In a handshake: 16 bytes in base64. */
	private const WEBSOCKET_KEY = 'd29yZHNvY2tldC1kb2N0bw==';

	/**
	 * Hands in what is looked at.
	 *
	 * @param Config    $config    Relay and site.
	 * @param Publisher $publisher Asks the relay.
	 * @param Token     $token     For a connection of its own.
	 */
	public function __construct( private Config $config, private Publisher $publisher, private Token $token ) {}

	/**
	 * Everything, in the order in which one thing needs the other.
	 *
	 * @return list<array{check: string, status: string, message: string}>
	 */
	public function examine(): array {
		$health = new Site_Health( $this->config, $this->publisher );
		$found  = array(
			$this->constants(),
			self::found( 'builds', self::BAD, Surroundings::other_builds(), 'No other build of the plugin is active.' ),
			self::of_health( 'plugin', $health->test_ready() ),
			self::of_health( 'relay', $health->test_relay() ),
		);
		if ( $this->config->is_configured() ) {
			$found[] = $this->websocket();
			$found[] = $this->stream();
		}
		$found[] = $this->collaboration();
		$found[] = $this->queue();
		$found[] = $this->cron();
		$found[] = self::found( 'cache', self::WARN, Surroundings::cache_trouble(), wp_using_ext_object_cache() ? 'The persistent object cache keeps what it is given.' : 'There is no persistent object cache; none is needed.' );
		return $found;
	}

	/** Whether wp-config.php contradicts itself. */
	private function constants(): array {
		$missing = $this->config->has_constants() ? $this->config->missing() : array();
		$copy    = Connection::copied_from() ?: Relay::copied_from(); // phpcs:ignore Universal.Operators.DisallowShortTernary.Found -- the first that is one.
		if ( array() !== $missing ) {
			return self::say( 'settings', self::BAD, 'wp-config.php has WPSIGNAL_SITE_KEY, but not ' . implode( ', ', $missing ) . '.' );
		}
		if ( '' !== $copy ) {
			return self::say( 'settings', self::BAD, "This is a copy of $copy, and does not speak in its name. Connect it as a site of its own." );
		}
		return self::say( 'settings', self::GOOD, 'Through: ' . $this->config->credential_source() . '.' );
	}

	/** Whether a WebSocket opens. */
	private function websocket(): array {
		$answer = $this->ask( '/ws', "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " . self::WEBSOCKET_KEY . "\r\n" );
		if ( null === $answer ) {
			return self::say( 'websocket', self::BAD, 'The relay could not be reached from here.' );
		}
		if ( preg_match( '#^HTTP/1\.1 101 #', $answer ) ) {
			return self::say( 'websocket', self::GOOD, 'A WebSocket opens.' );
		}
		return self::say( 'websocket', self::WARN, 'No WebSocket opens (' . strtok( $answer, "\r\n" ) . '): what stands in front of the relay does not let it pass. Pages use an event stream instead.' );
	}

	/** Whether an event stream begins at once. */
	private function stream(): array {
		$answer = $this->ask( '/sse', "Accept: text/event-stream\r\n", "\n\n" );
		if ( null !== $answer && str_contains( $answer, 'text/event-stream' ) && preg_match( '/^id:/m', $answer ) ) {
			return self::say( 'stream', self::GOOD, 'An event stream begins at once.' );
		}
		if ( null !== $answer && str_contains( $answer, 'text/event-stream' ) ) {
			return self::say( 'stream', self::WARN, 'An event stream opens, and nothing of it comes: what stands in front of the relay holds answers back. Turn its buffering off for this path. Pages poll instead.' );
		}
		return self::say( 'stream', self::BAD, 'No event stream opens' . ( null === $answer ? '.' : ' (' . strtok( $answer, "\r\n" ) . ').' ) );
	}

	/** Whether editors work together, if they are to. */
	private function collaboration(): array {
		$remedies = array(
			Collaboration::SUPPORT_NONE           => 'It takes WordPress 7.0 or later, or the Gutenberg plugin with real-time collaboration switched on.',
			Collaboration::SUPPORT_EXPERIMENT_OFF => 'Switch on real-time collaboration in Settings, Gutenberg, Experiments.',
			'not-connected'                       => 'Connect the site.',
			'no-key'                              => 'Define AUTH_KEY and SECURE_AUTH_KEY in wp-config.php, or switch the encryption off in the settings of WordSocket.',
		);
		$remedy   = $this->config->yjs_provider_enabled() ? $remedies[ Collaboration::off_because( $this->config ) ] ?? '' : '';
		return self::say( 'collaboration', '' === $remedy ? self::GOOD : self::WARN, trim( 'Editing together is ' . Collaboration::summary( $this->config ) . '. ' . $remedy ) );
	}

	/** Whether events wait. */
	private function queue(): array {
		$count = ( new Backlog( $this->config ) )->count();
		return 0 === $count
			? self::say( 'queue', self::GOOD, 'No event waits.' )
			: self::say( 'queue', self::WARN, "$count events wait for the relay; they go with a next request." );
	}

	/** Whether anything depends on cron. */
	private function cron(): array {
		return defined( 'DISABLE_WP_CRON' ) && DISABLE_WP_CRON
			? self::say( 'cron', self::GOOD, 'DISABLE_WP_CRON is set: what waits goes with the next page instead.' )
			: self::say( 'cron', self::GOOD, 'WP-Cron sends what waits, if no page does before.' );
	}

	/**
	 * The beginning of an answer, as it comes from the wire.
	 *
	 * @param string $path    Below the base.
	 * @param string $headers Lines.
	 * @param string $until   How far to read after the head; empty is no further.
	 * @return string|null Null if there is none.
	 */
	private function ask( string $path, string $headers, string $until = '' ): ?string {
		$url    = (array) wp_parse_url( $this->config->base_url() );
		$secure = 'https' === ( $url['scheme'] ?? '' );
		$port   = $url['port'] ?? ( $secure ? 443 : 80 );
		$host   = (string) ( $url['host'] ?? '' );
		$socket = @stream_socket_client( ( $secure ? 'tls' : 'tcp' ) . "://$host:$port", $code, $text, self::TIMEOUT_S ); // phpcs:ignore WordPress.PHP.NoSilencedErrors.Discouraged -- its failure is looked at.
		if ( false === $socket ) {
			return null;
		}
		stream_set_timeout( $socket, self::TIMEOUT_S );
		$query = http_build_query(
			array(
				'token'    => $this->token->observer(),
				'channels' => Channels::EVENTS,
			)
		);
		fwrite( $socket, 'GET ' . ( $url['path'] ?? '' ) . "$path?$query HTTP/1.1\r\nHost: $host:$port\r\n$headers\r\n" ); // phpcs:ignore WordPress.WP.AlternativeFunctions -- a socket.
		$answer = '';
		$end    = microtime( true ) + self::TIMEOUT_S;
		do {
			$more    = fread( $socket, 8192 ); // phpcs:ignore WordPress.WP.AlternativeFunctions -- a socket.
			$answer .= (string) $more;
			$head    = strpos( $answer, "\r\n\r\n" );
			$length  = strlen( $answer );
			$done    = false !== $head && ( '' === $until || ! str_contains( $answer, 'text/event-stream' ) || false !== strpos( str_replace( "\r\n", "\n", substr( $answer, $head + 4 ) ), $until ) );
		} while ( ! $done && '' !== $more && false !== $more && $length < 65536 && microtime( true ) < $end );
		fclose( $socket ); // phpcs:ignore WordPress.WP.AlternativeFunctions -- a socket.
		return '' === $answer ? null : $answer;
	}

	/**
	 * A result of Site Health as one of ours.
	 *
	 * @param string               $check  Its name.
	 * @param array<string, mixed> $result As WordPress has it.
	 */
	private static function of_health( string $check, array $result ): array {
		return self::say( $check, (string) $result['status'], trim( wp_strip_all_tags( html_entity_decode( (string) $result['description'], ENT_QUOTES, 'UTF-8' ) ) ) );
	}

	/**
	 * What was found, or that nothing was.
	 *
	 * @param string $check   Its name.
	 * @param string $status  If something is wrong.
	 * @param string $trouble Empty if nothing is.
	 * @param string $well    What to say then.
	 */
	private static function found( string $check, string $status, string $trouble, string $well ): array {
		return '' === $trouble ? self::say( $check, self::GOOD, $well ) : self::say( $check, $status, $trouble );
	}

	/**
	 * One result.
	 *
	 * @param string $check   Its name.
	 * @param string $status  One of the above.
	 * @param string $message What there is to say, and to do.
	 */
	private static function say( string $check, string $status, string $message ): array {
		return compact( 'check', 'status', 'message' );
	}
}
