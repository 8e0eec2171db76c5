<?php
/**
 * Deletes what the plugin stored, on every site of a network.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

defined( 'WP_UNINSTALL_PLUGIN' ) || exit;

require_once __DIR__ . '/includes/class-options.php';

$wordsocket_forget = static function (): void {
	array_map( 'delete_option', WordSocket\Options::ALL );
};

if ( is_multisite() ) {
	// A network of more sites than this keeps the rest of the rows: a request
	// that walks all of them would not end.
	$wordsocket_sites = get_sites(
		array(
			'fields' => 'ids',
			'number' => 10000,
		)
	);
	foreach ( $wordsocket_sites as $wordsocket_site ) {
		switch_to_blog( $wordsocket_site );
		$wordsocket_forget();
		restore_current_blog();
	}
} else {
	$wordsocket_forget();
}
