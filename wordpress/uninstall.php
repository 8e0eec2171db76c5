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
// Another build that is active goes on with the names that both have.
$wordsocket_other  = defined( 'WPSignal\VERSION' ) && ! defined( 'WordSocket\VERSION' );
$wordsocket_forget = static function () use ( &$wordsocket_until, $wordsocket_other ): void {
	$wordsocket_keys = WordSocket\Connection::keys();
	if ( null !== $wordsocket_keys && time() < $wordsocket_until ) {
		$wordsocket_said = WordSocket\Connection::disconnect( $wordsocket_keys );
		if ( is_wp_error( $wordsocket_said ) && 'unreachable' === $wordsocket_said->get_error_data()['code'] ) {
			$wordsocket_until = 0;
		}
	}
	$wordsocket_relay = WordSocket\Relay::keys();
	if ( null !== $wordsocket_relay && ! $wordsocket_other && time() < $wordsocket_until ) {
		$wordsocket_said = WordSocket\Relay::disconnect( $wordsocket_relay );
		if ( is_wp_error( $wordsocket_said ) && 'unreachable' === $wordsocket_said->get_error_data()['code'] ) {
			$wordsocket_until = 0;
		}
	}
	array_map( 'delete_option', $wordsocket_other ? array_diff( WordSocket\Options::ALL, WordSocket\Options::SHARED ) : WordSocket\Options::ALL );
	array_map( 'delete_transient', $wordsocket_other ? array_diff( WordSocket\Options::TRANSIENTS, array( WordSocket\Options::STATE ) ) : WordSocket\Options::TRANSIENTS );
	WordSocket\Queue_Rows::delete_all();
	wp_clear_scheduled_hook( WordSocket\Sender::CRON );
};

if ( is_multisite() ) {
	// By pieces: a large network does not fit into memory at once.
	$wordsocket_after = 0;
	do {
		$wordsocket_sites = get_sites(
			array(
				'fields'  => 'ids',
				'number'  => 500,
				'offset'  => $wordsocket_after,
				'orderby' => 'id',
			)
		);
		foreach ( $wordsocket_sites as $wordsocket_site ) {
			switch_to_blog( $wordsocket_site );
			$wordsocket_forget();
			restore_current_blog();
		}
		$wordsocket_after += 500;
	} while ( array() !== $wordsocket_sites );
} else {
	$wordsocket_forget();
}
