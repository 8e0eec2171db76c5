<?php
/**
 * Hearing events in PHP, from a relay that says whatever it likes.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

require __DIR__ . '/tap.php';
require __DIR__ . '/wordpress.php';
require dirname( __DIR__ ) . '/includes/autoload.php';

use WordSocket\Channels;
use WordSocket\Config;
use WordSocket\Envelope;
use WordSocket\Listener;
use WordSocket\Token;

define( 'MB_IN_BYTES', 1048576 );

// PHP as WebAssembly has no process for whoever answers.
$started = @proc_open( array( PHP_BINARY, '-r', 'echo 1;' ), array( 1 => array( 'pipe', 'w' ) ), $pipes );
if ( ! is_resource( $started ) || ! isset( $pipes[1] ) || '1' !== stream_get_contents( $pipes[1] ) ) {
	echo "1..0 # SKIP this PHP starts no processes\n";
	exit;
}
proc_close( $started );

/**
 * Answers one connection after the other, and keeps what it was asked.
 */
final class Double {

	/** @var resource */
	private $process;

	private string $folder;

	public readonly string $url;

	/** @param list<string> $answers Bytes, each for one connection. */
	public function __construct( array $answers ) {
		$this->folder = sys_get_temp_dir() . '/wordsocket-' . bin2hex( random_bytes( 8 ) );
		mkdir( $this->folder );
		file_put_contents( "$this->folder/answers", json_encode( array_map( 'base64_encode', $answers ) ) );
		$code          = <<<'CODE'
			list( , $folder ) = $argv;
			$server = stream_socket_server( 'tcp://127.0.0.1:0' );
			echo stream_socket_get_name( $server, false ), "\n";
			foreach ( json_decode( file_get_contents( "$folder/answers" ) ) as $answer ) {
				$client = stream_socket_accept( $server, 10 );
				$head   = '';
				while ( ! str_contains( $head, "\r\n\r\n" ) ) {
					$head .= fread( $client, 4096 );
				}
				file_put_contents( "$folder/asked", $head . "\x1e", FILE_APPEND );
				fwrite( $client, base64_decode( $answer ) );
				fclose( $client );
			}
			CODE;
		$this->process = proc_open( array( PHP_BINARY, '-r', $code, $this->folder ), array( 1 => array( 'pipe', 'w' ) ), $pipes );
		$this->url     = 'http://' . trim( fgets( $pipes[1] ) );
	}

	/** @return list<string> The heads of the requests. */
	public function asked(): array {
		return array_filter( explode( "\x1e", file_get_contents( "$this->folder/asked" ) ) );
	}

	public function __destruct() {
		proc_terminate( $this->process );
		proc_close( $this->process );
		array_map( 'unlink', glob( "$this->folder/*" ) );
		rmdir( $this->folder );
	}
}

define( 'WPSIGNAL_SITE_KEY', 'k' );
define( 'WPSIGNAL_SITE_SECRET', 's' );
define( 'WPSIGNAL_JWT_SECRET', 'j' );
define( 'AUTH_KEY', 'a' );
define( 'SECURE_AUTH_KEY', 'b' );

$config = new Config();
$token  = new Token( $config, new Channels() );
$sealed = static fn( string $plain ): string => json_encode( array( 'channel' => 'events', 'event' => 'encrypted', 'data' => Envelope::seal( $plain, $config->encryption_key() ) ) );
$event  = static fn( string $id, string $data ): string => "id: $id\ndata: $data\n\n";
$stream = static fn( string ...$events ): string => "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n" . implode( '', $events );
$refuse = static fn( string $status, string $body ): string => "HTTP/1.1 $status\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n$body";

$relay = new Double(
	array(
		$stream(
			"event: wps.open\ndata: {\"stream\":\"x\"}\n\n",
			"id: e-1\n\n",
			$event( 'e-2', $sealed( '{"event":"first","data":{}}' ) ),
			$event( 'e-3', $sealed( '{"event":{"not":"a text"},"data":1}' ) ),
			$event( 'e-4', $sealed( '7' ) ),
			$event( 'e-5', '{"channel":"events","event":["x"],"data":1}' ),
			$event( 'e-6', '[]' ),
			$event( 'e-7', 'no JSON' ),
			$event( 'e-8', $sealed( json_encode( array( 'event' => "\x1b]0;owned\x07\u{9b}2J\u{202e}", 'data' => array( 'text' => "\u{9b}31mGrüße" ) ) ) ) )
		),
		$refuse( '503 Busy', '{"error":"unavailable","message":"\u001b[31mno"}' ),
		$stream( "event: wps.gap\ndata: {\"type\":\"gap\",\"since\":\"e-8\",\"oldest\":\"e-20\"}\n\n", $event( 'e-20', '{"channel":"events","event":"plain","data":[1]}' ) ),
		"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/elsewhere\r\nConnection: close\r\n\r\n",
		$stream( $event( 'e-21', $sealed( '{"event":"last","data":null}' ) ), 'data: ' . str_repeat( 'x', 5 * MB_IN_BYTES ) . "\n\n" ),
		$refuse( '403 Forbidden', '{"error":"channel_forbidden","message":"x"}' ),
	)
);
define( 'WORDSOCKET_URL', $relay->url );

$heard = array();
foreach ( ( new Listener( $config, $token, array( 'events', 'a&b' ) ) )->messages() as $message ) {
	$heard[] = $message;
	if ( count( $heard ) > 20 ) {
		break;
	}
}

is( array_column( $heard, 'event' ), array( 'first', "\x1b]0;owned\x07\u{9b}2J\u{202e}", 'plain', 'last' ), 'messages are heard over four streams; what is none is passed by' );
is( json_encode( $heard[0]['data'] ), '{}', 'an empty object stays one' );
is( array_column( $heard, 'id' ), array( 'e-2', 'e-8', 'e-20', 'e-21' ), 'with their ids' );
$line = Listener::line( $heard[1] );
is( $line, 'e-8 events ?]0;owned??2J? {"text":"?31mGrüße"}', 'a terminal is told nothing by whoever may publish' );
$notes = array_column( $heard, 'note' );
ok( 3 === count( $notes ) && str_contains( $notes[0], 'unavailable' ) && str_contains( $notes[1], 'missing' ) && str_contains( $notes[2], 'http_302' ), 'refusals and gaps are told' );
ok( ! str_contains( implode( '', $notes ), "\x1b" ), 'without the relay\'s own words' );
ok( str_contains( end( $heard )['end'] ?? '', 'channel_forbidden' ), 'a channel that nobody may hear ends it' );

$asked = $relay->asked();
is( count( $asked ), 6, 'each stream is asked for once, and nobody follows elsewhere with a token' );
ok( ! str_contains( $asked[0], 'since=' ) && str_contains( $asked[0], 'channels=events%2Ca%26b' ), 'the first begins now' );
foreach ( array( 1 => 'e-8', 2 => 'e-8', 3 => 'e-20', 5 => 'e-21' ) as $number => $since ) {
	ok( str_contains( $asked[ $number ], "since=$since " ) && str_contains( $asked[ $number ], "Last-Event-ID: $since\r\n" ), "number $number goes on from $since" );
}

done_testing();
