<?php
/**
 * Extensions in the list of plugins.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

namespace WordSocket;

defined( 'ABSPATH' ) || exit;

/**
 * Names them after this plugin, so that they stand below it, and moves them in.
 *
 * @access private
 */
final class Extension_Rows {

	private const STYLE = 'wordsocket-extension-rows';

	/**
	 * Hands in who is one.
	 *
	 * @param Extensions $extensions Registered by now.
	 */
	public function __construct( private Extensions $extensions ) {}

	/** Adds itself to the list of plugins, and to nothing else. */
	public function register(): void {
		add_action( 'load-plugins.php', array( $this, 'begin' ) );
	}

	/** The list is about to be made. */
	public function begin(): void {
		add_filter( 'all_plugins', array( $this, 'rename' ) );
		add_action( 'admin_enqueue_scripts', array( $this, 'move_in' ) );
	}

	/**
	 * Gives them their names.
	 *
	 * @param array<string, array<string, mixed>> $plugins By file.
	 * @return array<string, array<string, mixed>>
	 */
	public function rename( $plugins ) {
		if ( ! is_array( $plugins ) ) {
			return $plugins;
		}
		foreach ( array_intersect_key( $this->rows(), $plugins ) as $file => $name ) {
			/* translators: %s: name of an extension. */
			$plugins[ $file ]['Name'] = sprintf( __( 'WordSocket: %s', 'wordsocket' ), $name );
		}
		return $plugins;
	}

	/** Moves their rows in. */
	public function move_in(): void {
		$rules = '';
		foreach ( array_keys( $this->rows() ) as $file ) {
			if ( preg_match( '#^[\w./-]+$#D', $file ) ) {
				$rules .= sprintf( '.plugins tr[data-plugin="%s"] .plugin-title{padding-inline-start:30px}', $file );
			}
		}
		if ( '' === $rules ) {
			return;
		}
		wp_register_style( self::STYLE, false, array(), VERSION );
		wp_enqueue_style( self::STYLE );
		wp_add_inline_style( self::STYLE, $rules );
	}

	/**
	 * Names of the extensions, by the file of the plugin.
	 *
	 * @return array<string, string>
	 */
	private function rows(): array {
		$registered = $this->extensions->registered();
		$rows       = array();
		foreach ( $this->extensions->plugin_files() as $slug => $file ) {
			$rows[ $file ] = $registered[ $slug ]['title'];
		}

		/**
		 * Filters which plugins stand below WordSocket in the list of plugins.
		 *
		 * @param array<string, string> $rows Names by file of the plugin.
		 */
		return array_filter( (array) apply_filters( 'wordsocket_nested_plugin_rows', $rows ), 'is_string' );
	}
}
