<?php
/**
 * Which addresses are those of a relay.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

require __DIR__ . '/tap.php';
require __DIR__ . '/wordpress.php';
require dirname( __DIR__ ) . '/includes/autoload.php';

use WordSocket\Relay_Url;

$good = array(
	'https://relay.example.org/wordsocket'             => 'https://relay.example.org/wordsocket',
	' https://Relay.Example.org/Word '                 => 'https://relay.example.org/Word',
	'https://relay.example.org/'                       => 'https://relay.example.org',
	'https://relay.example.org//a//b//'                => 'https://relay.example.org/a/b',
	'relay.example.org/wordsocket'                     => 'https://relay.example.org/wordsocket',
	'https://relay.example.org:8443/w'                 => 'https://relay.example.org:8443/w',
	'https://relay.example.org/wordsocket/dashboard'   => 'https://relay.example.org/wordsocket',
	'https://relay.example.org/dashboard/connect/'     => 'https://relay.example.org',
	'https://relay.example.org/dashboards'             => 'https://relay.example.org/dashboards',
	'https://[2001:db8::1]:8443/w'                     => 'https://[2001:db8::1]:8443/w',
	'http://localhost:8123/wordsocket'                 => 'http://localhost:8123/wordsocket',
	'http://127.0.0.1/wordsocket'                      => 'http://127.0.0.1/wordsocket',
	'http://[::1]:80/w'                                => 'http://[::1]:80/w',
);
foreach ( $good as $typed => $url ) {
	is( Relay_Url::clean( $typed ), $url, "a relay: $typed" );
}

$bad = array(
	'',
	'   ',
	'http://relay.example.org/wordsocket',
	'http://127.example/',
	'http://localhost.example/',
	'http://127.0.0.1.example/',
	'ftp://relay.example.org',
	'javascript:alert(1)',
	'javascript://relay.example.org/',
	'https://user@relay.example.org/',
	'https://user:secret@relay.example.org/',
	'http://localhost@evil.example/',
	'https://relay.example.org/?a=b',
	'https://relay.example.org/#a',
	'https://relay.example.org/a b',
	"https://relay.example.org/\r\nX: y",
	"https://relay.example.org/w\nx",
	'https://relay.example.org/a/../b',
	'https://relay.example.org/..',
	'https://relay.example.org/./b',
	'https://relay.example.org:0/',
	'https://relay.example.org:65536/',
	'https://relay.example.org\\@evil.example/',
	'https:///wordsocket',
	'https://-relay.example/',
	'https://relay.example.org/<script>',
	'https://relay.example.org/' . str_repeat( 'a', 512 ),
);
foreach ( $bad as $typed ) {
	is( Relay_Url::clean( $typed ), '', 'none: ' . substr( addcslashes( $typed, "\0..\37" ), 0, 60 ) );
}

is( Relay_Url::origin( 'https://A.example' ), Relay_Url::origin( 'https://a.example:443/wp-admin/' ), 'a port that goes without saying may be said' );
foreach ( array( 'http://a.example', 'https://b.example', 'https://a.example:444' ) as $other ) {
	ok( Relay_Url::origin( $other ) !== Relay_Url::origin( 'https://a.example' ), "another origin: $other" );
}
ok( Relay_Url::is_private( 'https://a.example' ) && Relay_Url::is_private( 'HTTP://LOCALHOST:1' ), 'https and loopback are private' );
ok( ! Relay_Url::is_private( 'http://a.example' ) && ! Relay_Url::is_private( 'x' ), 'other places are not' );

done_testing();
