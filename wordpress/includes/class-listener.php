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
	private const ANSWER    = 4 * MB_IN_BYTES;
	private const REFUSAL   = 4096;
	private const PAUSE_S   = 2;

	/** What no later try can put right: names of channels that nobody may hear. */
	private const FINAL = array( 400, 403 );

	/** What a terminal would obey, or show in another order than it is in. */
	private const UNSEEN = '/[\x{00}-\x{1f}\x{7f}-\x{9f}\x{200e}\x{200f}\x{2028}-\x{202e}\x{2066}-\x{2069}]/u';

	/**
	 * The refusal that was told last.
	 *
	 * @var string
	 */
	private string $told = '';

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
	 * for whoever looks on. Ends only if its reader does, or after "end", which
	 * says what the relay will never do.
	 *
	 * @return \Generator<int, array<string, mixed>>
	 */
	public function messages(): \Generator {
		$refused = 0;
		while ( true ) {
			$begun = time();
			$came  = false;
			foreach ( $this->stream() as $message ) {
				$came = ! isset( $message['note'] );
				yield $message;
				if ( isset( $message['end'] ) ) {
					return;
				}
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
					'header'          => 'Accept: text/event-stream' . ( '' === $this->since ? '' : "\r\nLast-Event-ID: $this->since" ),
					'timeout'         => self::SILENCE_S,
					'ignore_errors'   => true,
					// The address has a token in it, which is for nobody else.
					'follow_location' => 0,
				),
			)
		);
		// WordPress has no HTTP function that hands over an answer as it comes.
		$stream = @fopen( $this->url( '/sse' ), 'r', false, $context ); // phpcs:ignore WordPress.PHP.NoSilencedErrors.Discouraged, WordPress.WP.AlternativeFunctions, Generic.PHP.ForbiddenFunctions -- its failure is looked at.
		if ( false === $stream ) {
			return;
		}
		$status = self::status( $stream );
		if ( 200 !== $status ) {
			yield from $this->refusal( $status, (string) fread( $stream, self::REFUSAL ) ); // phpcs:ignore WordPress.WP.AlternativeFunctions -- see above.
			fclose( $stream ); // phpcs:ignore WordPress.WP.AlternativeFunctions -- see above.
			return;
		}
		$this->told = '';
		$event      = array();
		while ( is_string( $line = fgets( $stream, self::LINE ) ) ) { // phpcs:ignore Generic.CodeAnalysis.AssignmentInCondition, WordPress.CodeAnalysis.AssignmentInCondition -- a loop over lines.
			$line = rtrim( $line, "\r\n" );
			if ( '' !== $line ) {
				list( $name, $value ) = explode( ':', $line, 2 ) + array( '', '' );
				$event[ $name ]       = ( isset( $event[ $name ] ) && 'data' === $name ? $event[ $name ] . "\n" : '' ) . ( str_starts_with( $value, ' ' ) ? substr( $value, 1 ) : $value );
				if ( count( $event ) > 8 || strlen( $event[ $name ] ) > self::LINE ) {
					break;
				}
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
	 * Status of an answer; 0 if it has none.
	 *
	 * @param resource $stream An answer of HTTP.
	 */
	private static function status( $stream ): int {
		$lines = preg_grep( '#^HTTP/#', (array) ( stream_get_meta_data( $stream )['wrapper_data'] ?? array() ) );

		return preg_match( '#^HTTP/\S+ (\d{3})#', (string) end( $lines ), $is ) ? (int) $is[1] : 0;
	}

	/**
	 * What there is to say of a refusal, once.
	 *
	 * @param int    $status Of HTTP.
	 * @param string $body   The relay's words, if it was the relay.
	 * @return \Generator<int, array<string, string>>
	 */
	private function refusal( int $status, string $body ): \Generator {
		$error = json_decode( $body, true )['error'] ?? null;
		$code  = is_string( $error ) ? $error : "http_$status";
		$text  = self::seen( "The relay refuses ($code). " . Notices::describe( $code ) );

		if ( in_array( $status, self::FINAL, true ) ) {
			yield array( 'end' => self::seen( "The relay lets nobody listen there ($code)." ) );
		} elseif ( $text !== $this->told ) {
			$this->told = $text;
			yield array( 'note' => $text );
		}
	}

	/**
	 * A message in a line for people.
	 *
	 * @param array<string, mixed> $message From messages().
	 */
	public static function line( array $message ): string {
		return self::seen( sprintf( '%s %s %s %s', $message['id'], $message['channel'], $message['event'], (string) wp_json_encode( $message['data'], JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE ) ) );
	}

	/**
	 * Text that a terminal only shows: who may publish is not who reads.
	 *
	 * @param string $text Anything.
	 */
	private static function seen( string $text ): string {
		return (string) preg_replace( self::UNSEEN, '?', $text );
	}

	/**
	 * What came since the last time.
	 *
	 * @param int $wait Set to the seconds until the next time.
	 * @return \Generator<int, array<string, mixed>>
	 */
	private function poll( int &$wait ): \Generator {
		$answer = wp_remote_get(
			$this->url( '/poll' ),
			array(
				'timeout'             => 10,
				'redirection'         => 0,
				'limit_response_size' => self::ANSWER,
			)
		);
		$said   = is_wp_error( $answer ) ? null : json_decode( wp_remote_retrieve_body( $answer ), true );
		if ( ! is_array( $said ) || ! is_array( $said['messages'] ?? null ) ) {
			return;
		}
		$wait = min( self::SILENCE_S, max( 1, (int) ceil( (int) ( $said['retry'] ?? 0 ) / 1000 ) ) );
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
		if ( ! is_object( $said ) || ! is_string( $said->channel ?? null ) || ! is_string( $said->event ?? null ) ) {
			return null;
		}
		$text  = Envelope::EVENT === $said->event ? Envelope::open( (array) ( $said->data ?? null ), $this->config->encryption_key() ) : null;
		$inner = null === $text ? $said : json_decode( $text );
		// What is inside was written by any page that may publish.
		if ( ! is_object( $inner ) || ! is_string( $inner->event ?? null ) ) {
			return null;
		}
		return array(
			'id'      => $id,
			'channel' => $said->channel,
			'event'   => $inner->event,
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
