<?php
/**
 * Live blocks: what needs no WordPress.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

// Before anything is printed: later it cannot be set.
http_response_code( 200 );

require __DIR__ . '/site.php';

use WordSocket\Circuit;
use WordSocket\Config;
use WordSocket\Live_Answer;
use WordSocket\Live_Crowd;
use WordSocket\Live_Marks;
use WordSocket\Live_Stamp;
use WordSocket\Options;
use WordSocket\Publisher;

foreach (
	array(
		'/'                                       => '/',
		'/a/?wordsocket-live=x1'                  => '/a/',
		'/a/?wordsocket-live'                     => '/a/',
		'/a/?p=1&wordsocket-live=x1'              => '/a/?p=1',
		'/a/?wordsocket-live=x1&query-3-page=2'   => '/a/?query-3-page=2',
		'/a/?p=1&wordsocket-live=x1&q=2'          => '/a/?p=1&q=2',
		'/a/?not-wordsocket-live=x1'              => '/a/?not-wordsocket-live=x1',
		'/a/?wordsocket-live-not=x1'              => '/a/?wordsocket-live-not=x1',
	) as $asked => $page
) {
	is( Live_Answer::without( $asked ), $page, "$asked is a question to $page" );
}

$marks  = new Live_Marks( '5a17' );
$marked = array( $marks, 'around' );
$answer = $marks->blocks_of( '<p>head</p>' . $marked( 'wsl-a-1', "\n<ul><li>A</li></ul>" ) . '<p>private</p>' . $marked( 'wsl-b-1', '<div>B' . $marked( 'wsl-a-2', '<ul></ul>' ) . '</div>' ), 7 );
is(
	array( $answer['stamp'], (array) $answer['blocks'] ),
	array(
		7,
		array(
			'wsl-a-1' => '<ul><li>A</li></ul>',
			'wsl-b-1' => '<div>B<ul></ul></div>',
			'wsl-a-2' => '<ul></ul>',
		),
	),
	'an answer is the live blocks alone, also one within another'
);
ok( ! isset( $answer['page'] ), 'without the page' );
is( json_encode( $marks->blocks_of( '<p>none</p>', 7 ) ), '{"stamp":7,"blocks":{}}', 'a page without one answers an empty object' );
is( (array) $marks->blocks_of( '<!--wordsocket-live:5a17:wsl-a-1--><ul>', 7 )['blocks'], array(), 'a block that was cut off is left out' );
$owned = $marks->blocks_of( 'x' . $marked( 'wsl-a-1', '<div data-wordsocket-live="{&quot;owned&quot;:true}"></div>' ) . 'y', 7 );
is( $owned['page'] ?? null, 'x<div data-wordsocket-live="{&quot;owned&quot;:true}"></div>y', 'where the router needs it the page is there, without marks' );

$html = '<ol><li><!--/wordsocket-live:wsl-a-1--><!--/wordsocket-live:dead:wsl-a-1--></li><li>next</li></ol>';
is( (array) $marks->blocks_of( $marked( 'wsl-a-1', $html ), 7 )['blocks'], array( 'wsl-a-1' => $html ), 'who writes marks into a comment ends nothing' );

ok( ! Live_Answer::is_personal( array( 'Content-Type: text/html', 'Cache-Control: max-age=600' ) ), 'a page is for everybody' );
foreach ( array( 'Set-Cookie: a=b', 'cache-control: no-cache, must-revalidate', 'Cache-Control: max-age=0, private', 'CACHE-CONTROL: no-store' ) as $header ) {
	ok( Live_Answer::is_personal( array( 'Content-Type: text/html', $header ) ), "unless it says $header" );
}

Live_Stamp::change();
Live_Stamp::write();
ok( ! isset( World::$options[ Options::LIVE_STAMP ] ), 'a site without a live block writes nothing when something changes' );
$first = Live_Stamp::current();
ok( $first > 1600000000000 && Live_Stamp::current() === $first, 'the first live block begins the stamp, which stays' );
World::$options[ Options::LIVE_STAMP ] = (string) ( $first + 9000000 );
Live_Stamp::change();
Live_Stamp::write();
is( Live_Stamp::current(), $first + 9000001, 'a change makes it greater, also when the clock went back' );
Live_Stamp::write();
is( Live_Stamp::current(), $first + 9000001, 'no change leaves it' );
$writes = 0;
foreach ( range( 1, 100 ) as $i ) {
	$before = Live_Stamp::current();
	Live_Stamp::change();
	$writes += Live_Stamp::current() !== $before ? 1 : 0;
}
ok( $writes < 5, 'a hundred at once share a write or two' );
$before = Live_Stamp::current();
Live_Stamp::change();
Live_Stamp::write();
ok( Live_Stamp::current() > $before, 'and the last one counts' );
foreach ( array( array( 'publish', '', true ), array( 'draft', 'publish', true ), array( 'draft', 'draft', false ), array( 'auto-draft', '', false ) ) as list( $status, $was, $counts ) ) {
	$before = Live_Stamp::current();
	Live_Stamp::post_saved( 1, new WP_Post( array( 'ID' => 1, 'post_status' => $status ) ), true, '' === $was ? null : new WP_Post( array( 'ID' => 1, 'post_status' => $was ) ) );
	Live_Stamp::write();
	is( Live_Stamp::current() > $before, $counts, "a post that is $status" . ( $was ? " and was $was" : '' ) . ( $counts ? ' counts' : ' does not' ) );
}

// Who is answered, and what is kept.
$_GET[ Live_Answer::ARGUMENT ] = 'x1';
$_SERVER                       = array(
	'REQUEST_METHOD' => 'GET',
	'HTTP_HOST'      => 'example.org',
	'REQUEST_URI'    => '/news/?wordsocket-live=x1',
) + $_SERVER;
$live = new Live_Answer( new Live_Crowd( new Publisher( new Config() ) ) );
$live->register();
ok( null !== $live->marks(), 'a page asks for its live blocks' );
is( array_intersect( array( 'muplugins_loaded', 'plugins_loaded', 'setup_theme', 'init', 'parse_request', 'wp' ), array_keys( World::$filters ) ), array(), 'and no answer is out before a plugin could refuse the page' );
$render = static function ( string $html ) use ( $live ): string {
	ob_start();
	$live->begin();
	echo $html;
	ob_end_flush();
	return ob_get_clean();
};
$render( $live->marks()->around( 'wsl-a-1', '<ul></ul>' ) );
is( array_keys( World::$transients[ Options::LIVE_ANSWERS ]['answers'] ), array( 'http://example.org/news/' ), 'an answer for anybody is kept' );
World::$transients = array();
unset( World::$options[ Options::LIVE_STAMP ] );
is( $render( '<p>none</p>' ), '{"stamp":0,"blocks":{},"spread":2000}', 'a page without a live block answers that there is none' );
is( array( World::$options[ Options::LIVE_STAMP ] ?? null, World::$transients ), array( null, array() ), 'and whoever asks for one writes nothing' );
Live_Stamp::current();
is( json_decode( $render( $live->marks()->around( 'wsl-a-1', '<ul></ul>' ) ), true )['blocks'], array( 'wsl-a-1' => '<ul></ul>' ), 'a page that says that caches must not keep it is answered' );
is( World::$transients, array(), 'and not kept for others' );

is( Live_Crowd::spread_ms(), 2000, 'while nobody has counted, pages ask within two seconds' );
$crowd = new Live_Crowd( new Publisher( new Config() ) );
foreach ( array( array( 3, 400 ), array( 1000, 20000 ), array( 90000, 60000 ) ) as list( $pages, $spread ) ) {
	World::$transients = array();
	World::$answer     = World::response( 200, json_encode( array( 'active_connections' => $pages, 'max_connections' => 0 ) ) );
	$crowd->count();
	is( Live_Crowd::spread_ms(), $spread, "$pages of them within $spread ms" );
}
World::$requests = array();
$crowd->count();
is( World::$requests, array(), 'they are not counted again at once' );
World::$transients[ Options::LIVE_CROWD ]['until'] = 1;
World::$answer                                     = new WP_Error( 'http_request_failed', 'nobody there' );
$crowd->count();
is( array( count( World::$requests ), Live_Crowd::spread_ms() ), array( 1, 60000 ), 'and if that fails the old number counts' );
World::$transients[ Options::LIVE_CROWD ]['until'] = 1;
World::$requests                                   = array();
Circuit::open( true );
$crowd->count();
is( array( World::$requests, World::$transients[ Options::LIVE_CROWD ]['until'] ), array( array(), 1 ), 'a relay that is left alone is not asked, and so once it is back' );
Circuit::close();
$crowd->count();
is( count( World::$requests ), 1, 'then it is' );

done_testing();
