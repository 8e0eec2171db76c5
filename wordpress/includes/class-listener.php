<?php
/**
 * Hears events in PHP.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

namespace WordSocket;

defined( 'ABSPATH' ) || exit;

/**
 * An event stream that comes back by itself and resumes where it was; polling
 * where streams do not pass. For the command line: it holds its process.
 *
 * @access private
 */
final class Listener {

	private const SILENCE_S = 60;
	private const LINE      = 4 * MB_IN_BYTES;
	private const PAUSE_S   = 2;

	/**
	 * Hands in what to listen to.
	 *
	 * @param Config       $config   Relay and keys.
	 * @param Token        $token    Mints.
	 * @param list<string> $channels Names within the site.
	 * @param string       $since    Id of the last message that is known; empty from now on.
	 */
	public function __construct( private Config $config, private Token $token, private array $channels, private string $since = '' ) {}

	/**
	 * Everything that comes: id, channel, event and data of a message, or a note
	 * for whoever looks on. Ends only if its reader does, or without a relay.
	 *
	 * @return \Generator<int, array<string, mixed>>
	 */
	public function messages(): \Generator {
		$refused = 0;
		while ( true ) {
			$begun = time();
			$came  = false;
			foreach ( $this->stream() as $message ) {
				$came = true;
				yield $message;
			}
			$refused = $came || time() - $begun > self::PAUSE_S ? 0 : $refused + 1;
			if ( 3 === $refused ) {
				yield array( 'note' => 'No event stream gets through; asking every few seconds instead.' );
			}
			if ( $refused >= 3 ) {
				$wait = self::PAUSE_S;
				foreach ( $this->poll( $wait ) as $message ) {
					yield $message;
				}
				sleep( $wait );
			} else {
				sleep( 1 );
			}
		}
	}

	/**
	 * One stream, to its end.
	 *
	 * @return \Generator<int, array<string, mixed>>
	 */
	private function stream(): \Generator {
		$context = stream_context_create(
			array(
				'http' => array(
					'header'        => 'Accept: text/event-stream' . ( '' === $this->since ? '' : "\r\nLast-Event-ID: $this->since" ),
					'timeout'       => self::SILENCE_S,
					'ignore_errors' => true,
				),
			)
		);
		// WordPress has no HTTP function that hands over an answer as it comes.
		$stream = @fopen( $this->url( '/sse' ), 'r', false, $context ); // phpcs:ignore WordPress.PHP.NoSilencedErrors.Discouraged, WordPress.WP.AlternativeFunctions, Generic.PHP.ForbiddenFunctions -- its failure is looked at.
		if ( false === $stream ) {
			return;
		}
		$event = array();
		while ( is_string( $line = fgets( $stream, self::LINE ) ) ) { // phpcs:ignore Generic.CodeAnalysis.AssignmentInCondition, WordPress.CodeAnalysis.AssignmentInCondition -- a loop over lines.
			$line = rtrim( $line, "\r\n" );
			if ( '' !== $line ) {
				list( $name, $value ) = explode( ':', $line, 2 ) + array( '', '' );
				$event[ $name ]       = ( isset( $event[ $name ] ) && 'data' === $name ? $event[ $name ] . "\n" : '' ) . ( str_starts_with( $value, ' ' ) ? substr( $value, 1 ) : $value );
				continue;
			}
			$message = $this->message( $event['event'] ?? '', $event['data'] ?? '', $event['id'] ?? '' );
			$event   = array();
			if ( null !== $message ) {
				yield $message;
			}
		}
		fclose( $stream ); // phpcs:ignore WordPress.WP.AlternativeFunctions -- see above.
	}

	/**
	 * What came since the last time.
	 *
	 * @param int $wait Set to the seconds until the next time.
	 * @return \Generator<int, array<string, mixed>>
	 */
	private function poll( int &$wait ): \Generator {
		$answer = wp_remote_get( $this->url( '/poll' ), array( 'timeout' => 10 ) );
		$said   = is_wp_error( $answer ) ? null : json_decode( wp_remote_retrieve_body( $answer ), true );
		if ( ! is_array( $said ) || ! is_array( $said['messages'] ?? null ) ) {
			return;
		}
		$wait = max( 1, (int) ceil( (int) ( $said['retry'] ?? 0 ) / 1000 ) );
		foreach ( $said['messages'] as $message ) {
			$read = $this->message( 'gap' === ( $message['type'] ?? '' ) ? 'wps.gap' : '', (string) wp_json_encode( $message ), (string) ( $message['id'] ?? '' ) );
			if ( null !== $read ) {
				yield $read;
			}
		}
		$this->since = (string) ( $said['cursor'] ?? $this->since );
	}

	/**
	 * One event of a stream, read and decrypted; null if it is none for a reader.
	 *
	 * @param string $name Of the event; messages have none.
	 * @param string $data Its data.
	 * @param string $id   Its id.
	 * @return array<string, mixed>|null
	 */
	private function message( string $name, string $data, string $id ): ?array {
		if ( '' !== $id ) {
			$this->since = $id;
		}
		if ( 'wps.gap' === $name ) {
			return array( 'note' => 'Messages are missing here: the relay does not have them any more.' );
		}
		// As objects, so that {} stays what it is.
		$said = '' === $name ? json_decode( $data ) : null;
		if ( ! is_object( $said ) || ! isset( $said->channel, $said->event ) ) {
			return null;
		}
		$text  = Envelope::EVENT === $said->event ? Envelope::open( (array) ( $said->data ?? null ), $this->config->encryption_key() ) : null;
		$inner = null === $text ? $said : json_decode( $text );
		return array(
			'id'      => '' !== $id ? $id : (string) ( $said->id ?? '' ),
			'channel' => $said->channel,
			'event'   => $inner->event ?? '',
			'data'    => $inner->data ?? null,
		);
	}

	/**
	 * Address of a way to listen, with a new token.
	 *
	 * @param string $path /sse or /poll.
	 */
	private function url( string $path ): string {
		$query = array(
			'token'    => $this->token->observer(),
			'channels' => implode( ',', $this->channels ),
		);
		if ( '' !== $this->since ) {
			$query['since'] = $this->since;
		}
		return $this->config->base_url() . $path . '?' . http_build_query( $query );
	}
}
