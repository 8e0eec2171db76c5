<?php
/**
 * Finds the plugin's classes, and lends them the public names of the ecosystem.
 *
 * A class WordSocket\Some_Noun lives in class-some-noun.php. Those listed below
 * have a second name in WPSignal, which extensions know. The alias is made with
 * the class, not when its name is first asked for: type checks never ask.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

defined( 'ABSPATH' ) || exit;

spl_autoload_register(
	static function ( string $name ): void {
		$public = array(
			'Channels',
			'Client',
			'Config',
			'Extensions',
			'Notices',
			'Publisher',
			'Token',
			'Trigger',
			'Trigger_Registry',
			'WPS',
		);

		list( $space, $short ) = explode( '\\', $name, 2 ) + array( '', '' );

		$is_public = in_array( $short, $public, true );
		if ( 'WordSocket' !== $space && ! ( 'WPSignal' === $space && $is_public ) ) {
			return;
		}
		$file = __DIR__ . '/class-' . strtolower( str_replace( '_', '-', $short ) ) . '.php';
		if ( ! is_readable( $file ) ) {
			return;
		}
		require_once $file;
		if ( $is_public && ! class_exists( "WPSignal\\$short", false ) ) {
			class_alias( "WordSocket\\$short", "WPSignal\\$short" );
		}
	}
);
