<?php
/**
 * The names that extensions of the ecosystem know.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

require __DIR__ . '/site.php';

// What an extension asks before it runs.
ok( class_exists( 'WPSignal\Token' ) && WPSignal\Token::TOKEN_VERSION >= 2, 'Token::TOKEN_VERSION' );
ok( method_exists( 'WPSignal\Publisher', 'stats' ), 'Publisher::stats' );
ok( class_exists( 'WPSignal\Client' ) && WPSignal\Client::API_VERSION >= 2, 'Client::API_VERSION' );
is( WPSignal\Notices::OPTION, 'wpsignal_last_publish_error', 'Notices::OPTION' );

$wps = WPSignal\WPS::instance();
ok( $wps instanceof WordSocket\WPS, 'WPS is ours' );
ok( WPSignal\WPS::trigger( 'x' ) instanceof WPSignal\Trigger, 'WPS::trigger() begins a trigger' );
foreach ( array( 'config' => 'Config', 'publisher' => 'Publisher', 'token' => 'Token', 'channels' => 'Channels', 'extensions' => 'Extensions', 'trigger_registry' => 'Trigger_Registry' ) as $method => $name ) {
	is( get_class( $wps->$method() ), "WordSocket\\$name", "WPS::$method()" );
	is( $wps->$method(), $wps->$method(), "WPS::$method() is always the same" );
	ok( is_a( $wps->$method(), "WPSignal\\$name" ), "and a WPSignal\\$name" );
}
World::$answer = World::response( 200 );
is( WPSignal\WPS::publish( 'events', 'x' ), World::$answer, 'WPS::publish() publishes' );

ok( ! class_exists( 'WPSignal\Envelope' ), 'what is not public has no public name' );
ok( ! class_exists( 'WPSignal\Nothing' ), 'a name that nobody knows is none' );

$wps->boot();
ok( ! isset( World::$filters['wpsignal_loaded'] ) && isset( World::$filters['plugins_loaded'] ), 'extensions are told once all plugins are loaded' );

done_testing();
