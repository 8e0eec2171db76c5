<?php
/**
 * What the plugin's browser bundle asks of a relay: a token, a WebSocket, an
 * event stream.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

declare( strict_types = 1 );

// phpcs:disable WordPress.WP.AlternativeFunctions -- There is no WordPress here.

/** One connection of a browser. */
final class Browser {
	private const PATIENCE = 5;

	/**
	 * The open connection.
	 *
	 * @var resource
	 */
	private $wire;

	/**
	 * What was read and not taken yet.
	 *
	 * @var string
	 */
	private string $have = '';

	/**
	 * Of the answer to the upgrade, or of the stream.
	 *
	 * @var int
	 */
	public readonly int $status;

	/**
	 * Ask, and read the head of the answer.
	 *
	 * @param string                $base    Of the relay.
	 * @param string                $target  Below it, with the query.
	 * @param array<string, string> $headers More than the usual.
	 */
	private function __construct( string $base, string $target, array $headers ) {
		$url        = parse_url( $base );
		$host       = $url['host'] . ':' . ( $url['port'] ?? 80 );
		$this->wire = stream_socket_client( "tcp://$host", $code, $text, self::PATIENCE );
		$head       = 'GET ' . ( $url['path'] ?? '' ) . $target . " HTTP/1.1\r\nHost: $host\r\nOrigin: https://replay.example\r\n";
		foreach ( $headers as $name => $value ) {
			$head .= "$name: $value\r\n";
		}
		fwrite( $this->wire, "$head\r\n" );
		$this->fill( fn() => str_contains( $this->have, "\r\n\r\n" ) );
		[ $head, $this->have ] = explode( "\r\n\r\n", $this->have, 2 ) + array( '', '' );
		$this->status          = (int) substr( $head, 9, 3 );
	}

	/**
	 * Read until there is enough. Chunks of a stream are read as text: their
	 * sizes are lines that mean nothing to an event.
	 *
	 * @param callable(): bool $enough Says so.
	 * @return bool Whether there is, before patience or the connection ended.
	 */
	private function fill( callable $enough ): bool {
		$end = microtime( true ) + self::PATIENCE;
		while ( ! $enough() ) {
			$left  = $end - microtime( true );
			$ready = array( $this->wire );
			$none  = null;
			if ( $left <= 0 || ! stream_select( $ready, $none, $none, (int) $left, (int) ( 1e6 * ( $left - (int) $left ) ) ) ) {
				return false;
			}
			$bytes = fread( $this->wire, 65536 );
			if ( false === $bytes || ( '' === $bytes && feof( $this->wire ) ) ) {
				return false;
			}
			$this->have .= $bytes;
		}
		return true;
	}

	/**
	 * The name by which the bundle asks for a channel of the site.
	 *
	 * @param array<string, string> $site    Its keys.
	 * @param string                $channel Relative to it.
	 */
	public static function qualified( array $site, string $channel ): string {
		return 'site:' . hash( 'sha256', 'site:' . $site['site_key'] ) . ':' . $channel;
	}

	/**
	 * A token as the plugin mints it.
	 *
	 * @param array<string, string> $site    Its keys.
	 * @param string                $user    WordPress's number of the user.
	 * @param string[]              $read    Prefixes.
	 * @param string[]              $publish Prefixes.
	 * @param int|null              $until   Else in 300 seconds.
	 * @param int|null              $since   Else now.
	 */
	public static function token( array $site, string $user, array $read, array $publish, ?int $until = null, ?int $since = null ): string {
		$claims = array(
			'v'                        => 2,
			'tenant_id'                => hash( 'sha256', 'tenant:' . $site['site_key'] ),
			'site_id'                  => hash( 'sha256', 'site:' . $site['site_key'] ),
			'user_id'                  => $user,
			'allowed_channel_prefixes' => $read,
			'allowed_publish_prefixes' => $publish,
			'iat'                      => $since ?? time(),
			'exp'                      => $until ?? time() + 300,
		);
		$part   = fn( string $bytes ) => rtrim( strtr( base64_encode( $bytes ), '+/', '-_' ), '=' );
		$signed = $part( '{"alg":"HS256","typ":"JWT"}' ) . '.' . $part( json_encode( $claims ) );
		return $signed . '.' . $part( hash_hmac( 'sha256', $signed, $site['jwt_secret'], true ) );
	}

	/**
	 * Open a WebSocket.
	 *
	 * @param string $base  Of the relay.
	 * @param string $token In the query.
	 */
	public static function socket( string $base, string $token ): self {
		return new self(
			$base,
			'/ws?token=' . rawurlencode( $token ),
			array(
				'Upgrade'               => 'websocket',
				'Connection'            => 'Upgrade',
				'Sec-WebSocket-Version' => '13',
				'Sec-WebSocket-Key'     => base64_encode( random_bytes( 16 ) ),
			)
		);
	}

	/**
	 * Open an event stream.
	 *
	 * @param string $base    Of the relay.
	 * @param string $token   In the query.
	 * @param string $channel To hear.
	 */
	public static function stream( string $base, string $token, string $channel ): self {
		return new self( $base, '/sse?token=' . rawurlencode( $token ) . '&channels=' . rawurlencode( $channel ), array( 'Accept' => 'text/event-stream', 'Connection' => 'close' ) );
	}

	/**
	 * Send a text frame.
	 *
	 * @param array<string, mixed> $message Its JSON.
	 */
	public function send( array $message ): void {
		$text = json_encode( $message );
		$len  = strlen( $text );
		$mask = random_bytes( 4 );
		$size = $len < 126 ? chr( 0x80 | $len ) : chr( 0xfe ) . pack( 'n', $len );
		fwrite( $this->wire, "\x81$size$mask" . ( $text ^ substr( str_repeat( $mask, (int) ceil( $len / 4 ) ), 0, $len ) ) );
	}

	/**
	 * The next frame.
	 *
	 * @return array{int, string}|null Opcode and payload.
	 */
	private function frame(): ?array {
		if ( ! $this->fill( fn() => strlen( $this->have ) >= 2 ) ) {
			return null;
		}
		$len  = ord( $this->have[1] );
		$more = array( 126 => 2, 127 => 8 )[ $len ] ?? 0;
		if ( ! $this->fill( fn() => strlen( $this->have ) >= 2 + $more ) ) {
			return null;
		}
		if ( $more ) {
			$len = unpack( 2 === $more ? 'n' : 'J', substr( $this->have, 2, $more ) )[1];
		}
		if ( ! $this->fill( fn() => strlen( $this->have ) >= 2 + $more + $len ) ) {
			return null;
		}
		$frame      = array( ord( $this->have[0] ) & 15, substr( $this->have, 2 + $more, $len ) );
		$this->have = substr( $this->have, 2 + $more + $len );
		return $frame;
	}

	/**
	 * The next JSON of a type; others are passed over, as the bundle does.
	 *
	 * @param string        $type As `type`.
	 * @param callable|null $is   Whether it is the one.
	 * @return array<string, mixed>
	 */
	public function wait( string $type, ?callable $is = null ): array {
		$frame = $this->frame();
		while ( $frame ) {
			$said = 1 === $frame[0] ? json_decode( $frame[1], true ) : array();
			// What the relay says of presence is a message to the bundle, too.
			if ( ( $said['type'] ?? '' ) === $type && ( $is ? $is( $said ) : 'wps.presence' !== ( $said['event'] ?? '' ) ) ) {
				return $said;
			}
			$frame = $this->frame();
		}
		return array();
	}

	/**
	 * What is said next of who came or left.
	 *
	 * @param string                    $channel Of the presence.
	 * @param string                    $action  `sync`, `join` or `leave`.
	 * @param array<string, mixed>|null $state   With which, if that matters.
	 * @param string|null               $id      Of whom, if that matters.
	 * @return array<string, mixed> The data.
	 */
	public function presence( string $channel, string $action, ?array $state = null, ?string $id = null ): array {
		$said = $this->wait(
			'message',
			fn( $it ) => 'wps.presence' === $it['event'] && $it['channel'] === $channel && $it['data']['action'] === $action
				&& ( null === $state || $state === $it['data']['state'] ) && ( null === $id || $id === $it['data']['id'] )
		);
		return $said['data'] ?? array();
	}

	/** Gone, without a word. */
	public function drop(): void {
		fclose( $this->wire );
	}

	/** The code with which it is closed; 0 for none. */
	public function closed(): int {
		$frame = $this->frame();
		while ( $frame && 8 !== $frame[0] ) {
			$frame = $this->frame();
		}
		return $frame && strlen( $frame[1] ) >= 2 ? unpack( 'n', $frame[1] )[1] : 0;
	}

	/**
	 * The next event of a stream that has data and no name.
	 *
	 * @return array<string, mixed>
	 */
	public function event(): array {
		while ( $this->fill( fn() => preg_match( '/\n\r?\n/', $this->have ) ) ) {
			[ $block, $this->have ] = preg_split( '/\n\r?\n/', $this->have, 2 );
			if ( ! preg_match( '/^event:/m', $block ) && preg_match( '/^data: (.*?)\r?$/m', $block, $found ) ) {
				$said = json_decode( $found[1], true );
				if ( 'wps.presence' !== $said['event'] ) {
					return $said;
				}
			}
		}
		return array();
	}

	/** Whether the relay ends the stream. */
	public function ended(): bool {
		$this->fill( fn() => false );
		return feof( $this->wire );
	}
}
