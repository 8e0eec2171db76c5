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

add_action(
	'wp_enqueue_scripts',
	static function (): void {
		$file = static fn( string $name ): array => array( content_url( "mu-plugins/$name" ), (string) filemtime( __DIR__ . "/$name" ) );

		list( $url, $version ) = $file( 'wordsocket-demo.js' );
		wp_enqueue_script( 'wordsocket-demo', $url, array( 'wpsignal' ), $version, array( 'in_footer' => true ) );
		list( $url, $version ) = $file( 'wordsocket-demo.css' );
		wp_enqueue_style( 'wordsocket-demo', $url, array(), $version );
	},
	20
);
