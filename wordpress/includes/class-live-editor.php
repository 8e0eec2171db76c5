<?php
/**
 * The switch "Live" in the block editor.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

namespace WordSocket;

defined( 'ABSPATH' ) || exit;

/**
 * Loads the editor's script.
 *
 * @access private
 */
final class Live_Editor {

	private const HANDLE = 'wordsocket-live-editor';
	private const SCRIPT = 'assets/live-editor.js';
	private const ABOUT  = 'assets/live-editor.asset.php';

	/**
	 * Hands in the connection.
	 *
	 * @param Config $config Relay and site.
	 */
	public function __construct( private Config $config ) {}

	/** Hooks in. */
	public function register(): void {
		add_action( 'enqueue_block_editor_assets', array( $this, 'enqueue' ) );
	}

	/** Loads it, wherever blocks are edited. */
	public function enqueue(): void {
		$path = plugin_dir_path( FILE ) . self::ABOUT;
		if ( ! is_readable( $path ) ) {
			return; // A checkout has to build it.
		}
		$about = require $path;
		wp_enqueue_script(
			self::HANDLE,
			plugins_url( self::SCRIPT, FILE ),
			$about['dependencies'],
			$about['version'],
			array( 'in_footer' => true )
		);
		wp_set_script_translations( self::HANDLE, 'wordsocket' );
		$settings = array(
			'attribute' => Live_Blocks::ATTRIBUTE,
			'blocks'    => Live_Blocks::BLOCKS,
			'connected' => $this->config->is_configured(),
			'option'    => Options::LIVE_VISITORS,
			'visitors'  => Live_Visitors::is_on(),
			'manages'   => current_user_can( 'manage_options' ),
			'connect'   => current_user_can( 'manage_options' ) ? admin_url( 'admin.php?page=wordsocket' ) : '',
		);
		Page_Data::before( self::HANDLE, 'wordsocket-live-data', $settings );
	}
}
