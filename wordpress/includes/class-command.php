<?php
/**
 * WordSocket on the command line.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

namespace WordSocket;

defined( 'ABSPATH' ) || exit;

/**
 * Connects a site to its relay, publishes, listens, and finds out what is wrong.
 *
 * @access private
 */
final class Command {

	/**
	 * Hands in what the commands work with.
	 *
	 * @param Config    $config    Relay and site.
	 * @param Publisher $publisher Sends events.
	 * @param Token     $token     For listening.
	 */
	public function __construct( private Config $config, private Publisher $publisher, private Token $token ) {}

	/**
	 * Says how this site is connected.
	 *
	 * ## OPTIONS
	 *
	 * [--format=<format>]
	 * : How to print it.
	 * ---
	 * default: table
	 * options:
	 *   - table
	 *   - json
	 *   - yaml
	 *   - csv
	 * ---
	 *
	 * ## EXAMPLES
	 *
	 *     wp wordsocket status
	 *     wp wordsocket status --format=json
	 *
	 * @param list<string>          $args    Nothing.
	 * @param array<string, string> $options Format.
	 */
	public function status( $args, $options ): void {
		$stats = $this->config->is_configured() ? $this->publisher->stats() : null;
		$last  = Notices::last();
		$rows  = array(
			'connected'      => is_array( $stats ) ? 'yes' : 'no',
			'through'        => $this->config->credential_source(),
			'relay'          => $this->config->base_url(),
			'site_key'       => $this->config->site_key(),
			'connections'    => is_array( $stats ) ? $stats['active_connections'] . ' of ' . $stats['max_connections'] : '',
			'encrypted'      => '' === $this->config->encryption_key() ? 'no' : 'yes',
			'collaboration'  => Collaboration::summary( $this->config ),
			'events_waiting' => (string) ( new Backlog( $this->config ) )->count(),
			'relay_resting'  => Circuit::is_open() ? 'yes' : 'no',
			'error'          => is_wp_error( $stats ) ? $stats->get_error_message() : ( $last['message'] ?? '' ),
		);
		$items = array();
		foreach ( $rows as $name => $value ) {
			$items[] = array(
				'name'  => $name,
				'value' => $value,
			);
		}
		$format = $options['format'] ?? 'table';
		if ( 'json' === $format ) {
			\WP_CLI::line( (string) wp_json_encode( $rows, JSON_UNESCAPED_SLASHES ) );
		} else {
			\WP_CLI\Utils\format_items( $format, $items, array( 'name', 'value' ) );
		}
		if ( ! is_array( $stats ) ) {
			\WP_CLI::halt( 1 );
		}
	}

	/**
	 * Connects this site through a relay, with an API key of its dashboard.
	 *
	 * The key is read from a file, or from the environment variable
	 * WORDSOCKET_API_KEY, or asked for; never from the command line, where
	 * everybody on the server can read it. A site that its own server can
	 * connect needs none: press Connect in wp-admin.
	 *
	 * ## OPTIONS
	 *
	 * [<url>]
	 * : URL of the relay, such as https://relay.example.org/wordsocket.
	 *
	 * [--key-file=<file>]
	 * : File with the API key; - is the standard input.
	 *
	 * ## EXAMPLES
	 *
	 *     wp wordsocket connect https://relay.example.org/wordsocket --key-file=key.txt
	 *
	 * @param list<string>          $args    URL.
	 * @param array<string, string> $options File.
	 */
	public function connect( $args, $options ): void {
		if ( $this->config->has_constants() ) {
			\WP_CLI::error( 'wp-config.php has WPSIGNAL_SITE_KEY, which goes first. Take it out to connect here.' );
		}
		$url = $this->config->fixed_url();
		$url = '' !== $url ? $url : ( $args[0] ?? '' );
		if ( '' === $url ) {
			\WP_CLI::error( 'Say which relay. Where the web server of this site runs mod_wordsocket itself, open ' . admin_url( 'admin.php?page=wordsocket' ) . ' and press Connect: it hands its keys to a browser of an administrator only.' );
		}
		if ( $this->config->is_configured() ) {
			\WP_CLI::error( Outcome::find( 'error_connected' )[1] );
		}
		$result = ( new Enroll( $this->config ) )->register_at( $url, $this->read_key( $options['key-file'] ?? '' ) );
		if ( is_wp_error( $result ) ) {
			\WP_CLI::error( $result->get_error_message() );
		}
		\WP_CLI::success( 'Connected through ' . $this->config->base_url() . '.' );
	}

	/**
	 * Disconnects this site: its keys are revoked, its sockets closed.
	 *
	 * ## OPTIONS
	 *
	 * [--yes]
	 * : Without asking.
	 *
	 * @param list<string>          $args    Nothing.
	 * @param array<string, string> $options Whether to ask.
	 */
	public function disconnect( $args, $options ): void {
		$source = $this->config->credential_source();
		if ( ! in_array( $source, array( 'server', 'relay' ), true ) ) {
			\WP_CLI::error( 'constant' === $source ? 'The constants in wp-config.php connect this site; take them out.' : 'This site is not connected.' );
		}
		\WP_CLI::confirm( 'Every open page loses its live connection. Disconnect?', $options );
		$result = ( new Enroll( $this->config ) )->part();
		if ( is_wp_error( $result ) ) {
			\WP_CLI::error( $result->get_error_message() );
		}
		\WP_CLI::success( 'Disconnected.' );
	}

	/**
	 * Publishes an event.
	 *
	 * ## OPTIONS
	 *
	 * <channel>
	 * : Such as events.
	 *
	 * <event>
	 * : Such as demo.hello.
	 *
	 * [--data=<json>]
	 * : An object; - reads it from the standard input.
	 *
	 * ## EXAMPLES
	 *
	 *     wp wordsocket publish events demo.hello --data='{"text":"Hello"}'
	 *
	 * @param list<string>          $args    Channel and event.
	 * @param array<string, string> $options Data.
	 */
	public function publish( $args, $options ): void {
		$text = $options['data'] ?? '{}';
		$text = '-' === $text ? (string) stream_get_contents( STDIN ) : $text;
		$data = json_decode( $text, true );
		if ( ! is_array( $data ) || '{' !== ( ltrim( $text )[0] ?? '' ) ) {
			\WP_CLI::error( 'Data is a JSON object, such as {"text":"Hello"}.' );
		}
		$result = $this->publisher->publish( $args[0], $args[1], $data );
		if ( is_wp_error( $result ) ) {
			\WP_CLI::error( $result->get_error_message() . ' ' . Notices::describe( (string) ( $result->get_error_data()['code'] ?? '' ) ) );
		}
		$said = json_decode( wp_remote_retrieve_body( $result ), true );
		\WP_CLI::success( 'Published' . ( isset( $said['id'] ) ? ' as ' . $said['id'] : '' ) . '.' );
	}

	/**
	 * Prints events as they come, decrypted, until it is ended.
	 *
	 * ## OPTIONS
	 *
	 * [<channel>...]
	 * : Which channels; events if none is named.
	 *
	 * [--count=<n>]
	 * : Ends after so many.
	 *
	 * [--since=<id>]
	 * : Begins after this message.
	 *
	 * [--format=<format>]
	 * : A line for people, or an object a line.
	 * ---
	 * default: line
	 * options:
	 *   - line
	 *   - json
	 * ---
	 *
	 * ## EXAMPLES
	 *
	 *     wp wordsocket tail
	 *     wp wordsocket tail events woo:stock --format=json
	 *
	 * @param list<string>          $args    Channels.
	 * @param array<string, string> $options Count, begin, format.
	 */
	public function tail( $args, $options ): void {
		if ( ! $this->config->is_configured() ) {
			\WP_CLI::error( 'This site is not connected.' );
		}
		$left   = (int) ( $options['count'] ?? PHP_INT_MAX );
		$json   = 'json' === ( $options['format'] ?? 'line' );
		$listen = new Listener( $this->config, $this->token, array() === $args ? array( Channels::EVENTS ) : $args, $options['since'] ?? '' );
		foreach ( $listen->messages() as $message ) {
			if ( isset( $message['end'] ) ) {
				\WP_CLI::error( $message['end'] );
			}
			if ( isset( $message['note'] ) ) {
				\WP_CLI::warning( $message['note'] );
				continue;
			}
			\WP_CLI::line( $json ? (string) wp_json_encode( $message, JSON_UNESCAPED_SLASHES ) : Listener::line( $message ) );
			if ( --$left <= 0 ) {
				return;
			}
		}
	}

	/**
	 * Looks for what keeps this site from being live, and says what to do.
	 *
	 * ## OPTIONS
	 *
	 * [--format=<format>]
	 * : How to print it.
	 * ---
	 * default: table
	 * options:
	 *   - table
	 *   - json
	 *   - yaml
	 * ---
	 *
	 * ## EXAMPLES
	 *
	 *     wp wordsocket doctor
	 *
	 * @param list<string>          $args    Nothing.
	 * @param array<string, string> $options Format.
	 */
	public function doctor( $args, $options ): void {
		$found = ( new Doctor( $this->config, $this->publisher, $this->token ) )->examine();
		\WP_CLI\Utils\format_items( $options['format'] ?? 'table', $found, array( 'check', 'status', 'message' ) );
		if ( in_array( Doctor::BAD, array_column( $found, 'status' ), true ) ) {
			\WP_CLI::halt( 1 );
		}
	}

	/**
	 * The API key, from wherever nobody looks on.
	 *
	 * @param string $file Name; empty if none was given.
	 */
	private function read_key( string $file ): string {
		if ( '' !== $file ) {
			$key = '-' === $file ? stream_get_contents( STDIN ) : @file_get_contents( $file ); // phpcs:ignore WordPress.PHP.NoSilencedErrors.Discouraged, WordPress.WP.AlternativeFunctions, Generic.PHP.ForbiddenFunctions -- a local file, and its absence is told below.
		} else {
			$key = getenv( 'WORDSOCKET_API_KEY' );
			$key = false === $key || '' === $key ? \cli\prompt( 'API key', false, ': ', true ) : $key;
		}
		if ( ! is_string( $key ) || '' === trim( $key ) ) {
			\WP_CLI::error( 'There is no API key. It is on the dashboard of the relay.' );
		}
		return trim( (string) $key );
	}
}
