<?php
/**
 * What a site tells its visitors about this plugin.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

namespace WordSocket;

defined( 'ABSPATH' ) || exit;

/**
 * Text for the privacy policy. There is nothing to export or to erase: events
 * that wait for a relay are sealed, and gone after ten minutes; nothing else is
 * kept about anybody.
 *
 * @access private
 */
final class Privacy {

	/** Hooks it into WordPress. */
	public static function register(): void {
		add_action( 'admin_init', array( self::class, 'suggest' ) );
	}

	/** Offers the text to whoever writes the policy. */
	public static function suggest(): void {
		if ( ! function_exists( 'wp_add_privacy_policy_content' ) ) {
			return;
		}
		$parts = array(
			__( 'Pages of this site may hold a live connection to a server (the relay), so that changes show at once. That server sees the address of the network you come from, which site you look at, the number of your account if you are logged in, and when you connect. It passes on events of this site, which it cannot read, and keeps none on disk.', 'wordsocket' ),
			__( 'Where a part of the site says so, others see that you are there, with what that part shows about you, as long as your page is open.', 'wordsocket' ),
			__( 'Your browser may keep a random identifier for this site (wordsocket-visitor) if a part of the site asks for one. It says nothing about you and is sent nowhere by itself. No cookie is set.', 'wordsocket' ),
		);
		wp_add_privacy_policy_content( 'WordSocket', '<p>' . implode( '</p><p>', array_map( 'esc_html', $parts ) ) . '</p>' );
	}
}
