<?php
/**
 * Installs the site that `run` laid out, and activates the plugin as the
 * Plugins screen does: what it prints or dies of there ends the tests.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

define( 'WP_INSTALLING', true );
require __DIR__ . '/config.php';
require ABSPATH . 'wp-settings.php';
require_once ABSPATH . 'wp-admin/includes/upgrade.php';
require_once ABSPATH . 'wp-admin/includes/plugin.php';

add_filter( 'pre_wp_mail', '__return_false' );
add_filter( 'wp_hash_password_options', static fn() => array( 'cost' => 4 ) );
wp_install( 'A site', 'admin', 'admin@example.test', true, '', 'password' );
update_option( 'permalink_structure', '/%postname%/' );
update_option( 'home', 'http://example.test' );
update_option( 'siteurl', 'http://example.test' );

if ( getenv( 'WSK_NETWORK' ) ) {
	$wpdb->set_blog_id( 0, 0 );
	foreach ( $wpdb->tables( 'ms_global' ) as $wsk_table => $wsk_prefixed ) {
		$wpdb->$wsk_table = $wsk_prefixed;
	}
	install_network();
	$wsk_made = populate_network( 1, 'example.test', 'admin@example.test', 'A network', '/', false );
	// No wildcard DNS is no concern of ours.
	if ( is_wp_error( $wsk_made ) && 'no_wildcard_dns' !== $wsk_made->get_error_code() ) {
		fwrite( STDERR, $wsk_made->get_error_message() . "\n" );
		exit( 1 );
	}
	// This process is no network yet, and would keep it as an option.
	$wsk_active = serialize( array( 'wordsocket/wordsocket.php' => time() ) );
	$wpdb->delete( $wpdb->sitemeta, array( 'meta_key' => 'active_sitewide_plugins' ) );
	$wpdb->insert(
		$wpdb->sitemeta,
		array(
			'site_id'    => 1,
			'meta_key'   => 'active_sitewide_plugins',
			'meta_value' => $wsk_active,
		)
	);
	exit( 0 );
}
$wsk_plugins = array( 'wordsocket/wordsocket.php' );
if ( getenv( 'WSK_EXTENSION' ) ) {
	$wsk_plugins[] = getenv( 'WSK_EXTENSION' ) . '/shoutbox.php';
}
foreach ( $wsk_plugins as $wsk_plugin ) {
	$wsk_done = activate_plugin( $wsk_plugin );
	if ( is_wp_error( $wsk_done ) ) {
		fwrite( STDERR, "# activating $wsk_plugin: " . $wsk_done->get_error_message() . ' ' . wp_json_encode( $wsk_done->get_error_data() ) . "\n" );
		exit( 1 );
	}
}
