<?php
/**
 * Says in wp-admin, and to who asks the doctor, that this build stays out of the way of another one.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

defined( 'ABSPATH' ) || exit;

add_action(
	'admin_notices',
	static function (): void {
		if ( ! current_user_can( 'activate_plugins' ) ) {
			return;
		}
		wp_admin_notice(
			esc_html__( 'Another WordSocket plugin is active, so this one does nothing. Deactivate one of the two on the Plugins screen.', 'wordsocket' ),
			array( 'type' => 'warning' )
		);
	}
);

// The other build may have a command of this name, which then stays.
if ( defined( 'WP_CLI' ) && WP_CLI ) {
	WP_CLI::add_hook(
		'after_wp_load',
		static function (): void {
			$doctor = array( 'wordsocket', 'doctor' );
			if ( is_string( WP_CLI::get_runner()->find_command_to_run( $doctor ) ) ) {
				WP_CLI::add_command(
					implode( ' ', $doctor ),
					static function (): void {
						WP_CLI::error( 'Another WordSocket plugin is active, so this one does nothing. Deactivate one of the two: wp plugin list --status=active.' );
					}
				);
			}
		}
	);
}
