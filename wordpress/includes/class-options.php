<?php
/**
 * Everything the plugin stores, in one list.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

namespace WordSocket;

defined( 'ABSPATH' ) || exit;

/**
 * Names of the stored options. uninstall.php deletes ALL, site by site; a test
 * holds every constant here against that list.
 *
 * @access private
 */
final class Options {

	/** The last failed publish: code, message, detail, time. See Notices. */
	public const LAST_ERROR = 'wpsignal_last_publish_error';

	/** Keys of the connection through the web server. See Connection. */
	public const CONNECTION = 'wordsocket_connection';

	/** All of the above. */
	public const ALL = array(
		self::LAST_ERROR,
		self::CONNECTION,
	);
}
