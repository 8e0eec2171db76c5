<?php
/**
 * Has the web server or the relay revoke the keys, and deletes what the plugin
 * stored, on every site of a network.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

defined( 'WP_UNINSTALL_PLUGIN' ) || exit;

require_once __DIR__ . '/includes/autoload.php';

// A relay that does not answer must not keep a large network from being cleaned.
$wordsocket_until  = time() + 20;
$wordsocket_forget = static function () use ( &$wordsocket_until ): void {
	$wordsocket_keys = WordSocket\Connection::keys();
	if ( null !== $wordsocket_keys && time() < $wordsocket_until ) {
		$wordsocket_said = WordSocket\Connection::disconnect( $wordsocket_keys );
		if ( is_wp_error( $wordsocket_said ) && 'unreachable' === $wordsocket_said->get_error_data()['code'] ) {
			$wordsocket_until = 0;
		}
	}
	$wordsocket_relay = WordSocket\Relay::keys();
	if ( null !== $wordsocket_relay && time() < $wordsocket_until ) {
		$wordsocket_said = WordSocket\Relay::disconnect( $wordsocket_relay );
		if ( is_wp_error( $wordsocket_said ) && 'unreachable' === $wordsocket_said->get_error_data()['code'] ) {
			$wordsocket_until = 0;
		}
	}
	array_map( 'delete_option', WordSocket\Options::ALL );
	array_map( 'delete_transient', WordSocket\Options::TRANSIENTS );
	WordSocket\Queue_Rows::delete_all();
	wp_clear_scheduled_hook( WordSocket\Sender::CRON );
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
