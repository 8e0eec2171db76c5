<?php
/**
 * Batches, what answers mean for them, and the circuit.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

require __DIR__ . '/site.php';

use WordSocket\Circuit;
use WordSocket\Config;
use WordSocket\Courier;
use WordSocket\Notices;
use WordSocket\Options;
use WordSocket\Transport;

/** Messages of so many bytes. */
function messages( int $count, int $bytes = 100 ): array {
	$all = array();
	for ( $i = 0; $i < $count; $i++ ) {
		$body  = '{"channel":"events","event":"e","data":"' . str_pad( (string) $i, $bytes, '.' ) . '"}';
		$all[] = array( 'name' => "n$i", 'us' => $i, 'body' => $body, 'event' => 'e' );
	}
	return $all;
}

/** Messages in the requests since the last call. */
function batches(): array {
	$counts          = array_map( static fn( array $is ): int => str_starts_with( $is[2]['body'], '[' ) ? count( json_decode( $is[2]['body'] ) ) : 1, World::$requests );
	World::$requests = array();
	return $counts;
}

/** A courier with all its patience. */
function courier(): Courier {
	return new Courier( new Transport( new Config() ) );
}

/** What the circuit stores, of importance. */
function circuit(): array {
	$state = Circuit::fresh();
	return array( $state['fails'], $state['retry_at'] ? $state['retry_at'] - time() : 0, $state['batch'] );
}

World::$answer = World::response( 200 );
$delivery      = courier()->deliver( messages( 250 ) );
is( batches(), array( 100, 100, 50 ), 'as many at once as a relay takes' );
is( array( count( $delivery->done ), $delivery->rest, $delivery->doubt ), array( 250, array(), null ), 'and all are delivered' );
is( array( World::$updates, Circuit::is_closed() ), array( 0, true ), 'which costs no query' );
courier()->deliver( messages( 6, 100000 ) );
is( batches(), array( 2, 2, 2 ), 'and as many bytes' );
courier()->deliver( messages( 2, 300000 ) );
is( batches(), array( 1, 1 ), 'one at least' );
courier()->deliver( messages( 1 ) );
ok( str_starts_with( World::$requests[0][2]['body'], '{' ), 'one message is no list: any relay takes it' );
batches();

// One of them is not what a relay takes.
World::$answer = static fn(): array => str_contains( end( World::$requests )[2]['body'], '"7..' ) ? World::response( 400, '{"error":"invalid_channel","message":"no"}' ) : World::response( 200 );
$delivery      = courier()->deliver( messages( 20 ) );
is( array( count( $delivery->done ), $delivery->refused, $delivery->rest ), array( 20, 1, array() ), 'one that is refused does not keep the others' );
is( Notices::last()['code'], 'invalid_channel', 'and is told' );
is( Circuit::is_closed(), true, 'the relay is well' );
batches();

World::$answer = array( 'headers' => array( 'retry-after' => '7' ) ) + World::response( 429, '{"error":"rate_limited"}' );
$delivery      = courier()->deliver( messages( 80 ) );
is( array( batches(), count( $delivery->rest ), $delivery->doubt ), array( array( 80 ), 80, null ), 'a relay that wants less is asked once' );
is( circuit(), array( 0, 7, 40 ), 'and gets less, when it says' );
is( array( Circuit::is_open(), Circuit::may_ask() ), array( false, false ), 'what is sent by itself need not wait' );
World::$answer = World::response( 200 );
courier()->deliver( messages( 80 ) );
is( batches(), array( 40, 40 ), 'half as many' );
Circuit::close();

World::$answer = new WP_Error( 'http_request_failed', 'cURL error 7' );
foreach ( array( 3, 10, 30, 60, 60 ) as $again => $seconds ) {
	courier()->deliver( messages( 1 ) );
	is( circuit(), array( $again + 1, $seconds, 100 ), "what is refused is sent again after $seconds seconds" );
}
is( Circuit::is_open(), false, 'but any may ask: it takes no time' );
Circuit::close();
batches();
World::$answer = static function (): WP_Error {
	usleep( 510000 );
	return new WP_Error( 'http_request_failed', 'cURL error 28' );
};
$delivery      = courier()->deliver( messages( 250 ) );
is( array( batches(), count( $delivery->rest ) ), array( array( 100 ), 250 ), 'after a time-out nothing more is sent' );
is( array_column( $delivery->doubt['batch'], 'name' ), array_column( messages( 100 ), 'name' ), 'it may have arrived' );
ok( isset( $delivery->doubt['headers']['X-WP-Signal-Sign'] ), 'and can be sent again as it was' );
is( circuit(), array( 1, 15, 100 ), 'the relay is left alone' );
is( Circuit::is_open(), true, 'by everybody' );
foreach ( array( 30, 60, 60 ) as $again => $seconds ) {
	is( courier()->probe(), false, 'whoever asks first if it is back' );
	is( circuit(), array( $again + 2, $seconds, 100 ), "waits $seconds seconds" );
}
is( end( World::$requests )[0], 'GET', 'by a request that does nothing' );
batches_forgotten();
World::$answer = World::response( 404 );
is( courier()->probe(), true, 'any answer will do' );

/** Forgets requests without a body. */
function batches_forgotten(): void {
	World::$requests = array();
}

batches_forgotten();
World::$answer = World::response( 502, '<html>' );
$delivery      = courier()->deliver( messages( 2 ) );
ok( null !== $delivery->doubt, 'what a gateway says leaves it in doubt' );
World::$answer = World::response( 503, '{"error":"unavailable"}' );
Circuit::close();
$delivery = courier()->deliver( messages( 2 ) );
is( array( $delivery->doubt, circuit() ), array( null, array( 0, 1, 100 ) ), 'what the relay says does not' );
batches_forgotten();

World::$answer = World::response( 200, '{"ok":true,"duplicate":true}' );
$headers       = array( 'X-WordSocket-Nonce' => 'first' );
is( courier()->repeat( messages( 2 ), $headers ), true, 'a request that the relay knows is delivered' );
is( World::$requests[0][2]['headers']['X-WordSocket-Nonce'], 'first', 'it is the very same' );
World::$answer = World::response( 401, '{"error":"stale_timestamp"}' );
is( courier()->repeat( messages( 2 ), $headers ), false, 'one it does not want is sent anew' );
World::$answer = new WP_Error( 'x', 'silence' );
is( courier()->repeat( messages( 2 ), $headers ), null, 'of silence nobody knows' );

$transport     = new Transport( new Config() );
$transport->publish( '{}' );
is( $transport->has_patience(), false, 'two seconds, all in all' );
$transport->renew();
is( $transport->has_patience(), true, 'unless nobody waits' );

World::$options[ Options::CIRCUIT ] = 'rubbish';
is( circuit(), array( 0, 0, 100 ), 'a state that is none is a closed one' );

done_testing();
