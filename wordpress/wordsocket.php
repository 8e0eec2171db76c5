<?php
/**
 * Plugin Name:       WordSocket
 * Description:       Realtime for WordPress over the Apache that already serves it: content changes reach open pages at once, encrypted, by WebSocket or Server-Sent Events.
 * Version:           0.1.0
 * Requires at least: 6.4
 * Requires PHP:      8.1
 * Author:            The WordSocket contributors
 * License:           GPL-2.0-or-later
 * License URI:       https://www.gnu.org/licenses/gpl-2.0.html
 * Update URI:        mod-wordsocket
 * Text Domain:       wordsocket
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

defined( 'ABSPATH' ) || exit;

// Another build of the plugin owns the public names already: two would answer
// the same routes and publish everything twice.
if ( defined( 'WPSignal\VERSION' ) ) {
	require __DIR__ . '/includes/second-build-notice.php';
	return;
}

define( 'WordSocket\VERSION', '0.1.0' );
define( 'WordSocket\FILE', __FILE__ );

// What extensions of the ecosystem read. VERSION is the release whose public
// API this build offers, not the version of this build.
define( 'WPSignal\VERSION', '0.25.0' );
define( 'WPSignal\DIR', plugin_dir_path( __FILE__ ) );
define( 'WPSignal\URL', plugin_dir_url( __FILE__ ) );
define( 'WPSignal\ENCRYPTION_KEY_VERSION', 1 );

require __DIR__ . '/includes/autoload.php';

WordSocket\Connection::take_from_environment();
WordSocket\WPS::instance()->boot();
