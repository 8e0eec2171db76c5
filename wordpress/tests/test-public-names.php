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

// Section 11 of the wire document, member by member.
$members = array(
	'WPS'              => 'instance boot config publisher token channels extensions trigger_registry register_block_category trigger publish',
	'Trigger'          => 'on channel data when register get_event get_hook get_priority get_accepted_args get_channel has_condition evaluate_condition build_data',
	'Trigger_Registry' => 'add all register_defaults exclude_default_post_type get_excluded_default_post_types',
	'Publisher'        => 'publish stats remote_error',
	'Token'            => 'mint check_connection register_routes mask_api_key base64url_encode',
	'Client'           => 'enqueue',
	'Channels'         => 'reserve reservations is_strict allowed_prefixes allowed_publish_prefixes',
	'Extensions'       => 'register registered all plugin_files',
	'Config'           => 'base_url endpoints endpoints_for connect_url exchange_url site_key site_secret api_key jwt_secret encryption_key yjs_provider_enabled is_wp_sync_available is_wp_rtc_enabled is_configured clear_registration clear_publish_state credential_source',
	'Notices'          => 'record clear clear_transient last describe credentials_rejected',
);
foreach ( $members as $class => $names ) {
	foreach ( explode( ' ', $names ) as $name ) {
		ok( method_exists( "WPSignal\\$class", $name ), "$class::$name()" );
	}
}
is( WPSignal\Token::base64url_encode( "\xff\xfe" ), '__4', 'base64url_encode() is that of tokens' );

ok( ! class_exists( 'WPSignal\Envelope' ), 'what is not public has no public name' );
ok( ! class_exists( 'WPSignal\Nothing' ), 'a name that nobody knows is none' );

define( 'WordSocket\FILE', dirname( __DIR__ ) . '/wordsocket.php' );
$wps->boot();
$hooked = World::$filters;
$wps->boot();
ok( $hooked === World::$filters, 'another build that boots it again changes nothing' );
ok( ! isset( World::$filters['wpsignal_loaded'] ) && isset( World::$filters['plugins_loaded'] ), 'extensions are told once all plugins are loaded' );

done_testing();
