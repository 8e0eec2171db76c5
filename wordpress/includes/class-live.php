<?php
/**
 * Live blocks.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

namespace WordSocket;

defined( 'ABSPATH' ) || exit;

/**
 * Makes the parts and hooks them in.
 *
 * @access private
 */
final class Live {

	/**
	 * Hooks live blocks into WordPress.
	 *
	 * @param Config    $config    Relay and site.
	 * @param Client    $client    Browser client.
	 * @param Publisher $publisher Knows how many pages are open.
	 */
	public static function register( Config $config, Client $client, Publisher $publisher ): void {
		$page   = new Live_Page( $config, $client );
		$answer = new Live_Answer( new Live_Crowd( $publisher ) );

		$answer->register();
		$page->register();
		Live_Stamp::register();
		( new Live_Blocks( $page, $answer ) )->register();
		( new Live_Visitors( $page ) )->register();
		( new Live_Editor( $config ) )->register();
	}
}
