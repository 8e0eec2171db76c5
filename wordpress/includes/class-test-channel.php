<?php
/**
 * The channels of Send test.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

namespace WordSocket;

defined( 'ABSPATH' ) || exit;

/**
 * Lets administrators read them where rights exist only where somebody gave
 * them. It is no reservation, which would bring that about by itself.
 *
 * @access private
 */
final class Test_Channel {

	/** Each test makes a name of its own below this. */
	public const PREFIX = 'wordsocket:test:';

	/**
	 * Adds the right to a token.
	 *
	 * @param mixed  $prefixes What the user may read.
	 * @param int    $user_id  0 is a visitor.
	 * @param string $site_id  Identifier of the site in channel names.
	 * @return mixed
	 */
	public static function grant( $prefixes, $user_id, $site_id ) {
		if ( is_array( $prefixes ) && ! in_array( Channels::qualify( '', $site_id ), $prefixes, true ) && user_can( $user_id, Settings_Page::CAPABILITY ) ) {
			$prefixes[] = Channels::qualify( self::PREFIX, $site_id );
		}
		return $prefixes;
	}
}
