<?php
/**
 * Plugin Name: WordSocket demo
 * Description: Makes the front page show that it is live. For build/demo only: it lets visitors in without a login.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

defined( 'ABSPATH' ) || exit;

// So that another browser, or a private window, needs no login to watch.
add_filter( 'wpsignal_allow_client', '__return_true' );

// The demo asks nobody on the Internet, so it has news of no updates.
foreach ( array( 'update_core', 'update_plugins', 'update_themes' ) as $wordsocket_news ) {
	add_filter(
		"pre_site_transient_$wordsocket_news",
		static fn() => (object) array(
			'last_checked'    => time(),
			'version_checked' => wp_get_wp_version(),
			'updates'         => array(),
			'response'        => array(),
			'translations'    => array(),
		)
	);
}
add_filter( 'translations_api', static fn() => array( 'translations' => array() ) );

// Nobody wants a tour of the editor here, and its pictures come from elsewhere.
add_filter(
	'default_user_metadata',
	static function ( $value, int $user_id, string $key, bool $single ) {
		if ( ! str_ends_with( $key, 'persisted_preferences' ) ) {
			return $value;
		}
		$preferences = array(
			'core'           => array( 'enableChoosePatternModal' => false ),
			'core/edit-post' => array( 'welcomeGuide' => false ),
			'_modified'      => gmdate( 'c' ),
		);
		return $single ? $preferences : array( $preferences );
	},
	10,
	4
);

add_action(
	'wp_enqueue_scripts',
	static function (): void {
		if ( ! wp_script_is( 'wpsignal' ) ) {
			return; // not connected: nothing here is live
		}
		$file = static fn( string $name ): array => array( content_url( "mu-plugins/$name" ), (string) filemtime( __DIR__ . "/$name" ) );

		list( $url, $version ) = $file( 'wordsocket-demo.js' );
		wp_enqueue_script( 'wordsocket-demo', $url, array( 'wpsignal' ), $version, array( 'in_footer' => true ) );
		$edit = wp_json_encode( array( 'edit' => admin_url( 'post.php?post=1&action=edit' ) ), JSON_HEX_TAG | JSON_HEX_AMP );
		wp_add_inline_script( 'wordsocket-demo', "window.wordsocketDemo = $edit;", 'before' );
		list( $url, $version ) = $file( 'wordsocket-demo.css' );
		wp_enqueue_style( 'wordsocket-demo', $url, array(), $version );
	},
	20
);
